-- Which sign-ins of identity providers each of our sign-ins ever came from: a provider may end any of
-- them, whatever its person proved since, and when ours is over as well.

CREATE TABLE IF NOT EXISTS nextgen_provider_sessions (
    provider_session TEXT   NOT NULL,  -- what the provider calls it
    provider         TEXT   NOT NULL,
    user_id          TEXT   NOT NULL,
    sign_in_id       TEXT   NOT NULL,
    noted_at         BIGINT NOT NULL,  -- when the provider last answered with it
    PRIMARY KEY (provider_session, provider, user_id, sign_in_id)
);
CREATE INDEX IF NOT EXISTS nextgen_provider_sessions_by_age ON nextgen_provider_sessions (noted_at)
