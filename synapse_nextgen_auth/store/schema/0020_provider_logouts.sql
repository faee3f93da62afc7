-- Sign-ins of identity providers that these ended: an answer of one may still be on its way.
CREATE TABLE IF NOT EXISTS nextgen_provider_logouts (
    provider_session TEXT   NOT NULL,  -- what the provider calls it
    provider         TEXT   NOT NULL,
    user_id          TEXT   NOT NULL,  -- whose, or nothing where it does not say
    ended_at         BIGINT NOT NULL,
    PRIMARY KEY (provider_session, provider, user_id)
);
CREATE INDEX IF NOT EXISTS nextgen_provider_logouts_by_age ON nextgen_provider_logouts (ended_at)
