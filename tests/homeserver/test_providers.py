"""Signing in through the providers of Synapse's configuration, real ones, on our pages."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests

from support.admin_api import AdminApi, scope
from support.databases import SqliteDatabase
from support.oauth import API, DEVICE, Server, device_id
from support.providers import servers
from support.providers.journey import agree, begin, choose, go, way, whoami
from support.providers.person import Person, links
from support.synapse import Homeserver
from support.waiting import eventually

KINDS = ("oidc-works", "saml", "cas")


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_providers):
    """Yield a homeserver that knows a provider of each kind, and passwords too."""
    directory = tmp_path_factory.mktemp("homeserver-providers")
    homeserver = Homeserver(directory, SqliteDatabase(directory), log_level="DEBUG")
    homeserver.config = make_providers(homeserver.base_url).config
    homeserver.config["modules"] = [{"module": "support.mappers.ColourPage", "config": {}}]
    homeserver.config["saml2_config"]["user_mapping_provider"]["module"] = "support.mappers.Colours"
    homeserver.module = {"providers": {"backchannel_logout": "ignore"}}
    servers.lend_support(directory)
    with homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.mark.parametrize("provider", KINDS)
def test_somebody_new_signs_in_and_comes_back(homeserver, server, provider):
    """The account is the one that a stock Synapse would make, and the same the next time (C277)."""
    for _ in range(2):
        person = Person(f"nora-{provider}")
        client, verifier = begin(server, person)
        go(person, choose(person, provider))
        tokens = agree(server, person, client, verifier)

        assert whoami(server, tokens) == f"@{person.name}:localhost"
    found = homeserver.query(
        "SELECT user_id FROM user_external_ids WHERE auth_provider = ?", provider
    )
    assert found.count((f"@{person.name}:localhost",)) == 1


def test_a_link_for_another_account_says_so_after_a_provider(homeserver, server):
    """It waited there, with the attempt: whoever comes back as somebody else is told."""
    meant, person = homeserver.new_user(), Person("nora-cas")
    query = urlencode({"action": "org.matrix.profile", "login_hint": f"mxid:{meant.user_id}"})
    person.get(server.url(f"account?{query}"))
    go(person, choose(person, "cas"))

    assert "Which account?" in person.page.text
    assert meant.user_id in person.page.text.replace("<wbr>", "")


def asked_for_a_colour(server, name, **changes):
    """Come back from the provider to the page that somebody else's mapping asks people on."""
    person = Person(f"asked-{name}")
    client, verifier = begin(server, person, **changes)
    go(person, choose(person, "saml"))
    assert "Which colour?" in person.page.text, person.page.text[:3000]
    return person, client, verifier


def test_a_mapping_may_ask_on_a_page_of_its_own(server):
    """It makes the account and completes the sign-in, which ends on our pages; asked once."""
    person, client, verifier = asked_for_a_colour(server, "ines")
    person.submit(colour="green")
    assert whoami(server, agree(server, person, client, verifier)) == "@asked-ines.green:localhost"

    again = Person("asked-ines")
    client, verifier = begin(server, again)
    go(again, choose(again, "saml"))
    assert whoami(server, agree(server, again, client, verifier)) == "@asked-ines.green:localhost"


def test_c278_what_a_mapping_asks_somebody_else_signs_nobody_in(homeserver, server):
    """The address of its page names the attempt; whoever follows it has not begun that."""
    attacker, _, _ = asked_for_a_colour(server, "ivan")
    victim = Person("asked-victim")
    victim.get(attacker.page.url)
    victim.submit(colour="red")

    assert victim.page.status_code == 403
    assert "another browser" in victim.page.text
    assert victim.get(server.url("account")).url.partition("?")[0].endswith("/sign-in")


def test_a_mapping_that_asks_comes_too_late(homeserver, server):
    """The attempt expired while the person thought: a page says so, the account is there."""
    person, _, _ = asked_for_a_colour(server, "igor")
    homeserver.query("UPDATE nextgen_attempts SET expires_at = 1 WHERE ended_at IS NULL")
    person.submit(colour="blue")

    assert person.page.status_code == 400
    assert "has ended, or it took too long" in person.page.text
    assert homeserver.query("SELECT 1 FROM users WHERE name = '@asked-igor.blue:localhost'")


