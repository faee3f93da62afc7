"""What an application asks for by name, or by what it registered, and a passkey that it asks for.

The parameter `claims` (OpenID Connect Core section 5.5), `default_max_age` and `default_acr_values`
(Dynamic Registration section 2), the value `phr` (EAP ACR Values), and `acr_values` of a device.
"""

import json

import attrs
import pytest
import requests

from homeserver.test_passkeys import a_key, add, form_of, press, question
from support.oauth import Browser, claims, web_client
from support.step_up import ONE, TWO, gets_a_second_factor, proved, with_two_factors
from support.television import Television

PHR = "phr"
UNMET = "unmet_authentication_requirements"

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def client(factor_server):
    return factor_server.client()


@pytest.fixture
def person(factor_homeserver):
    return factor_homeserver.new_user()


def asking(client, browser, *, scope="openid", **parameters):
    """Ask; return the page that it leads to, and what redeems the code."""
    said = {name: json.dumps(v) if name == "claims" else v for name, v in parameters.items()}
    asked, verifier = client.request(scope=scope, **said)
    return browser.authorize(asked), verifier


def told(client, browser, **parameters):
    """Agree; return what the ID token says, and the answer of the token endpoint."""
    page, verifier = asking(client, browser, **parameters)
    code = browser.answer(browser.submit(decision="approve") if page.status_code == 200 else page)
    answer = client.redeem(code["code"], verifier)
    assert answer.status_code == 200, answer.text
    return claims(answer.json()["id_token"]), answer.json()


def acr(*values, essential=False):
    return {"id_token": {"acr": {"values": [*values], "essential": essential}}}


def test_it_is_announced(factor_server):
    assert factor_server.metadata()["claims_parameter_supported"] is True


def test_what_is_essential_is_met_or_fails(factor_homeserver, client, person):
    """OpenID Connect Core section 5.5.1.1; no word of the parameter beside it makes it less."""
    browser = Browser.of(client.server, person)
    for values in ([TWO], ["urn:example:nobody-knows"]):
        page, _ = asking(client, browser, claims=acr(*values, essential=True), acr_values=ONE)
        assert "/consent?grant=" in page.url
        assert browser.answer(browser.submit(decision="approve"))["error"] == UNMET

    gets_a_second_factor(factor_homeserver, person)
    proved(factor_homeserver, browser, level=1)
    page, _ = asking(client, browser, claims=acr(TWO, essential=True), acr_values=ONE)
    assert "/sign-in?grant=" in page.url
    proved(factor_homeserver, browser)
    assert told(client, browser, claims=acr(TWO, essential=True))[0]["acr"] == TWO


def test_what_is_wished_for_keeps_nobody_out(factor_homeserver, client, person):
    """Whoever has it is asked, and whoever has not goes on."""
    browser = Browser.of(client.server, person)

    assert told(client, browser, claims=acr(TWO))[0]["acr"] == ONE
    assert told(client, browser, claims=acr("urn:example:gold"))[0]["acr"] == ONE
    gets_a_second_factor(factor_homeserver, person)
    proved(factor_homeserver, browser, level=1)
    assert "/sign-in?grant=" in asking(client, browser, claims=acr(TWO))[0].url


def test_what_is_malformed_is_refused(client, person):
    browser = Browser.of(client.server, person)
    for wrong in ("{", "[]", '{"id_token": {"acr": {"value": 2}}}', "{}" + " " * 2048):
        parameters, _ = client.request(scope="openid", claims=wrong)
        answer = browser.answer(browser.authorize(parameters))
        assert answer["error"] == "invalid_request", wrong
    parameters, _ = client.request(scope="openid", claims=["{}", "{}"])
    assert browser.answer(browser.authorize(parameters))["error"] == "invalid_request"


def test_a_single_claim_is_asked_for_by_its_scope(client, person):
    """The person agrees to the scope that opens it, and the client hears which it was (C313)."""
    browser = Browser.of(client.server, person)
    wanted = {"userinfo": {"name": {"essential": True}, "email": None}}

    said, tokens = told(client, browser, claims=wanted)
    token = {"Authorization": f"Bearer {tokens['access_token']}"}
    seen = requests.get(client.server.url("userinfo"), headers=token, timeout=30)

    assert set(tokens["scope"].split()) == {"openid", "profile", "email"}
    assert seen.json()["name"] == person.localpart
    assert "name" not in said
    _, without = told(client, browser)
    assert without["scope"] == "openid"


@pytest.mark.parametrize("where", ["id_token", "userinfo"])
def test_c023_who_is_asked_for_is_the_only_one_who_answers(
    factor_homeserver, client, person, where
):
    """OpenID Connect Core section 3.1.2.2: whoever is signed in may be somebody else."""
    browser, other = Browser.of(client.server, person), factor_homeserver.new_user()

    def by(user_id, **more):
        wanted = {where: {"sub": {"value": user_id}}}
        return asking(client, browser, claims=wanted, **more)[0]

    assert "/consent?grant=" in by(person.user_id).url
    assert "/consent" not in by(other.user_id).url
    assert browser.answer(by("@somebody:else.example"))["error"] == "login_required"
    assert browser.answer(by("nobody"))["error"] == "login_required"


def test_c029_by_one_name_after_the_other_nobody_finds_out_who_is_here(client, person):
    """Without a question there is an answer only for a site that they agreed to."""
    browser = Browser.of(client.server, person)

    def silently(user_id):
        wanted = {"id_token": {"sub": {"value": user_id}}}
        page, _ = asking(client, browser, claims=wanted, prompt="none")
        return browser.answer(page)

    here = silently(person.user_id)["error"]
    absent = silently(f"@nobody{person.user_id[1:]}")["error"]
    assert here == absent == "login_required"


