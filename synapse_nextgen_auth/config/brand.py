"""The values of the section `branding`: texts, colours and links, read and shown."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from synapse_nextgen_auth.config.branding import NO_COLOUR
from synapse_nextgen_auth.config.problems import Problems, join, kind_of
from synapse_nextgen_auth.config.problems import shown as repeated
from synapse_nextgen_auth.config.wording import wording
from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.oauth.languages import Wording
from synapse_nextgen_auth.records import frozen

LINKS = ("imprint", "privacy", "terms", "support", "status")
PAGES = ("home", "sign_in", "sign_up", "recovery", "consent", "device", "account")
SCHEMES = ("light", "dark")
# As long as a heading of a page can bear, and as words that somebody reads who came to sign in.
_LONGEST_NAME = 60
_LONGEST_WELCOME = 1000
_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_MAILTO = re.compile(r"mailto:[^\s@?<>\"]+@[^\s@?<>\"]+(?:\?[^\s<>\"]*)?")


@frozen
class Shades:
    """A colour of the operator's for light, for dark, or for both, as `#rrggbb`."""

    light: str | None
    dark: str | None

    def of(self, scheme: str) -> str | None:
        """Return the one that was written for a scheme."""
        found: str | None = getattr(self, scheme)
        return found


@frozen
class Links:
    """Addresses of the operator's, by what is there, in our order."""

    urls: tuple[tuple[str, Wording], ...]


@frozen
class Welcome:
    """Words of the operator's, by the page that they are for."""

    texts: tuple[tuple[str, Wording], ...]


def shown(value: Wording | Shades | Links | Welcome) -> str:
    """Return a value on one line, as `check-config` shows it."""
    if isinstance(value, Wording):
        return value.for_(())
    if isinstance(value, Shades):
        both = [f"{each} ({name})" for name in SCHEMES if (each := value.of(name))]
        return ", ".join(both)
    pairs = value.urls if isinstance(value, Links) else value.texts
    return ", ".join(name for name, _ in pairs)


def _name(raw: object, path: str, problems: Problems) -> Wording | None:
    return wording(raw, path, problems, read=_line)


def _line(raw: object, path: str, problems: Problems) -> str | None:
    if not isinstance(raw, str) or not raw.strip():
        problems.say(path, f"expected a text, got {'an empty text' if raw == '' else kind_of(raw)}")
        return None
    text = raw.strip()
    if len(text) > _LONGEST_NAME or not _is_plain(text):
        problems.say(path, f"expected one line of at most {_LONGEST_NAME} letters")
        return None
    return text


def _lines(raw: object, path: str, problems: Problems) -> str | None:
    if not isinstance(raw, str) or not raw.strip():
        problems.say(path, f"expected a text, got {'an empty text' if raw == '' else kind_of(raw)}")
        return None
    lines = [line.rstrip() for line in raw.strip().split("\n")]
    if len(raw) > _LONGEST_WELCOME or not all(map(_is_plain, lines)):
        problems.say(path, f"expected a text of at most {_LONGEST_WELCOME} letters")
        return None
    return "\n".join(lines)


def _is_plain(text: str) -> bool:
    """Say whether nothing in it is no character; what joins letters in Persian is one."""
    return all(unicodedata.category(letter) not in {"Cc", "Cs", "Cn"} for letter in text)


def _colour(raw: object, path: str, problems: Problems) -> Shades | None:
    if not isinstance(raw, Mapping):
        colour = _one_colour(raw, path, problems)
        return Shades(colour, None) if colour else None
    problems.say_unknown(path, raw, list(SCHEMES))
    if not raw:
        problems.say(path, "expected a colour for light, for dark or for both")
    light, dark = (
        _one_colour(raw[name], join(path, name), problems) if name in raw else None
        for name in SCHEMES
    )
    return Shades(light, dark) if light or dark else None


def _one_colour(raw: object, path: str, problems: Problems) -> str | None:
    if not isinstance(raw, str) or not _COLOUR.fullmatch(raw):
        other = f'expected a colour in quotes, such as "#2a56c6", got {repeated(raw)}'
        problems.say(path, NO_COLOUR if raw is None else other)
        return None
    digits = raw[1:].lower()
    return f"#{digits}" if len(digits) == 6 else "#" + "".join(digit * 2 for digit in digits)


def _links(raw: object, path: str, problems: Problems) -> Links | None:
    found = _by_name(raw, path, problems, names=LINKS, read=_url)
    return Links(found) if found else None


def _url(raw: object, path: str, problems: Problems) -> str | None:
    if not isinstance(raw, str):
        problems.say(path, f"expected an https: or mailto: address, got {kind_of(raw)}")
        return None
    uri = uris.parse(raw)
    is_page = uri is not None and uri.scheme == "https" and uri.host and not uri.has_userinfo
    if not is_page and not (uri is not None and _MAILTO.fullmatch(raw)):
        problems.say(path, f"expected an https: or mailto: address, got {repeated(raw)}")
        return None
    return raw


def _welcome(raw: object, path: str, problems: Problems) -> Welcome | None:
    found = _by_name(raw, path, problems, names=PAGES, read=_lines)
    return Welcome(found) if found else None


def _by_name(
    raw: object,
    path: str,
    problems: Problems,
    *,
    names: tuple[str, ...],
    read: Callable[[object, str, Problems], str | None],
) -> tuple[tuple[str, Wording], ...]:
    """Read what stands under each of some names, in their order."""
    if not isinstance(raw, Mapping):
        problems.say(path, f"expected some of {', '.join(names)}, got {kind_of(raw)}")
        return ()
    problems.say_unknown(path, raw, list(names))
    found = (
        (name, wording(raw[name], join(path, name), problems, read=read))
        for name in names
        if raw.get(name) is not None
    )
    return tuple((name, said) for name, said in found if said is not None)


READ: dict[str, Callable[[object, str, Problems], Any]] = {
    "name": _name,
    "colour": _colour,
    "links": _links,
    "welcome": _welcome,
}
