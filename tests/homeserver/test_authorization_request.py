"""The authorization request: who gets an answer, where it goes, and what the browser does between."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

import pytest
import requests

from support.answers import (
    ALREADY_DONE,
    BAD_REDIRECT_URI,
    EXPIRED,
    OTHER_BROWSER,
    OUT_OF_DATE,
    UNKNOWN_CLIENT,
    assert_offered,
    assert_page,
    assert_sent_back,
    offered,
    sent_back,
)
from support.oauth import API, DEVICE, Browser, claims, device_id, web_client
from support.rows import count, new_rows, unchanged

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

EVIL = "https://evil.example.net/callback"


def ask(server, parameters, browser=None, method="GET"):
    """Send an authorization request and return the first answer, without following it."""
    http = browser.http if browser else requests
    where = {"params": parameters} if method == "GET" else {"data": parameters}
    return http.request(method, server.url("authorize"), allow_redirects=False, timeout=30, **where)


def fields(page):
    """Return what a page would post back, hidden fields included."""
    found = re.findall(r'<input[^>]*name="([^"]+)"([^>]*)', page.text)
    values = {name: re.search(r'value="([^"]*)"', rest) for name, rest in found}
    return {name: html.unescape(value[1]) if value else "" for name, value in values.items()}


def at_consent(server, client, user, **changes):
    """Sign in and stop at the consent page; return browser, parameters and verifier."""
    parameters, verifier = client.request(**changes)
    browser = Browser(server)
    browser.authorize(parameters)
    page = browser.sign_in(user.localpart, user.password)
    assert 'value="approve"' in page.text, page.text
    return browser, parameters, verifier


@pytest.fixture
def somebody(homeserver, server):
    """Return a browser with somebody signed in, so that every client gets its answers at once."""
    return Browser.of(server, homeserver.new_user())


# Where errors go


@pytest.mark.parametrize(
    "client_id",
    [None, "", "unknown", "x" * 10_000, "a\0b", "' OR '1'='1", "<svg onload=alert(1)>"],
    ids=["missing", "empty", "unknown", "10 kB", "NUL", "SQL", "HTML"],
)
def test_c011_without_a_known_client_there_is_only_a_page(homeserver, server, client_id):
    """Nobody is sent anywhere, nothing is written."""
    parameters, _verifier = server.client().request(client_id=client_id)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_page(answer)
    assert "<svg onload" not in answer.text


def test_c011_a_deleted_client_is_unknown(homeserver, server):
    client = server.client(web_client(client_name="Soon gone"))
    parameters, _verifier = client.request()
    homeserver.query("DELETE FROM nextgen_clients WHERE client_id = ?", client.id)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_page(answer, UNKNOWN_CLIENT)


@pytest.mark.parametrize(
    "second_error",
    [
        {},
        {"scope": "no-such-scope"},
        {"scope": None},
        {"response_type": "token"},
        {"response_type": None},
        {"response_mode": "fragment"},
        {"code_challenge": None},
        {"prompt": "none"},
        {"state": "x" * 5000},
        {"request_uri": "https://evil.example.net/"},
    ],
)
def test_c013_an_unregistered_redirect_uri_is_never_redirected_to(homeserver, server, second_error):
    """Whatever else is wrong, the server does not become a redirector."""
    parameters, _verifier = server.client().request(redirect_uri=EVIL, **second_error)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_page(answer, BAD_REDIRECT_URI)


@pytest.mark.parametrize(
    ("response_type", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("token", "unsupported_response_type"),
        ("id_token", "unsupported_response_type"),
        ("code token", "unsupported_response_type"),
        ("code id_token", "unsupported_response_type"),
        ("none", "unsupported_response_type"),
        ("CODE", "unsupported_response_type"),
        ("code ", "unsupported_response_type"),
    ],
)
def test_c014_only_codes_come_through_the_browser(homeserver, server, response_type, error):
    parameters, _verifier = server.client().request(response_type=response_type)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_offered(answer, parameters, error)


@pytest.mark.parametrize("mode", ["web_message", "jwt", "query.jwt", "QUERY", "fragment query"])
def test_c015_an_unknown_response_mode_is_refused_by_the_default_one(homeserver, server, mode):
    parameters, _verifier = server.client().request(response_mode=mode)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_offered(answer, parameters, "invalid_request")
    assert f'href="{parameters["redirect_uri"]}?error=' in answer.text


def test_c015_a_response_mode_sent_twice_is_refused(homeserver, server):
    parameters, _verifier = server.client().request()
    twice = [*parameters.items(), ("response_mode", "fragment"), ("response_mode", "query")]
    with unchanged(homeserver):
        answer = ask(server, twice)

    assert_offered(answer, parameters, "invalid_request")


def test_c015_nothing_is_posted_to_the_scheme_of_an_app(homeserver, server):
    """`form_post` needs an http URI; an app's own scheme gets its error by the default mode."""
    app = web_client(application_type="native", redirect_uris=["com.example.client:/cb"])
    parameters, _verifier = server.client(app).request(response_mode="form_post")
    answer = ask(server, parameters)

    assert_offered(answer, parameters, "invalid_request")


