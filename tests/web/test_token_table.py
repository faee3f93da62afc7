"""The grant types of the token endpoint: what one list says and the other does not is never so."""

import ast
import sys
from pathlib import Path

import attrs
import pytest

from synapse_nextgen_auth.flows.begin_session import begin
from synapse_nextgen_auth.flows.redeem_code import redeem
from synapse_nextgen_auth.oauth import errors
from synapse_nextgen_auth.oauth.grants.device_grants import Poll, refuse_poll
from synapse_nextgen_auth.oauth.grants.grant_types import GRANT_TYPES, GrantType
from synapse_nextgen_auth.web.endpoints.token.exchange import NewSession, OneSession, SameSession
from synapse_nextgen_auth.web.endpoints.token.table import FILES, checked, find
from synapse_nextgen_auth.web.routes import ROUTES

EXCHANGES = {name: find(name) for name in FILES}
WRITTEN = tuple(exchange for _, exchange in EXCHANGES.values())
LISTED = GrantType(name="made up", may_be_configured=True)


def new_session(**fields):
    """Return a grant type as a file would write it."""
    code = EXCHANGES["authorization_code"][1]
    return attrs.evolve(
        code, name="made up", **{"gives_refresh_token": False, "only_new_device": True} | fields
    )


def same_session(**fields):
    return attrs.evolve(EXCHANGES["refresh_token"][1], name="made up", **fields)


def test_every_grant_type_that_is_listed_is_answered():
    """And no other."""
    assert list(EXCHANGES) == [kind.name for kind in GRANT_TYPES]
    assert checked((*WRITTEN, new_session()), (*GRANT_TYPES, LISTED)).keys() > EXCHANGES.keys()
    assert find("made up") is None


@pytest.mark.parametrize(
    ("written", "listed", "reason"),
    [
        ([], [LISTED], "in one place only: .*made up"),
        ([new_session()], [], "in one place only: .*made up"),
        ([new_session(), new_session()], [LISTED], "in one place only"),
        (
            [new_session(gives_refresh_token=True)],
            [LISTED],
            "made up: does it give a refresh token",
        ),
        ([same_session()], [LISTED], "made up: does it begin a session"),
        ([new_session(only_new_device=False)], [LISTED], "made up: nobody agrees .* a device"),
        (
            [new_session(gives_refresh_token=True)],
            [GrantType(name="made up", begins_session=False, gives_refresh_token=True)],
            "made up: does it begin a session",
        ),
        (
            [new_session()],
            [GrantType(name="made up", a_person_agrees=True, gives_refresh_token=True)],
            "made up: does it give a refresh token",
        ),
    ],
)
def test_what_one_list_forgets_is_handed_to_nobody(written, listed, reason):
    """A refresh token, or a session, on the word of one of them would be on nobody's."""
    with pytest.raises(ValueError, match=reason):
        checked((*WRITTEN, *written), (*GRANT_TYPES, *listed))


def test_a_record_that_does_not_say_whether_it_takes_over_devices_cannot_be_made():
    """C310: what somebody forgets signs nobody out."""
    said = attrs.asdict(new_session(), recurse=False)
    del said["only_new_device"]

    with pytest.raises(TypeError, match="only_new_device"):
        NewSession(**said)


def _modules(name, known):
    """Return a module and what of the flows and the token endpoint it imports, by name."""
    if name not in known:
        known[name] = ast.parse(Path(sys.modules[name].__file__).read_text("utf-8"))
        for node in ast.walk(known[name]):
            if isinstance(node, ast.ImportFrom):
                for imported in (node.module, *(f"{node.module}.{n.name}" for n in node.names)):
                    if imported.startswith(WALKED) and imported in sys.modules:
                        _modules(imported, known)
    return known


def _text(node):
    return node.value if isinstance(node, ast.Constant) else None


def _refusals(tree):
    """Yield what the metrics count of each refusal that is made here; `None` if nobody can tell."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        made = getattr(errors, node.func.id, None)
        said = {keyword.arg: keyword.value for keyword in node.keywords}
        if "reason" in said:
            yield _text(said["reason"])
        elif made is errors.OAuthError:
            yield _text(said.get("code", node.args[0] if node.args else None))
        elif getattr(made, "__module__", None) == errors.__name__:
            yield made("").code


POLLS = [poll for poll in Poll if refuse_poll(poll)]
WALKED = ("synapse_nextgen_auth.flows.", "synapse_nextgen_auth.web.endpoints.token.")


def test_every_refusal_of_a_grant_type_is_counted_under_a_reason_that_is_known():
    """One that is missing in `REFUSES` would begin a series of its own at its first refusal."""
    walked = _modules("synapse_nextgen_auth.web.endpoints.token.pipeline", {})
    known = ROUTES["/token"].reasons
    found = {name: set(_refusals(tree)) for name, tree in walked.items()}

    assert {kind.__module__ for kind in (begin, redeem)} <= walked.keys()
    # What a device hears that polls: `OAuthError(*refusal)`.
    polls = {f"{WALKED[0]}device", f"{WALKED[1]}device_code"}
    for name in polls:
        found[name] = found[name] - {None} | {refuse_poll(poll)[0] for poll in POLLS}
    assert {name: codes - known for name, codes in found.items() if codes - known} == {}


@pytest.mark.parametrize(
    ("source", "reasons"),
    [
        ('raise OAuthError("made_up", "a text")', {"made_up"}),
        ('raise OAuthError(code="made_up")', {"made_up"}),
        ('return Outcome(invalid_grant("a text"))', {"invalid_grant"}),
        ('return invalid_grant("a text", reason="made_up")', {"made_up"}),
        ("raise OAuthError(code)", {None}),
        ("raise OAuthError(*refusal)", {None}),
    ],
)
def test_the_walk_finds_every_way_to_refuse(source, reasons):
    """So the test above fails for a code that nobody counts, or that nobody can tell."""
    assert set(_refusals(ast.parse(source))) == reasons


def test_only_these_kinds_of_record_exist():
    """So the pipeline looks at an account before each of them."""
    assert {type(exchange) for exchange in WRITTEN} == {NewSession, OneSession, SameSession}
    assert issubclass(OneSession, NewSession)
