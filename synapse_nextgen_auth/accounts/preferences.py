"""How somebody reads: in which language, and in which time zone they live."""

from synapse_nextgen_auth.records import frozen


@frozen
class Preferences:
    """What an account was set to; `None` where nobody chose, `changed_at` in seconds.

    `language` is a BCP 47 tag of a language of ours, `time_zone` a name of the tz database, and
    `last_language` the language in which its person signed in last. Any of them may be gone since:
    whoever reads them looks.
    """

    user_id: str
    language: str | None
    time_zone: str | None
    changed_at: int
    last_language: str | None = None
