"""Random values, digests, derived keys, and secrets that do not show."""

import hmac
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth import secret
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret

anything = st.text(st.characters(codec=None))
OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32


@pytest.mark.parametrize(
    ("draw", "shape", "bits"),
    [
        (lambda: secret.random_token().reveal(), r"[A-Za-z0-9_-]{43}", 256),
        (secret.random_id, r"[0-9a-f]{32}", 128),
    ],
    ids=["token", "id"],
)
def test_c042_random_values_never_repeat(draw, shape, bits):
    """10 000 of them: no two alike, every character at every place, as many bits as promised."""
    drawn = [draw() for _ in range(10_000)]
    length = len(drawn[0])
    per_character = len(set("".join(drawn))).bit_length() - 1

    assert len(set(drawn)) == 10_000
    assert all(re.fullmatch(shape, text) for text in drawn)
    assert length * per_character >= bits
    for place in range(length - 1):
        seen = Counter(text[place] for text in drawn)
        assert len(seen) == 2**per_character, f"at {place}"
        assert max(seen.values()) < 2 * 10_000 / 2**per_character


def test_letters_for_people_are_drawn_from_their_alphabet_alone():
    """Each about as often as any other."""
    drawn = Counter(secret.random_letters("BCDF", 10_000))

    assert set(drawn) == set("BCDF")
    assert max(drawn.values()) < 3000


@given(anything)
def test_a_secret_prints_as_stars(value):
    """In logs, tracebacks and f-strings, alone and inside other records."""
    hidden = Secret(value)
    stars = "Secret('**********')"

    assert (str(hidden), repr(hidden), f"{hidden}", "%s" % [hidden]) == (*[stars] * 3, f"[{stars}]")
    assert hidden.reveal() == value
    assert hidden == Secret(value)


@given(anything, anything)
def test_c065_same_compares_any_characters(one, other):
    """`hmac.compare_digest` raises on texts beyond ASCII; lone surrogates come out of JSON."""
    assert secret.same(one, one)
    assert secret.same(one, other) == (one == other)


@given(anything)
def test_a_digest_is_64_hex_digits_of_any_text(value):
    """And never the text itself."""
    assert re.fullmatch("[0-9a-f]{64}", secret.digest(value))
    assert secret.digest(value) != value


def test_a_digest_is_sha_256():
    """FIPS 180-2, appendix B.1: rows written today are found tomorrow."""
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert secret.digest("abc") == known


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_mac_proves_its_own_message_for_its_own_purpose(message, other):
    """Nothing else."""
    ring = Keyring.of(NEW)
    mac = ring.mac("one", message)

    assert ring.proves("one", message, mac)
    assert ring.proves("one", message, mac[:16])
    assert ring.proves("one", other, mac) == (message == other)
    assert not ring.proves("two", message, mac)
    assert not Keyring.of(OTHER).proves("one", message, mac)