@pytest.mark.parametrize(
    "name",
    ["client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "prompt"],
)
def test_a_repeated_parameter_is_refused(homeserver, server, name):
    """Which of two values counts is nothing to guess at; without a target there is only a page."""
    parameters, _verifier = server.client().request(prompt="consent")
    with unchanged(homeserver):
        answer = ask(server, [*parameters.items(), (name, parameters[name])])

    if name in {"client_id", "redirect_uri"}:
        assert_page(answer)
    else:
        told = offered(answer, parameters["redirect_uri"])
        assert told["error"] == "invalid_request"
        assert told.get("state") == (None if name == "state" else parameters["state"])


def test_c017_a_semicolon_separates_nothing(homeserver, server):
    """`;` stays what it is: a second redirect URI or client id behind it is part of the first."""
    parameters, _verifier = server.client().request()
    query = urlencode({k: v for k, v in parameters.items() if k != "redirect_uri"})
    good = quote(parameters["redirect_uri"], safe="")
    evil = quote(EVIL, safe="")
    url = server.url("authorize")
    with unchanged(homeserver):
        for spelled in (f"{good};redirect_uri={evil}", f"{evil};redirect_uri={good}"):
            assert_page(
                requests.get(f"{url}?{query}&redirect_uri={spelled}", timeout=60), BAD_REDIRECT_URI
            )
        answer = ask(server, {**parameters, "scope": "openid;client_id=evil"})

    assert_offered(answer, parameters, "invalid_scope")


def test_c017_a_state_with_semicolons_comes_back_whole(server):
    parameters, _verifier = server.client().request(state="a;scope=b;code=c", prompt="none")

    told = assert_offered(ask(server, parameters), parameters, "login_required")

    assert told["state"] == "a;scope=b;code=c"


def test_c018_unknown_parameters_are_ignored_and_empty_ones_absent(homeserver, server):
    user = homeserver.new_user()
    client = server.client()
    parameters, verifier = client.request(
        state="", nonce="", prompt="", response_mode="", max_age="", login_hint="", ui_locales=""
    )
    parameters |= {"resource": "", "acr_values": "9", "unheard-of": "\U0001f600"}
    answer = Browser(server).let_in(parameters, user.localpart, user.password)

    assert answer.keys() == {"code", "iss"}
    assert client.redeem(answer["code"], verifier).status_code == 200


def test_c019_order_decides_nothing(homeserver, server):
    """Parameters backwards, scope tokens backwards and twice: the same decision."""
    user = homeserver.new_user()
    client = server.client()
    device = DEVICE + device_id()
    parameters, verifier = client.request(scope=f"{device} openid {API} openid {device}")
    backwards = dict(reversed(parameters.items()))

    answer = Browser(server).let_in(backwards, user.localpart, user.password)
    tokens = client.redeem(answer["code"], verifier).json()

    assert tokens["scope"] == f"{device} openid {API}"
    assert "id_token" in tokens


# prompt and max_age


def test_c021_silence_is_answered_without_a_page(homeserver, server):
    """Nobody signed in: `login_required`, on our page for a client that nobody here wrote down.

    Somebody is: a public client never gets a code unasked.
    """
    user = homeserver.new_user()
    client = server.client()
    parameters, _verifier = client.request(prompt="none", scope="openid")
    browser = Browser(server)
    with unchanged(homeserver):
        stranger = ask(server, parameters, browser)
    agreed, _ = client.request(scope="openid", state=None)
    browser.let_in(agreed, user.localpart, user.password)
    with unchanged(homeserver):
        signed_in = ask(server, parameters, browser)

    assert_offered(stranger, parameters, "login_required")
    assert_sent_back(signed_in, parameters, "consent_required", "interaction_required")


def test_c021_a_client_that_proves_itself_gets_a_code_for_what_was_agreed(homeserver, server):
    """Consent is remembered for a client with a secret, for the same scope and no new device."""
    user = homeserver.new_user()
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    browser = Browser(server)
    first, _ = client.request(scope="openid profile")
    browser.let_in(first, user.localpart, user.password)
    same, verifier = client.request(scope="profile openid", prompt="none")
    more, _ = client.request(scope="openid profile email", prompt="none")
    device, _ = client.request(prompt="none")
    both, _ = client.request(scope="openid profile", prompt="consent")

    answer = sent_back(ask(server, same, browser), client.redirect_uri)
    tokens = client.redeem(
        answer["code"], verifier, client_secret=client.registered["client_secret"]
    ).json()

    assert claims(tokens["id_token"])["sub"] == user.user_id
    assert_sent_back(ask(server, more, browser), more, "consent_required")
    assert_sent_back(ask(server, device, browser), device, "consent_required")
    assert_page(browser.authorize(both), 'value="approve"', status=200)


def test_a_remembered_consent_ends_however_often_a_client_asks(homeserver, server):
    """Neither `prompt=none` nor a page that was left out begins the time of `remember_for` anew."""
    user = homeserver.new_user()
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    browser = Browser(server)
    first, _ = client.request(scope="openid")
    browser.let_in(first, user.localpart, user.password)
    homeserver.query(
        "UPDATE nextgen_consents SET granted_at = granted_at - 86400 WHERE user_id = ?",
        user.user_id,
    )
    agreed = "SELECT granted_at FROM nextgen_consents WHERE user_id = ?"
    told = "SELECT COUNT(*) FROM nextgen_events WHERE user_id = ? AND kind = 'consented'"
    before = homeserver.query(agreed, user.user_id)
    silent, _ = client.request(scope="openid", prompt="none")
    plain, _ = client.request(scope="openid")

    assert "code" in browser.answer(browser.authorize(silent))
    assert "code" in browser.answer(browser.authorize(plain))
    assert homeserver.query(agreed, user.user_id) == before
    assert homeserver.query(told, user.user_id) == [(1,)]


@pytest.mark.parametrize(
    "prompt", ["none login", "none consent", "foo", "create none", "login  none"]
)
def test_c022_prompts_that_contradict_or_are_unknown(homeserver, server, prompt):
    parameters, _verifier = server.client().request(prompt=prompt)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_offered(answer, parameters, "invalid_request")


@pytest.mark.parametrize(
    "fresh", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "consent login"}]
)
def test_c023_a_fresh_sign_in_cannot_be_walked_around(homeserver, server, fresh):
    """Neither the consent page nor its form works for the old session, and then another signs in."""
    alice, bob = homeserver.new_user(), homeserver.new_user()
    client = server.client()
    browser = Browser.of(server, alice)
    before = browser.cookie
    csrf = fields(browser.page)["csrf"]
    parameters, verifier = client.request(**fresh)

    asked = browser.authorize(parameters)
    consent = asked.url.replace("/sign-in?", "/consent?")
    around = browser.get(consent)
    forced = browser.http.post(
        consent, data={"csrf": csrf, "decision": "approve"}, allow_redirects=False, timeout=60
    )
    browser.get(f"{asked.url}&account=another")
    browser.sign_in(bob.localpart, bob.password)
    answer = browser.answer(browser.submit(decision="approve"))
    tokens = client.redeem(answer["code"], verifier).json()

    assert 'name="password"' in asked.text
    assert alice.user_id in asked.text
    assert around.url == asked.url
    assert urljoin(consent, forced.headers["Location"]) == asked.url
    assert browser.cookie != before
    assert server.whoami(tokens["access_token"]).json()["user_id"] == bob.user_id


