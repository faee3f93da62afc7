-- Where two devices meet during a sign-in by QR code (MSC4108, MSC4388).

CREATE TABLE IF NOT EXISTS nextgen_rendezvous (
    rendezvous_id TEXT   NOT NULL PRIMARY KEY,
    kind          TEXT   NOT NULL,
    data          TEXT   NOT NULL,  -- end-to-end encrypted by the devices
    sequence      TEXT   NOT NULL,  -- changes with every write
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS nextgen_rendezvous_by_expiry ON nextgen_rendezvous (expires_at)
