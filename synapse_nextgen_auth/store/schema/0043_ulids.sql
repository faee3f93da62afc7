-- What the admin API told of, by what it called it. The key is that of the kind.
CREATE TABLE IF NOT EXISTS nextgen_ulids (
    kind     TEXT NOT NULL,
    ulid     TEXT NOT NULL,
    item_key TEXT NOT NULL,
    PRIMARY KEY (kind, ulid),
    UNIQUE (kind, item_key)
)
