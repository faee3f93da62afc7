"""The parameters of a request, as whoever reads it finds them (RFC 6749 section 3.1)."""

from collections.abc import Mapping

from synapse_nextgen_auth.records import frozen


@frozen
class Parameters:
    """The parameters of a request: those given once, and the names of those given more often."""

    values: Mapping[str, str]
    repeated: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """Return the value; an empty one counts as absent (RFC 6749 section 3.1)."""
        return None if name in self.repeated else self.values.get(name) or None
