-- The one session that a client of the configuration has for its service account.
CREATE TABLE IF NOT EXISTS nextgen_services (
    client_id  TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL
)
