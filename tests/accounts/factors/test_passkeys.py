"""Passkeys: only a right answer to this very challenge, for this site, of this key (C279)."""

import contextlib
import json
from datetime import datetime, timedelta, timezone
from hashlib import sha256

import attrs
import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateBuilder, Name, NameAttribute, random_serial_number
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from support.passkeys import AT, BE, BS, UP, UV, SoftKey, b64, unb64
from support.records import ALICE, NOW
from synapse_nextgen_auth.accounts.factors.passkeys import ceremonies, challenges, keys
from synapse_nextgen_auth.accounts.factors.passkeys.ceremonies import Refused, Wrong
from synapse_nextgen_auth.accounts.factors.passkeys.challenges import LIFETIME, Bound, Ceremony
from synapse_nextgen_auth.accounts.factors.passkeys.passkey import Passkey, RelyingParty
from synapse_nextgen_auth.secret import Keyring

SITE = RelyingParty(rp_id="example.com", origins=("https://matrix.example.com",), name="Example")
CHALLENGE = b"c" * 56
HANDLE = b64(b"alice's handle")


def a_key(**fields):
    """Return a key for the site."""
    return SoftKey(**{"rp_id": SITE.rp_id, "origin": SITE.origins[0], **fields})


def to_make(challenge=CHALLENGE, has=()):
    return ceremonies.to_make(
        SITE,
        challenge=challenge,
        user_handle=HANDLE,
        name="alice",
        display_name="Alice",
        has=has,
    )


def kept(key, **fields):
    """Return what is kept of a key that was just made."""
    made = ceremonies.made(SITE, key.make(to_make()), challenge=CHALLENGE)
    said = {name: value for name, value in attrs.asdict(made).items() if name != "is_found"}
    row = said | {
        "user_id": ALICE,
        "user_handle": HANDLE,
        "rp_id": SITE.rp_id,
        "name": "Phone",
        "made_at": NOW,
    }
    return Passkey(**row | fields)


def use(key, passkey, *, challenge=CHALLENGE, answered=CHALLENGE, changed=None, **wanted):
    options = ceremonies.to_use(SITE, challenge=answered)
    answer = key.use(options, **changed or {})
    return ceremonies.used(SITE, answer, passkey, challenge=challenge, **wanted)


