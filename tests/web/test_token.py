"""The token endpoint without a server: what happens to a refusal on its way out."""

from types import SimpleNamespace

import attrs
import pytest

from support.records import ALICE, MATRIX, NOW, a_client, a_session, an_opening
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.flows import begin_session
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import GrantType
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.permissions import ADMIN
from synapse_nextgen_auth.oauth.sessions import SessionLifetimes
from synapse_nextgen_auth.web.endpoints.token import pipeline
from synapse_nextgen_auth.web.endpoints.token.exchange import Found, NewSession, Spent, TokenRequest
from synapse_nextgen_auth.web.endpoints.token.table import find

LIMITED = OAuthError("temporarily_unavailable", "Too many requests", 429)


@pytest.mark.parametrize(
    ("grant_type", "status"), [("refresh_token", 503), ("authorization_code", 429)]
)
def test_c102_a_limit_on_the_way_to_a_refresh_is_no_429(monkeypatch, grant_type, status):
    """Whatever counts requests before the grant is reached, a limit of the client included."""

    async def limited(*_):
        raise LIMITED

    monkeypatch.setattr(pipeline.clients, "authenticate", limited)
    body = f"grant_type={grant_type}".encode()
    incoming = Incoming("POST", "/token", b"", body, "192.0.2.1", "", lambda _: [])

    with pytest.raises(OAuthError) as raised:
        pipeline.token(None, incoming).send(None)

    assert raised.value.status == status


def test_c145_a_session_of_another_account_than_was_looked_at_is_taken_back():
    """Whatever a grant type finds and spends: nobody gets tokens for it, and it ends."""
    ran = []

    async def run(flow, session, **_):
        ran.append((flow, session.user_id))

    session = a_session(user_id="@mallory:example.com")
    site = SimpleNamespace(homeserver=SimpleNamespace(run=run), now=lambda: 0)
    _, exchange = find("authorization_code")
    handing_over = pipeline._hand_over(
        site,
        SimpleNamespace(client=a_client()),
        exchange,
        Spent(session, 1),
        found=Found("@alice:example.com", grammar.parse(MATRIX)),
        opening=an_opening(session.session_id),
        target=None,
    )

    with pytest.raises(OAuthError) as raised:
        handing_over.send(None)

    assert raised.value.status == 503
    assert ran == [(begin_session.undo, "@mallory:example.com")]


class Begun:
    """A site on which sessions begin, for a grant type of which a test says what it spends."""

    def __init__(self, session, scope=MATRIX):
        self.ran, self.spent, self.session = [], [], session
        self.homeserver = SimpleNamespace(run=self._run, database_errors=())
        self.people = SimpleNamespace(admit=self._nothing)
        self.devices = SimpleNamespace(expect_to_provide=self._nothing, is_free=self._is_free)
        self.config = Config()
        self.lifetimes = SimpleNamespace(sessions=SessionLifetimes(access_token=300))
        self.exchange = NewSession(
            name="made up",
            find=self._find,
            refuse_account=lambda why: OAuthError("invalid_grant", str(why)),
            spend=self._spend,
            gives_refresh_token=False,
            only_new_device=True,
        )
        self.found = Found("@app:example.com", grammar.parse(scope))

    def now(self):
        return NOW

    async def _run(self, flow, session, **_):
        self.ran.append((flow, session.session_id))

    async def _nothing(self, *_):
        pass

    async def _is_free(self, _session):
        raise AssertionError("the session is as it was looked at")

    async def _find(self, _site, _request):
        return self.found

    async def _spend(self, _site, _request, opening):
        self.spent.append(opening)
        return Spent(self.session(opening), 1)

    def ask(self):
        """Return how a token request of this grant type was refused."""
        incoming = Incoming("POST", "/token", b"", b"", "192.0.2.1", "", lambda _: [])
        request = TokenRequest(a_client(), {}, incoming)
        begun = pipeline._begin(self, request, self.exchange, GrantType(name="made up"))
        with pytest.raises(OAuthError) as raised:
            begun.send(None)
        return raised.value


def as_opened(opening):
    """Return the session that the endpoint asked for."""
    return a_session(
        session_id=opening.session_id,
        user_id="@app:example.com",
        expires_at=opening.expires_at,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"session_id": "ab" * 16},
        {"user_id": ALICE},
        {"client_id": "another"},
        {"device_id": "ANOTHER_DEVICE"},
        {"scope": f"{MATRIX} urn:example:unknown"},
        {"scope": f"{MATRIX} {ADMIN}"},
        {"expires_at": None},
        {"expires_at": NOW + 301},
    ],
)
def test_c145_a_session_that_nobody_looked_at_is_taken_back(fields, caplog):
    """Whatever a grant type makes of its own of what the endpoint asked for: 503, and it ends."""
    site = Begun(lambda opening: attrs.evolve(as_opened(opening), **fields))

    assert site.ask().status == 503

    session_id = fields.get("session_id", site.spent[0].session_id)
    assert site.ran == [(begin_session.undo, session_id)]
    assert f"a session began that nobody looked at: {next(iter(fields))}" in caplog.text


def test_a_session_as_it_was_looked_at_goes_on_to_its_device():
    """So the checks above fail for what they name."""
    site = Begun(as_opened)

    site.ask()

    assert site.spent[0].expires_at == NOW + 300


@pytest.mark.parametrize("scope", [f"{MATRIX} {ADMIN}", "openid", f"{MATRIX} openid"])
def test_c311_what_takes_a_person_is_refused_before_anything_is_spent(scope):
    """An administrator's power, and words about somebody, without anybody."""
    site = Begun(as_opened, scope)

    assert (site.ask().code, site.spent, site.ran) == ("invalid_scope", [], [])
