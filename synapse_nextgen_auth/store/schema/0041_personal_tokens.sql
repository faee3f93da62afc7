-- What a session does not know of the personal token that it has: whose it is, and its name.
CREATE TABLE IF NOT EXISTS nextgen_personal_tokens (
    session_id TEXT NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL,
    name       TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_personal_tokens_by_user
    ON nextgen_personal_tokens (user_id)
