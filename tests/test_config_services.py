"""The option `resource_servers`: services that take our tokens, and every mistake at its own path."""

import pytest

from synapse_nextgen_auth import config
from synapse_nextgen_auth.config import ConfigProblems
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.resources import Format
from synapse_nextgen_auth.oauth.tokens.keys import Algorithm, Schedule

SECRET = "a secret of the calendar's"
CALENDAR = {
    "resource": "https://calendar.example.com/",
    "name": "Calendar",
    "scopes": {"calendar.read": "See your appointments"},
}
ASKS = {"client_id": "calendar", "client_secret": SECRET}
WIKI = {"resource": "urn:example:wiki", "name": "Wiki", "scopes": {"wiki": "Write pages"}}
PROGRAM = {
    "client_id": "harvester",
    "client_secret": SECRET,
    "grant_types": ["client_credentials"],
    "service_account": "harvester",
    "scope": "calendar.read",
}


def problems(*services, **more):
    """Return what is wrong, by path."""
    with pytest.raises(ConfigProblems) as found:
        config.read({"resource_servers": list(services)} | more)
    return dict(found.value.problems)


def test_a_service_needs_three_things():
    """All others have a default: a JWT for five minutes, and nobody who asks."""
    (server,) = config.read({"resource_servers": [CALENDAR]}).resource_servers

    assert server.resource == "https://calendar.example.com/"
    assert server.words == {"calendar.read"}
    assert (server.token_format, server.algorithm) == (Format.JWT, Algorithm.RS256)
    assert server.lifetime == 300
    assert server.client is None


def test_everything_may_be_said():
    """Texts in several languages, another format, life and key, and who asks."""
    said = CALENDAR | ASKS
    said |= {
        "name": {"en": "Calendar", "de": "Kalender"},
        "scopes": {"calendar.read": {"en": "See", "de": "Sehen"}, "calendar.write": "Change"},
        "token_format": "opaque",
        "token_lifetime": "1h",
        "signing_alg": "ES256",
        "token_endpoint_auth_method": "client_secret_post",
    }
    (server,) = config.read({"resource_servers": [said]}).resource_servers

    assert server.name.for_(("de",)) == "Kalender"
    assert [each.about.for_(("de",)) for each in server.scopes] == ["Sehen", "Change"]
    assert (server.token_format, server.algorithm) == (Format.OPAQUE, Algorithm.ES256)
    assert server.lifetime == 3600
    assert server.client.client.auth_method is AuthMethod.SECRET_POST
    assert server.client.client.grant_types == ()
    assert server.client.client.client_name == "Calendar"
    assert SECRET not in repr(server)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"resource": None}, ".resource", "expected a text"),
        ({"resource": "/calendar"}, ".resource", "begins with a scheme"),
        ({"resource": "https://a.example/#b"}, ".resource", "must not have a fragment"),
        ({"resource": "https://a@b.example/"}, ".resource", "user name"),
        ({"resource": "javascript:alert(1)"}, ".resource", "says what a browser does"),
        ({"resource": "DATA:text/html,x"}, ".resource", "says what a browser does"),
        ({"resource": "http://calendar.example.com/"}, ".resource", "must begin with https"),
        ({"resource": "HTTP://Calendar.example.com:8080"}, ".resource", "must begin with https"),
        ({"name": ""}, ".name", "empty"),
        ({"name": {}}, ".name", "at least"),
        ({"name": "a\nb"}, ".name", "one line"),
        ({"name": {"not a tag": "x"}}, ".name.not a tag", "is not the tag of a language"),
        ({"name": {"de": 5}}, ".name.de", "expected a text"),
        ({"scopes": None}, ".scopes", "at least one scope"),
        ({"scopes": {}}, ".scopes", "at least one scope"),
        ({"scopes": ["calendar.read"]}, ".scopes", "at least one scope"),
        ({"scopes": {"openid": "x"}}, ".scopes['openid']", "means something else"),
        ({"scopes": {"two words": "x"}}, ".scopes['two words']", "without spaces"),
        ({"scopes": {5: "x"}}, ".scopes[5]", "must be a text"),
        ({"scopes": {"a": None}}, ".scopes['a']", "expected a text"),
        ({"scopes": {f"w{n}": "x" for n in range(25)}}, ".scopes", "at most 24"),
        ({"token_format": "saml"}, ".token_format", "expected jwt or opaque"),
        ({"token_format": "opaque"}, "", "takes client_id and a secret or jwks"),
        ({"token_lifetime": "2d"}, ".token_lifetime", "at most 1d"),
        ({"token_lifetime": 300}, ".token_lifetime", "with its unit"),
        ({"signing_alg": "HS256"}, ".signing_alg", "expected RS256 or ES256"),
        ({"scope": {}}, ".scope", "did you mean scopes?"),
        ({"client_id": "calendar"}, "", "of no use without a secret or jwks"),
        ({"client_secret": SECRET}, "", "client_id must be"),
        (ASKS | {"client_secret": "short"}, "", "at least 16 characters"),
    ],
)
def test_a_mistake_is_told_where_it_is(change, path, words):
    said = problems(CALENDAR | change)

    assert set(said) == {f"resource_servers[0]{path}"}
    assert words in said[f"resource_servers[0]{path}"]


