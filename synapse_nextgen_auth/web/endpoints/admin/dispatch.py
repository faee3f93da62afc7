"""From a request to the operation of the admin API that it is for: what none of them may forget.

Who asks, what is refused and how that is said, that each change becomes an event, and what is counted.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.oauth.wording import printable
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.endpoints.admin import callers, changes, reading, table
from synapse_nextgen_auth.web.endpoints.admin.calls import Call
from synapse_nextgen_auth.web.endpoints.admin.operations import Answer, Refused
from synapse_nextgen_auth.web.request import Request

logger = logging.getLogger(__name__)

_REASONS = {403: "access_denied", 503: "temporarily_unavailable"}
_LONGEST = 500  # what a log line says of what was changed
_STOPPING = Refused(503, "This process stops. Try again.")
_SEE_LOG = Refused(503, "The server cannot answer now; its log says why.")

_ELSEWHERE = (
    "Synapse does this in its main process alone: have the proxy send"
    f" {PREFIX}/api/ there (docs/setup/workers.md)."
)


async def answer(request: Request, below: str) -> Outgoing:
    """Answer a call; `below` is the path below that of the API."""
    try:
        if request.site.homeserver.drain.is_closed:
            raise _STOPPING
        return _said(await _answered(request, below))
    except Refused as refused:
        _note(request, refused)
        return _refusal(refused)
    except Away as away:
        failure = Refused(503, f"This cannot be done now: {away}.")
        _note(request, failure)
        return _refusal(failure)
    except Exception as failed:
        where = request.incoming.path
        if not request.knows_why(failed, where):
            logger.exception("Could not serve %s %s", request.incoming.method, where)
        request.count(_counted(_SEE_LOG))
        return _refusal(_SEE_LOG)


async def _answered(request: Request, below: str) -> Answer:
    site, incoming = request.site, request.incoming
    # Whoever may not ask anything does not learn what there is to ask.
    admin = await callers.administrator(site, incoming)
    operation, path = table.find(incoming.method, below)
    if operation.is_for_main and not site.homeserver.is_main:
        raise Refused(501, _ELSEWHERE)
    asked = reading.pairs(incoming.query)
    said = reading.query(operation, asked)
    body, sent = reading.body(operation, incoming)
    filters = {field.name for field in operation.takes}
    call = Call(
        site,
        incoming,
        admin,
        operation,
        path,
        filters={name: value for name, value in said.items() if name in filters},
        asked=tuple((name, text) for name, text in asked if name.removesuffix("[]") in filters),
        page=reading.page(said),
        body=body,
        sent=sent,
        reason=said.get(reading.REASON.name),
    )
    done = await operation.do(call)
    if operation.changes:
        if not call.written:
            await changes.announce(call, done.about)
        what = printable(call.written[0])[:_LONGEST]
        logger.info("%s did %s to %s", call.caller, operation.name, what)
    return done


def _said(done: Answer) -> Outgoing:
    if done.lines is not None:
        return _in_lines(done.status, done.lines, done.next_url)
    if done.body is None:
        return Outgoing(done.status, b"", (*answers.NO_STORE, answers.NOSNIFF, *answers.CORS))
    return answers.json_answer(done.status, done.body, *answers.CORS)


def _in_lines(status: int, lines: Sequence[Mapping[str, Any]], next_url: str | None) -> Outgoing:
    # Only ASCII: a reader of lines may take U+0085 or U+2028 within a text for the end of one.
    body = "".join(json.dumps(each) + "\n" for each in lines)
    more = (("Link", f'<{next_url}>; rel="next"'),) if next_url else ()
    return Outgoing(
        status,
        body.encode("ascii"),
        (
            ("Content-Type", "application/x-ndjson"),
            *more,
            *answers.NO_STORE,
            answers.NOSNIFF,
            *answers.CORS,
        ),
    )


def _refusal(refused: Refused) -> Outgoing:
    body: dict[str, Any] = {"errors": [{"title": refused.title}]}
    again = (("Retry-After", "5"),) if refused.status == 503 else ()
    return answers.json_answer(refused.status, body, *again, *refused.headers, *answers.CORS)


def _note(request: Request, refused: Refused) -> None:
    request.note(_counted(refused))


def _counted(refused: Refused) -> OAuthError:
    reason = refused.reason or _REASONS.get(refused.status, "invalid_request")
    return OAuthError(reason, refused.title, refused.status)
