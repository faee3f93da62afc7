-- Several accounts in one browser: each sign-in has an id of its own, which stays when its secret
-- changes, and how its person proved who they are. Whatever begins there names it.
ALTER TABLE nextgen_browsers ADD COLUMN sign_in_id TEXT;  -- absent in older rows: the digest stands for it
ALTER TABLE nextgen_browsers ADD COLUMN auth_time BIGINT;
ALTER TABLE nextgen_browsers ADD COLUMN amr TEXT;
ALTER TABLE nextgen_browsers ADD COLUMN acr TEXT;
ALTER TABLE nextgen_browsers ADD COLUMN provider TEXT;
ALTER TABLE nextgen_browsers ADD COLUMN provider_session TEXT;
ALTER TABLE nextgen_grants ADD COLUMN sign_in_id TEXT;
ALTER TABLE nextgen_grants ADD COLUMN proven_at BIGINT;
ALTER TABLE nextgen_grants ADD COLUMN amr TEXT;
ALTER TABLE nextgen_grants ADD COLUMN acr TEXT;
ALTER TABLE nextgen_device_grants ADD COLUMN sign_in_id TEXT;
ALTER TABLE nextgen_device_grants ADD COLUMN amr TEXT;
ALTER TABLE nextgen_device_grants ADD COLUMN acr TEXT;
ALTER TABLE nextgen_sessions ADD COLUMN sign_in_id TEXT;
ALTER TABLE nextgen_sessions ADD COLUMN amr TEXT;
ALTER TABLE nextgen_sessions ADD COLUMN acr TEXT
