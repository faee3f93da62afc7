-- Since when something is so of which Synapse knows no time, as far as the admin API knows: an account
-- that is locked or closed, a registration token that was revoked (and until when it was good before).
CREATE TABLE IF NOT EXISTS nextgen_marks (
    subject TEXT   NOT NULL,
    mark    TEXT   NOT NULL,
    since   BIGINT NOT NULL,
    former  BIGINT,
    PRIMARY KEY (subject, mark)
)
