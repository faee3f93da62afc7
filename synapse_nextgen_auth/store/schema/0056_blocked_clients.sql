-- Clients that whoever runs the server shut out. Their registration stays, so that they stay shut out.
CREATE TABLE IF NOT EXISTS nextgen_blocked_clients (
    client_id  TEXT   NOT NULL PRIMARY KEY,
    blocked_at BIGINT NOT NULL,
    blocked_by TEXT   NOT NULL,
    why        TEXT
)