def test_a_fresh_sign_in_with_a_mapping_that_asks_takes_a_second_one(server):
    """It cannot say when that was; once the account is there, nobody is asked a colour."""
    person, client, verifier = asked_for_a_colour(server, "ida", prompt="login")
    person.submit(colour="grey")
    assert person.page.status_code == 403
    (back,) = [link for link in links(person.page) if "sign-in?attempt=" in link]
    person.get(server.base_url + back)
    go(person, choose(person, "saml"))

    assert whoami(server, agree(server, person, client, verifier)) == "@asked-ida.grey:localhost"


def arrive_new(server, name):
    """Come back from the provider as somebody whose name Synapse does not know yet."""
    person = Person(name)
    client, verifier = begin(server, person)
    go(person, choose(person, "oidc-picks"))
    assert "/new-account?attempt=" in person.page.url, person.page.text[:3000]
    return person, client, verifier


def test_who_has_no_name_yet_chooses_one(homeserver, server):
    """With what the provider knows beside it, to take over or not; the account is Synapse's."""
    person, client, verifier = arrive_new(server, "otto")
    assert "otto@example.com" in person.page.text
    person.submit(username="@Otto.Chosen:localhost", use_email_1="1", decision="create")
    tokens = agree(server, person, client, verifier)

    assert whoami(server, tokens) == "@otto.chosen:localhost"
    assert homeserver.query(
        "SELECT address FROM user_threepids WHERE user_id = ?", "@otto.chosen:localhost"
    ) == [("otto@example.com",)]
    again = Person("otto")
    begin(server, again)
    go(again, choose(again, "oidc-picks"))
    assert "consent?grant=" in again.page.url, "the next time nobody asks"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Choose a username"),
        ("12345", "cannot be a username"),
        ("_secret", "cannot be a username"),
        ("a b", "cannot be a username"),
        ("x" * 250, "cannot be a username"),
        ("taken", "is taken"),
        ("TAKEN", "is taken"),
    ],
)
def test_c273_a_name_that_nobody_may_have_comes_back_with_the_form(homeserver, server, name, said):
    """As at any registration; what was ticked stays, and another name is still possible."""
    if homeserver.query("SELECT 1 FROM users WHERE name = ?", "@taken:localhost") == []:
        homeserver.register_user("taken")
    person, client, verifier = arrive_new(server, f"pia{abs(hash(name))}")
    page = person.submit(username=name, decision="create")
    assert page.status_code == 400
    assert said in page.text
    person.submit(username=person.name, decision="create")

    assert whoami(server, agree(server, person, client, verifier)) == f"@{person.name}:localhost"


def test_c246_pressing_twice_at_once_makes_one_account(homeserver, server):
    """Both presses end signed in to it, or are told that it is done; no row is half-made."""
    person, _, _ = arrive_new(server, "quinn")
    other = Person("quinn")
    begin(server, other)
    go(other, choose(other, "oidc-picks"))
    with ThreadPoolExecutor() as pool:
        pages = [
            pool.submit(one.submit, username=name, decision="create")
            for one, name in ((person, "quinn1"), (other, "quinn2"))
        ]
        ended = [page.result() for page in pages]

    assert all("consent?grant=" in page.url for page in ended), [page.text for page in ended]
    rows = homeserver.query("SELECT name FROM users WHERE name LIKE '@quinn%'")
    assert len(rows) == 1


def test_c266_the_same_subject_elsewhere_is_somebody_else(server):
    """Nobody gets an account because another provider knows somebody by the same id."""
    found = []
    for provider in ("oidc-works", "saml"):
        person = Person("rosa")
        client, verifier = begin(server, person)
        go(person, choose(person, provider))
        found.append(whoami(server, agree(server, person, client, verifier)))

    assert found == ["@rosa:localhost", "@rosa1:localhost"]


def callback(homeserver, **said):
    return f"{homeserver.base_url}/_synapse/client/oidc/callback?{urlencode(said)}"


def test_c274_a_provider_that_says_no_ends_on_our_page(homeserver, server):
    """In our words, whatever it says; the person may go on another way, and the request is kept."""
    person = Person("sven")
    client, verifier = begin(server, person)
    url = choose(person, "oidc-works")
    person.get(url, until="http://localhost:1")
    page = person.get(
        callback(homeserver, error="access_denied", error_description="<script>alert(1)</script>")
    )
    assert page.status_code == 400
    assert "alert(1)" not in page.text
    assert "did not sign in there" in page.text
    (again,) = [link for link in links(page) if "sign-in?attempt=" in link]
    person.get(homeserver.base_url + again)
    go(person, choose(person, "oidc-works"))

    assert whoami(server, agree(server, person, client, verifier)) == "@sven:localhost"


