CREATE INDEX nextgen_sessions_ended_by_age ON nextgen_sessions (created_at)
    WHERE ended_at IS NOT NULL
