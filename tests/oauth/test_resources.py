"""Services of others that take our tokens: what is asked for, and which token is for whom (RFC 8707)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.oauth import API, DEVICE
from support.records import MATRIX
from synapse_nextgen_auth.oauth import resources
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.resources import (
    MAX_WORDS,
    Format,
    Resources,
    ResourceScope,
    ResourceServer,
    Wording,
)
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm

ISSUER = "https://matrix.example.com/_synapse/client/auth/"
CALENDAR, WIKI = "https://calendar.example.com/", "urn:example:wiki"
NOTHING = grammar.Scope("")
OWN = grammar.parse(MATRIX)
READ, WRITE, A_WIKI = f"{CALENDAR}#calendar.read", f"{CALENDAR}#calendar.write", f"{WIKI}#wiki"


def a_server(resource, *words, token_format=Format.JWT):
    scopes = tuple(ResourceScope(word, Wording((("", f"About {word}"),))) for word in words)
    name = Wording((("", resource),))
    return ResourceServer(resource, name, scopes, token_format, 300, Algorithm.RS256)


KNOWN = Resources(
    ISSUER,
    (a_server(CALENDAR, "calendar.read", "calendar.write"), a_server(WIKI, "wiki")),
)


def refused(call, *arguments, **more):
    with pytest.raises(OAuthError) as raised:
        call(*arguments, **more)
    assert raised.value.status == 400
    return raised.value


@pytest.mark.parametrize(
    ("text", "resource", "scope", "words"),
    [
        (MATRIX, None, MATRIX, None),
        (MATRIX, ISSUER, MATRIX, None),
        (f"{MATRIX} wiki", None, MATRIX, A_WIKI),
        (f"wiki {API} calendar.read {DEVICE}PHONE_DEVICE", None, MATRIX, f"{A_WIKI} {READ}"),
        ("wiki", None, "", A_WIKI),
        ("wiki wiki", None, "", A_WIKI),
        ("wiki made.up", WIKI, "", A_WIKI),
        ("calendar.read openid", CALENDAR, "openid", READ),
    ],
)
def test_what_is_asked_for_comes_apart(text, resource, scope, words):
    """Here, and elsewhere: no word of a service gets into a scope of Matrix."""
    asked = KNOWN.asked(text, resource)

    assert (asked.scope.text, asked.words) == (scope, words)


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ("https://unknown.example.com/", "knows no such service"),
        (CALENDAR.rstrip("/"), "knows no such service"),
        (CALENDAR.upper(), "knows no such service"),
        ("/calendar", "begins with a scheme"),
        ("calendar", "begins with a scheme"),
        (f"{CALENDAR}#", "fragment"),
        (f"{CALENDAR}#part", "fragment"),
        (f"{WIKI} {CALENDAR}", "RFC 3986"),
        ("\U0001f600", "RFC 3986"),
        ("x" * 100_000, "longer than"),
    ],
)
@pytest.mark.parametrize("known", [KNOWN, Resources(ISSUER)])
def test_c387_a_resource_that_stands_for_nothing_is_refused(known, resource, why):
    """Unknown, relative, with a fragment: at the authorization and at the token endpoint."""
    for refusal in (
        refused(known.asked, "openid", resource),
        refused(known.target, OWN, A_WIKI, resource=resource),
    ):
        assert refusal.code == "invalid_target"
        assert why in refusal.description
        assert len(refusal.description) < 400
        assert refusal.description.isascii()


@pytest.mark.parametrize(
    ("text", "resource", "why"),
    [
        ("openid", CALENDAR, "must say what is wanted"),
        (MATRIX, WIKI, "must say what is wanted"),
        ("calendar.read wiki", CALENDAR, "'wiki' is no scope of the resource"),
        ("wiki", ISSUER, "'wiki' is no scope of the resource"),
        (f"wiki {API}", None, "must also contain"),
        ("wiki urn:nextgen-auth:made-up", None, "is no scope of this server"),
        ("wiki  calendar.read", None, "one space"),
        ("made.up", None, "nothing that this server knows"),
        ("", None, "tokens of printable ASCII"),
    ],
)
def test_a_scope_that_does_not_fit_is_refused(text, resource, why):
    refusal = refused(KNOWN.asked, text, resource)

    assert refusal.code == "invalid_scope"
    assert why in refusal.description


def test_more_words_than_a_token_has_bits_are_refused():
    words = [f"w{n}" for n in range(MAX_WORDS + 1)]
    known = Resources(ISSUER, (a_server(CALENDAR, *words),))

    assert refused(known.asked, " ".join(words), None).code == "invalid_scope"
    asked = known.asked(" ".join(words[1:]), None)
    assert resources.words_of(asked.words) == " ".join(words[1:])


@pytest.mark.parametrize(
    ("granted", "words", "asks", "found"),
    [
        (OWN, None, {}, None),
        (OWN, A_WIKI, {}, None),
        (OWN, A_WIKI, {"resource": ISSUER}, None),
        (OWN, A_WIKI, {"resource": WIKI}, (WIKI, ("wiki",), 1)),
        (OWN, A_WIKI, {"usual": WIKI}, (WIKI, ("wiki",), 1)),
        (OWN, A_WIKI, {"usual": WIKI, "resource": ISSUER}, None),
        (OWN, A_WIKI, {"usual": CALENDAR}, None),
        (NOTHING, A_WIKI, {}, (WIKI, ("wiki",), 1)),
        (NOTHING, f"{A_WIKI} {READ}", {"resource": CALENDAR}, (CALENDAR, ("calendar.read",), 2)),
        (
            OWN,
            f"{WRITE} {A_WIKI} {READ}",
            {"resource": CALENDAR},
            (CALENDAR, ("calendar.write", "calendar.read"), 5),
        ),
        (
            OWN,
            f"{WRITE} {A_WIKI} {READ}",
            {"resource": CALENDAR, "scope": f"{MATRIX} calendar.read"},
            (CALENDAR, ("calendar.read",), 4),
        ),
    ],
)
def test_a_token_is_for_one_service(granted, words, asks, found):
    """Named by the request, by the configuration, or the only one that there is."""
    target = KNOWN.target(granted, words, **{"resource": None} | asks)

    told = target and (target.server.resource, target.words, target.mask)
    assert told == found
    if target:
        assert KNOWN.holds(target.server, words, target.mask) == target.words


@pytest.mark.parametrize(
    ("granted", "words", "asks", "code"),
    [
        (OWN, None, {"resource": WIKI}, "invalid_target"),
        (OWN, READ, {"resource": WIKI}, "invalid_target"),
        (NOTHING, A_WIKI, {"resource": ISSUER}, "invalid_target"),
        (NOTHING, f"{A_WIKI} {READ}", {}, "invalid_target"),
        (NOTHING, f"{CALENDAR}#of.one.that.left", {}, "invalid_target"),
        (OWN, READ, {"resource": CALENDAR, "scope": "calendar.write"}, "invalid_scope"),
        (OWN, READ, {"resource": CALENDAR, "scope": MATRIX}, "invalid_scope"),
        (OWN, f"{READ} {A_WIKI}", {"resource": WIKI, "scope": "calendar.read"}, "invalid_scope"),
    ],
)
def test_nothing_is_had_that_was_not_granted(granted, words, asks, code):
    assert refused(KNOWN.target, granted, words, **{"resource": None} | asks).code == code


MOVED = f"{WIKI}#calendar.write"


@pytest.mark.parametrize("entry", [MOVED, "calendar.write", f"{WIKI}#", "#wiki", WIKI, ""])
def test_a_word_takes_nothing_along_to_another_service(entry):
    """What was agreed on for one that has it no more is nothing, there and elsewhere."""
    assert KNOWN.of_kept(entry) is None
    assert KNOWN.holds(KNOWN.at(CALENDAR), entry, 1) == ()
    for resource in (WIKI, CALENDAR, None):
        assert refused(KNOWN.target, NOTHING, entry, resource=resource).code == "invalid_target"


@pytest.mark.parametrize(
    ("asked", "scopes", "kept"),
    [
        ("wiki", [], [A_WIKI]),
        (f"{API} calendar.read", [API], [READ]),
        (MOVED, [], [MOVED]),
        ("https://gone.example.com/#word", [], ["https://gone.example.com/#word"]),
        ("openid made.up", ["openid", "made.up"], []),
        (f"{DEVICE}#", [f"{DEVICE}#"], []),
    ],
)
def test_sessions_are_looked_for_by_word_or_as_it_is_kept(asked, scopes, kept):
    """Without a service, by the one that has the word now; with it, whether it has it or not."""
    sought = KNOWN.sought(asked.split())

    assert (list(sought.scopes), list(sought.kept)) == (scopes, kept)


def test_a_word_may_have_any_sign_that_a_scope_may():
    """The URI of a service ends at the first `#`, as it has no fragment."""
    word = "https://calendar.example.com/#read#all"
    known = Resources(ISSUER, (a_server(CALENDAR, word),))

    entry = known.asked(word, None).words
    assert resources.apart(entry) == (CALENDAR, word)
    assert known.target(NOTHING, entry, resource=None).words == (word,)


@given(
    st.lists(st.sampled_from([READ, WRITE, A_WIKI, "gone", MOVED]), unique=True),
    st.sampled_from([CALENDAR, WIKI, None]),
    st.sampled_from([NOTHING, OWN]),
    st.none() | st.lists(st.sampled_from(["calendar.read", "wiki", API, "openid"])).map(" ".join),
)
def test_no_token_opens_two_things(held, resource, granted, scope):
    """Whatever was granted and is asked for: words of one service, all of them granted, or none."""
    try:
        target = KNOWN.target(granted, " ".join(held), resource=resource, scope=scope)
    except OAuthError:
        return
    if target is None:
        assert resource is None
        assert granted is OWN
        return

    assert target.words
    assert {f"{target.server.resource}#{word}" for word in target.words} <= set(held)
    assert set(target.words) <= target.server.words
    assert KNOWN.holds(target.server, " ".join(held), target.mask) == target.words
    assert not any(map(grammar.knows, target.words))


@pytest.mark.parametrize(
    ("word", "is_free"),
    [
        ("calendar.read", True),
        ("https://calendar.example.com/read", True),
        ("openid", False),
        ("OpenID", False),
        ("offline_access", False),
        (API, False),
        ("URN:MATRIX:client:api:*", False),
        ("urn:mas:admin", False),
        ("urn:nextgen-auth:anything", False),
        ("urn:synapse:admin:*", False),
        ("", False),
        ("two words", False),
        ('qu"ote', False),
        ("x" * 101, False),
    ],
)
def test_a_word_of_a_service_means_nothing_else(word, is_free):
    assert (resources.refuse_word(word) is None) is is_free


def test_people_read_their_language_or_the_first_one():
    wording = Wording((("en", "Read"), ("de", "Lesen")))

    assert wording.for_(("de-CH", "en")) == "Lesen"
    assert wording.for_(("fr",)) == "Read"
    assert Wording((("", "Read"),)).for_(("de",)) == "Read"
