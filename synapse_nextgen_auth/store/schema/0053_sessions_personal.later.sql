CREATE INDEX nextgen_sessions_personal ON nextgen_sessions (created_at)
    WHERE began_by = 'personal_token'
