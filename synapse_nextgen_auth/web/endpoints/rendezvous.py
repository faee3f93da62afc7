"""The rendezvous sessions of MSC4108, in its form of 2024: read with ETag, overwrite with If-Match."""

from synapse_nextgen_auth.flows.rendezvous import Write, write
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.homeserver.matrix.rendezvous import headers
from synapse_nextgen_auth.oauth.rendezvous import (
    MAX_DATA,
    Kind,
    Rendezvous,
    is_known,
    sequences,
)
from synapse_nextgen_auth.secret import random_id
from synapse_nextgen_auth.store import rendezvous
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.site import Site


async def get(site: Site, incoming: Incoming, rendezvous_id: str) -> Outgoing:
    """Return what is there, unless the device knows it."""
    found = await site.homeserver.read(
        rendezvous.get, rendezvous_id, kind=Kind.ETAG, now=site.now()
    )
    if found is None:
        return answers.NO_RENDEZVOUS
    if is_known(incoming.listed("If-None-Match"), found):
        return Outgoing(304, headers=headers(found))
    return Outgoing(200, found.data.encode("utf-8"), (*headers(found), _TEXT))


async def put(site: Site, incoming: Incoming, rendezvous_id: str) -> Outgoing:
    """Overwrite what the device saw."""
    if incoming.content_type != "text/plain":
        return _error(400, "M_INVALID_PARAM", "The content type must be text/plain")
    if len(incoming.body) > MAX_DATA:
        return _error(413, "M_TOO_LARGE", f"The data is larger than {MAX_DATA} bytes")
    try:
        data = incoming.body.decode("utf-8")
    except UnicodeDecodeError:
        return _error(400, "M_INVALID_PARAM", "The data is not text")
    seen = incoming.listed("If-Match")
    if seen is None or "\0" in data:
        return _error(400, "M_MISSING_PARAM", "If-Match is missing, or the data is not text")
    wanted = Write(rendezvous_id, Kind.ETAG, sequences(seen), data, random_id())
    written = await site.homeserver.run(write, wanted, now=site.now())
    if written is None:
        return answers.NO_RENDEZVOUS
    if written.is_conflict:
        return _conflict(written.rendezvous)
    # A content type for no content: without one, some caches on the way drop the ETag.
    return Outgoing(202, headers=(*headers(written.rendezvous), _TEXT))


async def delete(site: Site, _incoming: Incoming, rendezvous_id: str) -> Outgoing:
    """Take it away."""
    left = await site.homeserver.run(
        rendezvous.remove, rendezvous_id, kind=Kind.ETAG, now=site.now()
    )
    return Outgoing(204, headers=answers.RENDEZVOUS_CORS) if left else answers.NO_RENDEZVOUS


_TEXT = ("Content-Type", "text/plain")


def _conflict(present: Rendezvous) -> Outgoing:
    body = {
        "errcode": "M_UNKNOWN",
        "org.matrix.msc4108.errcode": "M_CONCURRENT_WRITE",
        "error": "Somebody else wrote there",
    }
    answer = answers.json_answer(412, body)
    return Outgoing(412, answer.body, (("Content-Type", "application/json"), *headers(present)))


def _error(status: int, errcode: str, error: str) -> Outgoing:
    return answers.matrix_error(status, errcode, error, *answers.RENDEZVOUS_CORS)