def why(act):
    """Return why something is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.why


def test_one_is_made_and_used():
    """What its device says of itself is kept; of the transports only those that there are."""
    key = a_key(flags=UP | UV | BE | BS)

    passkey = kept(key)

    assert (passkey.may_sync, passkey.is_synced, passkey.is_verified) == (True, True, True)
    assert passkey.transports == "hybrid internal"
    assert passkey.aaguid is None
    used = use(key, passkey, verified=True)
    said = {"is_synced": True, "is_verified": True, "names_owner": True}
    assert used == ceremonies.Used(sign_count=1, **said)


WRONG_KEYS = [
    pytest.param({"origin": "https://matrix.example.com.evil.test"}, Wrong.UNPROVEN, id="origin"),
    pytest.param({"origin": "http://matrix.example.com"}, Wrong.UNPROVEN, id="scheme"),
    pytest.param({"rp_id": "com"}, Wrong.UNPROVEN, id="site"),
    pytest.param({"flags": UV}, Wrong.UNPROVEN, id="nobody-was-there"),
    pytest.param({"client_data": {"type": "webauthn.x"}}, Wrong.MALFORMED, id="no-type"),
    pytest.param({"client_data": {"crossOrigin": True}}, Wrong.IN_A_FRAME, id="frame"),
    pytest.param(
        {"client_data": {"topOrigin": "https://evil.test"}}, Wrong.IN_A_FRAME, id="top-origin"
    ),
    pytest.param({"client_data": {"challenge": b64(b"d" * 56)}}, Wrong.UNPROVEN, id="challenge"),
]


@pytest.mark.parametrize(("fields", "expected"), WRONG_KEYS)
def test_c279_a_wrong_answer_makes_nothing(fields, expected):
    key = a_key(**fields)

    found = why(lambda: ceremonies.made(SITE, key.make(to_make()), challenge=CHALLENGE))

    assert found in {expected, Wrong.UNPROVEN}


@pytest.mark.parametrize(("fields", "expected"), WRONG_KEYS)
def test_c279_a_wrong_answer_proves_nothing(fields, expected):
    key = a_key()
    passkey = kept(key)
    for name, value in fields.items():
        setattr(key, name, value)

    assert why(lambda: use(key, passkey)) in {expected, Wrong.UNPROVEN}


def test_c279_what_makes_is_nothing_that_uses():
    """And the other way round: the type is of the ceremony."""
    key = a_key()
    passkey = kept(key)
    key.client_data = {"type": "webauthn.create"}

    assert why(lambda: use(key, passkey)) is Wrong.UNPROVEN
    assert why(lambda: use(a_key(), passkey)) is Wrong.OTHER_KEY


def test_c279_the_owner_has_to_be_asked_where_that_is_demanded():
    key = a_key(flags=UP)
    passkey = kept(key)

    assert not passkey.is_verified
    assert use(key, passkey).is_verified is False
    assert why(lambda: use(key, passkey, verified=True)) is Wrong.UNVERIFIED


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"id": b64(b"another")}, Wrong.MALFORMED),
        ({"id": b64(b"another"), "rawId": b64(b"another")}, Wrong.OTHER_KEY),
        ({"type": "password"}, Wrong.MALFORMED),
        ({"response": {"userHandle": b64(b"bob's handle")}}, Wrong.OTHER_ACCOUNT),
        ({"response": {"signature": b64(b"garbage" * 10)}}, Wrong.UNPROVEN),
        ({"response": {"signature": ""}}, Wrong.UNPROVEN),
        ({"response": {"authenticatorData": b64(b"x" * 37)}}, Wrong.UNPROVEN),
        ({"response": {"clientDataJSON": b64(b"[]")}}, Wrong.MALFORMED),
        ({"response": {"clientDataJSON": 1}}, Wrong.MALFORMED),
    ],
)
def test_c281_a_forged_answer_is_refused(changed, expected):
    """Another id, another account's, and above all a signature that is none."""
    key = a_key()
    passkey = kept(key)

    assert why(lambda: use(key, passkey, changed=changed)) in {
        expected,
        Wrong.UNPROVEN,
        Wrong.MALFORMED,
    }


def test_c281_a_missing_handle_leaves_the_row_to_say_whose_it_is():
    """A second factor need not say it (WebAuthn section 7.2 step 6)."""
    key = a_key()
    passkey = kept(key)
    key.user_handle = None

    assert use(key, passkey).sign_count == 1


@pytest.mark.parametrize("handle", [None, ""])
def test_c281_who_typed_no_name_is_named_by_the_key(handle):
    """Nobody said whose it is, so it has to (WebAuthn section 7.2 step 6)."""
    key = a_key()
    passkey = kept(key)
    key.user_handle = handle

    assert why(lambda: use(key, passkey, nameless=True)) is Wrong.OTHER_ACCOUNT
    key.user_handle = HANDLE
    assert use(key, passkey, nameless=True).names_owner


def test_c283_what_was_made_is_looked_at_and_not_what_was_asked():
    """Another algorithm, another kind of attestation, another key than the one in the envelope."""
    p521 = a_key(alg=-36)
    tpm = a_key()
    moved = a_key()

    assert why(lambda: ceremonies.made(SITE, p521.make(to_make()), challenge=CHALLENGE)) in {
        Wrong.UNPROVEN,
        Wrong.MALFORMED,
    }
    assert why(
        lambda: ceremonies.made(SITE, tpm.make(to_make(), fmt="tpm"), challenge=CHALLENGE)
    ) in {Wrong.UNPROVEN, Wrong.MALFORMED, Wrong.ATTESTATION}
    other = b64(b"of somebody else")
    answer = moved.make(to_make(), id=other, rawId=other)
    assert why(lambda: ceremonies.made(SITE, answer, challenge=CHALLENGE)) is Wrong.OTHER_KEY


