"""The section `languages`."""

from synapse_nextgen_auth.config.kinds.words import Text
from synapse_nextgen_auth.config.options import option
from synapse_nextgen_auth.records import frozen


@frozen
class Languages:
    """In which language and time zone people read, of whom nothing else is known."""

    default: str = option(
        Text(),
        default="en",
        about="The language of pages and mails for people of whom no wish is known that can be met:"
        " not from the application, not from themselves, not from their browser. One of those that"
        " `ui_locales_supported` of the metadata names."
        " See [languages](../topics/languages.md).",
        example="de",
        label="language",
    )
    time_zone: str = option(
        Text(),
        default="UTC",
        about="The time zone in which times are shown to people who did not choose one, as"
        " [the tz database](https://www.iana.org/time-zones) calls it.",
        example="Europe/Berlin",
        label="time zone",
    )
