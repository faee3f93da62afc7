"""Phone numbers of people, confirmed by the identity server that an operator delegates to.

Synapse speaks the Identity Service API with it (`validate/msisdn`); nothing of a number is kept here.
"""

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import phonenumbers
from synapse.api.errors import (
    Codes,
    HttpResponseException,
    LimitExceededError,
    SynapseError,
)
from synapse.util.stringutils import random_string
from synapse.util.threepids import check_3pid_allowed

from synapse_nextgen_auth.accounts.phones import PhoneTrouble
from synapse_nextgen_auth.homeserver import services
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.services import Unanswered
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed(
        "synapse.handlers.identity",
        "IdentityHandler.requestMsisdnToken",
        ("id_server", "country", "phone_number", "client_secret", "send_attempt"),
    ),
    Needed(
        "synapse.handlers.identity",
        "IdentityHandler.proxy_msisdn_submit_token",
        ("id_server", "client_secret", "sid", "token"),
    ),
    Needed(
        "synapse.handlers.identity",
        "IdentityHandler.ratelimit_request_token_requests",
        ("request", "medium", "address"),
    ),
    Needed("synapse.util.threepids", "check_3pid_allowed", ("hs", "medium", "address")),
    Needed("synapse.util.stringutils", "random_string", ("length",)),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_user_id_by_threepid", ("medium", "address")
    ),
    *members("synapse.server", "HomeServer", "get_clock", "get_identity_handler"),
)

logger = logging.getLogger(__name__)

_MSISDN = "msisdn"
_SECRET = 32  # letters
_PATIENCE = 20  # seconds; an identity server waits for somebody's gateway in turn
# As stock makes whoever asks for a number in use wait, where nobody is to know that it is.
_LEAST_PRETENCE, _MOST_PRETENCE = 0.1, 1.0


@frozen
class Number:
    """A phone number: as Matrix has it, digits with the country's first, and its country."""

    msisdn: str
    country: str


@frozen
class Request:
    """What a code was sent for: the identity server's id of it, and the secret that goes with that."""

    sid: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)


@frozen
class NoCode(Exception):
    """There is no code on its way; `retry_after` in seconds where time helps."""

    why: PhoneTrouble
    retry_after: int | None = None


@frozen
class _From:
    """Whoever asks, as Synapse's rate limit wants to know it of a request."""

    host: str

    def getClientAddress(self) -> "_From":  # noqa: N802 (Twisted's name)
        """Return where it comes from."""
        return self


class Phones:
    """The numbers that people say are theirs."""

    def __init__(self, homeserver: Homeserver) -> None:
        hs = homeserver.hs
        self._hs = hs
        self._store = homeserver.store
        self._delegate = hs.config.registration.account_threepid_delegate_msisdn
        self._inhibits = bool(hs.config.server.request_token_inhibit_3pid_errors)

    async def send(self, number: Number, *, address: str, signs_up: bool = True) -> Request:
        """Have a code sent to a number, in the order of stock's `requestToken`; raise `NoCode`.

        `signs_up` is whether it is for a new account, or for one that there is.
        """
        may = check_3pid_allowed(self._hs, _MSISDN, number.msisdn, registration=signs_up)
        if not await may:
            raise NoCode(PhoneTrouble.DENIED)
        await self._count(number, address)
        if await self._store.get_user_id_by_threepid(_MSISDN, number.msisdn) is None:
            return await self._send(number)
        if not self._inhibits:
            raise NoCode(PhoneTrouble.IN_USE)
        # Nobody is to know: it takes a while, and no code is right.
        pretence = random.uniform(_LEAST_PRETENCE, _MOST_PRETENCE)  # noqa: S311 (a time)
        await versions.pause(self._hs.get_clock(), seconds=pretence)
        return Request(random_string(16), random_string(_SECRET))

    async def _count(self, number: Number, address: str) -> None:
        """Count one message: Synapse's own limits, of a network and of a number."""
        request: Any = _From(address)
        limit = self._hs.get_identity_handler().ratelimit_request_token_requests
        try:
            await limit(request, _MSISDN, number.msisdn)
        except LimitExceededError as error:
            wait = max(1, -(-(error.retry_after_ms or 1000) // 1000))
            raise NoCode(PhoneTrouble.TOO_OFTEN, wait) from error

    async def _send(self, number: Number) -> Request:
        secret = random_string(_SECRET)
        ask = self._hs.get_identity_handler().requestMsisdnToken
        try:
            # A secret of its own each time: the code that went before is worth nothing then.
            said = await self._asked(
                ask, self._delegate, number.country, f"+{number.msisdn}", secret, 1
            )
        except SynapseError as error:
            # What it says of the number goes to the person, what it says of us to the log.
            if error.code < 500 and error.errcode in _OF_THE_NUMBER:
                raise NoCode(PhoneTrouble.INVALID) from error
            raise _unanswered(error.errcode) from error
        sid = said.get("sid")
        if not isinstance(sid, str) or not sid:
            raise _unanswered("no sid")
        return Request(sid, secret)

    async def confirm(self, request: Request, typed: str) -> bool:
        """Say whether this code was sent; raise `NoCode` where the identity server does not say."""
        ask = self._hs.get_identity_handler().proxy_msisdn_submit_token
        try:
            said = await self._asked(ask, self._delegate, request.secret, request.sid, typed)
        except SynapseError as error:
            # Synapse says the same of a wrong code and of a server that fails; why, is behind it.
            behind = error.__context__
            code = behind.code if isinstance(behind, HttpResponseException) else error.code
            if code < 500:
                return False
            raise _unanswered(f"it says {code}") from error
        return said.get("success") is True

    async def _asked(self, ask: Callable[..., Awaitable[Any]], *args: Any) -> dict[str, Any]:
        if not self._delegate:
            raise _unanswered("nobody is delegated to")
        try:
            said = await services.within(self._hs, _PATIENCE, ask, *args)
        except SynapseError:
            raise
        except Unanswered as error:
            raise _unanswered(error.why) from error
        except Exception as error:
            raise _unanswered(type(error).__name__) from error
        return said if isinstance(said, dict) else {}


# What an identity server says of a number that nobody can have.
_OF_THE_NUMBER = frozenset({"M_INVALID_ADDRESS", "M_SEND_ERROR", Codes.INVALID_PARAM})


def _unanswered(why: str) -> NoCode:
    logger.warning("Could not have a phone number confirmed: %s", why)
    return NoCode(PhoneTrouble.UNANSWERED)


def read(typed: str) -> Number | None:
    """Read a number as people write it, with its country: `+49 151 …` or `0049 151 …`."""
    text = typed.strip()
    if text.startswith("00"):
        text = f"+{text[2:]}"
    if not text.startswith("+") or len(text) > _LONGEST:
        return None
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    country = phonenumbers.region_code_for_number(parsed)
    # A number of no country ("001") is nobody's mobile.
    if not phonenumbers.is_possible_number(parsed) or country is None or len(country) != 2:
        return None
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Number(written.removeprefix("+"), country)


_LONGEST = 40
