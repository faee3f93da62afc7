"""Tokens: only we make them, and none passes for another."""

import base64
import re
import struct

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.secret import Keyring

RING = Keyring.of(b"a secret of at least 32 bytes, only for tests")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

session_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
any_token = st.builds(
    Token,
    st.sampled_from(Kind),
    session_ids,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**40 - 1),
)
ACCESS = Token(Kind.ACCESS, "0123456789abcdef" * 2, 7, 1_800_000_300)


def text_of(token):
    """Return the token as a client gets it."""
    return session_tokens.mint(RING, token).reveal()


def test_a_token_is_found_in_what_people_paste():
    """With whatever comes along; what remains of one that was cut or changed is not let out either."""
    text = text_of(ACCESS)
    for pasted in (
        text,
        f" '{text}' \n",
        f"Authorization: Bearer {text}",
        f"{text[:9]}\u200b{text[9:]}\u2060",
        f"{text[:30]}\r\n{text[30:]}",
        f"N{text[1:]}",
        f"https://example.org/?access_token={text}&x=1",
    ):
        assert session_tokens.find(pasted) == text, pasted
    for spoiled in (text.upper(), text[:-3], f"{text}x", f"{text}{text}"):
        found = session_tokens.find(spoiled)
        assert found is not None, spoiled
        assert session_tokens.read(RING, found) is None, spoiled


@given(
    any_token, st.text(" \t\n\"'\u200b\u200e\ufeff<>:;,.()[]{}"), st.sampled_from(["", "Bearer "])
)
def test_a_token_is_found_among_anything(token, around, before):
    """Of every kind."""
    text = text_of(token)

    assert session_tokens.find(f"{around}{before}{text}{around}") == text


@pytest.mark.parametrize(
    "password",
    [
        "",
        "correct horse battery staple",
        "ngp_",
        "ngp_cat",
        "all_the_things_that_one_could_ever_want_to_remember_in_a_life",
        "all the things_that_one_could_ever_want_to_remember_in_a_life",
        "manga_" + "a" * 60,
        "syt_" + "a" * 60,
        "A" * 64,
        "ngq_" + "A" * 60,
    ],
)
def test_a_password_is_no_token(password):
    """Also one that has the letters of a prefix somewhere."""
    assert session_tokens.find(password) is None


@given(any_token)
def test_a_token_reads_back_as_what_it_says(token):
    """Every field, to its last bit; the same statement is the same text."""
    text = text_of(token)

    assert session_tokens.read(RING, text) == token
    assert text == text_of(token)
    assert re.fullmatch(r"ng[arpsx]_[A-Za-z0-9_-]{60}", text)
    assert session_tokens.kind_of(text) is token.kind


@given(any_token, any_token)
def test_two_statements_are_two_texts(one, other):
    """No two sessions, generations, times or kinds share a token."""
    assert (text_of(one) == text_of(other)) == (one == other)


@pytest.mark.parametrize("place", range(len(text_of(ACCESS))))
def test_any_other_character_anywhere_makes_it_worthless(place):
    """Prefix, fields and MAC: every one of the 64 characters counts, to its last bit."""
    text = text_of(ACCESS)

    for character in ALPHABET + "=+/. \n\0é":
        if character != text[place]:
            changed = text[:place] + character + text[place + 1 :]
            assert session_tokens.read(RING, changed) is None, character


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("claimed", Kind)
def test_c109_no_kind_passes_for_another(kind, claimed):
    """A refresh token with the prefix of an access token is garbage."""
    body = text_of(Token(kind, ACCESS.session_id, 1, 0))[4:]

    read = session_tokens.read(RING, claimed.value + body)

    assert (read is not None) == (kind is claimed)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text + " ",
        lambda text: text.upper(),
        lambda text: text.replace("nga_", "NGA_"),
        lambda text: text.replace("nga_", "nga-"),
        lambda text: text.replace("nga_", ""),
        lambda text: text.replace("nga_", "nga_nga_"),
        lambda text: text[:4] + "\u0661" + text[5:],
        lambda text: text * 2,
        lambda _: "nga_",
        lambda _: "nga_" + "A" * 60,
        lambda _: "nga_" + "_" * 60,
        lambda _: "",
        lambda _: "syt_dXNlcg_wWNSJWLTcGnfQEbYYDAD_0NdXcA",
        lambda _: "x" * 100_000,
        lambda _: "\ud800" * 64,
    ],
)
def test_there_is_one_way_to_write_a_token(change):
    """Nothing else is read, and nothing raises."""
    assert session_tokens.read(RING, change(text_of(ACCESS))) is None


