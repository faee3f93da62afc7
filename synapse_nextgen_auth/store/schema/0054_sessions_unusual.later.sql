-- What has more in its scope than a Matrix client asks for; the condition is that of session_lists.py.
CREATE INDEX nextgen_sessions_unusual ON nextgen_sessions (created_at)
    WHERE CASE WHEN TRIM(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(scope,
        'openid', ''), 'email', ''), 'profile', ''),
        'urn:matrix:client:api:*', ''),
        'urn:matrix:org.matrix.msc2967.client:api:*', ''),
        'urn:matrix:client:device:' || COALESCE(device_id, ''), ''),
        'urn:matrix:org.matrix.msc2967.client:device:' || COALESCE(device_id, ''), '')) <> '' THEN 1 END = 1
