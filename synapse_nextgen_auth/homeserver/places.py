"""Roughly where network addresses are, out of a file of the operator's: nobody else is asked."""

from collections.abc import Mapping
from typing import Any

import attrs

from synapse_nextgen_auth.config import Config

_ENGLISH = "en"


@attrs.define(eq=False)
class Places:
    """The file is opened when somebody first asks; without one nobody knows where anything is."""

    path: str | None
    _reader: Any = attrs.field(default=None, init=False)

    def of(self, address: str | None, language: str) -> str | None:
        """Return the town and the country of an address, in this language where the file has it."""
        if self.path is None or address is None:
            return None
        from maxminddb.errors import InvalidDatabaseError  # noqa: PLC0415 (most have no such file)

        try:
            found = self._opened().get(address)
        except (OSError, ValueError, InvalidDatabaseError):
            # No address, or a file that went bad: where somebody was is never worth an error.
            return None
        return _words(found, language) if isinstance(found, Mapping) else None

    def _opened(self) -> Any:
        if self._reader is None:
            import maxminddb  # noqa: PLC0415 (as above)

            self._reader = maxminddb.open_database(self.path or "")
        return self._reader


def problems(config: Config) -> list[str]:
    """Return why the file cannot be used, with its path."""
    path = config.geoip.database
    if path is None:
        return []
    import maxminddb  # noqa: PLC0415 (as above)
    from maxminddb.errors import InvalidDatabaseError  # noqa: PLC0415

    try:
        maxminddb.open_database(path).close()
    except OSError as error:
        return [f"geoip.database: cannot read {path}: {error.strerror or error}"]
    except (ValueError, InvalidDatabaseError):
        return [f"geoip.database: {path} is no database in MaxMind's format"]
    return []


def _words(found: Mapping[str, Any], language: str) -> str | None:
    """Return "Berlin, Germany", or as much as is known."""
    parts = [_name(found.get(part), language) for part in ("city", "country")]
    known = [part for part in parts if part]
    if not known:
        known = [part for part in (_name(found.get("continent"), language),) if part]
    return ", ".join(dict.fromkeys(known)) or None


def _name(part: Any, language: str) -> str | None:
    names = part.get("names") if isinstance(part, Mapping) else None
    if not isinstance(names, Mapping):
        return None
    name = names.get(language) or names.get(_ENGLISH)
    return name if isinstance(name, str) else None
