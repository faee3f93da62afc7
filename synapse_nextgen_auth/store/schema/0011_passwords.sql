-- Passwords that are kept as argon2id. Synapse's column has a bcrypt hash in its place.

CREATE TABLE IF NOT EXISTS nextgen_passwords (
    stand_in TEXT   NOT NULL PRIMARY KEY,  -- digest of what stands in users.password_hash
    hash     TEXT   NOT NULL,
    made_at  BIGINT NOT NULL,
    user_id  TEXT                          -- absent until it was set for an account, or used
);
CREATE INDEX IF NOT EXISTS nextgen_passwords_by_user ON nextgen_passwords (user_id);
CREATE INDEX IF NOT EXISTS nextgen_passwords_unused ON nextgen_passwords (made_at)
    WHERE user_id IS NULL
