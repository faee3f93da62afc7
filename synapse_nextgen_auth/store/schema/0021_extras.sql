-- Sealed: what a mapping of a provider says beside an account, for the client that the person is
-- signing in to.
ALTER TABLE nextgen_arrivals ADD COLUMN extras TEXT;
ALTER TABLE nextgen_legacy_logins ADD COLUMN extras TEXT
