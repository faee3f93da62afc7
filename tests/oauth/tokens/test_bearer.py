"""What `WWW-Authenticate` says (RFC 6750 section 3)."""

import pytest

from synapse_nextgen_auth.oauth.tokens.bearer import INSUFFICIENT_SCOPE, INVALID_TOKEN, challenge


@pytest.mark.parametrize(
    ("error", "scope", "said"),
    [
        (None, None, "Bearer"),
        (INVALID_TOKEN, None, 'Bearer error="invalid_token"'),
        (INSUFFICIENT_SCOPE, None, 'Bearer error="insufficient_scope"'),
        (INSUFFICIENT_SCOPE, "a b", 'Bearer error="insufficient_scope", scope="a b"'),
    ],
)
def test_a_challenge_says_what_is_wrong_with_the_token(error, scope, said):
    """Nothing where none came, and what is missing where a scope would help."""
    assert challenge(error, scope=scope) == said
