-- Accounts of which somebody says that all second factors are lost: one request each.
CREATE TABLE IF NOT EXISTS nextgen_lost_factors (
    user_id      TEXT   NOT NULL PRIMARY KEY,
    request_id   TEXT   NOT NULL,
    digest       TEXT   NOT NULL,  -- of the secret in the link that cancels it
    secret       TEXT   NOT NULL,  -- sealed
    asked_at     BIGINT NOT NULL,
    remind_at    BIGINT NOT NULL,
    ready_at     BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    told_at      BIGINT,           -- the owner, at once
    reminded_at  BIGINT,           -- and again before the end: without both nothing is removed
    cancelled_at BIGINT,
    used_at      BIGINT,
    address      TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_lost_factors_by_digest ON nextgen_lost_factors (digest);
CREATE INDEX IF NOT EXISTS nextgen_lost_factors_by_expiry ON nextgen_lost_factors (expires_at);
CREATE INDEX IF NOT EXISTS nextgen_lost_factors_to_remind ON nextgen_lost_factors (remind_at)
    WHERE reminded_at IS NULL
