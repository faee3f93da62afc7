-- Codes that went to a mailbox, one of each attempt: whoever types it reads what is sent there.

CREATE TABLE IF NOT EXISTS nextgen_codes (
    attempt_id TEXT   NOT NULL PRIMARY KEY,
    mac        TEXT   NOT NULL,  -- of the code, and of what it is for
    address    TEXT   NOT NULL,  -- sealed
    mail       TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    proven_at  BIGINT,           -- when somebody typed it
    refused_at BIGINT            -- when the mail server refused the address for ever
);
CREATE INDEX IF NOT EXISTS nextgen_codes_by_mail ON nextgen_codes (mail);
CREATE INDEX IF NOT EXISTS nextgen_codes_by_expiry ON nextgen_codes (expires_at)
