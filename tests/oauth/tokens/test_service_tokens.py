"""Tokens of application services: whose each is stands in it, and none is another's or a session's."""

from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.tokens import service_tokens, session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import OPENING, Kind
from synapse_nextgen_auth.secret import Keyring

RING = Keyring.of(b"a secret of at least 32 bytes, only for tests")
names = st.from_regex(r"[A-Za-z0-9._~-]{1,100}", fullmatch=True)
drawn = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(names, st.text(), drawn, st.integers(1, 2**40 - 1))
def test_a_token_says_whose_it_is(client_id, service_id, drawn, expires_at):
    """And has an id of its own by which it is revoked."""
    tag = service_tokens.tag(client_id, service_id)
    token = service_tokens.token_of(tag, drawn=drawn, expires_at=expires_at)
    text = session_tokens.mint(RING, token).reveal()
    read = session_tokens.read(RING, text)

    assert text.startswith("ngs_")
    assert read == token
    assert service_tokens.tag_of(read) == tag
    assert service_tokens.id_of(read) == tag + drawn[:16]
    assert read.is_expired(expires_at)
    assert not read.is_expired(expires_at - 1)


@given(names, names, st.text(), st.text())
def test_no_two_have_the_same(one, other, service, other_service):
    """Neither two clients of a service, nor two services, however their names are put together."""
    assert (service_tokens.tag(one, service) == service_tokens.tag(other, other_service)) == (
        (one, service) == (other, other_service)
    )


def test_it_opens_no_session():
    assert Kind.SERVICE not in OPENING
    assert Kind.REFRESH not in OPENING