def test_c023_who_gives_up_signs_nobody_in(homeserver, server):
    """Cancelling the fresh sign-in tells the client no, and the old session goes on."""
    user = homeserver.new_user()
    browser = Browser.of(server, user)
    parameters, _verifier = server.client().request(prompt="login")
    browser.authorize(parameters)

    told = assert_sent_back(browser.submit(decision="cancel"), parameters, "access_denied")

    assert "code" not in told
    assert user.user_id in browser.get(server.url("")).text


@pytest.mark.parametrize(
    "max_age", ["-1", "abc", "1e9", "1.5", "9" * 10, "9" * 5000, "\u0663\u0663", " 1", "0x10"]
)
def test_c025_a_max_age_that_is_no_number_of_seconds(homeserver, server, max_age):
    parameters, _verifier = server.client().request(max_age=max_age)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_offered(answer, parameters, "invalid_request")


def test_c025_max_age_asks_who_signed_in_too_long_ago(homeserver, server):
    """0 always asks; a generous one does not; afterwards `auth_time` tells the fresh sign-in."""
    user = homeserver.new_user()
    client = server.client()
    browser = Browser.of(server, user)
    generous, _ = client.request(max_age="999999999")
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 100 WHERE user_id = ?",
        user.user_id,
    )
    recent, _ = client.request(max_age="120")
    strict, verifier = client.request(max_age="60", scope="openid")

    assert 'value="approve"' in browser.authorize(generous).text
    assert 'value="approve"' in browser.authorize(recent).text
    silent = strict | {"prompt": "none"}
    assert_sent_back(ask(server, silent, browser), silent, "login_required")
    assert 'name="password"' in browser.authorize(strict).text
    browser.sign_in(user.localpart, user.password)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    told = claims(client.redeem(code, verifier).json()["id_token"])
    assert told["iat"] - told["auth_time"] < 60


