-- Which sign-in decided, and which login token a session got then: it ends with both.
ALTER TABLE nextgen_approvals ADD COLUMN decided_by TEXT;
ALTER TABLE nextgen_approvals ADD COLUMN login_token TEXT  -- a digest of it