@pytest.mark.parametrize(
    "resource",
    [
        "http://localhost:8080/",
        "http://127.0.0.1/",
        "http://10.0.0.5/calendar",
        "http://calendar/",
        "https://calendar.example.com/a?b=c",
        "urn:example:calendar",
        "com.example.calendar:/",
    ],
)
def test_what_may_stand_for_a_service(resource):
    """Any URI of a service that others cannot speak for: without https one that is nobody's outside."""
    (server,) = config.read(
        {"resource_servers": [CALENDAR | {"resource": resource}]}
    ).resource_servers

    assert server.resource == resource


def test_two_that_differ_in_more_than_their_spelling_are_two():
    more = ("https://calendar.example.com/Work", "https://calendar.example.com/work")
    services = [
        {**CALENDAR, "resource": uri, "scopes": {f"word{n}": "x"}} for n, uri in enumerate(more)
    ]

    assert len(config.read({"resource_servers": [CALENDAR, *services]}).resource_servers) == 3


def test_c138_no_token_outlives_the_key_that_signed_it():
    """A key that another one took over from stays published for longer than any token is good."""
    lives = CALENDAR | {"token_lifetime": "1d"}
    (server,) = config.read({"resource_servers": [lives]}).resource_servers

    assert server.lifetime < Schedule().keep_after
    assert "at most 1d" in problems(lives | {"token_lifetime": "25h"}).popitem()[1]


def test_all_mistakes_are_told_at_once():
    said = problems("calendar", CALENDAR | {"name": 5, "resource": "x", "signing_alg": "none"})

    assert set(said) == {
        "resource_servers[0]",
        *(f"resource_servers[1].{name}" for name in ("name", "resource", "signing_alg")),
    }


@pytest.mark.parametrize(
    ("second", "path", "words"),
    [
        (WIKI | {"resource": CALENDAR["resource"]}, ".resource", "is there twice"),
        (WIKI | {"resource": "https://CALENDAR.example.com/"}, ".resource", "but for how it is w"),
        (WIKI | {"resource": "HTTPS://calendar.example.com"}, ".resource", "but for how it is w"),
        (
            WIKI | {"resource": "https://calendar.example.com:443/"},
            ".resource",
            "but for how it is",
        ),
        (WIKI | {"scopes": CALENDAR["scopes"]}, ".scopes['calendar.read']", "a word is of one"),
        (WIKI | ASKS, ".client_id", "calendar is there twice"),
        (WIKI | ASKS | {"client_id": "harvester"}, ".client_id", "harvester is there twice"),
    ],
)
def test_two_services_are_two(second, path, words):
    """Nothing of one stands for another, nor for a client."""
    said = problems(CALENDAR | ASKS, second, clients=[PROGRAM])

    assert set(said) == {f"resource_servers[1]{path}"}
    assert words in said[f"resource_servers[1]{path}"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scope": "made.up"}, "scope has the unknown 'made.up'"),
        ({"scope": "calendar.read made.up"}, "scope has the unknown 'made.up'"),
        (
            {"scope": "urn:matrix:client:api:* made.up"},
            "scope has the unknown 'made.up'",
        ),
        ({"resource": "urn:example:wiki"}, "resource 'urn:example:wiki' is not in resource_serv"),
        ({"resource": 5}, "resource must be the URI"),
    ],
)
def test_a_client_speaks_of_services_that_are_there(change, words):
    """A word of none, and a service that is none, are slips of the pen."""
    said = problems(CALENDAR, clients=[PROGRAM | change])

    assert set(said) == {"clients[0]"}
    assert words in said["clients[0]"]


def test_a_program_may_be_for_services_alone():
    """It has no device then."""
    read = config.read({"resource_servers": [CALENDAR], "clients": [PROGRAM]})
    service = read.clients[0].client.service

    assert (service.scope.text, service.words) == ("", f"{CALENDAR['resource']}#calendar.read")
