"""What applications ask of a sign-in and are told of it: `acr_values`, `max_age`, `acr`, `auth_time`."""

import time

import pytest

from support.oauth import API, DEVICE, Browser, claims, device_id, web_client
from support.step_up import ONE, TWO, gets_a_second_factor, proved, with_two_factors
from support.television import DEVICE_CODE
from synapse_nextgen_auth.assembly.issuer import acr_values
from synapse_nextgen_auth.config import read
from synapse_nextgen_auth.web.kinds import AccountPage, always
from synapse_nextgen_auth.web.routes import ROUTES

MFA = "https://refeds.org/profile/mfa"
SECRET = {"token_endpoint_auth_method": "client_secret_post"}

pytestmark = pytest.mark.one_database


@pytest.fixture
def client(factor_server):
    return factor_server.client(web_client(**SECRET))


@pytest.fixture
def person(factor_homeserver):
    return factor_homeserver.new_user()


def redeemed(client, browser, page, verifier):
    """Agree; return what the client gets for its code."""
    code = browser.answer(browser.submit(decision="approve") if page.status_code == 200 else page)
    answer = client.redeem(code["code"], verifier, client_secret=client.registered["client_secret"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def introspected(client, token):
    form = {"token": token, "client_id": client.id}
    form["client_secret"] = client.registered["client_secret"]
    return client.server.post("introspect", form).json()


def told(client, browser, **asked):
    """Let the client in; return what the ID token says, and what the tokens are."""
    parameters, verifier = client.request(**{"scope": "openid", **asked})
    tokens = redeemed(client, browser, browser.authorize(parameters), verifier)
    return claims(tokens["id_token"]), tokens


def test_what_can_be_met_is_announced(server, factor_server):
    """Two factors only where somebody can have them."""
    assert server.metadata()["acr_values_supported"] == [ONE]
    assert factor_server.metadata()["acr_values_supported"] == ["phr", TWO, MFA, ONE]


@pytest.mark.parametrize(
    ("asked", "acr"),
    [
        (None, ONE),
        (ONE, ONE),
        (f"{TWO} {MFA} {ONE}", ONE),
        ("1 2", ONE),
        ("1 2 " * 500, ONE),
    ],
)
def test_a_sign_in_with_one_factor_is_called_so(factor_homeserver, client, person, asked, acr):
    """In the ID token, when the token is looked at, and in the row (OpenID Connect Core 15.1)."""
    browser = Browser.of(client.server, person)

    said, tokens = told(client, browser, acr_values=asked)
    looked_at = introspected(client, tokens["access_token"])

    assert (said["acr"], said["amr"]) == (acr, ["pwd"])
    same = ("acr", "amr", "auth_time")
    assert {name: looked_at[name] for name in same} == {name: said[name] for name in same}
    rows = factor_homeserver.query(
        "SELECT acr, level FROM nextgen_sessions WHERE user_id = ?", person.user_id
    )
    assert [tuple(row) for row in rows] == [(acr, 1)]


@pytest.mark.parametrize(
    ("asked", "acr"), [(None, TWO), (TWO, TWO), (MFA, MFA), (ONE, ONE), ("1 2", TWO)]
)
def test_a_sign_in_with_two_factors_is_called_so(factor_homeserver, client, person, asked, acr):
    browser = with_two_factors(factor_homeserver, client.server, person)
    proved(factor_homeserver, browser)

    said, tokens = told(client, browser, acr_values=asked)

    assert (said["acr"], said["amr"]) == (acr, ["pwd", "otp", "mfa"])
    assert introspected(client, tokens["access_token"])["acr"] == acr


@pytest.mark.parametrize("asked", [TWO, MFA, f"phr {TWO} {ONE}"])
def test_c295_more_is_asked_of_who_has_more(factor_homeserver, client, person, asked):
    """The password opens the page of the second factor, and nothing opens the way around it."""
    browser = with_two_factors(factor_homeserver, client.server, person)
    proved(factor_homeserver, browser, level=1)
    parameters, _ = client.request(scope="openid", acr_values=asked)

    page = browser.authorize(parameters)
    grant = page.url.partition("grant=")[2]
    consent = client.server.url(f"consent?grant={grant}")

    assert "/sign-in?grant=" in page.url
    assert "/sign-in?grant=" in browser.get(consent).url
    after = browser.submit(password=person.password, decision="sign-in")
    assert "/factor?attempt=" in after.url
    assert "/sign-in?grant=" in browser.get(consent).url
    page = browser.get(f"{consent}&acr_values={ONE}&level=2")
    assert "/sign-in?grant=" in page.url


def test_c295_another_tab_changes_nothing_for_this_one(factor_homeserver, client, person):
    """A request that asks for less makes nothing of the one that asks for more; both wait for it."""
    browser = with_two_factors(factor_homeserver, client.server, person)
    proved(factor_homeserver, browser, level=1)
    more, _ = client.request(scope="openid", acr_values=TWO)
    first = browser.authorize(more).url
    grant = first.partition("grant=")[2]

    less, _ = client.request(scope="openid", acr_values=ONE)
    assert "/sign-in?grant=" in browser.authorize(less).url
    again = browser.get(client.server.url(f"consent?grant={grant}"))

    assert "/sign-in?grant=" in again.url
    proved(factor_homeserver, browser)
    assert told(client, browser, acr_values=ONE)[0]["acr"] == ONE
    assert "consent?grant=" in browser.get(client.server.url(f"consent?grant={grant}")).url


@pytest.mark.parametrize("asked", [TWO, MFA, f"1 {TWO}"])
def test_whoever_has_one_factor_goes_back_with_an_error(client, person, asked):
    """RFC 9470 section 5: no token that would bring them here again."""
    browser = Browser.of(client.server, person)
    parameters, _ = client.request(scope="openid", acr_values=asked)

    asks = browser.authorize(parameters)
    answer = browser.answer(browser.submit(decision="approve"))

    assert "/consent?grant=" in asks.url
    assert answer["error"] == "unmet_authentication_requirements"
    assert answer["state"] == parameters["state"]
    assert answer["iss"] == client.server.issuer


@pytest.mark.parametrize("named", [True, False])
def test_c029_no_site_learns_who_has_one_factor_before_they_agree(
    factor_homeserver, client, person, named
):
    """Whatever it asks for, the browser stops at a page of ours, and "cancel" says nothing else."""
    browser = Browser.of(client.server, person)
    hint = {"login_hint": f"mxid:{person.user_id}"} if named else {}
    parameters, _ = client.request(scope="openid", acr_values=TWO, **hint)

    asks = browser.authorize(parameters)
    again = browser.get(asks.url)
    answer = browser.answer(browser.submit(decision="cancel"))

    assert (asks.status_code, again.status_code) == (200, 200)
    assert "/consent?grant=" in asks.url
    assert answer["error"] == "access_denied"
    rows = factor_homeserver.query(
        "SELECT COUNT(*) FROM nextgen_sessions WHERE user_id = ?", person.user_id
    )
    assert [tuple(row) for row in rows] == [(0,)]


def test_whoever_agreed_to_a_site_before_is_not_asked_again(client, person):
    """What it may know it hears at once."""
    browser = Browser.of(client.server, person)
    told(client, browser)
    parameters, _ = client.request(scope="openid", acr_values=TWO)

    answer = browser.answer(browser.authorize(parameters))

    assert answer["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize("has_two", [True, False])
def test_nobody_learns_silently_who_has_a_second_factor(factor_homeserver, client, person, has_two):
    """`prompt=none` says that there is something to do, and no more; before consent, only that."""
    browser = Browser.of(client.server, person)
    if has_two:
        browser = with_two_factors(factor_homeserver, client.server, person)

    def silently(level, acr):
        proved(factor_homeserver, browser, level=level)
        parameters, _ = client.request(scope="openid", acr_values=acr, prompt="none")
        return browser.answer(browser.authorize(parameters)).get("error")

    words = (None, ONE, TWO, "phr")
    strange = {silently(level, acr) for level in (1, 2) for acr in words}
    proved(factor_homeserver, browser)
    told(client, browser)

    assert strange == {"consent_required"}
    assert silently(1, TWO) == "login_required"


def at_the_question(client, browser):
    """Ask for codes as a device does, and enter them; return them, and the page."""
    form = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"}
    form["client_secret"] = client.registered["client_secret"]
    codes = client.server.post("device-authorization", form).json()
    browser.get(codes["verification_uri_complete"])
    return codes, browser.submit(user_code=codes["user_code"])


@pytest.mark.parametrize("has_two", [True, False])
def test_a_device_gets_what_its_client_registered(
    factor_homeserver, factor_server, person, has_two
):
    """As a wish: whoever has no second factor lets it in all the same."""
    grants = ["authorization_code", "refresh_token", DEVICE_CODE]
    client = factor_server.client(
        web_client(grant_types=grants, default_acr_values=["phr", TWO], **SECRET)
    )
    browser = Browser.of(factor_server, person)
    if has_two:
        gets_a_second_factor(factor_homeserver, person)
        asked = at_the_question(client, browser)[1]
        proved(factor_homeserver, browser)
        assert "/sign-in" in asked.url
    codes, page = at_the_question(client, browser)
    assert "/sign-in" not in page.url
    browser.submit(decision="approve", confirm="yes")
    form = {"grant_type": DEVICE_CODE, "device_code": codes["device_code"]}
    form |= {"client_id": client.id, "client_secret": client.registered["client_secret"]}
    tokens = factor_server.token(**form).json()

    assert introspected(client, tokens["access_token"])["acr"] == (TWO if has_two else ONE)


def test_silently_what_was_proven_is_enough(factor_homeserver, client, person):
    browser = with_two_factors(factor_homeserver, client.server, person)
    proved(factor_homeserver, browser)
    told(client, browser)

    said, _ = told(client, browser, acr_values=TWO, prompt="none")

    assert said["acr"] == TWO


def test_a_word_too_many_is_refused(client, person):
    """Twice, or too long: as with any parameter that means something."""
    browser = Browser.of(client.server, person)
    for wrong in ([TWO, ONE], "x" * 2049):
        parameters, _ = client.request(scope="openid", acr_values=wrong)
        answer = browser.answer(browser.authorize(parameters))
        assert answer["error"] == "invalid_request"


def test_c297_a_proof_has_its_age(factor_homeserver, client, person):
    """`max_age` counts from the proof, whatever the browser did since, and whatever it is asked for."""
    browser = Browser.of(client.server, person)
    proved(factor_homeserver, browser, level=1, ago=1000)
    browser.get(client.server.url("account"))
    parameters, _ = client.request(scope="openid", max_age="500", acr_values=ONE)

    assert "/sign-in?grant=" in browser.authorize(parameters).url
    said, tokens = told(client, browser, max_age="2000")
    assert said["auth_time"] == introspected(client, tokens["access_token"])["auth_time"]
    assert 900 < time.time() - said["auth_time"] < 1200


def test_tokens_that_were_refreshed_are_what_they_were_before(factor_homeserver, client, person):
    """MSC4363: the first one alone is more; the ID token says how the person signed in."""
    browser = Browser.of(client.server, person)
    proved(factor_homeserver, browser, level=1, ago=100)
    scope = f"openid {API} {DEVICE}{device_id()}"
    told(client, browser, scope=scope)
    gets_a_second_factor(factor_homeserver, person)
    proved(factor_homeserver, browser, ago=5)

    said, tokens = told(client, browser, scope=scope, acr_values=TWO)
    form = {"client_secret": client.registered["client_secret"]}
    renewed = client.refresh(tokens["refresh_token"], **form).json()
    first, second = (introspected(client, each["access_token"]) for each in (tokens, renewed))

    assert (first["acr"], first["auth_time"]) == (TWO, said["auth_time"])
    assert second["acr"] == ONE
    assert second["auth_time"] < said["auth_time"] - 80
    assert claims(renewed["id_token"])["acr"] == TWO
    assert claims(renewed["id_token"])["auth_time"] == said["auth_time"]


DANGEROUS = sorted(
    path
    for path, page in ROUTES.items()
    if isinstance(page, AccountPage) and page.dangerous is always and page.show is not None
)


def test_c295_a_password_of_late_opens_nothing_dangerous(factor_homeserver, factor_server, person):
    """Who has a second factor proves it before they change what they sign in with, or approve."""
    assert {"/account-password", "/account-deactivate", "/approve"} <= {*DANGEROUS}
    browser = Browser.of(factor_server, person)
    own = factor_server.url("account-password")
    alone = browser.get(own).url

    gets_a_second_factor(factor_homeserver, person)
    with_one = {path: browser.get(factor_server.url(path[1:])).url for path in DANGEROUS}
    after = browser.get(own) and browser.submit(password=person.password, decision="sign-in")
    still = browser.get(own).url
    proved(factor_homeserver, browser)
    with_two = browser.get(own).url

    assert alone == with_two == own
    assert {path for path, url in with_one.items() if "/sign-in" not in url} == set()
    assert "/factor?attempt=" in after.url
    assert "/sign-in" in still


def test_c295_a_form_from_before_there_was_a_factor_does_nothing(
    factor_homeserver, factor_server, person
):
    """The page was open already; its form is asked for both, and does nothing until then."""
    browser = Browser.of(factor_server, person)
    browser.get(factor_server.url("account-deactivate"))

    gets_a_second_factor(factor_homeserver, person)
    asked = browser.submit(decision="deactivate", confirm="yes", password=person.password)

    assert "/sign-in" in asked.url
    (row,) = factor_homeserver.query("SELECT deactivated FROM users WHERE name = ?", person.user_id)
    assert row == (0,)


def test_c295_of_several_accounts_the_one_that_goes_on_has_to_prove_it(
    factor_homeserver, factor_server, client, person
):
    """What one account proved is nothing of the other, in the same browser."""
    browser = with_two_factors(factor_homeserver, factor_server, person)
    proved(factor_homeserver, browser)
    other = factor_homeserver.new_user()
    browser.get(factor_server.url("sign-in?account=another"))
    browser.sign_in(other.localpart, other.password)

    def asked(user):
        hint = {"login_hint": f"mxid:{user.user_id}"}
        parameters, _ = client.request(scope="openid", acr_values=TWO, **hint)
        return browser.authorize(parameters)

    assert "/consent?grant=" in asked(person).url
    assert "/consent?grant=" in asked(other).url
    refused = browser.answer(browser.submit(decision="approve"))
    assert refused["error"] == "unmet_authentication_requirements"
    gets_a_second_factor(factor_homeserver, other)
    assert "/sign-in?grant=" in asked(other).url
    assert "/consent?grant=" in asked(person).url


@pytest.mark.parametrize(
    ("options", "is_two"),
    [
        ({}, False),
        ({"policy": "off"}, False),
        ({"policy": "optional"}, True),
        ({"admins": "required"}, True),
        ({"providers": {"keycloak": ["mfa"]}}, True),
    ],
)
def test_two_factors_are_announced_where_somebody_can_have_them(options, is_two):
    at_a_host, at_a_number = (
        acr_values(read({"factors": options}), f"https://{host}/")
        for host in ("example.com", "192.0.2.1")
    )

    assert (TWO in at_a_host) is (TWO in at_a_number) is is_two
    assert ("phr" in at_a_host) is (is_two and "providers" not in options)
    assert "phr" not in at_a_number  # where browsers make no passkeys
