"""oauth4webapi: every check that the specifications ask of a client, in every response mode."""

import pytest

REDIRECT_URI = "https://client.example.com/callback"


@pytest.mark.parametrize(
    ("algorithm", "mode"), [("oidc", "query"), ("oauth2", "fragment"), ("oauth2", "query")]
)
def test_step_by_step(node, server, user, visit, algorithm, mode):
    """Discovered in either way; issuer, state, nonce and hashes are right, and ES256 if asked for."""
    told = node.run(
        "oauth4webapi.js",
        visit,
        issuer=server.issuer,
        redirectUri=REDIRECT_URI,
        scope="openid email",
        algorithm=algorithm,
        responseMode=mode,
    )

    assert told["same"]
    assert told["claims"]["sub"] == told["userinfo"]["sub"] == user.user_id
    assert told["claims"]["iss"] == server.issuer
    assert told["tokenType"] == "bearer"
    assert told["afterRevocation"] == "invalid_grant"