# What comes back untouched


STATES = [
    "a b",
    "a+b",
    "a%2Bb",
    "a%20b",
    "x&code=evil&y",
    "\"quoted\" 'twice'",
    "\U0001f600 größer",
    "#?/=:@",
    "line\nfeed\r\ttab",
    "s" * 2048,
    "s" * 4096,
]


@pytest.mark.parametrize("state", STATES, ids=range(len(STATES)))
@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_c026_state_comes_back_octet_for_octet(server, somebody, state, mode):
    parameters, _verifier = server.client().request(state=state, response_mode=mode, prompt="none")
    location = ask(server, parameters, somebody).headers["Location"]
    raw = re.split("[?#&]state=", location)[1].partition("&")[0].removesuffix("#")

    assert unquote(raw) == state
    assert not re.search(r"[^\x21-\x7e]", location)
    assert raw.count("%") == quote(state, safe="").count("%"), "nothing is encoded twice"


def test_c026_state_stays_away_when_there_was_none(homeserver, server):
    user = homeserver.new_user()
    client = server.client()
    refused, _ = client.request(state=None, prompt="none")
    accepted, _ = client.request(state=None)

    assert "state" not in assert_offered(ask(server, refused), refused, "login_required")
    assert "state" not in Browser(server).let_in(accepted, user.localpart, user.password)


def test_c026_a_state_too_long_is_refused_and_not_cut(homeserver, server):
    parameters, _verifier = server.client().request(state="s" * 4097)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    told = assert_offered(answer, parameters, "invalid_request")
    assert told["state"] == "s" * 4097


@pytest.mark.parametrize(
    "scope",
    [
        None,
        "",
        " ",
        'openid"',
        "open\\id",
        "openid\tprofile",
        "openid\nprofile",
        "openid  profile",
        " openid",
        "openid ",
        "öpenid",
        "openid\x7f",
        "offline_access",
        API,
        f"{API} {DEVICE}short",
        f"{API} {DEVICE}AAAAAAAAAAAA {DEVICE}BBBBBBBBBBBB",
        f"{DEVICE}AAAAAAAAAAAA",
    ],
)
def test_c027_a_scope_that_breaks_the_rules(homeserver, server, scope):
    parameters, _verifier = server.client().request(scope=scope)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_offered(answer, parameters, "invalid_scope")


# What the client suggests


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("mxid:@{name}:localhost", "{name}"),
        ("mxid:@{name}:elsewhere.example", ""),
        ("mailto:someone@example.org", "someone@example.org"),
        ('mxid:@"><svg onload=alert(1)>:localhost', '"><svg onload=alert(1)>'),
        ("\0" * 3, None),
        ("x" * 9000, ""),
        ("nonsense\x1b[31m", ""),
    ],
)
def test_c029_a_login_hint_fills_in_and_does_no_more(homeserver, server, hint, shown):
    user = homeserver.new_user()
    hint = hint.replace("{name}", user.localpart)
    parameters, _verifier = server.client().request(login_hint=hint)
    page = Browser(server).authorize(parameters)

    if shown is None:
        assert_page(page)
    else:
        assert fields(page)["identifier"] == shown.replace("{name}", user.localpart)
    assert "<svg onload" not in page.text


