CREATE INDEX nextgen_sessions_by_device_id ON nextgen_sessions (device_id)
