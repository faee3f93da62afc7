-- Answers of identity providers that wait for the browser that asked.

CREATE TABLE IF NOT EXISTS nextgen_arrivals (
    digest           TEXT   NOT NULL PRIMARY KEY,  -- of what that browser was given
    attempt_id       TEXT   NOT NULL,
    provider         TEXT   NOT NULL,
    arrived_at       BIGINT NOT NULL,
    user_id          TEXT,    -- whose account it is, or
    newcomer         TEXT,    -- sealed: what is known of somebody who has none yet
    provider_session TEXT,
    amr              TEXT,
    acr              TEXT,
    auth_time        BIGINT,
    taken_at         BIGINT
);
CREATE INDEX IF NOT EXISTS nextgen_arrivals_by_age ON nextgen_arrivals (arrived_at);
-- The provider that a client would have people sign in with.
ALTER TABLE nextgen_grants ADD COLUMN idp_hint TEXT