@given(st.binary(min_size=1, max_size=80), st.binary(max_size=200))
def test_a_mac_is_an_hmac_of_sha_256(master, message):
    """As the standard library makes it, each time anew: the hashes kept are copied, never used up."""
    ring = Keyring.of(master)
    expected = hmac.digest(ring.keys("p")[0], message, "sha256")

    assert [ring.mac("p", message) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("length", range(16))
def test_a_mac_of_less_than_128_bits_proves_nothing(length):
    """An empty one would prove everything."""
    ring = Keyring.of(NEW)

    assert not ring.proves("p", b"message", ring.mac("p", b"message")[:length])


def test_a_mac_with_something_behind_it_proves_nothing():
    """Longer than a MAC can be."""
    ring = Keyring.of(NEW)

    assert not ring.proves("p", b"message", ring.mac("p", b"message") + b"\0")


@pytest.mark.parametrize("bit", range(160))
def test_every_bit_of_a_mac_counts(bit):
    """Of one as long as in our tokens."""
    ring = Keyring.of(NEW)
    mac = int.from_bytes(ring.mac("p", b"message")[:20], "big") ^ 1 << bit

    assert not ring.proves("p", b"message", mac.to_bytes(20, "big"))


def test_c343_a_rotation_of_the_secret_logs_nobody_out():
    """Old values are still read, new ones are made with the new secret alone."""
    before, after = Keyring.of(OLD), Keyring.of(NEW, [OLD])
    later = Keyring.of(NEW)

    assert after.proves("p", b"m", before.mac("p", b"m"))
    assert after.unseal("p", before.seal("p", b"plain")) == b"plain"
    assert later.proves("p", b"m", after.mac("p", b"m"))
    assert later.unseal("p", after.seal("p", b"plain")) == b"plain"
    assert not later.proves("p", b"m", before.mac("p", b"m"))
    assert later.unseal("p", before.seal("p", b"plain")) is None
    assert not before.proves("p", b"m", after.mac("p", b"m"))


@given(st.binary(max_size=200))
def test_what_is_sealed_is_unreadable_and_comes_back(plain):
    """For its purpose; differently each time."""
    ring = Keyring.of(NEW)
    sealed = ring.seal("p", plain)

    assert ring.unseal("p", sealed) == plain
    assert ring.unseal("q", sealed) is None
    assert ring.seal("p", plain) != sealed
    assert re.fullmatch(r"[A-Za-z0-9_=-]+", sealed)


@given(anything)
def test_what_nobody_sealed_is_none(text):
    """A damaged row is no exception."""
    assert Keyring.of(NEW).unseal("p", text) is None


def test_c343_what_an_earlier_secret_sealed_is_sealed_anew():
    """Once: then the earlier one may be forgotten; what no secret of ours sealed is left alone."""
    before, after, later = Keyring.of(OLD), Keyring.of(NEW, [OLD]), Keyring.of(NEW)
    sealed = before.seal("p", b"plain")
    anew = after.reseal("p", sealed)

    assert later.unseal("p", anew) == b"plain"
    assert after.reseal("p", anew) is None
    assert later.reseal("p", sealed) is None
    assert after.reseal("q", sealed) is None


def test_a_damaged_seal_is_none():
    """Whichever character is another one."""
    ring = Keyring.of(NEW)
    sealed = ring.seal("p", b"plain")

    for place, character in enumerate(sealed.rstrip("=")[:-1]):
        damaged = sealed[:place] + ("A" if character != "A" else "B") + sealed[place + 1 :]
        assert ring.unseal("p", damaged) is None, place


def test_keys_differ_for_every_purpose_and_secret():
    """And are long enough."""
    purposes = ("token access", "token refresh", "csrf", "signing keys")
    derived = [key for p in purposes for key in Keyring.of(NEW, [OLD]).keys(p)]

    assert len(set(derived)) == len(derived) == 8
    assert {len(key) for key in derived} == {32}
    assert NEW not in derived
    assert Keyring.of(NEW).keys("csrf") == Keyring.of(NEW).keys("csrf")


def test_a_ring_does_not_show_its_secrets():
    """Neither the master nor what was derived from it."""
    ring = Keyring.of(b"topsecret" * 4)
    ring.keys("p")

    assert "topsecret" not in repr(ring)
    assert ring.keys("p")[0].hex() not in repr(ring)


@given(st.binary(max_size=60))
def test_urlsafe_is_base64url_without_padding(raw):
    """RFC 4648 section 5."""
    assert re.fullmatch(r"[A-Za-z0-9_-]*", secret.urlsafe(raw))
    assert len(secret.urlsafe(raw)) == -(-len(raw) * 4 // 3)


# From HKDF-SHA-256 (RFC 5869) with no salt, over the master b"a master secret that is long enough".
DERIVED = {
    Purpose.ACCESS_TOKEN: "449da7393eb02d857e27495682eddd41",
    Purpose.REFRESH_TOKEN: "4102d439b07078d2a03de691eb1407c0",
    Purpose.PERSONAL_TOKEN: "673eed8e0e13231ad4088b668f7d0fd0",
    Purpose.SERVICE_TOKEN: "16d5cb4dfd7baf215f6496de99c76b24",
    Purpose.RESOURCE_TOKEN: "94a865361cb777db49975dfb9142ca17",
    Purpose.TOKEN_ID: "a701000654f11e00f767cb08efc71945",
    Purpose.USER_CODE: "b9db7457bd4de3ec60474e76f131d3ea",
    Purpose.USER_CODE_HALF: "ad6d2c72197372273dd2dacccefb7dfe",
    Purpose.FORM: "8dfbe5b84ec538b82b7aaa415a673dd9",
    Purpose.SIGNING_KEYS: "fd9ed414aa1a419120c0413f93066935",
    Purpose.PROVIDER_START: "5447feb06b742987adc911d2f2880ae3",
    Purpose.HINT: "a556b3b1cc6c54607356b2ac0fbbef20",
    Purpose.NEWCOMER: "068c3a2a571c1ebb74636935210ab095",
    Purpose.EXTRAS: "d4ef00a5d0de3133e19e1a3059cbad67",
    Purpose.LINK: "318a746917fea4375afea28827ad31e0",
    Purpose.RECOVERY: "260242ab91cc1985956ee119cac329a2",
    Purpose.COMMAND: "c0428be5b27bd7714f33ae06998c93ac",
    Purpose.COMMAND_ANSWER: "1de4ce20a06a5a578186df31b7f725a5",
    Purpose.MAIL: "2267439215c5138ef25d3dae971239db",
    Purpose.CODE: "be0dc9d957f7456ede34678b4d8a2c68",
    Purpose.CODE_ADDRESS: "0dfe495d0cf93f27db5816d1e6d4fdb2",
    Purpose.SIGN_UP: "3b38d161cbd16172d28b2b4a79096ba5",
    Purpose.CAPTCHA: "95cf564b6a64fa84a4562c5c3c2abf1d",
    Purpose.TYPED: "faca537797c0deb87ff0420ea21cede4",
    Purpose.DONE: "ff1e9967a22e1947c7c7b61d8c6e36b6",
    Purpose.NOTICE: "657ec40725b768d8a6fb4c831cb82e1a",
    Purpose.APPROVAL: "b55c358e034a75238e8fad52cd3bdb38",
    Purpose.APPROVAL_BODY: "930c049b0cc5579b8499deef0ae234d9",
    Purpose.STAGE: "0e90504c71f423366483ecc4666c02ac",
    Purpose.TOTP: "48185d178c9daf9af7d7fdb7c7121547",
    Purpose.RECOVERY_CODE: "172537669b50706a174c7ecfc04f9017",
    Purpose.PASSKEY_CHALLENGE: "b0255e43e9909e3fbe708964e1c21a6d",
    Purpose.LOST_FACTORS: "2f5fcd4e8415757596ffa971b84c6655",
}


def test_what_a_key_is_for_never_gets_another_name():
    """Every token, every sealed key and every form under way would be worth nothing."""
    ring = Keyring.of(b"a master secret that is long enough")

    assert {purpose: ring.keys(purpose)[0].hex()[:32] for purpose in Purpose} == DERIVED
