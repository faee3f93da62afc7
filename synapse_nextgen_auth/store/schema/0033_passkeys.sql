-- Keys that people's devices keep (WebAuthn), and the challenges that one of them has answered.
CREATE TABLE IF NOT EXISTS nextgen_passkeys (
    credential_id TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL,
    user_handle   TEXT   NOT NULL,  -- what a key calls the account: random, the same in all of its keys
    rp_id         TEXT   NOT NULL,  -- the site that it is for
    public_key    TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    made_at       BIGINT NOT NULL,
    sign_count    BIGINT NOT NULL,
    may_sync      BIGINT NOT NULL,
    is_synced     BIGINT NOT NULL,
    is_verified   BIGINT NOT NULL,  -- its device knows its owner
    transports    TEXT   NOT NULL,
    aaguid        TEXT,
    last_used_at  BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_passkeys_by_user ON nextgen_passkeys (user_id);
CREATE TABLE IF NOT EXISTS nextgen_passkey_challenges (
    digest     TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS nextgen_passkey_challenges_by_expiry
    ON nextgen_passkey_challenges (expires_at)