def test_c029_a_login_hint_does_not_tell_who_exists(homeserver, server):
    """The page is the same for an account and for nobody."""
    user = homeserver.new_user()
    pages = []
    for name in (user.localpart, "nobody" + user.localpart):
        parameters, _verifier = server.client().request(login_hint=f"mxid:@{name}:localhost")
        page = Browser(server).authorize(parameters)
        assert page.status_code == 200
        text = re.sub(
            r'grant=[0-9a-f]{32}|name="csrf" value="[^"]*"|You have \d+ minutes?', "", page.text
        )
        pages.append(text.replace(name, "NAME"))

    assert "NAME" in pages[0]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "ui_locales", ["../../etc/passwd", "x" * 10_000, "xx-unknown", "de fr en", "\u202e", "%00"]
)
def test_c030_languages_that_make_no_sense_show_the_default(homeserver, server, ui_locales):
    user = homeserver.new_user()
    client = server.client(web_client(client_name="Plain", **{"client_name#nl": "Gewoon"}))
    parameters, _verifier = client.request(ui_locales=ui_locales)
    browser = Browser(server)
    page = browser.authorize(parameters)
    consent = browser.sign_in(user.localpart, user.password)

    assert page.status_code == 200
    for shown in (page, consent):
        assert "Plain" in shown.text
        assert "Gewoon" not in shown.text


@pytest.mark.parametrize(
    ("header", "ui_locales", "name"),
    [
        (None, None, "Notes"),
        ("de", None, "Notizen"),
        ("de-AT, en;q=0.5", None, "Notizen"),
        ("fr;q=0.4, de;q=0.7", None, "Notizen"),
        ("fr-CA, de;q=0.7", None, "Carnet"),
        ("de", "fr", "Carnet"),
        ("ja", "xx", "Notes"),
        ("de;q=0, fr;q=0.1", None, "Carnet"),
        (";;,,q=1,*", None, "Notes"),
    ],
)
def test_a_reader_sees_the_client_in_their_language(server, header, ui_locales, name):
    """Localized names come by `ui_locales`, then `Accept-Language` (RFC 7591 section 2.2)."""
    names = {"client_name": "Notes", "client_name#de": "Notizen", "client_name#fr": "Carnet"}
    parameters, _verifier = server.client(web_client(**names)).request(ui_locales=ui_locales)
    browser = Browser(server)
    browser.http.headers["Accept-Language"] = header or ""
    page = browser.authorize(parameters)

    shown = {word for word in names.values() if word in page.text}
    assert shown == {name}


# The answer


@pytest.mark.parametrize("mode", ["query", "fragment", None])
def test_c031_every_answer_says_who_it_is_from(homeserver, server, mode):
    """`iss` is in success and failure, by every mode, and the metadata promises it (RFC 9207)."""
    user = homeserver.new_user()
    client = server.client()
    parameters, verifier = client.request(response_mode=mode)
    browser = Browser(server)
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    page = browser.submit(decision="approve")
    location = urlsplit(page.headers["Location"])
    answer = browser.answer(page)
    refused, _ = client.request(response_mode=mode, prompt="foo")

    assert bool(location.fragment) is (mode == "fragment")
    assert bool(location.query) is (mode != "fragment")
    assert answer.keys() == {"code", "state", "iss"}
    assert answer["iss"] == server.metadata()["issuer"]
    assert client.redeem(answer["code"], verifier).status_code == 200
    assert_sent_back(ask(server, refused, browser), refused, "invalid_request")
    assert server.metadata()["authorization_response_iss_parameter_supported"] is True


def test_form_post_delivers_by_a_page(homeserver, server):
    """The answer is a form for the client's URI, and the policy lets it go there and nowhere else."""
    user = homeserver.new_user()
    client = server.client()
    browser, parameters, verifier = at_consent(
        server, client, user, response_mode="form_post", state='"><script>x</script>'
    )
    page = browser.submit(decision="approve")
    posted = fields(page)
    refused, _ = client.request(response_mode="form_post", prompt="none")
    refusal = ask(server, refused)

    assert_page(page, status=200)
    assert f'action="{client.redirect_uri}"' in page.text
    assert (
        "form-action 'self' https://client.example.com;" in page.headers["Content-Security-Policy"]
    )
    assert posted.keys() == {"code", "state", "iss"}
    assert posted["state"] == parameters["state"]
    assert "<script>x" not in page.text
    assert client.redeem(posted["code"], verifier).status_code == 200
    assert fields(refusal)["error"] == "login_required"
    assert fields(refusal)["iss"] == server.issuer


