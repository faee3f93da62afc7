-- What was granted at services of others, in words of theirs (RFC 8707).
ALTER TABLE nextgen_sessions ADD COLUMN resource_scope TEXT;
ALTER TABLE nextgen_grants ADD COLUMN resource_scope TEXT;
ALTER TABLE nextgen_device_grants ADD COLUMN resource_scope TEXT
