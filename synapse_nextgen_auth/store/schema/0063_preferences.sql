-- How people read: what they chose for their account, nothing where that is left to their browsers, and
-- the language in which they signed in last.
CREATE TABLE IF NOT EXISTS nextgen_preferences (
    user_id       TEXT   NOT NULL PRIMARY KEY,
    language      TEXT,
    time_zone     TEXT,
    changed_at    BIGINT NOT NULL,
    last_language TEXT
)