def test_c033_after_a_form_comes_a_get(homeserver, server):
    """Every redirect after a posted password or consent is 303: the form goes no further."""
    user = homeserver.new_user()
    parameters, _verifier = server.client().request()
    browser = Browser(server)
    statuses = []
    browser.http.hooks["response"].append(
        lambda answer, **_: statuses.append((answer.request.method, answer.status_code))
    )
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="switch")
    browser.submit(decision="another")
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="cancel")
    posted = ask(server, parameters, browser, method="POST")

    assert [status for method, status in statuses if method == "POST"] == [303] * 6
    assert posted.status_code == 303


# One browser, one decision


@pytest.mark.parametrize("signed_in", [True, False])
def test_c034_another_browser_cannot_go_on(homeserver, server, signed_in):
    """The address of a page in somebody's flow is worth nothing elsewhere."""
    alice, mallory = homeserver.new_user(), homeserver.new_user()
    mine, parameters, verifier = at_consent(server, server.client(), alice)
    other = Browser.of(server, mallory) if signed_in else Browser(server)
    csrf = fields(other.get(server.url("")))["csrf"] if signed_in else "1.x"
    grant = urlsplit(mine.page.url).query

    for path in ("consent", "sign-in"):
        url = server.url(f"{path}?{grant}")
        assert_page(other.get(url), OTHER_BROWSER, status=403)
        form = {"csrf": csrf, "decision": "approve", "identifier": "a", "password": "b"}
        posted = other.http.post(url, data=form, allow_redirects=False, timeout=60)
        assert_page(posted, OTHER_BROWSER if signed_in else OUT_OF_DATE, status=403)

    mine.get(mine.page.url)
    code = mine.answer(mine.submit(decision="approve"))["code"]
    tokens = server.client().redeem(code, verifier, client_id=parameters["client_id"]).json()
    assert server.whoami(tokens["access_token"]).json()["user_id"] == alice.user_id


def test_c035_what_was_asked_first_counts(homeserver, server):
    """Parameters slipped into the consent page's address or form change nothing."""
    user = homeserver.new_user()
    client = server.client()
    other = server.client(web_client(client_uri="https://evil.example.net/", redirect_uris=[EVIL]))
    browser, parameters, verifier = at_consent(server, client, user)
    slipped = {
        "client_id": other.id,
        "redirect_uri": EVIL,
        "scope": f"{API} {DEVICE}EVILEVILEVIL urn:synapse:admin:*",
        "response_type": "token",
        "code_challenge": "E" * 43,
        "state": "evil",
        "user_id": "@somebody:localhost",
    }
    data = fields(browser.page) | slipped | {"decision": "approve"}
    url = f"{browser.page.url}&{urlencode(slipped)}"
    page = browser.http.post(url, data=data, allow_redirects=False, timeout=60)

    answer = sent_back(page, client.redirect_uri)
    tokens = client.redeem(answer["code"], verifier).json()
    assert answer["state"] == parameters["state"]
    assert tokens["scope"] == parameters["scope"]
    assert server.whoami(tokens["access_token"]).json()["user_id"] == user.user_id


def test_c037_consent_counts_once(homeserver, server):
    """The same click again, later or at the same moment: one code, and a page that says so."""
    user = homeserver.new_user()
    client = server.client()
    browser, _parameters, verifier = at_consent(server, client, user)
    data = fields(browser.page) | {"decision": "approve"}

    def click(_):
        return requests.post(
            browser.page.url,
            data=data,
            cookies={cookie.name: cookie.value for cookie in browser.http.cookies},
            allow_redirects=False,
            timeout=30,
        )

    with ThreadPoolExecutor(8) as pool:
        clicks = list(pool.map(click, range(8)))
    clicks.append(click(None))
    given = [page for page in clicks if page.status_code == 303]

    assert len(given) == 1
    for page in clicks:
        if page is not given[0]:
            assert_page(page, ALREADY_DONE, status=409)
    code = sent_back(given[0], client.redirect_uri)["code"]
    assert client.redeem(code, verifier).status_code == 200
    assert_page(browser.get(browser.page.url), ALREADY_DONE, status=409)


