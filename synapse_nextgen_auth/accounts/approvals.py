"""An approval: a person lets one session send one dangerous request, once, within minutes (MSC4312).

It takes the place of user-interactive authentication for our sessions. What is approved is a request
that the session sent already, to the letter: its method, its path and its body. So no token gains
anything in the minutes after it but what its owner has read on the page (C299).
"""

import enum
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import attrs

from synapse_nextgen_auth.clock import is_recent
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, digest

WINDOW = 600  # seconds to decide, and after that to make use of it
# So long the same question leads to the same page: nobody decides on what is about to run out.
_SAME_QUESTION = WINDOW // 2
# How many different questions of a session may wait at a time: each is a row.
MOST_AT_ONCE = 50
# How many devices one page can name; who has more of them asks twice.
MOST_DEVICES = 1000
LONGEST_DEVICE_ID = 512  # letters, as in Synapse


class Operation(str, enum.Enum):
    """What may be approved; the value is what the database keeps and events say."""

    CROSS_SIGNING_RESET = "org.matrix.cross_signing_reset"
    DELETE_DEVICES = "delete_devices"
    CHANGE_PASSWORD = "change_password"  # noqa: S105 - an operation
    ADD_ADDRESS = "add_address"
    DEACTIVATE = "deactivate"
    LOGIN_TOKEN = "login_token"  # noqa: S105 - an operation


_ONE_DEVICE = re.compile("/devices/([^/]+)/?$")
_BY_PATH = (
    ("POST", re.compile("/keys/device_signing/upload/?$"), Operation.CROSS_SIGNING_RESET),
    ("DELETE", _ONE_DEVICE, Operation.DELETE_DEVICES),
    ("POST", re.compile("/delete_devices/?$"), Operation.DELETE_DEVICES),
    ("POST", re.compile("/account/password/?$"), Operation.CHANGE_PASSWORD),
    ("POST", re.compile("/account/3pid/add/?$"), Operation.ADD_ADDRESS),
    ("POST", re.compile("/account/deactivate/?$"), Operation.DEACTIVATE),
    ("POST", re.compile("/login/(get_token|token)/?$"), Operation.LOGIN_TOKEN),
)


def operation_of(method: str, path: str) -> Operation | None:
    """Return what a request would do; `None` for one that no page of ours has words for."""
    for its_method, pattern, operation in _BY_PATH:
        if method == its_method and pattern.search(path):
            return operation
    return None


