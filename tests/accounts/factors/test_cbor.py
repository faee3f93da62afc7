"""Only CBOR such as keys send is read: what reads it makes a regular expression of one tag of it."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.passkeys import AT, UP
from synapse_nextgen_auth.accounts.factors.passkeys import cbor
from synapse_nextgen_auth.accounts.factors.passkeys.cbor import Odd

ED = 0x80
KEY = {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}
# What kinds of attestation say (WebAuthn section 8).
STATEMENTS = {
    "none": {},
    "packed": {"alg": -7, "sig": bytes(71), "x5c": [bytes(700), bytes(900)]},
    "tpm": {
        "ver": "2.0",
        "alg": -65535,
        "x5c": [bytes(1400), bytes(1500)],
        "sig": bytes(256),
        "certInfo": bytes(161),
        "pubArea": bytes(310),
    },
    "android-key": {"alg": -7, "sig": bytes(71), "x5c": [bytes(600), bytes(500), bytes(1300)]},
    "android-safetynet": {"ver": "12685023", "response": bytes(5000)},
    "fido-u2f": {"sig": bytes(71), "x5c": [bytes(320)]},
    "apple": {"x5c": [bytes(580), bytes(570)]},
}
# What authenticators say to extensions (CTAP 2.1 section 12, WebAuthn section 10).
EXTENSIONS = [
    {"credProtect": 2},
    {"credProtect": 3, "hmac-secret": True, "minPinLength": 4},
    {"hmac-secret": bytes(48)},
    {"credBlob": True},
    {"uvm": [[2, 4, 2], [1024, 10, 8]]},
    {"devicePubKey": {"aaguid": bytes(16), "dpk": bytes(77), "scope": 0, "fmt": "none"}},
]


def data(key=None, extensions=None):
    """Return authenticator data with these, which are CBOR already or not."""
    flags = UP | (AT if key is not None else 0) | (ED if extensions is not None else 0)
    attested = b"" if key is None else bytes(16) + b"\x00\x04name" + encoded(key)
    extended = b"" if extensions is None else encoded(extensions)
    return bytes(32) + bytes([flags]) + bytes(4) + attested + extended


def encoded(value):
    return value if isinstance(value, bytes) else cbor2.dumps(value)


@pytest.mark.parametrize("kind", STATEMENTS)
@pytest.mark.parametrize("is_short", [True, False], ids=["shortest", "not-the-shortest"])
def test_what_keys_attest_is_read(kind, is_short):
    """Also by those who write every length with two bytes."""
    told = data(KEY, {"credProtect": 2})
    head = b"" if is_short else b"\x59" + len(told).to_bytes(2, "big")
    said = {"fmt": kind, "attStmt": STATEMENTS[kind]}
    raw = b"\xa3" + cbor2.dumps(said)[1:] + cbor2.dumps("authData")
    raw += head + told if head else cbor2.dumps(told)

    cbor.check(raw)

    assert cbor2.loads(raw) == said | {"authData": told}


@pytest.mark.parametrize("extensions", EXTENSIONS, ids=str)
def test_what_keys_say_beside_is_read(extensions):
    assert cbor.parts_of(data(KEY, extensions)) == [cbor2.dumps(KEY), cbor2.dumps(extensions)]
    assert cbor.parts_of(data(None, extensions)) == [cbor2.dumps(extensions)]
    assert cbor.parts_of(data(KEY)) == [cbor2.dumps(KEY)]
    assert cbor.parts_of(data()) == []


ODD = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\xd8\x23\x61a", id="a-regular-expression"),
    pytest.param(b"\xd8\x24\x61a", id="a-mail"),
    pytest.param(b"\xc0\x61a", id="a-date"),
    pytest.param(b"\xc4\x82\x1a\x7f\xff\xff\xff\x01", id="a-decimal"),
    pytest.param(b"\xd8\x1d\x00", id="shared"),
    pytest.param(b"\xd9\xd9\xf7\xa0", id="it-is-cbor"),
    pytest.param(b"\x81\xd8\x23\x61a", id="tag-in-a-list"),
    pytest.param(b"\xa1\xd8\x23\x61a\x00", id="tag-as-a-key"),
    pytest.param(b"\xa1\x00\xd8\x23\x61a", id="tag-as-a-value"),
    pytest.param(b"\x9f\xff", id="list-without-an-end"),
    pytest.param(b"\xbf\xff", id="map-without-an-end"),
    pytest.param(b"\x5f\xff", id="bytes-without-an-end"),
    pytest.param(b"\x7f\xff", id="text-without-an-end"),
    pytest.param(b"\xff", id="an-end-alone"),
    pytest.param(b"\x81" * 5 + b"\x00", id="five-deep"),
    pytest.param(b"\xa1\x00" * 5 + b"\x00", id="maps-five-deep"),
    pytest.param(b"\xa1\x80\x00", id="a-list-as-a-key"),
    pytest.param(b"\xa1\xa0\x00", id="a-map-as-a-key"),
    pytest.param(b"\xa1\x41a\x00", id="bytes-as-a-key"),
    pytest.param(b"\xa1\xf5\x00", id="true-as-a-key"),
    pytest.param(b"\x5b" + b"\xff" * 8, id="longer-than-there-is"),
    pytest.param(b"\x9b" + b"\xff" * 8 + b"\x00", id="more-than-there-is"),
    pytest.param(b"\xbb" + b"\xff" * 8 + b"\x00\x00", id="more-pairs-than-there-are"),
    pytest.param(b"\x19\x01", id="half-a-number"),
    pytest.param(b"\x1c", id="a-size-of-the-future"),
    pytest.param(b"\xe0", id="simple-value"),
    pytest.param(b"\xf8\xff", id="another-simple-value"),
    pytest.param(b"\x00\x00", id="two"),
]


@pytest.mark.parametrize("raw", ODD)
def test_c902_what_no_key_sends_is_refused(raw):
    """Wherever it stands."""
    for act in (
        lambda: cbor.check(raw),
        lambda: cbor.check(b"\xa1\x67attStmt" + raw),
        lambda: cbor.parts_of(data(b"\xa1\x01" + raw)),
        lambda: cbor.parts_of(data(KEY, b"\xa1\x61a" + raw)),
        lambda: cbor.parts_of(data(None, b"\xa1\x61a" + raw)),
    ):
        with pytest.raises(Odd):
            act()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        data()[:-1],
        data() + b"\x00",
        data(KEY)[:40],
        data(KEY)[:-1],
        data(KEY) + b"\x00",
        data(KEY, {})[:-1],
        data([1]),
        data(KEY, [1]),
        data(bytes.fromhex("a301634f4b500327206745643235353139") + b"\x21\x40"),
    ],
)
def test_c902_odd_authenticator_data_is_refused(raw):
    """Too short, too long, with something else than maps, and with a map that counts itself wrong."""
    with pytest.raises(Odd):
        cbor.parts_of(raw)


SCALARS = (
    st.integers(-(2**64), 2**64 - 1) | st.binary() | st.text() | st.booleans() | st.none()
) | st.floats()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.integers(-(2**64), 2**64 - 1) | st.text(), inner)
        | st.builds(cbor2.CBORTag, st.integers(0, 2**64 - 1), inner)
    ),
)


def fits(value, depth=cbor.MAX_DEPTH):
    if isinstance(value, cbor2.CBORTag):
        return False
    if not isinstance(value, (list, dict)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(fits(each, depth - 1) for each in inner)


@given(VALUES)
def test_c902_all_values_of_keys_are_taken_and_no_others(value):
    raw = cbor2.dumps(value)

    if fits(value):
        assert cbor.end_of(raw + b"\x00") == len(raw)
        for cut in range(len(raw)):
            with pytest.raises(Odd):
                cbor.check(raw[:cut])
    else:
        with pytest.raises(Odd):
            cbor.check(raw)


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from(ODD).map(lambda row: row.values[0])).map(b"".join)
)
def test_c902_what_is_taken_makes_plain_values(raw):
    """Whatever the bytes are: nothing but numbers, text, bytes, lists and maps of them comes out."""
    try:
        cbor.check(raw)
    except Odd:
        return
    try:
        value = cbor2.loads(raw)
    except cbor2.CBORDecodeError:
        return  # text that is none

    assert fits(value)
    assert is_plain(value)


def is_plain(value):
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(map(is_plain, [*value, *value.values()]))
    plain = (int, float, str, bytes, type(None), type(cbor2.undefined))
    return isinstance(value, plain)
