CREATE INDEX nextgen_sessions_living_by_age ON nextgen_sessions (created_at)
    WHERE ended_at IS NULL
