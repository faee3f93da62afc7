-- Whom a device means that asks for a code: by a hint, or as the one account that it takes.
ALTER TABLE nextgen_device_grants ADD COLUMN login_hint TEXT;
ALTER TABLE nextgen_device_grants ADD COLUMN asked_for TEXT
