"""Mails: what each one says, to whom, and in which language. Their words are in `templates/emails`.

What waits to be sent is sealed: it may hold a code or a link that lets somebody in.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.accounts.notices import Notice, Outcome, Question, kinds_of
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, random_id


@frozen
class Mail:
    """What one mail says: the fields are the names that its template uses.

    `kind` names the template, and what waits in the outbox of an earlier release.
    """

    kind: ClassVar[str]

    @property
    def template(self) -> str:
        """The file with its words."""
        return f"{self.kind}.html"


@frozen
class AddressCode(Mail):
    """The code by which a person shows that they read this mailbox; good for so many minutes."""

    kind: ClassVar[str] = "address_code"

    code: str = attrs.field(repr=False)
    minutes: int


@frozen
class AddressInUse(Mail):
    """To the owner of an address that somebody gave for a new account."""

    kind: ClassVar[str] = "address_in_use"

    user_id: str


@frozen
class AddressTaken(Mail):
    """To the owner of an address that somebody gave for another account of theirs."""

    kind: ClassVar[str] = "address_taken"

    user_id: str


@frozen
class RecoveryLink(Mail):
    """A link for somebody who forgot their password; good for `amount` of `unit` (`links.told`)."""

    kind: ClassVar[str] = "recovery_link"

    url: str = attrs.field(repr=False)
    user_id: str
    amount: int
    unit: str


@frozen
class SignInCode(Mail):
    """The code by which a person signs in; good for so many minutes."""

    kind: ClassVar[str] = "sign_in_code"

    code: str = attrs.field(repr=False)
    minutes: int


@frozen
class FactorCode(Mail):
    """The code that is a second factor of an account; with `turns_on`, that makes it one."""

    kind: ClassVar[str] = "factor_code"

    code: str = attrs.field(repr=False)
    minutes: int
    user_id: str
    turns_on: bool = False


@frozen
class PasswordLink(Mail):
    """A link that somebody made who runs the server; good for `amount` of `unit` (`links.told`)."""

    kind: ClassVar[str] = "password_link"

    url: str = attrs.field(repr=False)
    user_id: str
    amount: int
    unit: str


@frozen
class PasswordSet(Mail):
    """To the owner, after somebody set a password with a link."""

    kind: ClassVar[str] = "password_set"

    user_id: str


@frozen
class SignInUsualWay(Mail):
    """To whoever asked for such a code and has a password, or comes from an identity provider."""

    kind: ClassVar[str] = "sign_in_usual_way"

    user_id: str


@frozen
class SignedInByCode(Mail):
    """To the owner of an account that somebody signed in to by a code, from this network address."""

    kind: ClassVar[str] = "signed_in_by_code"

    user_id: str
    network: str


@frozen
class Invited(Mail):
    """An invitation, with what whoever invites says."""

    kind: ClassVar[str] = "invited"

    url: str = attrs.field(repr=False)
    text: str


@frozen
class InvitedAgain(Mail):
    """To somebody who was invited and has an account already; `url` is where they sign in."""

    kind: ClassVar[str] = "invited_again"

    url: str
    user_id: str


@frozen
class SecurityNotice(Mail):
    """To the owner of an account to which something happened; `about` is a `Notice`.

    Each of the `events`, the newest first, says its `kind`, when (`at`), and what is known of where it
    came from: `application`, `device`, `address`, `place`. There were so many `more`. `url` is where
    the account is looked after; it lets nobody in.
    """

    kind: ClassVar[str] = "security_notice"

    user_id: str
    about: str
    events: Sequence[Mapping[str, Any]] = attrs.field(repr=False)
    more: int
    url: str


@frozen
class FactorsLost(Mail):
    """To the owner of an account whose second factors somebody wants removed, as they were lost.

    It was asked for at a time (`at`), from an `address`, roughly a `place`, and can happen from
    `ready_at` on. `url` is the page that stops it. `is_again` where they were told before.
    """

    kind: ClassVar[str] = "factors_lost"

    user_id: str
    is_again: bool
    at: int
    ready_at: int
    address: str | None
    place: str | None
    url: str = attrs.field(repr=False)


@frozen
class Waiting(Mail):
    """To an account of which something is asked, in Matrix alone; `question` is a `Question`.

    `operation` is what an app wants to do. `url` is the page that asks: it lets nobody in, and holds no
    code. The rest is what is known of who asks, until when (`expires`) it waits.
    """

    kind: ClassVar[str] = "waiting"

    user_id: str
    question: str
    operation: str | None
    application: str | None
    device: str | None
    address: str | None
    place: str | None
    at: int
    expires: int
    url: str


@frozen
class Over(Mail):
    """What becomes of such a message once nothing waits any more; `outcome` is an `Outcome`."""

    kind: ClassVar[str] = "over"

    user_id: str
    question: str
    operation: str | None
    outcome: str
    application: str | None
    address: str | None
    at: int
    url: str


def _an_event(kind: str, **known: Any) -> dict[str, Any]:
    """Return an event of a sample."""
    unknown = dict.fromkeys(("application", "device", "address", "place", "detail"))
    return {"kind": kind, "at": 1_800_000_000, **unknown, **known}


# What a notice of each kind may look like.
NOTICE_SAMPLES = tuple(
    SecurityNotice(
        user_id="@anna:example.com",
        about=about.value,
        events=[
            _an_event(
                kind,
                application="Element",
                device="Element on Android (ABCDEF)",
                address="192.0.2.1",
                place="Berlin, Germany",
            )
            for kind in kinds_of(about)
        ],
        more=2,
        url="https://example.com/account",
    )
    for about in Notice
)

WAITING_SAMPLES = tuple(
    Waiting(
        user_id="@anna:example.com",
        question=question.value,
        operation=operation,
        application="Element",
        device="Element on Android (ABCDEF)",
        address="192.0.2.1",
        place="Berlin, Germany",
        at=1_800_000_000,
        expires=1_800_000_600,
        url="https://example.com/link",
    )
    for question, operation in (
        (Question.DEVICE, None),
        *((Question.APPROVAL, operation.value) for operation in Operation),
    )
)

OVER_SAMPLES = tuple(
    Over(
        user_id="@anna:example.com",
        question=waiting.question,
        operation=waiting.operation,
        outcome=outcome.value,
        application="Element",
        address="192.0.2.1",
        at=1_800_000_000,
        url="https://example.com/account",
    )
    for waiting in WAITING_SAMPLES
    for outcome in Outcome
)

LOST_SAMPLES = tuple(
    FactorsLost(
        user_id="@anna:example.com",
        is_again=is_again,
        at=1_800_000_000,
        ready_at=1_800_604_800,
        address="192.0.2.1",
        place="Berlin, Germany",
        url="https://example.com/?link=abc",
    )
    for is_again in (False, True)
)

# Every mail there is, with what it may say: an operator's templates are tried with it at the start.
SAMPLES: tuple[Mail, ...] = (
    AddressCode(code="012345", minutes=10),
    AddressInUse(user_id="@anna:example.com"),
    AddressTaken(user_id="@anna:example.com"),
    RecoveryLink(
        url="https://example.com/?link=abc", user_id="@anna:example.com", amount=1, unit="hours"
    ),
    PasswordLink(
        url="https://example.com/?link=abc", user_id="@anna:example.com", amount=24, unit="hours"
    ),
    PasswordSet(user_id="@anna:example.com"),
    SignInCode(code="012345", minutes=10),
    FactorCode(code="012345", minutes=10, user_id="@anna:example.com"),
    FactorCode(code="012345", minutes=10, user_id="@anna:example.com", turns_on=True),
    SignInUsualWay(user_id="@anna:example.com"),
    SignedInByCode(user_id="@anna:example.com", network="192.0.2.1"),
    Invited(url="https://example.com/?token=abc", text="Hello Anna, come and join us!"),
    InvitedAgain(url="https://example.com/", user_id="@anna:example.com"),
    *LOST_SAMPLES,
    *NOTICE_SAMPLES,
    *WAITING_SAMPLES,
    *OVER_SAMPLES,
)
MAILS: dict[str, type[Mail]] = {mail.kind: type(mail) for mail in SAMPLES}


@frozen
class Letter:
    """A mail on its way: its one recipient, in their language, a BCP 47 tag, and their time zone."""

    to: str = attrs.field(repr=False)
    lang: str
    mail: Mail
    time_zone: str = "UTC"

    def seal(self, keys: Keyring) -> str:
        """Return it as a table keeps it."""
        written = {
            "to": self.to,
            "lang": self.lang,
            "time_zone": self.time_zone,
            "kind": self.mail.kind,
            "says": attrs.asdict(self.mail),
        }
        return keys.seal(Purpose.MAIL, json.dumps(written).encode("utf-8"))

    def posted(self, keys: Keyring, *, expires: int = 0) -> SendMail:
        """Return what a flow puts into the outbox; sealed before its transaction, as it is random.

        After `expires`, in seconds, nobody needs it any more.
        """
        return SendMail(mail=random_id(), letter=self.seal(keys), expires=expires)

    @classmethod
    def unseal(cls, keys: Keyring, sealed: str) -> "Letter | None":
        """Return what was sealed; `None` where no key of ours fits any more, or no kind of ours."""
        plain = keys.unseal(Purpose.MAIL, sealed)
        if plain is None:
            return None
        written: dict[str, Any] = json.loads(plain)
        mail = MAILS.get(written["kind"])
        if mail is None:
            return None
        # An earlier release knew of no zones.
        zone = written.get("time_zone", "UTC")
        return cls(written["to"], written["lang"], mail(**written["says"]), zone)
