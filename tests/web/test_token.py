"""The token endpoint without a server: what happens to a refusal on its way out."""

import pytest

from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.web.endpoints.token import pipeline

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
