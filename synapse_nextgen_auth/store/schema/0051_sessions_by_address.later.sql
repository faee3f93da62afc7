CREATE INDEX nextgen_sessions_by_address ON nextgen_sessions (address, created_at)
