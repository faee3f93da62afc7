"""Everything that a thief of the database would read, as text."""

_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgres": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
}


def dump(homeserver):
    """Return the text of every table by its name, Synapse's own included."""
    names = [name for (name,) in homeserver.query(_TABLES[homeserver.database.kind])]
    # A young Synapse drops these any moment.
    lasting = [name for name in names if not name.startswith("_temp_")]
    return {name: _text(homeserver.query(f'SELECT * FROM "{name}"')) for name in lasting}


def _text(rows):
    return "\n".join(" ".join(_plain(value) for value in row) for row in rows)


def _plain(value):
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("latin-1")
    return str(value)
