-- Which request an approval is for: any that Synapse guards with interactive authentication. Rows from
-- before, and resets that begin on our page, name a session and no request of it.
ALTER TABLE nextgen_approvals ADD COLUMN device_id TEXT;
ALTER TABLE nextgen_approvals ADD COLUMN method TEXT;
ALTER TABLE nextgen_approvals ADD COLUMN path TEXT;
ALTER TABLE nextgen_approvals ADD COLUMN body TEXT;        -- a keyed digest of it, without `auth`
ALTER TABLE nextgen_approvals ADD COLUMN details TEXT;     -- sealed: what the page describes
ALTER TABLE nextgen_approvals ADD COLUMN ui_session TEXT;  -- what Synapse and the client call it
ALTER TABLE nextgen_approvals ADD COLUMN address TEXT;     -- the network address that asked
ALTER TABLE nextgen_approvals ADD COLUMN refused_at BIGINT
