-- Which accounts an application ever signed in to here: legacy ways in may be closed for them.
CREATE TABLE IF NOT EXISTS nextgen_first_sessions (
    user_id  TEXT   NOT NULL PRIMARY KEY,
    began_at BIGINT NOT NULL
);

-- Sign-ins of clients that know only `m.login.sso`, on their way through the browser.
CREATE TABLE IF NOT EXISTS nextgen_legacy_logins (
    login_id     TEXT   NOT NULL PRIMARY KEY,
    browser      TEXT   NOT NULL,  -- digest of the cookie of the browser that began it
    redirect_url TEXT   NOT NULL,
    provider     TEXT,             -- the one that the client named
    action       TEXT,             -- login or register
    begun_as     TEXT,             -- digest of the secret of the sign-in that was there
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    decided_at   BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_legacy_logins_by_expiry ON nextgen_legacy_logins (expires_at)