def test_what_a_client_registered_holds_where_it_says_nothing_else(
    factor_homeserver, factor_server, person
):
    """`default_max_age` and `default_acr_values`: the second one only as a wish."""
    said = {"default_max_age": 500, "default_acr_values": [TWO]}
    client = factor_server.client(web_client(token_endpoint_auth_method="none", **said))
    assert {name: client.registered[name] for name in said} == said
    browser = Browser.of(client.server, person)
    proved(factor_homeserver, browser, level=1, ago=1000)

    assert "/sign-in?grant=" in asking(client, browser)[0].url
    assert "/consent?grant=" in asking(client, browser, max_age="2000")[0].url
    gets_a_second_factor(factor_homeserver, person)
    assert "/sign-in?grant=" in asking(client, browser, max_age="2000")[0].url
    proved(factor_homeserver, browser, level=2, ago=10)
    assert "/consent?grant=" in asking(client, browser)[0].url


@pytest.mark.parametrize(
    "wrong",
    [
        *({"default_max_age": -1}, {"default_max_age": "60"}, {"default_max_age": True}),
        *({"default_max_age": 10**9}, {"default_max_age": 1.5}),
        *({"default_acr_values": "a"}, {"default_acr_values": ["a b"]}),
        *({"default_acr_values": [""]}, {"default_acr_values": [1]}),
    ],
)
def test_odd_defaults_are_not_registered(factor_server, wrong):
    answer = factor_server.register(web_client(**wrong))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"


def test_c295_where_a_passkey_is_asked_for_no_code_does(factor_homeserver, client, person):
    """Two factors by an app are not enough, and the page takes nothing but the passkey."""
    browser, key = Browser.of(client.server, person), a_key(factor_homeserver)
    page, _ = asking(client, browser, acr_values=PHR)
    assert "/consent?grant=" in page.url
    assert browser.answer(browser.submit(decision="approve"))["error"] == UNMET
    add(browser, key)
    gets_a_second_factor(factor_homeserver, person)
    proved(factor_homeserver, browser)

    assert told(client, browser, acr_values=TWO)[0]["acr"] == TWO
    page, verifier = asking(client, browser, acr_values=PHR)
    assert "/sign-in?grant=" in page.url
    page = browser.submit(password=person.password, decision="sign-in")
    action, hidden = form_of(page)
    assert "/factor?attempt=" in page.url
    assert 'name="code"' not in page.text
    typed = {**hidden, "decision": "check", "code": "123456"}
    assert browser.http.post(action, data=typed, allow_redirects=False).status_code == 400
    page = press(browser, key.use(question(page)))

    assert "/consent?grant=" in page.url
    code = browser.answer(browser.submit(decision="approve"))["code"]
    answer = client.redeem(code, verifier).json()
    assert claims(answer["id_token"])["acr"] == PHR
    assert told(client, browser)[0]["acr"] == TWO


def test_what_a_device_asks_for_is_asked_of_who_lets_it_in(
    factor_homeserver, factor_server, person
):
    """RFC 9470 section 4: whoever cannot is told so, and may come back."""
    tv = Television.begin(factor_server)
    tv = attrs.evolve(tv, answer=begun(tv, acr_values=TWO))
    browser = Browser.of(factor_server, person)

    typed(browser, tv)
    refused = browser.submit(decision="approve", confirm="yes")
    assert refused.status_code == 403
    assert "Your account cannot prove enough" in refused.text
    assert tv.poll().json()["error"] == "authorization_pending"

    gets_a_second_factor(factor_homeserver, person)
    proved(factor_homeserver, browser, level=1)
    tv = attrs.evolve(tv, answer=begun(tv, acr_values=TWO))
    asks = typed(browser, tv).url
    proved(factor_homeserver, browser)
    browser.get(tv.answer["verification_uri_complete"])
    typed(browser, tv)
    done = browser.submit(decision="approve", confirm="yes")

    assert "/sign-in?" in asks
    assert done.status_code == 200
    looked_at = tv.poll().json()
    assert "access_token" in looked_at
    (row,) = factor_homeserver.query(
        "SELECT acr, level FROM nextgen_sessions WHERE user_id = ?", person.user_id
    )
    assert tuple(row) == (TWO, 2)


def typed(browser, tv):
    """Type the code; return the page that it leads to."""
    browser.get(tv.answer["verification_uri"])
    return browser.submit(user_code=tv.user_code)


def begun(tv, **asked):
    """Begin once more, for another device, and ask for this."""
    form = {"client_id": tv.client.id, "scope": tv.scope, **asked}
    answer = tv.client.server.post("device-authorization", form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_word_too_many_of_a_device_is_refused(factor_server):
    tv = Television.begin(factor_server)
    form = {"client_id": tv.client.id, "scope": tv.scope, "acr_values": "x" * 2049}

    answer = tv.client.server.post("device-authorization", form)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_passkey_of_one_browser_is_enough_for_it(factor_homeserver, client, person):
    """Signing in by the passkey alone is what is asked for; nothing else is asked then."""
    browser = with_two_factors(factor_homeserver, client.server, person)
    proved(factor_homeserver, browser, level=3)

    assert told(client, browser, acr_values=f"phrh {PHR}")[0]["acr"] == PHR
