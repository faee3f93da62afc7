"""The scope grammar, the device in it, and what goes together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.scopes import grammar

API = "urn:matrix:client:api:*"
OLD_API = "urn:matrix:org.matrix.msc2967.client:api:*"
DEVICE = "urn:matrix:client:device:ABCDEFGHIJ"
OLD_DEVICE = "urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ"
ADMIN = "urn:synapse:admin:*"

SCOPE_CHARACTERS = [chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"\\']


def attempt(text):
    """Return the scope or the refusal."""
    try:
        return grammar.parse(text)
    except OAuthError as error:
        return error


def refused(text):
    """Return the description of the refusal, which must be invalid_scope."""
    with pytest.raises(OAuthError) as caught:
        grammar.parse(text)
    assert (caught.value.code, caught.value.status) == ("invalid_scope", 400)
    return caught.value.description


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (f"{API} {DEVICE}", f"{API} {DEVICE}"),
        (f"{OLD_DEVICE} openid {OLD_API}", f"{OLD_DEVICE} openid {OLD_API}"),
        (f"{API} {API} {DEVICE} {DEVICE}", f"{API} {DEVICE}"),
        ("openid", "openid"),
        ("email", "email"),
        ("email profile openid", "email profile openid"),
        (f"{ADMIN} {API} {DEVICE}", f"{ADMIN} {API} {DEVICE}"),
        ("openid offline_access urn:mas:admin", "openid urn:mas:admin"),
        (f"urn:matrix:client:api:read:* {API} {DEVICE}", f"{API} {DEVICE}"),
        ("urn:matrix:client:com.example.foo openid", "openid"),
    ],
)
def test_c313_what_we_know_is_granted_as_it_was_asked(asked, granted):
    """Spelling and order stay, repetitions and tokens we do not know go, and the answer tells."""
    assert grammar.parse(asked).text == granted


@pytest.mark.parametrize("text", ["offline_access", "foo bar", "urn:matrix:client:api:read:*"])
def test_a_scope_of_which_nothing_is_left_is_refused(text):
    """Ignoring everything would grant nothing and call it success."""
    assert "nothing" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " openid",
        "openid ",
        "openid  email",
        "openid\temail",
        "openid\n",
        "openid\r\nemail",
        "openid\x00",
        'open"id',
        "open\\id",
        "öpenid",
        "openid\u00a0email",
        "openid \ud800",
        "openid\x7f",
    ],
)
def test_c221_anything_outside_the_grammar_is_refused(text):
    """RFC 6749 section 3.3: printable ASCII without quote and backslash, one space between two."""
    assert "one space" in refused(text)


def test_c305_api_and_device_belong_together():
    """There MUST be exactly one device token (Client-Server API), and only with the API."""
    assert "must also contain" in refused(API)
    assert "must also contain" in refused(OLD_API)
    assert "must also contain" in refused(DEVICE)
    assert "must also contain" in refused(f"openid {OLD_DEVICE}")


@pytest.mark.parametrize(
    "text",
    [
        f"{API} {DEVICE} urn:matrix:client:device:KLMNOPQRST",
        f"{OLD_API} {OLD_DEVICE} urn:matrix:org.matrix.msc2967.client:device:KLMNOPQRST",
        f"{API} {DEVICE} urn:matrix:client:device:",
    ],
)
def test_c305_a_second_device_is_refused(text):
    """A token stands for one device."""
    assert "exactly one" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{API} {DEVICE} {OLD_DEVICE}",
        f"{API} {OLD_API} {DEVICE}",
        f"{API} {OLD_DEVICE}",
        f"{OLD_API} {DEVICE}",
        f"{API} {OLD_API} {DEVICE} {OLD_DEVICE}",
    ],
)
def test_c305_stable_and_unstable_spellings_do_not_mix(text):
    """A request speaks one of the two languages."""
    assert "must not mix" in refused(text)


def with_device(device_id):
    """Return the scope of a client for this device."""
    return f"{API} urn:matrix:client:device:{device_id}"


@pytest.mark.parametrize(
    "device_id",
    [
        "ABCDEFGHIJ",
        "a.b_c~d-e0",
        "x" * 255,
        "".join(SCOPE_CHARACTERS),
        "path/like/id",
        "/abcdefghij",
        "...........",
        "%00%0a%2e%2e",
        "a:b:c:d:e:f",
    ],
)
def test_c306_every_scope_character_may_be_in_a_device_id(device_id):
    """The Client-Server API names the characters; the client may use all of them."""
    assert grammar.parse(with_device(device_id)).device_id == device_id


@pytest.mark.parametrize(
    "device_id",
    [
        "",
        "ABCDEFGHI",
        "x" * 256,
        "x" * 513,
        "../../abcdef",
        "abcdefgh/..",
        "abcdef/./ghi",
        "./abcdefghij",
        'ABCDE"FGHIJ',
        "ABCDE\\FGHIJ",
        "ABCDEFGHIJ\x00",
        "ABCDEFGHIJ\n",
        "ABCDEFGHIJÄ",
        "\uff21BCDEFGHIJ",
        "\u0660123456789",
    ],
)
def test_c306_a_device_id_that_could_be_misread_is_refused(device_id):
    """Too short to be unique, too long to store, a path that climbs, or no scope characters."""
    refused(with_device(device_id))


@pytest.mark.parametrize("device_id", grammar.RESERVED_DEVICE_IDS)
def test_c307_device_ids_with_a_meaning_in_synapse_are_refused(device_id):
    """A client must not become the guest or the dummy device."""
    assert "reserved" in refused(with_device(device_id))


def test_c311_the_admin_scope_needs_the_api():
    """Admin power is asked for by name and on top of the API, never alone and never implied."""
    assert "must also contain" in refused(ADMIN)
    assert "must also contain" in refused(f"openid {ADMIN}")
    assert not grammar.parse(f"{API} {DEVICE}").admin


def test_the_stable_spelling_is_what_counts():
    """Both spellings mean the same to the rest of the server."""
    old = grammar.parse(f"{OLD_API} {OLD_DEVICE} openid")
    new = grammar.parse(f"openid {API} {DEVICE}")

    assert old.effective == new.effective == {API, DEVICE, "openid"}
    assert old.api
    assert old.device_id == new.device_id == "ABCDEFGHIJ"


def test_the_properties_say_what_was_granted():
    """Each permission has its question."""
    scope = grammar.parse(f"openid email profile {ADMIN} {API} {DEVICE}")
    plain = grammar.parse("openid")

    assert (scope.openid, scope.email, scope.profile, scope.admin, scope.api) == (True,) * 5
    assert (plain.email, plain.profile, plain.admin, plain.api) == (False,) * 4
    assert plain.device_id is None


pieces = st.sampled_from(
    [API, OLD_API, DEVICE, OLD_DEVICE, ADMIN, "openid", "email", "profile", "x", "", "é", "\n"]
) | st.text(max_size=20)


@given(st.lists(pieces, max_size=8).map(" ".join) | st.text(alphabet=st.characters(codec=None)))
def test_any_text_is_a_scope_or_refused(text):
    """A scope that exists obeys the rules and survives being written and read again."""
    scope = attempt(text)
    if isinstance(scope, OAuthError):
        assert scope.code == "invalid_scope"
        return

    assert grammar.parse(scope.text) == scope
    assert scope.api == (scope.device_id is not None)
    assert set(scope.tokens) <= set(text.split(" "))


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "a " * 25_000, " " * 50_000, with_device("/" * 50_000)]
)
def test_c222_a_huge_scope_is_read_in_one_pass(text):
    """Fifty thousand characters are refused like fifty."""
    refused(text)


WHOLE = f"openid email {API} {DEVICE} {ADMIN}"
NEW_DEVICE_OF_OTHERS = f"{grammar.STABLE}device:SOMEBODYELSES"


@pytest.mark.parametrize(
    ("granted", "asked", "part"),
    [
        (WHOLE, WHOLE, WHOLE),
        (WHOLE, f"{ADMIN} {DEVICE} {API} email openid", WHOLE),
        (WHOLE, "openid", "openid"),
        (WHOLE, f"openid {API} {DEVICE}", f"openid {API} {DEVICE}"),
        (WHOLE, f"{API} {DEVICE}", f"{API} {DEVICE}"),
        (WHOLE, f"{OLD_API} {OLD_DEVICE}", f"{API} {DEVICE}"),
        (f"{OLD_API} {OLD_DEVICE}", f"{API} {DEVICE}", f"{OLD_API} {OLD_DEVICE}"),
        (WHOLE, "openid offline_access", "openid"),
        (WHOLE, "openid openid", "openid"),
    ],
)
def test_a_refresh_may_ask_for_less(granted, asked, part):
    """RFC 6749 section 6: part of what was granted, in either spelling, and back through a mask."""
    granted = grammar.parse(granted)

    found = grammar.narrow(granted, asked)
    mask = granted.mask_of(found)

    assert set(found.tokens) <= set(asked.split(" ")), "the client's own spelling"
    assert found.effective == grammar.parse(part).effective
    assert (granted if mask is None else granted.under(mask)).effective == found.effective
    assert (mask is None) == (found.effective == granted.effective)


@pytest.mark.parametrize(
    ("granted", "asked"),
    [
        ("openid", "openid email"),
        ("openid", f"{API} {DEVICE}"),
        (f"{API} {DEVICE}", f"{API} {DEVICE} openid"),
        (f"{API} {DEVICE}", f"{API} {DEVICE} {ADMIN}"),
        (f"{API} {DEVICE}", f"{API} {NEW_DEVICE_OF_OTHERS}"),
        (f"{API} {DEVICE}", f"{API} {DEVICE} {NEW_DEVICE_OF_OTHERS}"),
        (WHOLE, API),
        (WHOLE, DEVICE),
        (WHOLE, f"openid {ADMIN}"),
        (WHOLE, f"{API} {OLD_DEVICE}"),
        (WHOLE, "offline_access"),
        (WHOLE, "openid  email"),
    ],
)
def test_c305_a_refresh_never_asks_for_more(granted, asked):
    """Wider, another device, the API without its device: `invalid_scope`."""
    with pytest.raises(OAuthError) as raised:
        grammar.narrow(grammar.parse(granted), asked)

    assert raised.value.code == "invalid_scope"


@given(st.sets(st.sampled_from(WHOLE.split(" "))))
def test_a_mask_stands_for_exactly_these_tokens(chosen):
    """Whatever part it is: what the mask gives back has these tokens, in the session's order."""
    granted = grammar.parse(WHOLE)
    part = grammar.of_tokens(chosen)

    mask = granted.mask_of(part)

    back = granted if mask is None else granted.under(mask)
    assert back.tokens == tuple(token for token in granted.tokens if token in chosen)


def test_a_scope_is_the_very_text_that_it_was_read_from():
    """A process remembers many of them, each beside its row."""
    text = "urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ"
    assert grammar.of_row(text).text is text
    assert grammar.of_row(f"{text} unknown").text == text
    assert grammar.of_row(text).tokens == tuple(text.split(" "))
