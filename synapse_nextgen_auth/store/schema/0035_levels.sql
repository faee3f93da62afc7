-- How many factors were proven, and what a client asks of that (RFC 9470); absent in what is from before.
ALTER TABLE nextgen_grants ADD COLUMN acr_values TEXT;
ALTER TABLE nextgen_grants ADD COLUMN level BIGINT;
ALTER TABLE nextgen_device_grants ADD COLUMN level BIGINT;
ALTER TABLE nextgen_sessions ADD COLUMN level BIGINT;
-- When that was, where anybody knows: an identity provider may not say it.
ALTER TABLE nextgen_device_grants ADD COLUMN proven_at BIGINT;
ALTER TABLE nextgen_sessions ADD COLUMN proven_at BIGINT;
-- What was proven of a session that stood for less before: its later tokens stand for that again (MSC4363).
ALTER TABLE nextgen_sessions ADD COLUMN former_level BIGINT;
ALTER TABLE nextgen_sessions ADD COLUMN former_proven_at BIGINT;
ALTER TABLE nextgen_sessions ADD COLUMN former_auth_time BIGINT;
ALTER TABLE nextgen_sessions ADD COLUMN former_amr TEXT;
ALTER TABLE nextgen_sessions ADD COLUMN former_acr TEXT
