"""What other modules of Synapse add: stages of a sign-in, cards, listeners, and who needs a factor.

`of(api)` is theirs from their `__init__` on, before or after this module's, on every process; where this
module is not configured, nothing comes of it. See docs/topics/extensions.md.

It stands on nothing else of this package, so that what others rely on changes only on purpose.
"""

import enum
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import attrs

from synapse_nextgen_auth.records import frozen

# Seconds that an answer may take; a person waits for it.
PATIENCE = 5
# Of a page or card: nobody reads more, and whatever makes it up has gone wrong.
_LONGEST = 4000
_MOST = 20

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,31}")


class NotOurs(ValueError):
    """What another module said cannot be shown or asked; the text says why."""


def _text(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise NotOurs(f"{attribute.name} must be a text of at most {_LONGEST} characters")


def _purposes(given: Iterable[str]) -> frozenset["Purpose"]:
    return frozenset(Purpose(each) for each in given)


def _words(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    _text(_, attribute, value)
    if not str(value).strip():
        raise NotOurs(f"{attribute.name} must not be empty")


def _matches(pattern: re.Pattern[str]) -> Callable[[object, Any, Any], None]:
    def check(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise NotOurs(f"{attribute.name} must match {pattern.pattern}")

    return check


def _all(kind: type) -> Callable[[object, Any, tuple[object, ...]], None]:
    def check(_: object, attribute: "attrs.Attribute[Any]", value: tuple[object, ...]) -> None:
        if len(value) > _MOST or not all(isinstance(each, kind) for each in value):
            raise NotOurs(f"{attribute.name} must be at most {_MOST} of {kind.__name__}")
        if kind is str and any(len(str(each)) > _LONGEST for each in value):
            raise NotOurs(f"{attribute.name} must be texts of at most {_LONGEST} characters")

    return check


def _several(value: Any) -> tuple[Any, ...]:
    # One text is no list of its letters.
    return (value,) if isinstance(value, str) else tuple(value)


def _https(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    """Refuse what is no address of the web, or what browsers may read in another way."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value:
        try:
            parts = urlsplit(value)
            is_good = parts.scheme == "https" and parts.hostname and parts.username is None
        except ValueError:
            is_good = False
        if is_good and "\\" not in value and len(value) <= _LONGEST:
            return
    raise NotOurs(f"{attribute.name} must be an https URL")


class Purpose(str, enum.Enum):
    """What somebody is doing."""

    SIGN_IN = "sign_in"  # by whatever way: password, provider, code, module
    SIGN_UP = "sign_up"  # the account was made just now
    RECOVER = "recover"  # they set a password with a link
    PROVE_AGAIN = "prove_again"  # they are signed in, and about to do something dangerous


@frozen(kw_only=True)
class Person:
    """Who is on the way, having proven who they are; `attempt` is the same until its end.

    Empty where nobody is on the way, but lets an application in. `language` is what they read.
    """

    user_id: str
    purpose: Purpose
    attempt: str
    address: str = ""
    language: str = "en"


@frozen
class Link:
    """A link to the web, in words."""

    words: str = attrs.field(validator=_words)
    url: str = attrs.field(validator=_https)


@frozen(kw_only=True)
class Field:
    """Something to type, or to tick: `answer` gets it under its name."""

    name: str = attrs.field(validator=_matches(_FIELD))
    label: str = attrs.field(validator=_words)
    hint: str = attrs.field(default="", validator=_text)
    value: str = attrs.field(default="", validator=_text)
    is_tick: bool = False
    is_required: bool = True


@frozen(kw_only=True)
class Question:
    """What the page of a stage says; all of it is text, and nothing of it is HTML.

    `button` and `cancel` are what its buttons say; without them they say it in the person's language.
    """

    title: str = attrs.field(validator=_words)
    paragraphs: tuple[str, ...] = attrs.field(default=(), converter=_several, validator=_all(str))
    links: tuple[Link, ...] = attrs.field(default=(), converter=_several, validator=_all(Link))
    fields: tuple[Field, ...] = attrs.field(default=(), converter=_several, validator=_all(Field))
    button: str = attrs.field(default="", validator=_text)
    cancel: str = attrs.field(default="", validator=_text)

    def __attrs_post_init__(self) -> None:
        names = [each.name for each in self.fields]
        if len(set(names)) != len(names):
            raise NotOurs("two fields have the same name")


@frozen
class Done:
    """The answer is good: the person goes on."""


@frozen
class TryAgain:
    """It is not: the page is shown once more, with these words."""

    words: str = attrs.field(validator=_words)


@frozen
class Refused:
    """Nobody is signed in by this attempt, and these words say why."""

    words: str = attrs.field(validator=_words)


Answer = Done | TryAgain | Refused

AT_SIGN_IN = frozenset({Purpose.SIGN_IN, Purpose.SIGN_UP, Purpose.RECOVER})


@frozen(kw_only=True)
class Stage:
    """Something a person has to do after they proved who they are, and before they are signed in.

    `needs` says whether this person has to; `page` what they read; `answer` what becomes of what they
    sent: the fields of the page by their names, a tick as "yes".

    `purposes` says when it is asked. With `also_when_signed_in` no application is let in by somebody
    who was signed in before and needs it: they sign in anew. So `needs` must become false by `answer`.
    """

    name: str = attrs.field(validator=_matches(_NAME))
    needs: Callable[[Person], Awaitable[bool]]
    page: Callable[[Person], Awaitable[Question]]
    answer: Callable[[Person, Mapping[str, str]], Awaitable[Answer]]
    purposes: frozenset[Purpose] = attrs.field(default=AT_SIGN_IN, converter=_purposes)
    also_when_signed_in: bool = False


class Where(str, enum.Enum):
    """A page about the account that a card may lead to."""

    PROFILE = "account-profile"
    SIGN_IN = "account-sign-in"
    DEVICES = "account-devices"
    APPS = "account-apps"
    EVENTS = "account-events"
    DATA = "account-data"


@frozen(kw_only=True)
class CardText:
    """What a card says, and where it leads: to the web, or to a page about the account."""

    title: str = attrs.field(validator=_words)
    text: str = attrs.field(default="", validator=_text)
    link: Link | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(Link))
    )
    place: Where | None = attrs.field(default=None, converter=attrs.converters.optional(Where))

    @property
    def url(self) -> str | None:
        """Where its title leads, if it does."""
        return self.link.url if self.link else self.place.value if self.place else None


@frozen(kw_only=True)
class Card:
    """Something of another module on the overview of an account; `show` says what, or `None`."""

    name: str = attrs.field(validator=_matches(_NAME))
    show: Callable[[str], Awaitable[CardText | None]]


@frozen(kw_only=True)
class Event:
    """What happened; docs/reference/events-and-logs.md says what each kind means.

    `happened_at` is in seconds since the epoch, `address` the network address of whoever did it.
    """

    kind: str
    happened_at: int
    user_id: str | None
    client_id: str | None
    session_id: str | None
    address: str | None
    detail: str | None


Listener = Callable[[Event], Awaitable[None]]


class SecondFactor(str, enum.Enum):
    """Whether an account has a second factor; of all that is said of one the strictest holds."""

    OFF = "off"  # nothing to add to what the operator wrote
    OPTIONAL = "optional"
    REQUIRED = "required"


@frozen(kw_only=True)
class FactorRule:
    """Who needs a second factor, beside what the operator wrote: `of` says it of a Matrix id.

    It is asked at each sign-in, and whenever somebody lets an application in. While it has no answer
    nobody goes on.
    """

    name: str = attrs.field(validator=_matches(_NAME))
    of: Callable[[str], Awaitable[SecondFactor]]


class Extensions:
    """What other modules added, in one process of one homeserver."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}
        self._cards: dict[str, Card] = {}
        self._listeners: list[Listener] = []
        self._factor_rules: dict[str, FactorRule] = {}

    def add_stage(self, stage: Stage) -> None:
        """Ask for something at sign-in; stages come in the order in which they were added."""
        _add(self._stages, stage.name, stage)

    def add_card(self, card: Card) -> None:
        """Show something on the overview."""
        _add(self._cards, card.name, card)

    def add_listener(self, listener: Listener) -> None:
        """Hear of every event that this process writes down, after it is there."""
        self._listeners.append(listener)

    def add_factor_rule(self, rule: FactorRule) -> None:
        """Say who needs a second factor."""
        _add(self._factor_rules, rule.name, rule)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in their order."""
        return tuple(self._stages.values())

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards, in their order."""
        return tuple(self._cards.values())

    @property
    def factor_rules(self) -> tuple[FactorRule, ...]:
        """Who says who needs a second factor."""
        return tuple(self._factor_rules.values())

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Whoever listens."""
        return tuple(self._listeners)


def _add(known: dict[str, Any], name: str, new: object) -> None:
    if name in known:
        raise NotOurs(f"{name} was added before")
    known[name] = new


_OF: "WeakKeyDictionary[object, Extensions]" = WeakKeyDictionary()


def of(api: object) -> Extensions:
    """Return what other modules add to the homeserver of this `ModuleApi`, for them to add to."""
    return _OF.setdefault(api, Extensions())