def test_c038_two_tabs_do_not_mix(homeserver, server):
    """Two clients at once in one browser: each gets its own code and state, for its own scope."""
    user = homeserver.new_user()
    one = server.client(web_client(client_name="One"))
    two = server.client(web_client(client_name="Two"))
    browser = Browser(server)
    first, first_verifier = one.request()
    second, second_verifier = two.request()
    sign_in_one, sign_in_two = browser.authorize(first), browser.authorize(second)
    browser.page = sign_in_one
    consent_one = browser.sign_in(user.localpart, user.password)
    consent_two = browser.get(sign_in_two.url.replace("/sign-in?", "/consent?"))

    assert "One" in consent_one.text
    assert "Two" in consent_two.text
    answer_two = browser.answer(browser.submit(decision="approve"))
    browser.page = consent_one
    answer_one = browser.answer(browser.submit(decision="approve"))
    assert answer_one["state"] == first["state"]
    assert answer_two["state"] == second["state"]
    assert one.redeem(answer_two["code"], second_verifier).json()["error"] == "invalid_grant"
    assert one.redeem(answer_one["code"], first_verifier).json()["scope"] == first["scope"]
    assert two.redeem(answer_two["code"], second_verifier).json()["scope"] == second["scope"]


def test_c039_an_old_request_goes_nowhere(homeserver, server):
    """After half an hour the pages say so, and no form of theirs gives a code."""
    user = homeserver.new_user()
    browser, _parameters, _verifier = at_consent(server, server.client(), user)
    grant = dict(parse_qsl(urlsplit(browser.page.url).query))["grant"]
    consent, data = browser.page.url, fields(browser.page) | {"decision": "approve"}
    age = "UPDATE nextgen_grants SET created_at = created_at - ?, expires_at = expires_at - ?"
    homeserver.query(f"{age} WHERE grant_id = ?", 1790, 1790, grant)
    still = browser.get(consent)
    homeserver.query(f"{age} WHERE grant_id = ?", 11, 11, grant)

    assert still.status_code == 200
    with unchanged(homeserver):
        assert_page(browser.get(consent), EXPIRED)
        assert_page(
            browser.http.post(consent, data=data, allow_redirects=False, timeout=60), EXPIRED
        )
    assert homeserver.query("SELECT code_digest FROM nextgen_grants WHERE grant_id = ?", grant) == [
        (None,)
    ]


@pytest.mark.parametrize("fields", [{}, {"response_mode": "fragment"}])
def test_who_comes_too_late_finds_the_way_back_to_the_application(homeserver, server, fields):
    """With a no that it understands, and after a click: nothing leads there by itself."""
    client = server.client()
    _, page, parameters = too_late(homeserver, server, client, **fields)
    back = html.unescape(re.search(r'<a class="button[^>]*href="([^"]+)"', page.text)[1])
    uri, _, said = back.partition("#" if fields else "?")

    assert uri == client.redirect_uri
    assert dict(parse_qsl(said.rstrip("#"))) == {
        "error": "access_denied",
        "error_description": "The person came too late",
        "iss": server.issuer,
        "state": parameters["state"],
    }
    assert "Back to the application" in page.text
    assert client.registered["client_name"] in page.text
    assert "Location" not in page.headers
    # By the address of somebody's request nobody else gets there.
    other = Browser(server).get(page.url)
    assert client.redirect_uri not in other.text


def test_who_comes_too_late_is_led_nowhere_that_is_not_the_applications_any_more(
    homeserver, server
):
    """Nor where the answer would be a form that is posted."""
    client = server.client()
    _, posted, _ = too_late(homeserver, server, client, response_mode="form_post")
    browser, page, _ = too_late(homeserver, server, client)
    homeserver.query(
        "UPDATE nextgen_grants SET redirect_uri = 'https://gone.example/'"
        " WHERE client_id = ? AND response_mode = 'query'",
        client.id,
    )
    gone = browser.get(page.url)

    for each in (posted, gone):
        assert_page(each, EXPIRED)
        assert "Go to the start page" in each.text
        assert "Back to the application" not in each.text


