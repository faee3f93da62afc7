-- Somebody on the way to a sign-in: what was proven and answered so far, and where it goes on.

CREATE TABLE IF NOT EXISTS nextgen_attempts (
    attempt_id TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL,  -- digest of what binds it to the browser that began it
    purpose    TEXT   NOT NULL,
    onward     TEXT   NOT NULL,
    onward_id  TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    user_id    TEXT,
    proofs     TEXT   NOT NULL,  -- JSON
    answers    TEXT   NOT NULL,  -- JSON, each answer sealed
    ended_at   BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_attempts_by_expiry ON nextgen_attempts (expires_at)