def test_c278_somebody_elses_attempt_gains_nothing(server):
    """An attacker sends their own way to a provider to somebody who signs in there."""
    attacker, victim = Person("tom"), Person("uta")
    begin(server, attacker)
    url = choose(attacker, "saml")
    victim.get(url)
    assert victim.page.status_code == 403
    assert "another browser" in victim.page.text

    attacker.get(url)
    attacker.pass_provider()
    assert "consent?grant=" in attacker.page.url


def to_saml(server, person):
    """Go to the SAML provider; return what names the attempt there."""
    begin(server, person)
    person.get(choose(person, "saml"))
    found = [parse_qs(urlsplit(url).query).get("RelayState") for url in person.visited]
    return next(filter(None, found))[0]


def test_what_is_no_saml_ends_on_our_page(homeserver, server):
    """Whatever stands in place of the answer."""
    person = Person("tess")
    relay_state = to_saml(server, person)
    for nonsense in ("garbage", "PGEvPg=="):
        page = person.http.post(
            f"{homeserver.base_url}/_synapse/client/saml2/authn_response",
            data={"SAMLResponse": nonsense, "RelayState": relay_state},
            timeout=60,
        )

        assert page.status_code == 400, page.text
        assert "makes no sense" in page.text
        assert any("sign-in?attempt=" in link for link in links(page))


def test_an_answer_that_synapse_forgot_leads_back_to_the_attempt(server):
    """As after a restart: it keeps in memory what it asked; the attempt is in the database."""
    person = Person("tara")
    to_saml(server, person)
    while "SAMLResponse" not in person.page.text:
        person.submit(login=person.name, password="x")
    answer = person.page
    for _ in range(2):
        person.page = answer
        person.submit()

    assert person.page.status_code == 400, person.page.text
    assert "does not know any more what it asked" in person.page.text
    assert any("sign-in?attempt=" in link for link in links(person.page))


def test_c261_an_answer_is_taken_once(server):
    """Back button and reload end on a page that says what to do."""
    person = Person("vera")
    begin(server, person)
    go(person, choose(person, "cas"))
    (taken,) = [url for url in person.visited if "/arrive?attempt=" in url]
    asked = person.page.url
    page = person.get(taken)

    assert page.status_code == 400
    assert "has ended" in page.text
    (onward,) = [link for link in links(page) if "?" in link]
    assert person.get(server.base_url + onward).url == asked


@pytest.mark.parametrize("provider", KINDS)
def test_proving_it_again_takes_a_fresh_sign_in_there(server, provider):
    """`max_age=0`: the provider asks again, though it knows the person still."""
    person = Person(f"wim-{provider}")
    client, verifier = begin(server, person)
    go(person, choose(person, provider))
    agree(server, person, client, verifier)
    client, verifier = begin(server, person, max_age="0")
    person.get(choose(person, provider))
    assert re.search('name="(login|username)"', person.page.text), "it asks for name and password"
    person.pass_provider()

    assert whoami(server, agree(server, person, client, verifier)) == f"@{person.name}:localhost"


@pytest.mark.parametrize("provider", KINDS)
def test_whoever_uses_another_account_is_asked_there_which_one(server, provider):
    """Else a provider with a sign-in of its own lets in the same person, however often they try."""
    person = Person(f"lea-{provider}")
    client, verifier = begin(server, person)
    go(person, choose(person, provider))
    agree(server, person, client, verifier)
    client, verifier = begin(server, person, prompt="select_account")
    person.submit(decision="another")
    person.get(choose(person, provider))
    assert re.search('name="(login|username)"', person.page.text), "it asks who comes"
    person.name = f"mia-{provider}"
    person.pass_provider()

    assert whoami(server, agree(server, person, client, verifier)) == f"@{person.name}:localhost"


