"""In which language and time zone somebody is written to who is not here.

What they chose for their account; else the language in which they signed in last; else the server's.
"""

from synapse_nextgen_auth.config import Languages
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.oauth import languages
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import preferences


@frozen
class Reads:
    """How somebody reads: a BCP 47 tag, and a name of the tz database."""

    language: str
    time_zone: str


@frozen
class Reading:
    """How people of this server read; `tags` are the languages that mails are written in."""

    homeserver: Homeserver
    options: Languages
    tags: tuple[str, ...]

    async def of(self, user_id: str) -> Reads:
        """Return how the person of an account reads."""
        found = await self.homeserver.read(preferences.get, user_id)
        # One may have gone with a release, or with the catalogue that somebody had put there.
        wished = [found.language or "", found.last_language or ""] if found else []
        language = languages.lookup(self.tags, wished)
        zone = found.time_zone if found else None
        return Reads(language or self.options.default, zone or self.options.time_zone)