def test_c283_an_attestation_that_is_right_is_not_taken_either():
    """Of an old security key, say, which none was asked for: it names the make of its owner's device."""
    key = a_key()
    answer = json.loads(key.make(to_make()))
    said = cbor2.loads(unb64(answer["response"]["attestationObject"]))
    client_data = unb64(answer["response"]["clientDataJSON"])
    signed = (
        *(b"\x00", sha256(SITE.rp_id.encode()).digest(), sha256(client_data).digest()),
        *(key.credential_id, b"\x04", key.public_key()[-2], key.public_key()[-3]),
    )
    statement = {
        "x5c": [self_signed(key.key).public_bytes(Encoding.DER)],
        "sig": key.key.sign(b"".join(signed), ec.ECDSA(SHA256())),
    }
    attested = cbor2.dumps({**said, "fmt": "fido-u2f", "attStmt": statement})
    answer["response"]["attestationObject"] = b64(attested)

    found = why(lambda: ceremonies.made(SITE, json.dumps(answer), challenge=CHALLENGE))

    assert found is Wrong.ATTESTATION


def self_signed(key):
    name = Name([NameAttribute(NameOID.COMMON_NAME, "a make of keys")])
    now = datetime.now(tz=timezone.utc)
    made = CertificateBuilder(name, name, key.public_key(), random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return made.sign(key, SHA256())


@pytest.mark.parametrize(
    ("before", "now", "is_fine"),
    [(0, 0, True), (0, 5, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_counter_that_does_not_go_on_alarms(before, now, is_fine):
    """A key that never counts says nothing by that."""
    key = a_key(counts=False)
    passkey = kept(key, sign_count=before)
    key.count = now

    if is_fine:
        assert use(key, passkey).sign_count == now
    else:
        assert why(lambda: use(key, passkey)) is Wrong.COUNTER


def test_c285_who_asks_for_any_learns_nothing():
    """The options are the same for whoever there is, or is not."""
    assert '"allowCredentials": []' in ceremonies.to_use(SITE, challenge=CHALLENGE)


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(str))
def test_nonsense_is_refused_and_no_error(answer):
    passkey = Passkey(
        credential_id="a",
        user_id=ALICE,
        user_handle=HANDLE,
        rp_id=SITE.rp_id,
        public_key="",
        name="",
        made_at=NOW,
    )
    for act in (
        lambda: ceremonies.made(SITE, answer, challenge=CHALLENGE),
        lambda: ceremonies.used(SITE, answer, passkey, challenge=CHALLENGE),
        lambda: ceremonies.named(answer),
        lambda: ceremonies.challenge_in(answer),
    ):
        assert isinstance(why(act), Wrong)


@given(st.binary(max_size=300), st.sampled_from(["attestationObject", "clientDataJSON"]))
def test_bytes_that_are_none_of_ours_are_refused(raw, field):
    answer = a_key().make(to_make(), response={field: b64(raw)})

    assert isinstance(why(lambda: ceremonies.made(SITE, answer, challenge=CHALLENGE)), Wrong)


ED = 0x80
REGULAR_EXPRESSION = cbor2.CBORTag(35, "(?i)[_-\U0010ffff]")


@pytest.fixture
def values(monkeypatch):
    """Return what is made of CBOR from now on."""
    made, read = [], cbor2.loads
    monkeypatch.setattr(cbor2, "loads", lambda *given: made.append(read(*given)) or made[-1])
    return made


def is_plain(value):
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        return all(map(is_plain, inner))
    return isinstance(value, (int, str, bytes, type(None)))


def attesting(change, *, flags=0):
    """Return what a browser answers whose device attests something else."""
    answer = json.loads(a_key(flags=UP | UV | flags).make(to_make()))
    said = cbor2.loads(unb64(answer["response"]["attestationObject"]))
    changed = change(said)
    raw = changed if isinstance(changed, bytes) else cbor2.dumps(changed)
    answer["response"]["attestationObject"] = b64(raw)
    return json.dumps(answer)


def of_key(said, public_key):
    """Put another key to the end of authenticator data."""
    plain = cbor2.dumps(a_key().public_key())
    return said | {"authData": said["authData"][: -len(plain)] + cbor2.dumps(public_key)}


def of_end(said, end):
    return said | {"authData": said["authData"] + end}


WITH_TAGS = {
    "itself": lambda said: cbor2.CBORTag(35, "a"),
    "statement": lambda said: said | {"attStmt": REGULAR_EXPRESSION},
    "in-the-statement": lambda said: said | {"attStmt": {"sig": REGULAR_EXPRESSION}},
    "certificate": lambda said: said | {"attStmt": {"x5c": [REGULAR_EXPRESSION]}},
    "beside": lambda said: said | {"x": REGULAR_EXPRESSION},
    "name": lambda said: said | {REGULAR_EXPRESSION: 1},
    "kind": lambda said: said | {"fmt": REGULAR_EXPRESSION},
    "data": lambda said: said | {"authData": REGULAR_EXPRESSION},
    "key": lambda said: of_key(said, REGULAR_EXPRESSION),
    "in-the-key": lambda said: of_key(said, GOOD | {-9: REGULAR_EXPRESSION}),
    "second-data": lambda said: (
        b"\xa4"
        + cbor2.dumps(said)[1:]
        + b"\x78\x08authData"
        + cbor2.dumps(of_key(said, REGULAR_EXPRESSION)["authData"])
    ),
}


@pytest.mark.parametrize("change", WITH_TAGS.values(), ids=WITH_TAGS)
def test_no_tag_of_what_a_device_attests_is_read(values, change):
    """One of them is a regular expression, and whoever compiles it stands still for seconds."""
    answer = attesting(change)
    values.clear()

    found = why(lambda: ceremonies.made(SITE, answer, challenge=CHALLENGE))

    assert found is Wrong.MALFORMED
    assert all(map(is_plain, values))


EXTENDED = {
    "itself": cbor2.dumps(REGULAR_EXPRESSION),
    "value": cbor2.dumps({"credProtect": REGULAR_EXPRESSION}),
    "deep": cbor2.dumps({"uvm": [[REGULAR_EXPRESSION]]}),
    "after": cbor2.dumps({"credProtect": 2}) + cbor2.dumps(REGULAR_EXPRESSION),
}


@pytest.mark.parametrize("end", EXTENDED.values(), ids=EXTENDED)
def test_no_tag_of_an_extension_is_read(values, end):
    """Neither of a new key nor of one that signs in, of which this is read before its signature."""
    key = a_key()
    passkey = kept(key)
    answer = attesting(lambda said: of_end(said, end), flags=ED)
    data = sha256(SITE.rp_id.encode()).digest() + bytes([UP | UV | ED]) + bytes(4) + end
    changed = {"response": {"authenticatorData": b64(data)}}
    values.clear()

    assert why(lambda: ceremonies.made(SITE, answer, challenge=CHALLENGE)) is Wrong.MALFORMED
    assert why(lambda: use(key, passkey, changed=changed)) is Wrong.MALFORMED
    assert all(map(is_plain, values))


@pytest.mark.parametrize(
    "longer",
    [
        b"\x1b" + bytes(7) + b"\x09\x00",
        b"\x09\x1b" + bytes(7) + b"\x09",
        b"\x01\x40" + b"\x01\x47" + bytes(7),
    ],
    ids=["name", "value", "twice"],
)
def test_c902_a_key_that_is_written_longer_than_it_is_shifts_nothing(values, longer):
    """What is read behind it would begin within it, where a tag may stand in bytes."""
    hidden = cbor2.dumps(cbor2.CBORTag(35, "aaaaa"))
    pairs = longer.startswith(b"\x01") + 2
    key = bytes([0xA0 + len(GOOD) + pairs]) + cbor2.dumps(GOOD)[1:]
    key += longer + b"\x0a" + bytes([0x40 + len(hidden)]) + hidden
    plain = cbor2.dumps(a_key().public_key())
    answer = attesting(
        lambda said: said | {"authData": said["authData"][: -len(plain)] + key + b"\xa0"}, flags=ED
    )
    values.clear()

    assert why(lambda: ceremonies.made(SITE, answer, challenge=CHALLENGE)) is Wrong.MALFORMED
    assert all(map(is_plain, values))


def test_c902_a_key_that_was_kept_with_a_tag_is_not_read(values):
    """From before this was looked at."""
    key = a_key()
    odd = b64(cbor2.dumps(GOOD | {-9: REGULAR_EXPRESSION}))
    passkey = kept(key, public_key=odd)
    values.clear()

    assert why(lambda: use(key, passkey)) is Wrong.MALFORMED
    assert all(map(is_plain, values))


def test_c902_what_is_looked_at_is_what_is_read(values):
    """Also of text that two would decode in two ways."""
    hidden = b64(cbor2.dumps({"fmt": "none", "attStmt": REGULAR_EXPRESSION, "authData": b""}))
    answer = json.loads(a_key().make(to_make()))
    plain = answer["response"]["attestationObject"]

    for odd in (f"{plain}={hidden}", f"{plain}.{hidden}", f"={hidden}", f"{plain}=={hidden}"):
        answer["response"]["attestationObject"] = odd
        values.clear()
        with contextlib.suppress(Refused):
            ceremonies.made(SITE, json.dumps(answer), challenge=CHALLENGE)
        assert all(map(is_plain, values))


@pytest.mark.parametrize("end", [{"credProtect": 2}, {"hmac-secret": True, "uvm": [[2, 4, 2]]}])
def test_what_devices_say_to_extensions_is_taken(end):
    answer = attesting(lambda said: of_end(said, cbor2.dumps(end)), flags=ED)

    assert ceremonies.made(SITE, answer, challenge=CHALLENGE).is_verified


@pytest.mark.parametrize("has_certificate", [False, True])
def test_c283_what_a_device_attests_by_its_own_key_is_taken(has_certificate):
    """Or by one of its make, of which nobody asks whose it is."""
    key = a_key()
    answer = json.loads(key.make(to_make()))
    said = cbor2.loads(unb64(answer["response"]["attestationObject"]))
    signed = said["authData"] + sha256(unb64(answer["response"]["clientDataJSON"])).digest()
    statement = {"alg": -7, "sig": key.key.sign(signed, ec.ECDSA(SHA256()))}
    if has_certificate:
        statement["x5c"] = [self_signed(key.key).public_bytes(Encoding.DER)]
    attested = cbor2.dumps({**said, "fmt": "packed", "attStmt": statement})
    answer["response"]["attestationObject"] = b64(attested)

    made = ceremonies.made(SITE, json.dumps(answer), challenge=CHALLENGE)

    assert unb64(made.credential_id) == key.credential_id


KEYS = Keyring.of(b"a master secret that is long enough")
BOUND = Bound(ceremony=Ceremony.SIGN_IN, browser="digest of a browser", about="an attempt")


def test_c279_a_challenge_is_for_one_thing_in_one_browser_for_five_minutes():
    drawn = challenges.draw(KEYS, BOUND, now=NOW)

    assert challenges.is_ours(KEYS, BOUND, drawn)
    assert challenges.is_new(drawn, now=NOW + LIFETIME - 1)
    assert not challenges.is_new(drawn, now=NOW + LIFETIME)
    assert not challenges.is_new(drawn, now=NOW - 3600)
    assert challenges.draw(KEYS, BOUND, now=NOW) != drawn
    for other in (
        attrs.evolve(BOUND, ceremony=Ceremony.MAKE),
        attrs.evolve(BOUND, browser="of another"),
        attrs.evolve(BOUND, about=""),
    ):
        assert not challenges.is_ours(KEYS, other, drawn)


@given(st.binary(max_size=100))
def test_c279_no_other_bytes_are_a_challenge(raw):
    assert not challenges.is_ours(KEYS, BOUND, raw)


def test_the_challenge_in_an_answer_is_read():
    key = a_key()
    kept(key)

    answer = key.use(ceremonies.to_use(SITE, challenge=CHALLENGE))

    assert ceremonies.challenge_in(answer) == CHALLENGE
    assert unb64(ceremonies.named(answer)) == key.credential_id
    assert AT not in {UP, UV}


GOOD = a_key().public_key()
MODULUS = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
SHORT = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
ED25519 = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
P384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()


def an_rsa_key(modulus, exponent=65537):
    return {1: 3, 3: -257, -1: as_bytes(modulus), -2: as_bytes(exponent)}


def as_bytes(number):
    return number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")


@pytest.mark.parametrize(
    "public_key",
    [GOOD, an_rsa_key(MODULUS), an_rsa_key(MODULUS, 3), {1: 1, 3: -8, -1: 6, -2: ED25519}],
)
def test_c283_keys_of_the_kinds_that_are_asked_for_are_taken(public_key):
    made = ceremonies.made(SITE, made_with(public_key), challenge=CHALLENGE)

    assert cbor2.loads(unb64(made.public_key)) == public_key


@pytest.mark.parametrize(
    "public_key",
    [
        GOOD | {-1: 99},
        GOOD | {-3: bytes(32)},
        GOOD | {-2: b"short"},
        {1: 2, 3: -7, -1: 2, -2: P384.x.to_bytes(48, "big"), -3: P384.y.to_bytes(48, "big")},
        {1: 1, 3: -8, -1: 6, -2: ED25519[:31]},
        {1: 1, 3: -8, -1: 99, -2: ED25519},
        an_rsa_key(1),
        an_rsa_key(SHORT),
        an_rsa_key(MODULUS, 1),
        an_rsa_key(MODULUS, 0),
        {1: 3, 3: -7, -1: as_bytes(MODULUS), -2: as_bytes(65537)},
        {1: 2, 3: -7},
    ],
)
def test_c283_a_key_that_can_never_prove_anything_is_refused(public_key):
    """It would count as a factor of somebody whom it never lets in."""
    refused = why(lambda: ceremonies.made(SITE, made_with(public_key), challenge=CHALLENGE))

    assert refused in {Wrong.MALFORMED, Wrong.UNPROVEN, Wrong.KEY}


# Bytes that are no point of Ed25519, and the eight points to which forged signatures fit.
NO_POINT = next(
    raw for raw in (bytes([each, *bytes(31)]) for each in range(2, 99)) if not keys.is_ed25519(raw)
)
OF_ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
MANY_BITS = 1 << 16_384


@pytest.mark.parametrize(
    "public_key",
    [
        an_rsa_key(MANY_BITS + 1),
        an_rsa_key(MODULUS - 1),
        an_rsa_key(MODULUS, (1 << 64) + 1),
        an_rsa_key(MODULUS**2, MODULUS),
        {1: 1, 3: -8, -1: 6, -2: NO_POINT},
        {1: 1, 3: -8, -1: 6, -2: OF_ORDER_8},
        {1: 1, 3: -8, -1: 6, -2: bytes([1, *bytes(31)])},
        {1: 1, 3: -8, -1: 6, -2: bytes(32)},
    ],
)
def test_c283_a_key_that_is_read_and_can_never_prove_anything_is_refused(public_key):
    """OpenSSL makes a key of it, and says no to every signature, or yes to what somebody else made."""
    refused = why(lambda: ceremonies.made(SITE, made_with(public_key), challenge=CHALLENGE))

    assert refused is Wrong.KEY


@given(st.binary(min_size=32, max_size=32))
def test_c283_a_key_of_ed25519_is_a_point_or_none(raw):
    """One half of all bytes is; what somebody has the private half of always is."""
    public = ed25519.Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()

    assert keys.is_ed25519(public)
    assert keys.is_ed25519(raw) is keys.is_ed25519(raw[:31] + bytes([raw[31] ^ 0x80]))


def made_with(public_key):
    """Return what a browser answers that has a device of this key."""
    key = a_key()
    plain, changed = cbor2.dumps(key.public_key()), cbor2.dumps(public_key)
    answer = json.loads(key.make(to_make()))
    raw = cbor2.loads(unb64(answer["response"]["attestationObject"]))
    raw["authData"] = raw["authData"].removesuffix(plain) + changed
    answer["response"]["attestationObject"] = b64(cbor2.dumps(raw))
    return json.dumps(answer)


@pytest.mark.parametrize(
    ("told", "is_found"),
    [
        ({}, True),
        (None, True),
        ({"credProps": {}}, True),
        ({"credProps": {"rk": True}}, True),
        ({"credProps": {"rk": False}}, False),
        ({"credProps": ["rk"]}, True),
    ],
)
def test_c286_a_key_that_no_browser_finds_says_so(told, is_found):
    """WebAuthn section 10.1.3; browsers that say nothing make what they find."""
    answer = a_key().make(to_make(), clientExtensionResults=told)

    assert json.loads(to_make())["extensions"] == {"credProps": True}
    assert ceremonies.made(SITE, answer, challenge=CHALLENGE).is_found is is_found


@pytest.mark.parametrize("handle", [None, ""])
def test_c286_only_a_key_that_names_its_owner_was_found(handle):
    """Others were asked for by their id; what they prove is the same."""
    key = a_key()
    passkey = kept(key)

    assert use(key, passkey).names_owner
    named = use(key, passkey, changed={"response": {"userHandle": handle}})
    assert (named.names_owner, named.is_verified) == (False, True)