@pytest.mark.parametrize("provider", KINDS)
def test_whoever_came_as_somebody_else_is_asked_there_the_next_time(server, provider):
    """An application asks for one account, and the provider is signed in with another one."""
    owner = Person(f"noa-{provider}")
    client, verifier = begin(server, owner, scope=f"openid {API} {DEVICE}{device_id()}")
    go(owner, choose(owner, provider))
    id_token = agree(server, owner, client, verifier)["id_token"]
    person = Person(f"oda-{provider}")
    first, verifier = begin(server, person)
    go(person, choose(person, provider))
    agree(server, person, first, verifier)
    person.http.cookies.clear("localhost.local", "/", "nextgen_auth")
    parameters, verifier = client.request(id_token_hint=id_token)
    person.get(server.url("authorize") + "?" + urlencode(parameters))
    go(person, choose(person, provider))
    assert (person.page.status_code, "another account" in person.page.text) == (403, True)
    (again,) = [link for link in links(person.page) if "sign-in?attempt=" in link]
    person.get(urljoin(person.page.url, again))
    person.get(choose(person, provider))
    assert re.search('name="(login|username)"', person.page.text), "it asks who comes"
    person.name = owner.name
    person.pass_provider()

    assert whoami(server, agree(server, person, client, verifier)) == f"@{owner.name}:localhost"


@pytest.mark.parametrize("provider", KINDS)
def test_who_has_no_password_is_asked_for_what_the_account_has(server, provider):
    """The provider that knows them comes first, the others behind a line, and no password field."""
    person = Person(f"kim-{provider}")
    client, verifier = begin(server, person)
    go(person, choose(person, provider))
    agree(server, person, client, verifier)
    begin(server, person, max_age="0")
    text = person.page.text
    first, line, others = text.partition("<summary>")

    assert "Confirm that it is you" in text
    assert 'type="password"' not in text
    assert re.findall('value="provider:([^"]+)"', first) == [provider]
    assert line
    assert set(KINDS) - {provider} <= set(re.findall('value="provider:([^"]+)"', others))


def test_who_has_a_password_is_asked_for_it(homeserver, server):
    """And may still use a provider, which may know them by their name."""
    user = homeserver.new_user()
    person = Person(user.localpart)
    client, verifier = begin(server, person)
    person.submit(identifier=user.localpart, password=user.password)
    agree(server, person, client, verifier)
    begin(server, person, max_age="0")

    assert 'type="password"' in person.page.text
    assert set(KINDS) <= set(re.findall('value="provider:([^"]+)"', person.page.text))


def test_c183_somebody_else_there_is_no_proof_here(server):
    """Who is asked to prove it again signs in there as another person."""
    person = Person("xena")
    client, verifier = begin(server, person)
    go(person, choose(person, "cas"))
    agree(server, person, client, verifier)
    begin(server, person, max_age="0")
    url = choose(person, "cas")
    person.name = "yoko"
    go(person, url)

    assert person.page.status_code == 403
    assert "another account" in person.page.text


@pytest.mark.parametrize("name", ["idp_hint", "kc_idp_hint"])
@pytest.mark.parametrize("hint", ["works", "oidc-works"])
def test_a_client_may_name_the_provider(server, name, hint):
    """Then people go straight to it; who comes back without an answer may choose."""
    person = Person("zack")
    begin(server, person, **{name: hint})

    assert "/interaction/" in person.page.url


def test_an_unknown_hint_is_nothing(server):
    person = Person("zoran")
    begin(server, person, idp_hint="nobody")

    assert "/sign-in?grant=" in person.page.url


def test_the_hint_of_a_person_goes_along(server):
    """Where the provider takes it."""
    person = Person("abel")
    begin(server, person, login_hint="mxid:@abel:localhost")
    person.get(choose(person, "oidc-works"))

    assert 'value="abel"' in person.page.text


@pytest.mark.parametrize("change", [{"csrf": ""}, {"csrf": "1.AAAA"}, {"decision": "?"}])
def test_c181_a_forged_form_makes_no_account(homeserver, server, change):
    """The page of a new account takes its own forms only, in the browser that came back."""
    person, _, _ = arrive_new(server, f"ada{abs(hash(str(change)))}")
    page = person.submit(**{"username": person.name, "decision": "create"} | change)

    assert page.status_code in {400, 403}
    found = homeserver.query("SELECT 1 FROM users WHERE name = ?", f"@{person.name}:localhost")
    assert found == []


def test_c278_another_browser_makes_no_account_of_it(homeserver, server):
    """Whoever has the address of the page has nothing."""
    person, _, _ = arrive_new(server, "bela")
    other = Person("other")
    other.get(person.page.url)

    assert other.page.status_code == 400
    assert "bela" not in other.page.text


