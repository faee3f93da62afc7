"""What an account is signed in with: devices, websites and browsers in one list, and what to look at."""

import enum
from collections.abc import Iterable, Sequence

import attrs

from synapse_nextgen_auth.records import frozen

# After how long (seconds) without use something is probably forgotten.
UNUSED_AFTER = 90 * 24 * 3600
PER_PAGE = 50
# From how many on there is a search.
SEARCHED_FROM = 20


class Kind(str, enum.Enum):
    """How it is signed in."""

    DEVICE = "device"  # in the browser, here
    LEGACY = "legacy"  # a Matrix device with a password or token of its own
    WEBSITE = "website"  # a session without a device
    PROGRAM = "program"  # such a session of a program by itself, that the operator set up
    TOKEN = "token"  # noqa: S105 (a personal token without a device)
    BROWSER = "browser"  # a browser at our pages

    @property
    def is_device(self) -> bool:
        """Whether it is a Matrix device."""
        return self in {Kind.DEVICE, Kind.LEGACY}

    @property
    def has_only_a_session(self) -> bool:
        """Whether it is a session that no device stands for."""
        return self in {Kind.WEBSITE, Kind.PROGRAM, Kind.TOKEN}


class How(str, enum.Enum):
    """How it began, as far as anybody knows."""

    BROWSER = "browser"  # an application, in the browser
    CODE = "code"  # by a code, typed or scanned on another device
    BROWSER_OR_CODE = "browser_or_code"  # one of these two, before anybody noted which
    PAGES = "pages"  # a browser at our pages
    SINGLE_SIGN_ON = "single_sign_on"  # as Synapse does it
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 (how something began)
    SERVICE = "service"  # a program by itself, as the configuration says
    OWN = "own"  # with a password or token of its own
    SERVICE_OR_OWN = "service_or_own"  # that, or by the application service that made the account


@frozen(kw_only=True)
class Entry:
    """One of them; times in seconds since the epoch.

    `id` is what our links call it: of a device its own, of everything else a digest. `client_name` is
    how its application is called, as far as it was looked up. `is_verified` is not known of what keeps
    no keys, or where the account has none to verify by. Nor is `how` of what nothing speaks for.
    `words` are scopes at services of others.
    """

    kind: Kind
    id: str
    name: str | None = None
    client_id: str | None = None
    client_name: str | None = None
    user_agent: str | None = attrs.field(default=None, repr=False)
    scope: str | None = None
    began: int | None = None
    last_seen: int | None = None
    address: str | None = None
    amr: str | None = None
    how: How | None = None
    is_verified: bool | None = None
    is_here: bool = False
    words: str | None = None

    def unused_since(self, now: int) -> int | None:
        """Return since how many days nobody used it, where that is long."""
        if self.last_seen is None or self.is_here or now - self.last_seen < UNUSED_AFTER:
            return None
        return (now - self.last_seen) // (24 * 3600)

    def needs_a_look(self, now: int) -> bool:
        """Say whether it stands before the others."""
        return self.is_verified is False or self.unused_since(now) is not None

    def is_like(self, words: str) -> bool:
        """Say whether a search means it: by its names, its id or its address."""
        wanted = words.casefold()
        said = (self.name, self.client_name, self.client_id, self.address, self.user_agent)
        names = (*said, self.id) if self.kind.is_device else said
        return any(wanted in each.casefold() for each in names if each)


class Several(str, enum.Enum):
    """What may be signed out at once; the value stands in links."""

    OTHERS = "others"  # all but this browser
    UNVERIFIED = "unverified"  # the devices that are not verified

    def of(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return what would be signed out."""
        if self is Several.OTHERS:
            return [each for each in entries if not each.is_here]
        return [each for each in entries if each.is_verified is False]


def in_order(entries: Iterable[Entry], now: int) -> list[Entry]:
    """Return them as the list has them: what needs a look, this browser, then whatever was used last."""

    def rank(entry: Entry) -> tuple[bool, bool, int, str]:
        return (
            not entry.needs_a_look(now),
            not entry.is_here,
            -(entry.last_seen or 0),
            entry.id,
        )

    return sorted(entries, key=rank)


@frozen
class Part:
    """A page of a list: the first and the last of how many; `of` is 0 for nothing."""

    number: int
    first: int
    last: int
    of: int

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        return self.last >= self.of


def part(entries: Sequence[Entry], wanted: str | None) -> tuple[Part, Sequence[Entry]]:
    """Return a page of the list by its number, the last one if there are fewer."""
    pages = max(1, -(-len(entries) // PER_PAGE))
    number = (
        int(wanted) if wanted and wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 1
    )
    number = min(max(1, number), pages)
    start = (number - 1) * PER_PAGE
    shown = entries[start : start + PER_PAGE]
    return Part(number, start + 1 if shown else 0, start + len(shown), len(entries)), shown
