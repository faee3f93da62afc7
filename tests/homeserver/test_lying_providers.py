"""Providers that ask nobody anything, do not say when, and let in whom they like: what it proves."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urljoin

import jwt
import pytest
import requests

from support.oauth import API, device_id
from support.providers.journey import agree, begin, choose, whoami
from support.providers.lying import (
    changed_afterwards,
    signed,
    signed_by_somebody_else,
    signed_with_the_public_key,
    unsigned,
)
from support.providers.person import Person, links
from support.sabotage import AFTER_COMMIT, BEFORE_COMMIT, Plan, Point, Sabotage
from support.scale import times
from support.waiting import eventually

CONFIRM = "Confirm that it is you"
FRESH_SIGN_INS = [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "30"}]


@pytest.fixture
def homeserver(lying_homeserver):
    return lying_homeserver


def sign_in(server, liar, provider, **changes):
    """Sign somebody in who is let in at once; return them and what the application got."""
    person = Person(liar.subject)
    client, verifier = begin(server, person, **changes)
    person.get(choose(person, provider))
    return person, agree(server, person, client, verifier)


def an_id_token():
    return {"scope": f"openid {API} urn:matrix:client:device:{device_id()}"}


def claims_of(tokens):
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


def age(homeserver, user_id):
    """Let two hours pass since the sign-in."""
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 7200,"
        " auth_time = auth_time - 7200 WHERE user_id = ?",
        user_id,
    )


def open_dangerous(server, person, tokens):
    """Ask for what only somebody may do who proved just now who they are."""
    device = server.whoami(tokens["access_token"]).json()["device_id"]
    person.get(server.url(f"account?action=org.matrix.device_delete&device_id={device}"))
    return person.page.text


@pytest.mark.parametrize("provider", ["oidc-silent", "oidc-trusted", "cas"])
@pytest.mark.parametrize("is_old", [True, False])
def test_c023_a_provider_that_asks_nothing_confirms_nobody(
    homeserver, server, liar, provider, is_old
):
    """Not at the first sign-in, and not by way of "another account" (C023)."""
    liar.says(f"lea-{provider}-{is_old}".lower())
    person, tokens = sign_in(server, liar, provider)
    if is_old:
        age(homeserver, f"@{person.name}:localhost")
    assert not any(each.get("prompt") or each.get("renew") for each in liar.asked)
    assert CONFIRM in open_dangerous(server, person, tokens)

    person.get(server.url("sign-in?account=another"))
    person.get(choose(person, provider))

    assert CONFIRM in open_dangerous(server, person, tokens)


def test_what_was_proven_here_stays_proven(homeserver, server, liar):
    """A provider that asked nothing takes nothing away, and adds nothing to the ID token."""
    homeserver.register_user("kept", "correct-horse")
    liar.says("kept")
    person = Person("kept")
    client, verifier = begin(server, person, **an_id_token())
    person.submit(identifier="kept", password="correct-horse")
    before = claims_of(agree(server, person, client, verifier))
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 100 WHERE user_id = ?",
        "@kept:localhost",
    )

    person.get(server.url("sign-in?account=another"))
    person.get(choose(person, "oidc-existing"))

    client, verifier = begin(server, person, **an_id_token())
    tokens = agree(server, person, client, verifier)
    after = claims_of(tokens)
    assert after["auth_time"] == before["auth_time"] - 100
    assert after["amr"] == before["amr"] == ["pwd"]
    assert CONFIRM not in open_dangerous(server, person, tokens)


@pytest.mark.parametrize("changes", FRESH_SIGN_INS)
def test_a_fresh_sign_in_is_asked_for_whoever_is_signed_in_here(server, liar, changes):
    """Nobody is, in this browser; the provider is asked all the same, and must say when it was."""
    liar.says("oscar")
    person = Person("oscar")
    begin(server, person, **changes)
    person.get(choose(person, "oidc-silent"))
    assert [(each["prompt"], each["max_age"]) for each in liar.asked] == [("login", "0")]
    assert person.page.status_code == 403
    assert "does not say when" in person.page.text

    for auth_time in (int(time.time()) - 7200, None):
        liar.says("oscar", **({"auth_time": auth_time} if auth_time else {}))
        begin(server, person, **changes)
        person.get(choose(person, "oidc-silent"))
        assert person.page.status_code == 403


@pytest.mark.parametrize("changes", FRESH_SIGN_INS)
@pytest.mark.parametrize("behind", [-5, 0, 50])
def test_a_provider_that_asked_is_asked_once(server, liar, changes, behind):
    """Its clock may differ a little; whoever proved it there for this is not asked for ever."""
    liar.says("otis", auth_time=int(time.time()) - behind)

    _, tokens = sign_in(server, liar, "oidc-silent", **changes, **an_id_token())

    assert len(liar.asked) == 1
    assert whoami(server, tokens) == "@otis:localhost"


@pytest.mark.parametrize("changes", FRESH_SIGN_INS)
@pytest.mark.parametrize("provider", ["oidc-trusted", "cas"])
def test_a_provider_that_is_believed_is_asked_too(server, liar, provider, changes):
    """By the word of the operator, or by the protocol: a CAS server is asked for no old ticket."""
    liar.says(f"tess-{provider}")

    person, tokens = sign_in(server, liar, provider, **changes)

    (asked,) = liar.asked
    assert (asked.get("prompt"), asked.get("renew")) in {("login", None), (None, "true")}
    assert CONFIRM not in open_dangerous(server, person, tokens)


def test_the_operator_hears_what_helps(homeserver, server, liar):
    """And so does whoever cannot confirm by that provider that it is them."""
    liar.says("wanda")
    person, tokens = sign_in(server, liar, "oidc-silent")
    open_dangerous(server, person, tokens)
    person.get(choose(person, "oidc-silent"))

    assert person.page.status_code == 403
    assert "Sign out there" not in person.page.text
    (back,) = [link for link in links(person.page) if "sign-in?attempt=" in link]
    person.get(homeserver.base_url + back)
    assert CONFIRM in person.page.text
    (warning,) = [
        line
        for line in homeserver.log_text().splitlines()
        if "oidc-silent does not say when" in line
    ]
    assert "WARNING" in warning
    assert "providers.trusted_to_be_fresh" in warning


def come_for(server, client, id_token, person, provider):
    """Come from an application that asks for one account, and choose a provider."""
    parameters, verifier = client.request(**an_id_token(), id_token_hint=id_token)
    person.get(server.url("authorize") + "?" + urlencode(parameters))
    person.get(choose(person, provider))
    return verifier


@pytest.mark.parametrize("provider", ["oidc-silent", "oidc-existing", "oidc-picks", "cas"])
def test_nobody_is_made_an_account_for_what_is_another_ones(homeserver, server, liar, provider):
    """A stranger at the provider is refused before Synapse makes or connects anything."""
    wanted, stranger = (f"{name}-{provider}" for name in ("ida", "freshman"))
    if provider == "oidc-existing":
        homeserver.register_user(stranger)
    auth_time = int(time.time())
    liar.says(wanted, auth_time=auth_time)
    person = Person(wanted)
    client, verifier = begin(server, person, **an_id_token())
    person.get(choose(person, "oidc-silent"))
    id_token = agree(server, person, client, verifier)["id_token"]

    liar.says(stranger, auth_time=auth_time)
    newcomer = Person(stranger)
    come_for(server, client, id_token, newcomer, provider)

    assert newcomer.page.status_code == 403, newcomer.page.text[:3000]
    assert "has another account than" in newcomer.page.text
    if provider != "oidc-existing":
        assert not homeserver.query("SELECT 1 FROM users WHERE name LIKE ?", f"@{stranger}%")
    assert not homeserver.query(
        "SELECT 1 FROM user_external_ids WHERE external_id = ? AND auth_provider = ?",
        *(stranger, provider),
    )


def test_the_one_account_may_be_found_by_its_name(homeserver, server, liar):
    """As Synapse does for accounts that were there before the provider (`allow_existing_users`)."""
    homeserver.register_user("elder", "correct-horse")
    person = Person("elder")
    client, verifier = begin(server, person, **an_id_token())
    person.submit(identifier="elder", password="correct-horse")
    id_token = agree(server, person, client, verifier)["id_token"]
    liar.says("elder", auth_time=int(time.time()))

    again = Person("elder")
    verifier = come_for(server, client, id_token, again, "oidc-existing")

    assert whoami(server, agree(server, again, client, verifier)) == "@elder:localhost"


def test_c183_the_form_is_about_whom_it_was_shown_for(homeserver, server, liar):
    """Somebody else came back to the same attempt in a second tab: the first form makes nothing."""
    person = Person("one")
    client, verifier = begin(server, person)
    way = choose(person, "oidc-picks")
    liar.says("subject-one", name="Person One")
    person.get(way)
    first = person.page
    liar.says("subject-two", name="Person Two")
    person.get(way)

    person.page = first
    person.submit(username="chosen-for-one", decision="create")

    assert person.page.status_code == 409
    assert "Person Two" in person.page.text
    assert not homeserver.query("SELECT 1 FROM users WHERE name = ?", "@chosen-for-one:localhost")
    person.submit(username="chosen-for-two", decision="create")
    assert whoami(server, agree(server, person, client, verifier)) == "@chosen-for-two:localhost"
    assert homeserver.query(
        "SELECT external_id FROM user_external_ids WHERE user_id = ?", "@chosen-for-two:localhost"
    ) == [("subject-two",)]


LIES = {
    "another issuer": {"iss": "https://evil.example/"},
    "no issuer": {"iss": None},
    "for another client": {"aud": "somebody-else"},
    "for two, of which another is meant": {"aud": ["synapse", "b"], "azp": "b"},
    "no audience": {"aud": None},
    "over": {"exp": 1},
    "no end": {"exp": None},
    "of another sign-in": {"nonce": "another"},
    "of no sign-in": {"nonce": None},
    "unsigned": {"sign": unsigned},
    "signed with what everybody knows": {"sign": signed_with_the_public_key},
    "signed by somebody else": {"sign": signed_by_somebody_else},
    "changed afterwards": {"sign": changed_afterwards},
    "a key that nobody knows": {"sign": lambda claims: signed(claims, kid="2")},
    "no token": {"sign": lambda _: "x.y.z"},
    "half a token": {"sign": lambda claims: signed(claims)[:-20]},
    "what nobody understands": {"sign": lambda claims: signed(claims, crit=["x"], x=1)},
}


@pytest.mark.parametrize("lie", LIES)
def test_c263_an_id_token_that_lies_signs_nobody_in(homeserver, server, liar, lie):
    """Nothing is written, the page says what to do, and the truth works afterwards."""
    liar.says("gullible", **LIES[lie])
    person = Person("gullible")
    client, verifier = begin(server, person)
    before = homeserver.query("SELECT COUNT(*) FROM users"), browsers(homeserver)

    person.get(choose(person, "oidc-silent"))

    assert person.page.status_code in {400, 401, 403, 502, 503}, person.page.text
    assert "You are not signed in" in person.page.text
    assert (homeserver.query("SELECT COUNT(*) FROM users"), browsers(homeserver)) == before
    liar.says("gullible")
    begin_again = next(link for link in links(person.page) if "attempt=" in link)
    person.get(urljoin(person.page.url, begin_again))
    person.get(choose(person, "oidc-silent"))
    assert whoami(server, agree(server, person, client, verifier)) == "@gullible:localhost"


def browsers(homeserver):
    return homeserver.query("SELECT COUNT(*) FROM nextgen_browsers")


INVALID = "That cannot be a username. Use the letters a to z"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "Choose a username"),
        ("_hidden", INVALID),
        ("12345", INVALID),
        ("has space", INVALID),
        ("ä", INVALID),
        ("x" * 260, INVALID),
        ("TAKEN-already", "That username is taken"),
        ("a\x00b", ""),
    ],
)
def test_c245_a_name_that_nobody_may_have_makes_no_account(homeserver, server, liar, name, says):
    """As at `/register`: the page says so beside the field, and another name goes on."""
    if not homeserver.query("SELECT 1 FROM users WHERE name = '@taken-already:localhost'"):
        homeserver.register_user("taken-already")
    liar.says("picky", name="Picky")
    person = Person("picky")
    begin(server, person)
    person.get(choose(person, "oidc-picks"))
    before = homeserver.query("SELECT COUNT(*) FROM users")

    person.submit(username=name, decision="create")

    assert person.page.status_code in {400, 409}, person.page.text
    assert says in person.page.text
    assert homeserver.query("SELECT COUNT(*) FROM users") == before


# What happens once a provider has named somebody new; the first ones are what CI tries, too.
ON_THE_WAY = [
    Point(AFTER_COMMIT, "register_user"),
    Point(BEFORE_COMMIT, "nextgen_take"),
    Point(BEFORE_COMMIT, "register_user"),
    Point(BEFORE_COMMIT, "nextgen_arrive"),
    Point(AFTER_COMMIT, "nextgen_arrive"),
    Point(AFTER_COMMIT, "nextgen_take"),
]


def name_of(point):
    return f"{point.place}-{point.transaction}".replace(" ", "-").replace("_", "-")


def killed(homeserver, point, act):
    """Let the process die at this point of an act, and come back."""
    Sabotage(homeserver.base_url).plan(Plan("", "kill", point))
    with pytest.raises(requests.ConnectionError):
        act()
    assert eventually(lambda: not homeserver.main.is_running)
    homeserver.main.start()


def accounts_of(homeserver, localpart):
    """Return the accounts whose names begin like this, and those that belong to somebody."""
    named = f"@{localpart}%"
    users = homeserver.query("SELECT name FROM users WHERE name LIKE ?", named)
    external = homeserver.query("SELECT user_id FROM user_external_ids WHERE user_id LIKE ?", named)
    return users, external


@pytest.mark.parametrize("point", ON_THE_WAY[: times(2, None)], ids=name_of)
def test_c247_who_comes_back_after_a_crash_has_the_one_account(homeserver, server, liar, point):
    """It gets the name that it would have got, and no account is left that is nobody's."""
    name = name_of(point)
    liar.says(name)
    person = Person(name)
    begin(server, person)
    way = choose(person, "oidc-silent")

    killed(homeserver, point, lambda: person.get(way))

    client, verifier = begin(server, person)
    person.get(choose(person, "oidc-silent"))
    assert whoami(server, agree(server, person, client, verifier)) == f"@{name}:localhost"
    assert accounts_of(homeserver, name) == ([(f"@{name}:localhost",)],) * 2


def test_c246_one_person_who_presses_everywhere_at_once_has_one_account(homeserver, server, liar):
    """In ten browsers, each time with another name: one is made, and all are signed in to it."""
    liar.says("many", name="Many")
    people = []
    for place in range(10):
        person = Person(f"many{place}")
        client, verifier = begin(server, person)
        person.get(choose(person, "oidc-picks"))
        people.append((person, client, verifier))

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(lambda one: one[0].submit(username=one[0].name, decision="create"), people))

    ids = {whoami(server, agree(server, *one)) for one in people}
    assert len(ids) == 1
    assert accounts_of(homeserver, "many") == ([(next(iter(ids)),)],) * 2
