-- Signing in on a device without a browser (RFC 8628), and what limits guessing at codes.

CREATE TABLE IF NOT EXISTS nextgen_device_grants (
    grant_id           TEXT   NOT NULL PRIMARY KEY,
    device_code_digest TEXT   NOT NULL,
    user_code_digest   TEXT   NOT NULL,  -- keyed: a user code is short enough to be searched for
    user_code_half     TEXT   NOT NULL,  -- the same of its first half, to notice guesses nearby
    user_code_sealed   TEXT   NOT NULL,  -- encrypted, to be shown again for comparison
    client_id          TEXT   NOT NULL,
    scope              TEXT   NOT NULL,
    device_id          TEXT,             -- of the scope
    address            TEXT,
    user_agent         TEXT,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    poll_interval      BIGINT NOT NULL,
    slowed_at          BIGINT,
    wrong_tries        BIGINT NOT NULL,
    browser            TEXT,             -- digest of the cookie of the browser that entered the code
    user_id            TEXT,
    auth_time          BIGINT,
    approved_at        BIGINT,
    refused_at         BIGINT,
    redeemed_at        BIGINT,
    session_id         TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_device_grants_by_device_code
    ON nextgen_device_grants (device_code_digest);
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_device_grants_by_user_code
    ON nextgen_device_grants (user_code_digest);
CREATE INDEX IF NOT EXISTS nextgen_device_grants_by_half ON nextgen_device_grants (user_code_half);
CREATE INDEX IF NOT EXISTS nextgen_device_grants_by_browser ON nextgen_device_grants (browser);
CREATE INDEX IF NOT EXISTS nextgen_device_grants_by_client ON nextgen_device_grants (client_id);
CREATE INDEX IF NOT EXISTS nextgen_device_grants_by_user ON nextgen_device_grants (user_id);
CREATE INDEX IF NOT EXISTS nextgen_device_grants_by_expiry ON nextgen_device_grants (expires_at);

CREATE TABLE IF NOT EXISTS nextgen_throttle (
    key          TEXT   NOT NULL PRIMARY KEY,
    window_start BIGINT NOT NULL,
    count        BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS nextgen_throttle_by_age ON nextgen_throttle (window_start)