def test_whoever_cancels_goes_back_to_the_application(server):
    person, _, _ = arrive_new(server, "cora")
    page = person.submit(decision="cancel")

    assert page.status_code == 303
    assert "error=access_denied" in page.headers["Location"]


@pytest.mark.parametrize("provider", KINDS)
def test_a_client_of_the_old_kind_gets_its_token(homeserver, provider):
    """The address that it sends people to names the provider; a person confirms where they go."""
    person = Person(f"old-{provider}")
    path = f"/_matrix/client/v3/login/sso/redirect/{provider}?redirectUrl=https://app.example/"
    person.get(homeserver.base_url + path)
    assert not person.page.url.startswith(homeserver.base_url), "straight to the provider"
    person.pass_provider()
    assert "legacy-login?login=" in person.page.url, person.page.text[:2000]
    person.submit(decision="approve")
    found = re.search(
        r"loginToken=([^\"&]+)", person.page.headers.get("Location", "") + person.page.text
    )
    answer = requests.post(
        f"{homeserver.base_url}/_matrix/client/v3/login",
        json={"type": "m.login.token", "token": found[1]},
        timeout=30,
    )

    assert answer.json()["user_id"] == f"@{person.name}:localhost"


def test_a_logout_at_the_provider_may_leave_the_sessions(homeserver, server):
    """`providers.backchannel_logout: ignore`: the browser is signed out, the application is not."""
    person = Person("ilse")
    client, verifier = begin(server, person)
    go(person, choose(person, "oidc-works"))
    tokens = agree(server, person, client, verifier)
    (issuer,) = {
        url.partition("/interaction/")[0] for url in person.visited if "/interaction/" in url
    }
    person.get(f"{issuer}/session/end")
    person.submit(logout="yes")

    assert eventually(lambda: "sign-in" in person.get(server.url("account")).url)
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert server.whoami(client.refresh(tokens["refresh_token"]).json()["access_token"]).ok


def signed_in_by_password(server, user, name=None):
    """Return a person at the providers who is signed in here with a password."""
    person = Person(name or f"at-{user.localpart}")
    person.get(server.url("sign-in"))
    person.submit(identifier=user.localpart, password=user.password, decision="sign-in")
    return person


def connect(server, person, provider):
    """Ask for a provider to be connected; return where its way begins."""
    person.get(server.url(f"account-provider-connect?id={provider}"))
    csrf = re.search(r'name="csrf" value="([^"]*)"', person.page.text)[1]
    person.page = person.http.post(
        person.page.url,
        data={"csrf": csrf, "decision": "connect"},
        allow_redirects=False,
        timeout=60,
    )
    return way(person.page)


def identities(homeserver, user_id):
    return sorted(
        homeserver.query(
            "SELECT auth_provider, external_id FROM user_external_ids WHERE user_id = ?", user_id
        )
    )


@pytest.mark.parametrize("provider", KINDS)
def test_a_provider_is_connected_and_lets_its_person_in(homeserver, server, provider):
    """Nobody is made an account for it; then it may be all that lets them in, and stays."""
    user = homeserver.new_user()
    person = signed_in_by_password(server, user)
    go(person, connect(server, person, provider))
    assert "It is connected" in person.page.text, person.page.text
    (known_as,) = [its_id for which, its_id in identities(homeserver, user.user_id)]
    assert not homeserver.query("SELECT 1 FROM users WHERE name = ?", f"@{person.name}:localhost")

    again = Person(person.name)
    client, verifier = begin(server, again)
    go(again, choose(again, provider))
    assert whoami(server, agree(server, again, client, verifier)) == user.user_id

    person.get(server.url("account-password-remove"))
    person.submit(decision="remove")
    (link,) = [each for each in links(person.page) if "account-provider-disconnect" in each]
    person.get(urljoin(person.page.url, link))
    assert person.page.status_code == 409
    assert "only way in" in person.page.text
    assert identities(homeserver, user.user_id) == [(provider, known_as)]


