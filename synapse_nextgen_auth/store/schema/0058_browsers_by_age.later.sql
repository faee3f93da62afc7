CREATE INDEX nextgen_browsers_by_age ON nextgen_browsers (signed_in_at)
