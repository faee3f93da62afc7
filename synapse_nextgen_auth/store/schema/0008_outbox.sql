-- What only the main process may do, written in the transaction that wants it done.

CREATE TABLE IF NOT EXISTS nextgen_outbox (
    entry_id    TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    subject     TEXT   NOT NULL,  -- what it is about; some kinds are done in order for each
    position    BIGINT NOT NULL,  -- its place among those of its kind and subject
    payload     TEXT   NOT NULL,  -- JSON
    written_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,  -- not before; whoever is at it has moved this on
    tries       BIGINT NOT NULL,
    given_up_at BIGINT
);
CREATE UNIQUE INDEX IF NOT EXISTS nextgen_outbox_by_subject
    ON nextgen_outbox (kind, subject, position);
CREATE INDEX IF NOT EXISTS nextgen_outbox_by_age ON nextgen_outbox (written_at);
CREATE INDEX IF NOT EXISTS nextgen_outbox_waiting
    ON nextgen_outbox (kind, due_at) WHERE given_up_at IS NULL
