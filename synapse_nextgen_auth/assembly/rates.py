"""How often who may do what."""

from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.limits import Limited, Limiter
from synapse_nextgen_auth.homeserver.matrix.rendezvous import RendezvousHandler
from synapse_nextgen_auth.homeserver.matrix.rendezvous import Room as MeetingRoom
from synapse_nextgen_auth.homeserver.polls import Polls
from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.oauth.rendezvous import LIFETIME, share
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.web.site import (
    Rates,
    Site,
)

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver import mail_limits
    from synapse_nextgen_auth.homeserver.mail_limits import MailLimits
else:
    mail_limits = late.file("homeserver.mail_limits")


# Nobody finds a key by guessing; each wrong answer costs us a look at it.
_WRONG_PASSKEYS = Rate(1 / 10, 50)


def rates(config: Config, homeserver: Homeserver, keys: Keyring) -> Rates:
    """Return how often who may do what."""
    return Rates(
        registrations=Limiter(
            homeserver,
            Limited.CLIENT_REGISTRATION,
            Rate(config.client_registration.per_second, config.client_registration.burst),
            path="/clients/register",
            option="client_registration.burst",
        ),
        authorizations=Limiter(
            homeserver,
            Limited.AUTHORIZATION,
            Rate(config.authorization.per_second, config.authorization.burst),
            path="/authorize",
            option="authorization.burst",
        ),
        attempts=Limiter(
            homeserver,
            Limited.ATTEMPT,
            Rate(config.authorization.per_second, config.authorization.burst),
            path="/sign-in",
            option="authorization.burst",
        ),
        wrong_passkeys=Limiter(
            homeserver,
            Limited.PASSKEY,
            _WRONG_PASSKEYS,
            path="/sign-in",
            option="the share of a network",
        ),
        device_requests=Limiter(
            homeserver,
            Limited.DEVICE_AUTHORIZATION,
            Rate(config.device_grants.per_second, config.device_grants.burst),
            path="/device-authorization",
            option="device_grants.burst",
        ),
        recoveries=late.made(lambda: _recoveries(homeserver, keys)),
        email_codes=late.made(lambda: _email_codes(homeserver, keys)),
        factor_codes=late.made(lambda: _factor_codes(homeserver, keys)),
        sign_up_messages=late.made(lambda: _sign_up_messages(homeserver, keys)),
        polls=Polls(homeserver),
    )


def _recoveries(homeserver: Homeserver, keys: Keyring) -> "MailLimits":
    return mail_limits.MailLimits(
        homeserver,
        keys,
        mail_limits.Shares.as_synapse(homeserver),
        kind=(Limited.RECOVERY, Limited.RECOVERY_SHARE, Limited.RECOVERY_MAILBOX),
        path="/recover",
    )


def _email_codes(homeserver: Homeserver, keys: Keyring) -> "MailLimits":
    """Limit mails with a code to sign in.

    Who guesses them has 864 tries a day at one address, from all networks together, of a million
    codes; and its owner has them by mail.
    """
    return mail_limits.MailLimits(
        homeserver,
        keys,
        mail_limits.Shares(
            network=Rate(1 / 60, 20), of_mailbox=Rate(1 / 900, 5), mailbox=Rate(1 / 600, 10)
        ),
        kind=(Limited.EMAIL_CODE, Limited.EMAIL_CODE_SHARE, Limited.EMAIL_CODE_ADDRESS),
        path="/sign-in-email",
        option="the share of a network or an address",
    )


def _factor_codes(homeserver: Homeserver, keys: Keyring) -> "MailLimits":
    """Limit mails with a code that is a second factor: whoever asks for one has proved the first."""
    return mail_limits.MailLimits(
        homeserver,
        keys,
        mail_limits.Shares(
            network=Rate(1 / 60, 20), of_mailbox=Rate(1 / 900, 5), mailbox=Rate(1 / 600, 10)
        ),
        kind=(Limited.FACTOR_CODE, Limited.FACTOR_CODE_SHARE, Limited.FACTOR_CODE_ADDRESS),
        path="/factor",
        option="the share of a network or an address",
    )


def _sign_up_messages(homeserver: Homeserver, keys: Keyring) -> "MailLimits":
    return mail_limits.MailLimits(
        homeserver,
        keys,
        mail_limits.Shares.as_synapse(homeserver),
        kind=(Limited.SIGN_UP_MESSAGE, Limited.SIGN_UP_SHARE, Limited.SIGN_UP_ADDRESS),
        path="/register",
    )


def rendezvous_handler(site: Site) -> RendezvousHandler | None:
    """Return where devices meet for a QR code, if they may."""
    options = site.config.device_grants
    if not site.config.devices_meet:
        return None
    rate = share(Rate(options.per_second, options.burst), lifetime=max(options.lifetime, LIFETIME))
    limiter = Limiter(
        site.homeserver,
        Limited.RENDEZVOUS,
        rate,
        path="/rendezvous",
        option="device_grants.burst or the share of a network",
    )
    return RendezvousHandler(
        site.homeserver, limiter, options.lifetime, MeetingRoom(site.homeserver)
    )
