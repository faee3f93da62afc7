CREATE INDEX nextgen_totp_apps_unconfirmed ON nextgen_totp_apps (made_at) WHERE confirmed_at IS NULL
