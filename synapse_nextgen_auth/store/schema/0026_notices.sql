-- When an account was told last of a kind of thing, or is to be: what happens meanwhile is told with it.

CREATE TABLE IF NOT EXISTS nextgen_notices (
    user_id TEXT   NOT NULL,
    about   TEXT   NOT NULL,
    due_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, about)
);
CREATE INDEX IF NOT EXISTS nextgen_notices_by_age ON nextgen_notices (due_at)
