-- Everything this module keeps, in Synapse's own database.
-- TEXT and BIGINT only, times in seconds since the epoch, state as nullable timestamps: so the rows
-- travel from SQLite to PostgreSQL through synapse_port_db untouched.

CREATE TABLE IF NOT EXISTS nextgen_clients (
    client_id    TEXT   NOT NULL PRIMARY KEY,
    digest       TEXT,              -- of the metadata; absent where a secret makes the client unique
    metadata     TEXT   NOT NULL,   -- JSON
    secret_hash  TEXT,              -- argon2
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_clients_by_digest ON nextgen_clients (digest);
CREATE INDEX IF NOT EXISTS nextgen_clients_by_use ON nextgen_clients (last_used_at);

CREATE TABLE IF NOT EXISTS nextgen_browsers (
    digest         TEXT   NOT NULL PRIMARY KEY,  -- of the cookie
    user_id        TEXT   NOT NULL,
    signed_in_at   BIGINT NOT NULL,
    last_active_at BIGINT NOT NULL,
    ended_at       BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_browsers_by_user ON nextgen_browsers (user_id);
CREATE INDEX IF NOT EXISTS nextgen_browsers_by_activity ON nextgen_browsers (last_active_at);

CREATE TABLE IF NOT EXISTS nextgen_grants (
    grant_id        TEXT   NOT NULL PRIMARY KEY,
    browser         TEXT   NOT NULL,  -- digest of the cookie of the browser that began it
    client_id       TEXT   NOT NULL,
    redirect_uri    TEXT   NOT NULL,
    scope           TEXT   NOT NULL,
    device_id       TEXT,             -- of the scope
    state           TEXT,
    response_mode   TEXT   NOT NULL,
    nonce           TEXT,
    code_challenge  TEXT,
    prompt          TEXT,
    login_hint      TEXT,
    ui_locales      TEXT,
    login_after     BIGINT,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    user_id         TEXT,
    auth_time       BIGINT,
    approved_at     BIGINT,
    refused_at      BIGINT,
    code_digest     TEXT,
    code_expires_at BIGINT,
    redeemed_at     BIGINT,
    session_id      TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_grants_by_code ON nextgen_grants (code_digest);
CREATE INDEX IF NOT EXISTS nextgen_grants_by_browser ON nextgen_grants (browser);
CREATE INDEX IF NOT EXISTS nextgen_grants_by_client ON nextgen_grants (client_id);
CREATE INDEX IF NOT EXISTS nextgen_grants_by_user ON nextgen_grants (user_id);
CREATE INDEX IF NOT EXISTS nextgen_grants_by_expiry ON nextgen_grants (expires_at);

CREATE TABLE IF NOT EXISTS nextgen_sessions (
    session_id           TEXT   NOT NULL PRIMARY KEY,
    user_id              TEXT   NOT NULL,
    device_id            TEXT,
    client_id            TEXT   NOT NULL,
    scope                TEXT   NOT NULL,
    generation           BIGINT NOT NULL,
    rotated_at           BIGINT NOT NULL,
    confirmed_generation BIGINT NOT NULL,
    auth_time            BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    last_active_at       BIGINT NOT NULL,
    address              TEXT,  -- the network address that last refreshed it
    expires_at           BIGINT,
    ended_at             BIGINT,
    end_reason           TEXT
);
-- At most one living session per Matrix device.
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_sessions_by_device ON nextgen_sessions (user_id, device_id)
    WHERE ended_at IS NULL AND device_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS nextgen_sessions_by_user ON nextgen_sessions (user_id);
CREATE INDEX IF NOT EXISTS nextgen_sessions_by_client ON nextgen_sessions (client_id);
CREATE INDEX IF NOT EXISTS nextgen_sessions_by_end ON nextgen_sessions (ended_at)
    WHERE ended_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS nextgen_consents (
    user_id    TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id, scope)
);
CREATE INDEX IF NOT EXISTS nextgen_consents_by_age ON nextgen_consents (granted_at);

CREATE TABLE IF NOT EXISTS nextgen_signing_keys (
    kid         TEXT   NOT NULL PRIMARY KEY,
    algorithm   TEXT   NOT NULL,
    sealed      TEXT   NOT NULL,  -- the private key, encrypted
    public_jwk  TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    active_from BIGINT NOT NULL
);
-- Two processes that notice a missing key at once make one, not two.
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_signing_keys_by_start
    ON nextgen_signing_keys (algorithm, active_from);

CREATE TABLE IF NOT EXISTS nextgen_client_assertions (
    digest     TEXT   NOT NULL PRIMARY KEY,  -- of client and jti
    expires_at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS nextgen_client_assertions_by_expiry
    ON nextgen_client_assertions (expires_at);

CREATE TABLE IF NOT EXISTS nextgen_approvals (
    approval_id  TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL,
    session_id   TEXT   NOT NULL,
    operation    TEXT   NOT NULL,
    requested_at BIGINT NOT NULL,
    approved_at  BIGINT,
    used_at      BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_approvals_by_session ON nextgen_approvals (session_id, operation);
CREATE INDEX IF NOT EXISTS nextgen_approvals_by_age ON nextgen_approvals (requested_at);

CREATE TABLE IF NOT EXISTS nextgen_events (
    event_id   TEXT   NOT NULL PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    user_id    TEXT,
    client_id  TEXT,
    session_id TEXT,
    address    TEXT,
    detail     TEXT
);
CREATE INDEX IF NOT EXISTS nextgen_events_by_user ON nextgen_events (user_id, happened_at);
CREATE INDEX IF NOT EXISTS nextgen_events_by_age ON nextgen_events (happened_at)
