"""The one endpoint for commands of the operator: who asks is proven, then what is asked is done.

Nobody else gets further than the MAC, which costs no query. There is no cookie and no CORS: it is none
of a browser's business.
"""

import logging
from typing import Any

from synapse_nextgen_auth.accounts import commands
from synapse_nextgen_auth.accounts.commands import Stamp, Unproven
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.store import assertions
from synapse_nextgen_auth.web import answers, forms
from synapse_nextgen_auth.web.endpoints.command.asked import Asked, Refused
from synapse_nextgen_auth.web.endpoints.command.table import COMMANDS
from synapse_nextgen_auth.web.site import Site

logger = logging.getLogger(__name__)

# Beside the assertions of clients, whose ids are no two words.
_WHOSE = "a command"
_SAID = {
    Unproven.UNSIGNED: "This is for the command synapse-nextgen-auth, and needs its proof",
    Unproven.OTHER_SECRET: "The proof does not fit the secret of the running server. Is this its"
    " homeserver.yaml, and was it restarted since the secret changed?",
    Unproven.OTHER_TIME: "The clocks of this machine and of the server differ by more than two"
    " minutes",
    Unproven.SEEN: "This request was here before. Nothing was done again",
}


async def command(site: Site, incoming: Incoming) -> Outgoing:
    """Do what an operator asks, once."""
    stamp = commands.read(
        site.issuer.keys,
        incoming.header("Authorization"),
        path=incoming.path,
        body=incoming.body,
        now=site.now(),
    )
    if isinstance(stamp, Unproven):
        raise _unproven(stamp)
    # On whichever process it comes: the row is the same.
    is_first = await site.homeserver.run(
        assertions.spend, client_id=_WHOSE, jti=stamp.once, expires_at=stamp.good_until + 1
    )
    if not is_first:
        raise _unproven(Unproven.SEEN)
    return _sealed(site, stamp, await _do(site, incoming))


async def _do(site: Site, incoming: Incoming) -> dict[str, Any]:
    asked = forms.parse_json(incoming.body)
    name = asked.pop("command", None) if isinstance(asked, dict) else None
    known = COMMANDS.get(name) if isinstance(name, str) else None
    try:
        if known is None:
            raise Refused("The running server does not know this command: is it an older release?")
        for other in sorted(asked.keys() - known.takes):
            raise Refused(f"The running server does not know {other[:40]} for this command")
        done = await known.do(site, Asked(asked, incoming.address))
    except Refused as refused:
        said = name if known is not None else None
        logger.info("Command %s from %s: refused", logged(said, 40), logged(incoming.address, 64))
        return {"refused": refused.sentence}
    logger.info("Command %s from %s: done", name, logged(incoming.address, 64))
    return {"done": done}


def _sealed(site: Site, stamp: Stamp, answer: dict[str, Any]) -> Outgoing:
    return answers.json_answer(200, {"sealed": stamp.seal(site.issuer.keys, answer)})


def _unproven(why: Unproven) -> OAuthError:
    return OAuthError("access_denied", _SAID[why], 401, reason=why.value)


def challenge(_incoming: Incoming, _refusal: OAuthError) -> tuple[tuple[str, str], ...]:
    """Say how to prove who asks (RFC 9110 section 11.6.1); no browser knows the scheme."""
    return (("WWW-Authenticate", commands.SCHEME),)
