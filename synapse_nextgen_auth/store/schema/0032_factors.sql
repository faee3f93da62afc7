-- What people prove beside their password: authenticator apps, and codes for when those are lost.
CREATE TABLE IF NOT EXISTS nextgen_totp_apps (
    app_id       TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL,
    secret       TEXT   NOT NULL,  -- sealed
    name         TEXT   NOT NULL,
    made_at      BIGINT NOT NULL,
    confirmed_at BIGINT,           -- when it showed a right code: before that it is none
    last_used_at BIGINT,
    last_step    BIGINT            -- of the last code that was taken (RFC 6238 section 5.2)
);
CREATE INDEX IF NOT EXISTS nextgen_totp_apps_by_user ON nextgen_totp_apps (user_id);
CREATE TABLE IF NOT EXISTS nextgen_recovery_codes (
    user_id TEXT   NOT NULL,
    mac     TEXT   NOT NULL,
    made_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, mac)
);
-- How many factors somebody proved when they signed in; absent in what is from before.
ALTER TABLE nextgen_browsers ADD COLUMN level BIGINT
