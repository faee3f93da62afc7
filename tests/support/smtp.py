"""A mail server that keeps what it is given, and refuses, dawdles or is away when a test says so."""

import asyncio
import email
import email.policy
import re
import ssl
import threading
from email.message import EmailMessage
from typing import Any

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.ports import free_port
from support.waiting import eventually

SECRET = "the secret of the homeserver that sends mails"


@attrs.frozen
class Received:
    """A mail as it came in: who the envelope says it is for, and the message."""

    recipients: tuple[str, ...]
    message: EmailMessage = attrs.field(repr=False)

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """Its plain text."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The same as HTML."""
        return self._part("html")

    @property
    def code(self) -> str:
        """The code that stands in it."""
        found = re.search(r"^ *(\d{6})$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    @property
    def link(self) -> str:
        """The address of the button in it."""
        found = re.search(r"^https?://\S+$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[0]

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None
        return str(part.get_content())


class MailServer:
    """Listens while it is started; `refuse` answers a recipient, `delay` is before every answer.

    `password` is the one that it takes; it may be changed.
    """

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, user: str = "", password: str = ""
    ) -> None:
        self.port = free_port(["127.0.0.1"])
        self.mails: list[Received] = []
        self.refuse: dict[str, str] = {}  # by recipient: "550 no such mailbox"
        self.delay = 0.0  # seconds
        self.password = password
        self._user, self._settings_password, self._tls = user, password, tls
        self._controller: Controller | None = None
        self._lock = threading.Lock()

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return the section `email` for a Synapse that sends its mails here."""
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "notif_from": "The %(app)s of the tests <noreply@test.example>",
            "app_name": "Matrix",
            "enable_tls": self._tls is not None,
            **(
                {"smtp_user": self._user, "smtp_pass": self._settings_password}
                if self._user
                else {}
            ),
            **more,
        }

    def start(self) -> "MailServer":
        """Listen."""
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            decode_data=False,
            enable_SMTPUTF8=False,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            # Offered alone: of one that demands it without TLS aiosmtpd warns, and Synapse sends nothing
            # to one that does not offer it.
            auth_require_tls=self._tls is not None or not self._user,
            authenticator=self._authenticate if self._user else None,
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        """Be away."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def heal(self) -> None:
        """Be as at the start again, but for the mails that came."""
        self.refuse.clear()
        self.delay = 0.0
        if self._controller is None:
            self.start()

    def to(self, address: str, count: int = 1) -> list[Received]:
        """Wait for so many mails to an address, and return all that came."""
        assert eventually(lambda: len(self._to(address)) >= count), (address, self._to(address))
        return self._to(address)

    def last_to(self, address: str, count: int = 1) -> Received:
        """Wait for the so-many-th mail to an address, and return it."""
        return self.to(address, count)[-1]

    def none_to(self, address: str) -> bool:
        """Say whether nothing came there so far."""
        return not self._to(address)

    def reached(self, *, since: int) -> set[str]:
        """Return whom the mails reached that came after so many; other tests have some sent, too."""
        with self._lock:
            return {each for mail in self.mails[since:] for each in mail.recipients}

    def reached_nobody_new(self, *, since: int) -> bool:
        """Say that whatever came after so many mails went to accounts of the tests.

        Other tests' accounts are told of something now and then. Each has a number in its address;
        what a test types that must not be written to has none.
        """
        return all(re.search(r"\d", address) for address in self.reached(since=since))

    def _to(self, address: str) -> list[Received]:
        with self._lock:
            return [mail for mail in self.mails if address in mail.recipients]

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        right = LoginPassword(self._user.encode(), self.password.encode())
        return AuthResult(success=data == right, handled=False)

    # What aiosmtpd calls, by these names.

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.delay:
            await asyncio.sleep(self.delay)
        content = envelope.content or b""
        message = email.message_from_bytes(
            content.encode() if isinstance(content, str) else content, policy=email.policy.default
        )
        with self._lock:
            self.mails.append(Received(tuple(envelope.rcpt_tos), message))
        return "250 OK"