def test_a_provider_is_disconnected(homeserver, server):
    """Its person is somebody new the next time; what they have by a password goes on."""
    user = homeserver.new_user()
    person = signed_in_by_password(server, user)
    go(person, connect(server, person, "oidc-works"))
    (link,) = [each for each in links(person.page) if "account-provider-disconnect" in each]
    person.get(urljoin(person.page.url, link))
    person.submit(decision="disconnect")
    person.get(urljoin(person.page.url, person.page.headers.get("Location", "")))

    assert "It is not connected any more" in person.page.text
    assert identities(homeserver, user.user_id) == []
    again = Person(person.name)
    begin(server, again)
    go(again, choose(again, "oidc-works"))
    assert not again.page.url.startswith(server.url("consent")) or user.user_id not in (
        again.page.text
    )


def test_c270_whom_another_account_has_is_not_connected(homeserver, server):
    """The page says so without a name, and both accounts are as they were."""
    first, second = homeserver.new_user(), homeserver.new_user()
    one = signed_in_by_password(server, first, "wanted-by-two")
    go(one, connect(server, one, "oidc-works"))
    two = signed_in_by_password(server, second, "wanted-by-two")
    go(two, connect(server, two, "oidc-works"))

    assert two.page.status_code == 409
    assert "another account" in two.page.text
    assert first.localpart not in two.page.text
    assert identities(homeserver, second.user_id) == []


def test_c278_a_way_that_somebody_else_began_connects_nobody(homeserver, server):
    """An attacker sends the address of their attempt: who follows it has not begun it."""
    attacker, victim = homeserver.new_user(), homeserver.new_user()
    planted = connect(server, signed_in_by_password(server, attacker), "saml")
    person = signed_in_by_password(server, victim)
    go(person, planted)

    assert person.page.status_code == 403
    assert "another browser" in person.page.text
    for each in (attacker, victim):
        assert identities(homeserver, each.user_id) == []


def test_c183_whoever_signed_out_meanwhile_is_connected_to_nothing(homeserver, server):
    user = homeserver.new_user()
    person = signed_in_by_password(server, user)
    url = connect(server, person, "oidc-works")
    homeserver.query("UPDATE nextgen_browsers SET ended_at = 1 WHERE user_id = ?", user.user_id)
    go(person, url)

    assert "Nothing was connected" in person.page.text
    assert identities(homeserver, user.user_id) == []


def test_an_administrator_sees_providers_and_who_people_are_there(homeserver, server):
    """By the admin API: of each kind; a link that is made lets somebody in, one that is gone nobody."""
    admin, user = homeserver.new_user(admin=True), homeserver.new_user()
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    api = AdminApi.of(server, tokens["access_token"])
    listed = api.get("upstream-oauth-providers")
    told = {each["attributes"]["human_name"]: each for each in listed["data"]}
    works = next(each for each in listed["data"] if each["attributes"]["issuer"])
    half = api.get("upstream-oauth-providers", **{"page[first]": 1})
    rest = api.get("upstream-oauth-providers", **{"page[after]": half["data"][0]["id"]})

    assert len(told) == listed["meta"]["count"] >= len(KINDS)
    assert half["data"] + rest["data"] == listed["data"]
    assert api.get(f"upstream-oauth-providers/{works['id']}")["data"]["id"] == works["id"]
    assert api.get("upstream-oauth-providers", **{"filter[enabled]": "false"})["data"] == []

    user_id = api.get(f"users/by-username/{user.localpart}")["data"]["id"]
    other = api.get(f"users/by-username/{admin.localpart}")["data"]["id"]
    subject = f"subject-{user.localpart}"
    body = {"user_id": user_id, "provider_id": works["id"], "subject": subject}
    link = api.do("POST", "upstream-oauth-links", body, status=201)
    assert api.do("POST", "upstream-oauth-links", body)["id"] == link["id"]
    api.refused("POST", "upstream-oauth-links", 409, json=body | {"user_id": other})
    for query in ({"filter[user]": user_id}, {"filter[subject]": subject}):
        found = api.get("upstream-oauth-links", **{"filter[provider]": works["id"]}, **query)
        assert [each["id"] for each in found["data"]] == [link["id"]]
    row = ("SELECT auth_provider FROM user_external_ids WHERE user_id = ?", user.user_id)
    assert homeserver.query(*row) == [("oidc-works",)]
    assert api.get(f"upstream-oauth-links/{link['id']}")["data"]["attributes"]["user_id"] == user_id
    api.do("DELETE", f"upstream-oauth-links/{link['id']}", status=204)
    assert homeserver.query(*row) == []
    api.refused("GET", f"upstream-oauth-links/{link['id']}", 404)
