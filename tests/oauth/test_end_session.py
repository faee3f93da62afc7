"""What a client asks that signs its person out: for whom, and where to (RP-Initiated Logout 1.0)."""

import pytest

from support.records import ALICE, a_client
from synapse_nextgen_auth.oauth import end_session
from synapse_nextgen_auth.oauth.end_session import Request
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.authorization_request import Parameters
from synapse_nextgen_auth.oauth.tokens.id_token import Hint

BYE = "https://app.example.com/bye"
CLIENT = a_client(post_logout_redirect_uris=(BYE, "http://127.0.0.1/bye"))
HINT = Hint(ALICE, is_proven=True, audience="app")


def asked(**values):
    """Return what a query says."""
    return end_session.read(Parameters(values))


@pytest.mark.parametrize(
    ("request_", "client", "hint", "refused"),
    [
        pytest.param(asked(), None, None, False, id="nothing"),
        pytest.param(asked(client_id="gone"), None, None, False, id="a-client-that-is-gone"),
        pytest.param(asked(client_id="app"), CLIENT, HINT, False, id="the-same-client-twice"),
        pytest.param(asked(client_id="other"), None, HINT, True, id="another-client"),
        pytest.param(asked(post_logout_redirect_uri=BYE), None, None, True, id="nobody-asks"),
        pytest.param(asked(post_logout_redirect_uri=BYE), CLIENT, HINT, False, id="registered"),
        pytest.param(asked(post_logout_redirect_uri=f"{BYE}?a=b"), CLIENT, HINT, True, id="query"),
        pytest.param(asked(post_logout_redirect_uri=f"{BYE}/"), CLIENT, HINT, True, id="slash"),
        pytest.param(
            asked(post_logout_redirect_uri="https://app.example.com/cb"),
            CLIENT,
            HINT,
            True,
            id="to-sign-in",
        ),
        pytest.param(
            asked(post_logout_redirect_uri="//evil.example"), CLIENT, HINT, True, id="elsewhere"
        ),
        pytest.param(
            asked(post_logout_redirect_uri="http://127.0.0.1:4711/bye"),
            CLIENT,
            HINT,
            False,
            id="port",
        ),
    ],
)
def test_c194_where_the_browser_may_go(request_, client, hint, refused):
    """Only where the client registered, character by character but for a loopback port."""
    assert (end_session.refuse(request_, client, hint) is not None) is refused


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "needs a client_id or an id_token_hint"),
        ({"id_token_hint": "none"}, "id_token_hint is no ID token of this server"),
        ({"id_token_hint": "none", "client_id": "gone"}, "id_token_hint is no ID token"),
    ],
)
def test_who_cannot_be_sent_back_is_told_what_was_wrong(values, words):
    """A hint that is none is another mistake than no hint."""
    refusal = end_session.refuse(asked(post_logout_redirect_uri=BYE, **values), None, None)

    assert words in refusal.description


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters({}, frozenset({"id_token_hint"})),
        Parameters({}, frozenset({"state"})),
        Parameters({"state": "x" * 4097}),
    ],
)
def test_what_is_malformed_is_refused(parameters):
    """Nothing is guessed."""
    with pytest.raises(OAuthError, match="invalid_request"):
        end_session.read(parameters)


@pytest.mark.parametrize(
    ("uri", "state", "location"),
    [
        (BYE, None, f"{BYE}#"),
        (BYE, "a b&c", f"{BYE}?state=a%20b%26c#"),
        (f"{BYE}?x=y", "s", f"{BYE}?x=y&state=s#"),
        ("com.example.app:/bye", None, "com.example.app:/bye"),
    ],
)
def test_the_state_comes_back(uri, state, location):
    """And nothing else with it."""
    answer = end_session.answer(asked(post_logout_redirect_uri=uri, state=state or ""))

    assert answer.location == location


def test_without_a_place_the_browser_stays():
    """On a page of ours."""
    assert end_session.answer(asked(client_id="app", state="x")) is None


def test_a_token_is_not_repeated():
    """By the form of our own page, nor printed."""
    request = asked(id_token_hint="a.b.c", client_id="app", state="s")

    assert request.query == {"client_id": "app", "state": "s"}
    assert "a.b.c" not in repr(Request(None, "a.b.c", None, None))
