CREATE INDEX nextgen_sessions_by_active_day ON nextgen_sessions (active_day)
