"""Mails leave through Synapse's own sender and settings, from the main process, out of the outbox."""

import logging
from collections.abc import Callable

import attrs
from synapse.config.homeserver import HomeServerConfig
from twisted.mail.smtp import SMTPClientError, SMTPDeliveryError

from synapse_nextgen_auth.accounts import addresses
from synapse_nextgen_auth.accounts.mail.letters import Letter
from synapse_nextgen_auth.accounts.outbox import Hopeless
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import codes

NEEDS = (
    Needed(
        "synapse.handlers.send_email",
        "SendEmailHandler.send_email",
        ("email_address", "subject", "app_name", "html", "text"),
    ),
    *members("synapse.server", "HomeServer", "get_send_email_handler"),
)

logger = logging.getLogger(__name__)


@frozen
class WrittenMail:
    """A mail in words: one line of subject, and the same text twice; `said` is it without the foot."""

    subject: str
    text: str = attrs.field(repr=False)
    html: str = attrs.field(repr=False)
    said: str = attrs.field(repr=False)


class MailNotTaken(Exception):
    """The mail server did not take it now; `code` is its answer (RFC 5321 section 4.2), or 0."""

    def __init__(self, code: int) -> None:
        super().__init__(
            f"The mail server answered {code}" if code else "The mail server broke off"
        )


class MailUnreadable(Hopeless):
    """Nobody can read what was to be sent: the secret it was sealed with is gone."""


def is_configured(hs_config: HomeServerConfig) -> bool:
    """Say whether this server sends mails; without `email` Synapse would try the machine it runs on."""
    return bool(hs_config.email.can_verify_email)


class Mailer:
    """Sends what waits."""

    def __init__(
        self, homeserver: Homeserver, keys: Keyring, write: Callable[[Letter], WrittenMail]
    ) -> None:
        self._homeserver = homeserver
        self._keys = keys
        self.write = write
        self._config = homeserver.hs.config.email
        self.is_configured = is_configured(homeserver.hs.config)

    async def send(self, work: SendMail) -> bool:
        """Send one mail; raise where the mail server did not take it and may do so later.

        False where it goes to nobody: it is too late for it, or the address is refused for ever.

        The error is one of ours: what Twisted raises has the whole conversation in it, password and
        address, and the outbox writes errors into the log.
        """
        if not self.is_configured or 0 < work.expires <= self._homeserver.now():
            return False
        letter = Letter.unseal(self._keys, work.letter)
        if letter is None:
            raise MailUnreadable
        to = addresses.deliverable(letter.to)
        if to is None:
            logger.info("Mail %s goes to nobody: its address is none", work.mail)
            await self._homeserver.run(codes.note_refused, work.mail, now=self._homeserver.now())
            return False
        written = self.write(letter)
        try:
            await self._homeserver.hs.get_send_email_handler().send_email(
                email_address=to,
                subject=written.subject,
                app_name=self._config.email_app_name,
                html=written.html,
                text=written.text,
            )
        except SMTPClientError as error:
            code = max(error.code, 0)
            if not _is_final(error):
                raise MailNotTaken(code) from None
            # No work of ours is undone by it, and any stranger can type an address that is none.
            logger.info("The mail server refused mail %s for ever: %d", work.mail, code)
            now = self._homeserver.now()
            await self._homeserver.run(codes.note_refused, work.mail, now=now)
            return False
        return True


def _is_final(error: SMTPClientError) -> bool:
    """Say whether it will not take this mail to this address later either (RFC 5321 section 4.2.1).

    What it says before it heard of the address, of our password for instance, an operator mends.
    """
    return isinstance(error, SMTPDeliveryError) and bool(error.addresses) and error.code >= 500
