"""PKCE: S256, required, exact."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.grants import pkce

# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("method", [None, "", "plain", "s256", "S512", "S256 ", "S256\n"])
def test_c061_only_s256_is_a_method(method):
    """Absent means plain (RFC 7636 section 4.3), and plain proves nothing."""
    assert "S256" in pkce.refuse_challenge(CHALLENGE, method)


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        CHALLENGE[:42],
        CHALLENGE + "A",
        CHALLENGE[:42] + "=",
        CHALLENGE[:42] + "+",
        CHALLENGE[:42] + "/",
        CHALLENGE[:42] + "\n",
        CHALLENGE + "\n",
        CHALLENGE + "=",
        " " + CHALLENGE[1:],
        CHALLENGE[:42] + "é",
        "٤" * 43,
        "A" * 50_000,
    ],
)
def test_c062_a_challenge_is_43_characters_of_base64url(challenge):
    """A SHA-256 in base64url without padding has no other shape."""
    assert "43" in pkce.refuse_challenge(challenge, "S256")


def test_a_challenge_is_required():
    """No code without PKCE."""
    assert pkce.refuse_challenge(None, "S256") == "code_challenge is required"
    assert pkce.refuse_challenge(CHALLENGE, "S256") is None


def test_c063_a_missing_verifier_proves_nothing():
    """Leaving the verifier out must not switch the check off."""
    assert pkce.refuse_verifier(None) == "code_verifier is required"
    assert not pkce.proves(None, CHALLENGE)


@pytest.mark.parametrize(
    "verifier",
    [
        "",
        "a" * 42,
        "a" * 129,
        "a" * 50_000,
        *("a" * 42 + bad for bad in ("+", "/", " ", "\n", "=", "é", "\ud800", "\x00", "٤")),
        VERIFIER + "\n",
        " " + VERIFIER,
    ],
)
def test_c065_a_malformed_verifier_is_refused(verifier):
    """43 to 128 unreserved characters (RFC 7636 section 4.1); nothing raises on the rest."""
    assert "43" in pkce.refuse_verifier(verifier)
    assert not pkce.proves(verifier, CHALLENGE)


def test_c065_a_wrong_verifier_proves_nothing():
    """Well-formed is not enough."""
    assert pkce.refuse_verifier("a" * 43) is None
    assert not pkce.proves("a" * 43, CHALLENGE)
    assert not pkce.proves(VERIFIER, "é" * 43)


def test_c066_the_short_sample_verifier_of_the_matrix_specification_is_refused():
    """The verifier printed in MSC2964 has 32 characters; RFC 7636 wants 43."""
    assert pkce.refuse_verifier("ogie4iVaeteeKeeLaid0aizuimairaCh") is not None


def test_the_example_of_rfc_7636_proves():
    """Appendix B."""
    assert pkce.proves(VERIFIER, CHALLENGE)


verifiers = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-._~", min_size=43, max_size=128)


@given(verifiers, verifiers)
def test_c067_a_challenge_is_proved_by_its_own_verifier_only(one, other):
    """Swapping the verifiers of two codes of one client fails."""
    hashed = hashlib.sha256(one.encode()).digest()
    challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()

    assert pkce.refuse_challenge(challenge, "S256") is None
    assert pkce.proves(one, challenge)
    assert pkce.proves(other, challenge) == (one == other)


@given(st.text(alphabet=st.characters(codec=None)), st.text(alphabet=st.characters(codec=None)))
def test_any_text_is_answered(verifier, challenge):
    """Nothing raises, whatever is sent."""
    pkce.refuse_challenge(challenge, verifier)
    pkce.refuse_verifier(verifier)
    assert pkce.proves(verifier, challenge) in {True, False}
