-- Tokens of application services that were revoked before they were over.
CREATE TABLE IF NOT EXISTS nextgen_revoked_tokens (
    token_id   TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS nextgen_revoked_tokens_by_end
    ON nextgen_revoked_tokens (expires_at)