def too_late(homeserver, server, client, **fields):
    """Return the consent page half an hour after the request, with browser and request."""
    parameters, _ = client.request(**fields)
    browser = Browser(server)
    page = browser.authorize(parameters)
    grant = dict(parse_qsl(urlsplit(page.url).query))["grant"]
    homeserver.query("UPDATE nextgen_grants SET expires_at = 1 WHERE grant_id = ?", grant)
    page = browser.get(page.url)
    assert_page(page, EXPIRED)
    return browser, page, parameters


# Methods and content types


def test_c041_a_posted_request_is_like_a_get(homeserver, server):
    user = homeserver.new_user()
    client = server.client()
    parameters, verifier = client.request()
    browser = Browser(server)
    first = ask(server, parameters, browser, method="POST")
    browser.get(urljoin(first.url, first.headers["Location"]))
    browser.sign_in(user.localpart, user.password)
    code = browser.answer(browser.submit(decision="approve"))["code"]

    assert first.status_code == 303
    assert client.redeem(code, verifier).status_code == 200


@pytest.mark.parametrize("names", [["client_id"], ["state", "prompt"], None])
def test_c041_query_and_body_of_a_posted_request_both_count(homeserver, server, names):
    """Some in the address and some in the form, or all in the address: the same request."""
    parameters, _verifier = server.client().request(prompt="consent")
    query = {name: parameters[name] for name in names or parameters}
    body = {name: value for name, value in parameters.items() if name not in query}
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    answer = browser.http.post(
        server.url("authorize"),
        params=query,
        data=urlencode(body),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
        timeout=60,
    )
    asked = browser.get(urljoin(answer.url, answer.headers["Location"]))

    assert_page(asked, 'name="password"', status=200)
    told = assert_sent_back(browser.submit(decision="cancel"), parameters, "access_denied")
    assert told["state"] == parameters["state"]


@pytest.mark.parametrize("name", ["client_id", "scope", "state"])
def test_c041_a_parameter_in_both_places_is_a_repeated_one(homeserver, server, name):
    """Though it be the same twice: which one counts is nothing to guess at."""
    parameters, _verifier = server.client().request()
    with unchanged(homeserver):
        answer = requests.post(
            server.url("authorize"),
            params={name: parameters[name]},
            data=parameters,
            allow_redirects=False,
            timeout=60,
        )

    if name == "client_id":
        assert_page(answer, UNKNOWN_CLIENT)
    else:
        told = offered(answer, parameters["redirect_uri"])
        assert told["error"] == "invalid_request"


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", None]
)
def test_c041_other_content_types_are_refused(homeserver, server, content_type):
    parameters, _verifier = server.client().request()
    headers = {"Content-Type": content_type} if content_type else {}
    with unchanged(homeserver):
        answer = requests.post(
            server.url("authorize"),
            data=urlencode(parameters).encode(),
            headers=headers,
            timeout=60,
        )

    assert answer.status_code == 415
    assert "Location" not in answer.headers


@pytest.mark.parametrize("method", ["HEAD", "PUT", "TRACE", "DELETE", "PATCH"])
def test_c041_other_methods_are_refused_and_write_nothing(homeserver, server, method):
    """A HEAD, too: it must not begin anything, and mail scanners like to send one."""
    parameters, _verifier = server.client().request()
    with unchanged(homeserver):
        answer = requests.request(
            method, server.url("authorize"), params=parameters, allow_redirects=False, timeout=60
        )

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"


def test_an_authorization_is_one_row_until_it_is_decided(homeserver, server):
    """What a request leaves behind is a grant, and consent adds no device before the code is used."""
    user = homeserver.new_user()
    client = server.client()
    before = count(homeserver)
    browser, _parameters, verifier = at_consent(server, client, user)
    asked = new_rows(homeserver, before)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    agreed = new_rows(homeserver, before)
    client.redeem(code, verifier)
    redeemed = new_rows(homeserver, before)

    sign_in = {"nextgen_attempts": 1, "nextgen_browsers": 1, "nextgen_events": 1}
    sign_in["nextgen_preferences"] = 1  # in which language, one for each account
    assert asked == {"nextgen_grants": 1} | sign_in
    assert agreed == asked | {"nextgen_consents": 1, "nextgen_events": 2}
    session = {"nextgen_sessions": 1, "nextgen_first_sessions": 1, "devices": 1}
    assert redeemed == agreed | {"nextgen_events": 3} | session
