"""The token endpoint without a server: what happens to a refusal on its way out."""

from types import SimpleNamespace

import pytest

from support.records import a_session
from synapse_nextgen_auth.flows import begin_session
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.web.endpoints.token import pipeline
from synapse_nextgen_auth.web.endpoints.token.exchange import Spent
from synapse_nextgen_auth.web.endpoints.token.table import EXCHANGES

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
    _, exchange = EXCHANGES["authorization_code"]
    handing_over = pipeline._hand_over(
        site, None, exchange, Spent(session, 1), user_id="@alice:example.com"
    )

    with pytest.raises(OAuthError) as raised:
        handing_over.send(None)

    assert raised.value.status == 503
    assert ran == [(begin_session.undo, "@mallory:example.com")]
