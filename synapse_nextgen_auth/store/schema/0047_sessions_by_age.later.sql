CREATE INDEX nextgen_sessions_by_age ON nextgen_sessions (created_at)