@given(st.text(st.characters(codec=None)) | st.from_regex(r"\Ang[arpsx]_[\w-]{60}\Z"))
def test_what_we_did_not_sign_is_nothing(text):
    """Whatever it looks like."""
    assert session_tokens.read(RING, text) is None


def test_c343_a_token_outlives_a_rotation_of_the_secret():
    """It is read with the former secret; a stranger's secret reads nothing."""
    former = Keyring.of(b"the former secret, also long enough for this")
    text = session_tokens.mint(former, ACCESS).reveal()

    assert session_tokens.read(Keyring.of(b"n" * 32, former._masters), text) == ACCESS
    assert session_tokens.read(RING, text) is None


@pytest.mark.parametrize(
    ("expires_at", "now", "expired"),
    [
        (100, 99, False),
        (100, 100, True),
        (100, 101, True),
        (100, 0, False),
        (0, 2**40, False),
    ],
)
def test_c111_a_token_ends_on_the_second(expires_at, now, expired):
    """Zero is without end."""
    token = Token(Kind.ACCESS, ACCESS.session_id, 1, expires_at)

    assert token.is_expired(now) is expired


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("nga_x", Kind.ACCESS),
        ("ngr_", Kind.REFRESH),
        ("ngp_x", Kind.PERSONAL),
        ("syt_x", None),
        ("NGA_x", None),
        ("", None),
    ],
)
def test_the_prefix_tells_the_kind(text, kind):
    """So that leaked tokens are found by scanners, and ours told from Synapse's."""
    assert session_tokens.kind_of(text) is kind


def test_a_minted_token_does_not_show():
    """Until somebody reveals it."""
    assert text_of(ACCESS) not in repr(session_tokens.mint(RING, ACCESS))


@pytest.mark.parametrize(
    ("generation", "expires_at"), [(-1, 0), (2**32, 0), (1, -1), (1, 2**40), (1, 2**64)]
)
def test_a_statement_that_does_not_fit_is_an_error(generation, expires_at):
    """Never another statement that happens to fit."""
    with pytest.raises((struct.error, OverflowError)):
        text_of(Token(Kind.REFRESH, ACCESS.session_id, generation, expires_at))


@given(any_token, st.integers(0, 2**24 - 1))
def test_a_token_may_carry_which_part_of_the_scope_it_has(token, mask):
    """Four characters more; each bit counts, and without a mask it is another statement."""
    part = attrs.evolve(token, mask=mask)
    text = text_of(part)

    assert session_tokens.read(RING, text) == part
    assert len(text) == 68
    assert text != text_of(token)
    assert session_tokens.read(RING, text[:-4]) is None


def test_a_token_without_a_mask_is_written_as_ever():
    """Byte for byte, so that a worker of an earlier release reads it, and what it made is read."""
    body = base64.urlsafe_b64decode(text_of(ACCESS)[4:])

    assert len(text_of(ACCESS)) == 64
    assert body[:25] == bytes.fromhex(ACCESS.session_id) + struct.pack(">IB", 7, 0) + (
        1_800_000_300
    ).to_bytes(4, "big")
    assert body[25:] == RING.mac("token access", body[:25])[:20]


@pytest.mark.parametrize("place", range(68))
def test_any_other_character_in_a_narrowed_token_makes_it_worthless(place):
    """The mask is under the MAC: nobody gives himself a bit more."""
    text = text_of(attrs.evolve(ACCESS, mask=1))

    for character in ALPHABET:
        if character != text[place]:
            assert session_tokens.read(RING, text[:place] + character + text[place + 1 :]) is None


@pytest.mark.parametrize("more", ["AAAA", "AAAAAAAA", "AAA", "A"])
def test_nothing_is_added_to_a_token(more):
    """Neither behind a whole one nor behind a narrowed one."""
    for token in (ACCESS, attrs.evolve(ACCESS, mask=1)):
        assert session_tokens.read(RING, text_of(token) + more) is None
