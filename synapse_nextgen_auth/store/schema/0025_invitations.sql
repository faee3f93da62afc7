-- What an invitation says beside the registration token that it is (a table of Synapse's).
CREATE TABLE IF NOT EXISTS nextgen_invitations (
    token       TEXT   NOT NULL PRIMARY KEY,
    made_at     BIGINT NOT NULL,
    expires_at  BIGINT,
    invited_by  TEXT,                        -- a member; nothing for whoever runs the server
    text        TEXT,
    username    TEXT,
    email       TEXT,
    mail_digest TEXT,                        -- of the secret that is in the mail alone
    rooms       TEXT   NOT NULL,             -- JSON
    slot        BIGINT,
    UNIQUE (invited_by, slot)
);
CREATE INDEX IF NOT EXISTS nextgen_invitations_by_expiry ON nextgen_invitations (expires_at)
