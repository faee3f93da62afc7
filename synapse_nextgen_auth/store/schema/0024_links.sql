-- Links with which the owner of an account sets its password.
CREATE TABLE IF NOT EXISTS nextgen_links (
    digest     TEXT   NOT NULL PRIMARY KEY,  -- of its secret
    kind       TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT,                         -- the mailbox that it was sent to
    attempt_id TEXT,                         -- of the browser that asked for it
    used_at    BIGINT,
    ended_at   BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_links_by_user ON nextgen_links (user_id);
CREATE INDEX IF NOT EXISTS nextgen_links_by_expiry ON nextgen_links (expires_at)
