-- Since when an account is to have a second factor: what it is given to set one up begins there.
CREATE TABLE IF NOT EXISTS nextgen_factor_owed (
    user_id TEXT   NOT NULL PRIMARY KEY,
    since   BIGINT NOT NULL
);
-- Browsers that proved a second factor of an account, and are not asked for it for a while.
CREATE TABLE IF NOT EXISTS nextgen_remembered (
    remembered_id TEXT   NOT NULL PRIMARY KEY,
    digest        TEXT   NOT NULL,  -- of the value of a cookie
    user_id       TEXT   NOT NULL,
    made_at       BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    user_agent    TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_remembered_by_digest ON nextgen_remembered (digest, user_id);
CREATE INDEX IF NOT EXISTS nextgen_remembered_by_expiry ON nextgen_remembered (expires_at);
CREATE INDEX IF NOT EXISTS nextgen_remembered_by_user ON nextgen_remembered (user_id)
