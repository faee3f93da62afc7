-- Registration tokens that a sign-up holds: given back soon where no account comes of it.

CREATE TABLE IF NOT EXISTS nextgen_token_holds (
    ui_auth_session TEXT   NOT NULL PRIMARY KEY,
    browser         TEXT   NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS nextgen_token_holds_by_browser ON nextgen_token_holds (browser);
CREATE INDEX IF NOT EXISTS nextgen_token_holds_by_expiry ON nextgen_token_holds (expires_at)
