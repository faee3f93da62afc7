"""Which requests take more than a session, and when a proof is enough (RFC 9470, MSC4363)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import NOW
from synapse_nextgen_auth.oauth.sessions import Proven
from synapse_nextgen_auth.oauth.step_up import (
    ADMIN_API,
    Protected,
    Requirement,
    StepUp,
    written_plainly,
)

TWO, LATELY = Requirement(level=2), Requirement(max_age=300)
ROOMS = "/_matrix/client/*/rooms/*"
PROFILES = "/_matrix/client/unstable/uk.tcpip.msc4133/profile"
POWERS = StepUp(
    (
        Protected(ADMIN_API, TWO, frozenset({"DELETE", "GET"})),
        Protected(ADMIN_API, LATELY),
        Protected(f"{ROOMS}/upgrade", Requirement(max_age=30)),
    )
)


@pytest.mark.parametrize(
    ("method", "needed"),
    [("DELETE", Requirement(2, 300)), ("HEAD", Requirement(2, 300)), ("PUT", LATELY)],
)
def test_what_administrators_prove_where_everybody_may_ask(method, needed):
    """As much as for the admin API by that method; other protected paths say nothing of it."""
    assert POWERS.asks_of_admins(method) == needed
    assert StepUp((Protected(f"{ROOMS}/upgrade", TWO),)).asks_of_admins(method) is None


PREFIXES = ["r0", "v1", "v3", "api/v1", "unstable", "unstable/org.matrix.msc1234"]


def asks(path, *, method="POST", is_admin=False, of=(), methods=()):
    """Return what a request takes where one pattern is protected."""
    rule = StepUp((Protected(of, TWO, frozenset(methods)),))
    return rule.asks(method, path, is_admin=is_admin) is TWO


@pytest.mark.parametrize(
    ("pattern", "path", "is_asked"),
    [
        (f"{ROOMS}/upgrade", "/_matrix/client/v3/rooms/!a:hs/upgrade", True),
        (f"{ROOMS}/upgrade", "/_matrix/client/r0/rooms/!a:hs/upgrade", True),
        (f"{ROOMS}/upgrade", "/_matrix/client/v3/rooms/!a:hs/upgrades", False),
        (f"{ROOMS}/upgrade", "/_matrix/client/v3/rooms/a/b/upgrade", False),
        (f"{ROOMS}/upgrade", "/x/_matrix/client/v3/rooms/a/upgrade", False),
        # Escaped letters are letters, an escaped slash is none of the path.
        (f"{ROOMS}/upgrade", "/_matrix/client/v3/rooms/%21a%3Ahs/%75pgrade", True),
        (f"{ROOMS}/upgrade", "/_matrix/client/v3/rooms/a%2Fb/upgrade", True),
        (f"{ROOMS}/state/m.room.acl", "/_matrix/client/v3/rooms/a/state/m%2Eroom.acl", True),
        (f"{ROOMS}/state/m.room.acl", "/_matrix/client/v3/rooms/a/state/m.room.acl/", True),
        (f"{ROOMS}/state/m.room.acl", "/_matrix/client/v3/rooms/a/state/mxroomxacl", False),
        (f"{ROOMS}/state/**", "/_matrix/client/v3/rooms/a/state/m.room.acl/k", True),
        (f"{ROOMS}/state/**", "/_matrix/client/v3/rooms/a/state/a\nb", True),
        (f"{ROOMS}/state/**", "/_matrix/client/v3/rooms/a/state", True),
        (f"{ROOMS}/state/**", "/_matrix/client/v3/rooms/a/states", False),
        (f"{ROOMS}/**/acl", "/_matrix/client/v3/rooms/a/b/c/acl", True),
        ("/_matrix/**", "/_matrix/client/v3/sync", True),
        ("/_matrix/**", "/_synapse/admin/v2/users", False),
        # Whoever wants to be signed out is.
        ("/_matrix/**", "/_matrix/client/v3/logout", False),
        ("/_matrix/**", "/_matrix/client/v3/%6Cogout/", False),
        ("/_matrix/**", "/_matrix/client/api/v1/logout", False),
        ("/_matrix/**", "/_matrix/client/unstable/logout", False),
        ("/_matrix/**", "/_matrix/client/api/v1/logout/all", True),
        ("/_matrix/**", "/_matrix/client/v3/user/x/logout", True),
        # What Synapse takes with something more behind it.
        ("/_matrix/client/*/createRoom", "/_matrix/client/v3/createRoom/transaction", True),
        ("/_matrix/client/*/profile/*/displayname", f"{PROFILES}/@a:hs/displayname/x", True),
        ("/_matrix/**", "/_matrix/client/v3/logout/all", True),
    ],
)
def test_a_pattern_is_about_paths(pattern, path, is_asked):
    assert asks(path, of=pattern) is is_asked


@pytest.mark.parametrize("asked", PREFIXES)
@pytest.mark.parametrize("written", ["*", "v*", *PREFIXES])
@pytest.mark.parametrize("api", ["client", "*"])
def test_whichever_version_is_written_all_are_meant(api, written, asked):
    """Synapse takes the same request under several prefixes, one of them in two parts."""
    pattern, path = f"/_matrix/{api}/{written}/rooms/*/upgrade", f"/_matrix/client/{asked}/rooms"

    assert asks(f"{path}/!a:hs/upgrade", of=pattern)
    assert not asks(f"{path}/!a:hs/leave", of=pattern)
    assert not asks("/_matrix/client/v3/x/y/rooms/!a:hs/upgrade", of=pattern)
    if not written.startswith("unstable"):
        assert asks(f"{path}/!a:hs/upgrade", of=f"/_matrix/{api}/{written}/**")
        assert asks(f"{path}/!a:hs/upgrade", of=f"/_matrix/{api}/{written}")


@pytest.mark.parametrize(
    ("pattern", "path", "is_asked"),
    [
        ("/_matrix/client/unstable/**", "/_matrix/client/unstable/org.example/sync", True),
        ("/_matrix/client/unstable/**", "/_matrix/client/v3/sync", False),
        ("/_matrix/client/unstable/org.example/**", "/_matrix/client/v3/sync", False),
        ("/_matrix/client/unstable/*/x", "/_matrix/client/unstable/org.example/x", True),
        ("/_matrix/media/v3/upload", "/_matrix/media/r0/upload", True),
        ("/_matrix/client/**/upgrade", "/_matrix/client/api/v1/rooms/a/upgrade", True),
        ("/_matrix/client/versions", "/_matrix/client/versions", True),
        ("/_matrix/client/versions", "/_matrix/client/v3/versions", False),
        ("/_synapse/client/v3/x", "/_synapse/client/v1/x", False),
    ],
)
def test_a_version_is_one_where_something_of_it_is_meant(pattern, path, is_asked):
    assert asks(path, of=pattern) is is_asked


@pytest.mark.parametrize(
    ("pattern", "path", "is_asked"),
    [
        (f"{ROOMS}/redact/*", "/_matrix/client/api/v1/rooms/a/redact/$e/transaction", True),
        (f"{ROOMS}/ban", "/_matrix/client/v3/rooms/a/ban/transaction", True),
        ("/_matrix/client/*/createRoom", "/_matrix/client/v3/createRoom/transaction", True),
        ("/_matrix/client/*/createRoom", "/_matrix/client/v3/createRoom/", True),
        ("/_matrix/client/*/join/*", "/_matrix/client/v3/join/a/transaction", True),
        (f"{ROOMS}/**", "/_matrix/client/v3/rooms/a/state/m.room.topic", False),
        ("/_matrix/client/**", "/_matrix/client/v3/profile/@a:hs/displayname", False),
    ],
)
def test_what_is_put_with_an_id_is_what_is_posted_without(pattern, path, is_asked):
    assert asks(path, of=pattern, method="PUT", methods={"POST"}) is is_asked
    assert not asks(path, of=pattern, method="PUT", methods={"DELETE"})
    assert not asks(path, of=pattern, method="GET", methods={"POST"})


@pytest.mark.parametrize(
    ("methods", "method", "is_asked"),
    [
        ((), "DELETE", True),
        ({"POST"}, "POST", True),
        ({"POST"}, "PUT", False),
        ({"GET"}, "HEAD", True),
        ({"PUT"}, "HEAD", False),
    ],
)
def test_a_pattern_may_be_about_methods(methods, method, is_asked):
    assert asks("/_matrix/a", of="/_matrix/a", method=method, methods=methods) is is_asked


@pytest.mark.parametrize(
    "path",
    [
        "/_synapse/admin/v2/users",
        "/_synapse/admin/v1/deactivate/@a:hs",
        "/_matrix/client/v3/admin/whois/@a:hs",
        "/_matrix/client/api/v1/admin/whois/@a:hs",
        "/_matrix/client/unstable/uk.timedout.msc4323/admin/suspend/@a:hs",
    ],
)
def test_the_admin_api_is_asked_of_administrators(path):
    """Of others it is refused, whatever they prove."""
    assert asks(path, of=ADMIN_API, is_admin=True)
    assert not asks(path, of=ADMIN_API, is_admin=False)
    assert not asks("/_matrix/client/v3/sync", of=ADMIN_API, is_admin=True)


@pytest.mark.parametrize(
    ("requirement", "proven", "is_met"),
    [
        (TWO, Proven(NOW, NOW, 2), True),
        (TWO, Proven(NOW, NOW, 1), False),
        (TWO, Proven(0, None, 2), True),
        (LATELY, Proven(NOW, NOW - 299, 1), True),
        (LATELY, Proven(NOW, NOW - 300, 1), False),
        # A provider that may have known its person from before, and a clock that ran ahead.
        (LATELY, Proven(NOW, None, 2), False),
        (LATELY, Proven(NOW + 4000, NOW + 4000, 1), False),
        (Requirement(2, 300), Proven(NOW, NOW, 1), False),
        (Requirement(2, 300), Proven(NOW, NOW - 400, 2), False),
        (Requirement(2, 300), Proven(NOW, NOW, 2), True),
    ],
)
def test_c297_what_was_proven_is_enough_or_not(requirement, proven, is_met):
    assert requirement.is_met(proven, NOW) is is_met


REQUIREMENTS = st.builds(
    Requirement, st.integers(1, 2), st.none() | st.integers(min_value=30, max_value=9999)
)
PROVEN = st.builds(
    Proven, st.just(NOW), st.none() | st.integers(NOW - 9999, NOW + 100), st.integers(1, 2)
)


@given(st.lists(REQUIREMENTS, min_size=1, max_size=4), PROVEN)
def test_of_several_all_hold(requirements, proven):
    """Whoever protects a request twice gets no less than either."""
    rules = StepUp(tuple(Protected("/_matrix/**", each) for each in requirements))

    asked = rules.asks("GET", "/_matrix/a", is_admin=False)

    assert asked.is_met(proven, NOW) is all(each.is_met(proven, NOW) for each in requirements)


@given(st.text(alphabet="/_matrix.!:@5a\u00e9\n", max_size=40), st.data())
def test_however_a_path_is_escaped_it_is_the_same(path, data):
    """Synapse takes each spelling of an argument, so a pattern does."""
    escaped = "".join(
        letter if letter == "/" or data.draw(st.booleans()) else _escaped(letter) for letter in path
    )

    assert written_plainly(escaped) == path.rstrip("/")


def _escaped(letter):
    return "".join(f"%{byte:02X}" for byte in letter.encode())