def devices_in(path: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the devices that a request deletes, each once, in its order."""
    one = _ONE_DEVICE.search(path)
    named: Any = [unquote(one[1])] if one else body.get("devices", [])
    return tuple(dict.fromkeys(each for each in named if isinstance(each, str)))


def is_no_device(device_id: str) -> bool:
    """Say whether this can be the id of no device, so that no page has to show it."""
    return len(device_id) > LONGEST_DEVICE_ID or "\0" in device_id


def is_text(body: Mapping[str, Any]) -> bool:
    """Say whether all of a body can be written: JSON may hold halves of characters (RFC 8259, 8.2)."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def digest_of(keys: Keyring, body: Mapping[str, Any]) -> str:
    """Return what tells one body from another, without `auth`; the order of its keys says nothing.

    Keyed, because a new password is in some (C234).
    """
    said = {name: value for name, value in body.items() if name != "auth"}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii")
    return keys.mac(Purpose.APPROVAL_BODY, canonical).hex()


@frozen
class Details:
    """What the page says of a request, beside what it does at all."""

    devices: tuple[str, ...] = ()
    medium: str | None = None
    address: str | None = None
    erase: bool = False
    logout_devices: bool = False

    def sealed(self, keys: Keyring) -> str:
        """Return them for the database, which shall not tell whose address it is."""
        return keys.seal(Purpose.APPROVAL, json.dumps(attrs.asdict(self)).encode("ascii"))

    @classmethod
    def unsealed(cls, keys: Keyring, sealed: str | None) -> "Details | None":
        """Return what was sealed; `None` where no key of ours fits."""
        if sealed is None:
            return cls()
        plain = keys.unseal(Purpose.APPROVAL, sealed)
        if plain is None:
            return None
        said = json.loads(plain)
        return cls(**{**said, "devices": tuple(said["devices"])})


@frozen
class Request:
    """A request that waits for an approval: who sends it, from where, and what it says.

    One with a legacy token has the account in the place of our session (`of_legacy`).
    """

    user_id: str
    session_id: str
    device_id: str | None
    operation: Operation
    method: str
    path: str
    body: str

    def question(self, now: int) -> str:
        """Return the id of the approval of this request, the same for a while.

        Nobody guesses it: the id of the session is as good as half of its token.
        """
        parts = (self.user_id, self.session_id, self.device_id, self.method, self.path, self.body)
        return digest(json.dumps([*parts, now // _SAME_QUESTION]))[:32]


@frozen
class Approval:
    """One row of approvals, bound to the account, the session that asked, and its request (C299)."""

    approval_id: str
    user_id: str
    session_id: str
    operation: Operation = attrs.field(converter=Operation)
    requested_at: int
    approved_at: int | None = None
    used_at: int | None = None
    device_id: str | None = None
    method: str | None = None
    path: str | None = None
    body: str | None = None
    details: str | None = attrs.field(default=None, repr=False)
    ui_session: str | None = None
    address: str | None = None
    refused_at: int | None = None
    decided_by: str | None = None  # the sign-in
    login_token: str | None = attrs.field(default=None, repr=False)  # a digest

    @classmethod
    def asked(
        cls,
        approval_id: str,
        request: Request,
        *,
        ui_session: str | None,
        details: str,
        address: str | None,
        now: int,
    ) -> "Approval":
        """Return what a session asks for with this request."""
        return cls(
            approval_id,
            request.user_id,
            request.session_id,
            request.operation,
            now,
            device_id=request.device_id,
            method=request.method,
            path=request.path,
            body=request.body,
            details=details,
            ui_session=ui_session,
            address=address,
        )

    @classmethod
    def of_reset(
        cls,
        *,
        user_id: str,
        session_id: str,
        device_id: str | None,
        address: str | None,
        now: int,
    ) -> "Approval":
        """Return what lets one session replace the cryptographic identity once, whatever its keys are.

        Its person begins that on our page, before the session asked: so it is for one that they name.
        The id is the same for a while: who presses twice has allowed it once.
        """
        parts = ("reset", user_id, session_id, now // WINDOW)
        return cls(
            digest(json.dumps(parts))[:32],
            user_id,
            session_id,
            Operation.CROSS_SIGNING_RESET,
            now,
            approved_at=now,
            device_id=device_id,
            address=address,
        )

    @property
    def names_no_request(self) -> bool:
        """Whether it lets any request of its kind pass, as its person began it on our page."""
        return self.method is None and self.path is None and self.body is None

    @property
    def is_legacy(self) -> bool:
        """Whether a legacy token asks, of which we know no session (`confirm_in_browser`)."""
        return self.session_id == self.user_id

    @property
    def expires_at(self) -> int:
        """When it is too late to decide."""
        return self.requested_at + WINDOW

    def is_open(self, now: int) -> bool:
        """Say whether the person may still decide."""
        undecided = self.approved_at is None and self.refused_at is None
        is_asked = is_recent(self.requested_at, now, within=WINDOW)
        return undecided and self.used_at is None and is_asked

    def is_for(self, request: Request) -> bool:
        """Say whether this is the request that the person decides on; the time is another matter.

        One that names no request is a reset that its person began on our page: it lets this session
        upload its keys once, whatever they are.
        """
        if (self.user_id, self.session_id) != (request.user_id, request.session_id):
            return False
        if self.operation is not request.operation:
            return False
        if self.names_no_request:
            return self.operation is Operation.CROSS_SIGNING_RESET and not self.is_legacy
        asked = (self.device_id, self.method, self.path, self.body)
        return asked == (request.device_id, request.method, request.path, request.body)

    def lets_pass(self, now: int) -> bool:
        """Say whether the request may pass, for the first and only time."""
        return (
            self.approved_at is not None
            and self.used_at is None
            and is_recent(self.approved_at, now, within=WINDOW + 1)
        )

    def is_refused(self, now: int) -> bool:
        """Say whether the session has yet to hear of a refusal."""
        return (
            self.refused_at is not None
            and self.used_at is None
            and is_recent(self.refused_at, now, within=WINDOW)
        )

    def is_same_question(self, now: int) -> bool:
        """Say whether the page that waits is the one for the same request, asked once more."""
        return self.is_open(now) and is_recent(self.requested_at, now, within=_SAME_QUESTION + 1)


class Answer(enum.Enum):
    """What becomes of a request."""

    PASS = "pass"  # noqa: S105 - an answer
    REFUSE = "refuse"
    WAIT = "wait"


def answer(
    found: Iterable[Approval], request: Request, ui_session: str | None, now: int
) -> tuple[Answer, Approval | None]:
    """Say what becomes of a request, and by which approval; to wait for none is to ask anew.

    What a person decided goes before what waits, and the newest of each first. A client names no
    session, or that of any page that it was sent to for this request: it cannot know which of them its
    person has before them. None may name another.
    """
    known = sorted(
        (each for each in found if each.is_for(request)), key=lambda each: -each.requested_at
    )
    is_known = ui_session is None or ui_session in {each.ui_session for each in known}
    for each in known:
        if each.lets_pass(now) and (is_known or each.ui_session is None):
            return Answer.PASS, each
    for each in known:
        if each.is_refused(now):
            return Answer.REFUSE, each
    for each in known:
        # One that was approved and is asked for under a wrong name goes on waiting for its client.
        if each.is_same_question(now) or each.lets_pass(now):
            return Answer.WAIT, each
    return Answer.WAIT, None
