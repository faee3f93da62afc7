CREATE INDEX nextgen_legacy_logins_by_token ON nextgen_legacy_logins (token)
