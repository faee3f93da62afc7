-- Which login token a client was let in with, and by which sign-in: what ends that ends this.
ALTER TABLE nextgen_legacy_logins ADD COLUMN sign_in_id TEXT;
ALTER TABLE nextgen_legacy_logins ADD COLUMN token TEXT
