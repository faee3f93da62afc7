"""What flows write down for the main process to do: each kind of work, and how it is written."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs

from synapse_nextgen_auth.records import frozen

MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR


class Unreadable(Exception):
    """What was written is not what a work of this kind looks like."""


@frozen
class Work:
    """What is to be done; its fields, texts and whole numbers, are all that is written of it.

    `kind` never changes its value: entries of an earlier release wait under it. With `in_order`,
    what has the same subject is done one after the other, in the order in which it was written.
    `network_in` is the field with a network address, if there is one: it is for what can still be done.
    """

    kind: ClassVar[str]
    in_order: ClassVar[bool] = False
    patience: ClassVar[int] = DAY  # seconds
    network_in: ClassVar[str | None] = None

    @property
    def subject(self) -> str:
        """What it is about: an id of ours that the log may name."""
        raise NotImplementedError

    @property
    def session_id(self) -> str | None:
        """The session whose account cares when this is given up; `None` if nobody does."""
        return None


@frozen
class RemovePushers(Work):
    """Remove the pushers that a session left on its device; `ended` is in milliseconds."""

    kind: ClassVar[str] = "remove_pushers"

    session: str
    ended: int

    @property
    def subject(self) -> str:
        """The session."""
        return self.session

    @property
    def session_id(self) -> str | None:
        """Its account goes on being told of in a place that it signed out."""
        return self.session


@frozen
class SendMail(Work):
    """Send a mail, a sealed `Letter`, unless it is too late for what it says; 0 is never too late."""

    kind: ClassVar[str] = "send_mail"

    mail: str  # an id: the address is in the letter alone
    letter: str = attrs.field(repr=False)
    expires: int  # seconds since the epoch

    @property
    def subject(self) -> str:
        """The mail, by its id."""
        return self.mail


@frozen
class Recover(Work):
    """Look who has an address that somebody typed who forgot their password; `asked` is sealed."""

    kind: ClassVar[str] = "recover"
    patience: ClassVar[int] = HOUR

    request: str  # an id: the link follows from it
    asked: str = attrs.field(repr=False)

    @property
    def subject(self) -> str:
        """The request, by its id."""
        return self.request


@frozen
class AddEmailPusher(Work):
    """Let a new account have its notifications by e-mail once it has a device: `notif_for_new_users`."""

    kind: ClassVar[str] = "add_email_pusher"
    patience: ClassVar[int] = HOUR

    user_id: str

    @property
    def subject(self) -> str:
        """The account."""
        return self.user_id


@frozen
class JoinRoom(Work):
    """Let a new account join a room of the invitation that it came with."""

    kind: ClassVar[str] = "join_room"
    patience: ClassVar[int] = HOUR

    user_id: str
    room: str
    invited_by: str

    @property
    def subject(self) -> str:
        """The account."""
        return self.user_id


@frozen
class SignOutDevices(Work):
    """Sign an account out of the devices that it had when its password was set, and of its tokens.

    `devices` are their ids as JSON, `last_token` is the number of the last token that Synapse had made
    then: what came later was let in by the new password.
    """

    kind: ClassVar[str] = "sign_out_devices"

    user_id: str
    devices: str
    last_token: int

    @classmethod
    def of(cls, user_id: str, device_ids: Sequence[str], *, last_token: int) -> "SignOutDevices":
        """Return what is to be done for these devices."""
        return cls(user_id, json.dumps(list(device_ids)), last_token)

    @property
    def device_ids(self) -> tuple[str, ...]:
        """The devices."""
        return tuple(json.loads(self.devices))

    @property
    def subject(self) -> str:
        """The account."""
        return self.user_id


@frozen
class SendSignInCode(SendMail):
    """Send a code to sign in with, a sealed `Letter`, if the account of that address is let in by it."""

    kind: ClassVar[str] = "send_sign_in_code"


@frozen
class Tell(Work):
    """Tell an account what happened to it since a time: `about` is a `Notice`.

    With `also_to`, sealed addresses, tell those alone: the account has them no more.
    """

    kind: ClassVar[str] = "tell"

    user_id: str
    about: str
    since: int
    also_to: str = attrs.field(repr=False)

    @property
    def subject(self) -> str:
        """What it is about, and the account."""
        return f"{self.about} {self.user_id}"


@frozen
class TellLost(Work):
    """Tell an account that somebody wants its factors removed as lost; `again` is 1 before the end."""

    kind: ClassVar[str] = "tell_lost"
    patience: ClassVar[int] = 7 * DAY

    user_id: str
    request: str  # an id
    again: int

    @property
    def subject(self) -> str:
        """The account."""
        return self.user_id


@frozen
class SendNotice(Work):
    """Say something to an account in its room for server notices; `letter` is a sealed `Letter`."""

    kind: ClassVar[str] = "send_notice"

    notice: str  # an id
    letter: str = attrs.field(repr=False)
    expires: int  # seconds since the epoch, 0 for never

    @property
    def subject(self) -> str:
        """The notice, by its id."""
        return self.notice


@frozen
class Ask(Work):
    """Show an account what waits for its answer: `question` is a `Question`, `its_id` that of its row.

    Whose it is, and whether there is such an account, is found out when it is done.
    """

    kind: ClassVar[str] = "ask"
    patience: ClassVar[int] = 10 * MINUTE

    question: str
    its_id: str

    @property
    def subject(self) -> str:
        """What waits."""
        return f"{self.question} {self.its_id}"


@frozen
class ShowQuestion(Work):
    """Show an account a question that it is to be shown alone of its kind, until it is over."""

    kind: ClassVar[str] = "show_question"
    patience: ClassVar[int] = 10 * MINUTE

    user_id: str
    question: str
    its_id: str
    until: int  # seconds since the epoch

    @property
    def subject(self) -> str:
        """What waits."""
        return f"{self.question} {self.its_id}"


@frozen
class EndQuestion(Work):
    """Let the message that showed a question say what became of it: once it is answered, or over."""

    kind: ClassVar[str] = "end_question"
    patience: ClassVar[int] = 10 * MINUTE

    user_id: str
    question: str
    its_id: str
    room_id: str
    event_id: str
    until: int  # seconds since the epoch

    @property
    def subject(self) -> str:
        """What waited, and for whom: what another account answers ends it for nobody."""
        return f"{self.question} {self.its_id} {self.user_id}"


@frozen
class FinishClosing(Work):
    """See that nothing of an account is left that was closed, wherever the process died that did it.

    `by_person` is 1 where its person closed it, from this network address, if one is known; `also_to`
    are the addresses that it had, sealed.
    """

    kind: ClassVar[str] = "finish_closing"
    network_in: ClassVar[str | None] = "address"

    user_id: str
    by_person: int
    address: str
    also_to: str = attrs.field(repr=False)

    @property
    def subject(self) -> str:
        """The account."""
        return self.user_id


@frozen
class NoteChange(Work):
    """Write down what Synapse was about to change of an account, wherever the process died that did it.

    `what` is a word of `flows/changed_by_synapse.py`, and `about` the address or number, sealed, or the
    digest of the new password's hash. `had` is who had the address before, and whether there was a
    password. `by` is who was signed in, from this `network`; neither needs to be known.
    """

    kind: ClassVar[str] = "note_change"
    network_in: ClassVar[str | None] = "network"

    user_id: str
    what: str
    at: int  # seconds since the epoch
    by: str
    network: str
    is_approved: int
    had: str
    medium: str
    about: str = attrs.field(repr=False)

    @property
    def subject(self) -> str:
        """The account."""
        return self.user_id


KINDS: dict[str, type[Work]] = {
    work.kind: work
    for work in (
        RemovePushers,
        SendMail,
        SendSignInCode,
        Recover,
        AddEmailPusher,
        JoinRoom,
        SignOutDevices,
        Tell,
        TellLost,
        SendNotice,
        Ask,
        FinishClosing,
        ShowQuestion,
        EndQuestion,
        NoteChange,
    )
}


def write(work: Work) -> str:
    """Return what is kept of a work."""
    return json.dumps(attrs.asdict(work), sort_keys=True)


def read(record: type[Work], payload: str) -> Work:
    """Read what `write` wrote: these fields, of these types, and nothing else."""
    try:
        members = json.loads(payload)
    except ValueError as error:
        raise Unreadable(record.kind) from error
    fields = {field.name: field.type for field in attrs.fields(record)}
    if not isinstance(members, dict) or members.keys() != fields.keys():
        raise Unreadable(record.kind)
    if not all(_fits(members[name], kind) for name, kind in fields.items()):
        raise Unreadable(record.kind)
    return record(**members)


def without_address(record: type[Work], payload: str) -> str:
    """Return what is kept of a work that is not tried any more; what nobody can read stays as it is."""
    if record.network_in is None:
        return payload
    try:
        return write(attrs.evolve(read(record, payload), **{record.network_in: ""}))
    except Unreadable:
        return payload


def _fits(value: object, kind: Any) -> bool:
    return type(value) is kind
