"""Every endpoint of the Synapse that runs is decided: which scope opens it, or the whole API alone."""

import re

import pytest

from support import servlets
from synapse_nextgen_auth.oauth.scopes import access, matrix_endpoints
from synapse_nextgen_auth.oauth.scopes.matrix_endpoints import MEDIA_TABLE, TABLE, Need
from synapse_nextgen_auth.oauth.scopes.permissions import NARROW, SERVER_ADMIN

# Without a token since ever; with one they show no more.
OLD_MEDIA = re.compile("/_matrix/media/[^/]*/(download|thumbnail)/.*")
ADMIN = "/_synapse/admin/"


@pytest.fixture(scope="module")
def registered():
    """Return what is registered, by process."""
    return {process: servlets.of(process) for process in ("main", "worker")}


def requests_of(registered):
    """Return a request for each address of each servlet: its class, the method and the path."""
    return sorted(
        {
            (servlet, method, path)
            for found in registered.values()
            for servlet, method, pattern in found
            for path in servlets.samples(pattern)
        }
    )


def test_each_endpoint_is_decided(registered):
    """A new release may add one: whoever updates decides about it, until then it takes the whole API."""
    undecided = [
        (servlet, method, path)
        for servlet, method, path in requests_of(registered)
        if not path.startswith(ADMIN)
        and not matrix_endpoints.is_for_admins(path)
        and not OLD_MEDIA.fullmatch(path)
        and matrix_endpoints.find(method, path) is None
    ]

    assert len(requests_of(registered)) > 400
    assert undecided == []


def test_samples_are_what_synapse_routes(registered):
    """What is looked up in the table is what the pattern of the servlet matches."""
    for found in registered.values():
        for _, _, pattern in found:
            for path in servlets.samples(pattern):
                assert re.match(pattern, path), (pattern, path)


def test_whatever_makes_tokens_sessions_or_devices_takes_the_whole_api(registered):
    """No scope of ours, and not all of them together, opens what outlives or outgrows a token."""
    everything = access.of(frozenset(NARROW))
    grave = re.compile(
        "login|logout|refresh|register|account/(3pid|password|deactivate)|devices|device_signing"
        "|openid|dehydrated|synapse/admin|/admin/|createRoom|upgrade|delayed_events"
    )
    asked = [(method, path) for _, method, path in requests_of(registered) if grave.search(path)]

    assert len(asked) > 80
    assert [each for each in asked if everything.refuse(*each) is None] == []


def test_the_scope_of_server_administration_opens_nothing_else(registered):
    """MSC4484: `/_matrix/client/*/admin/`, not Synapse's own admin API, and no other endpoint."""
    alone = access.of(frozenset({SERVER_ADMIN}))
    opened = {path for _, method, path in requests_of(registered) if not alone.refuse(method, path)}

    assert opened
    assert all(re.match("/_matrix/client/[^/]*(/v1)?/admin/", path) for path in opened)


def test_every_line_of_the_table_is_an_endpoint(registered):
    """A line that no release knows is a typing error; those of other releases are named."""
    known = {(method, path) for _, method, path in requests_of(registered)}
    used = {
        id(line)
        for method, path in known
        if (line := matrix_endpoints.line_of(method, path)) is not None
    }
    unused = [
        f"{line.method} {line.template}"
        for line in (*TABLE, *MEDIA_TABLE)
        if line.need is Need.PARTS and id(line) not in used
    ]

    assert set(unused) <= {
        "POST keys/upload/{device}",
        "GET uk.half-shot.msc2666/user/mutual_rooms",
        "GET mutual_rooms",
        "GET im.nheko.summary/rooms/{room}/summary",
        "GET im.nheko.summary/summary/{room}",
        "GET room_summary/{room}",
        "GET media/preview_url",
        "GET preview_url",
        *(each for each in unused if "uk.tcpip.msc4133" in each),
    }
