CREATE INDEX nextgen_sessions_of_client_by_age ON nextgen_sessions (client_id, created_at)
