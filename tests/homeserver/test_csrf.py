"""No form of a page works unless this browser got it from us, on any page there is (C181 to C186).

The list of pages is that of `web/routes.py`: a page that takes a form must have its own row here.
"""

import html
import json
import re
import time
from urllib.parse import urljoin, urlsplit

import attrs
import pytest
import requests

from support.answers import OUT_OF_DATE, assert_page
from support.commands import Operator
from support.keys import master_key
from support.oauth import API, DEVICE, Browser, Server, device_id, web_client
from support.personal_tokens import A_TOKEN, make_token
from support.rows import rows_of_ours
from synapse_nextgen_auth.accounts.attempts import typed
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret
from synapse_nextgen_auth.web import browser as browsers
from synapse_nextgen_auth.web.browser import CSRF_LIFETIME, Visitor
from synapse_nextgen_auth.web.kinds import AccountPage, AuthorizationEndpoint, ForPeople
from synapse_nextgen_auth.web.routes import ROUTES

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

KEYS = Keyring.of(b"a-macaroon-key-that-only-tests-have")
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
# Nobody is there who has an account; `test_providers.py` shows it with a provider, and `test_sign_up.py`
# and `test_sign_up_email.py` where people sign up.
OF_NEWCOMERS = {
    *("/new-account", "/register", "/register-captcha", "/register-terms"),
    *("/register-email", "/register-email-code", "/register-phone", "/register-phone-code"),
}
# They are there where mail is sent; `test_recovery.py` and `test_own_addresses.py` show it.
WITH_MAIL = {"/recover", "/account-email", "/account-email-code"}
# They are there where somebody sends messages; `test_sign_up_phone.py` shows it.
WITH_MESSAGES = {"/account-phone", "/account-phone-code"}
# Only where the operator switched it on; `test_sign_in_codes.py` shows it.
OF_AN_OPTION = {"/sign-in-email", "/sign-in-email-code"}
# Only where somebody else lets people in, too; `test_providers.py` shows it.
# Takes a picture as it is, its proof in a header: `test_own_addresses.py` tries it from elsewhere.
NO_FORM = {"/account-avatar"}
WITH_PROVIDERS = {
    "/account-password-remove",
    "/account-provider-connect",
    "/account-provider-disconnect",
}
# Only where people may have second factors; `test_passkeys.py` shows it.
OF_FACTORS = {
    *("/account-passkey", "/account-passkey-add", "/account-passkey-remove"),
    # `test_factors.py` shows these.
    *("/factor", "/factor-enrol", "/account-factors", "/account-factor-add", "/account-factor"),
    *("/account-factor-remove", "/account-recovery-codes"),
    # And `test_lost_factors.py` these.
    *("/factor-lost", "/factor-lost-cancel", "/account-factor-lost"),
    # And `test_factor_mail.py` this one.
    "/account-factor-mail",
}
# Only where another module asks for something; `test_extensions.py` shows it.
OF_OTHERS = {"/stage"}
# Clients send people here with forms of their own; it only begins something.
FOR_CLIENTS = {"/authorize", "/end-session"}


@attrs.frozen
class Filled:
    """A form as a person would send it: it would work."""

    browser: Browser
    url: str
    fields: dict[str, str]

    def post(self, *, leave_out=(), http=None, headers=None, params=None, **changes):
        fields = {**self.fields, **changes}
        return (http or self.browser.http).post(
            self.url,
            data={name: value for name, value in fields.items() if name not in leave_out},
            headers=headers,
            params=params,
            allow_redirects=False,
            timeout=30,
        )


def proof(page):
    """Return the value that ties a form to its browser."""
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def filled(browser, **fields):
    page = browser.page
    return Filled(browser, page.url, {"csrf": proof(page), **fields})


def a_sign_in(homeserver, server, user):
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    return filled(browser, identifier=user.localpart, password=user.password, decision="sign-in")


def a_consent(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.authorize(server.client().request()[0])
    return filled(browser, decision="approve")


def a_sign_out(homeserver, server, user):
    browser = Browser.of(server, user)
    form = filled(browser, decision="sign-out")
    return attrs.evolve(form, url=server.url("sign-out"))


def a_device_to_sign_out(homeserver, server, user):
    homeserver.login(user, device_id="OLDDEVICE")
    browser = Browser.of(server, user)
    browser.get(server.url("account?action=org.matrix.device_delete&device_id=OLDDEVICE"))
    return filled(browser, decision="end")


def a_reset_of_our_own(homeserver, server, user):
    its_id = device_id()
    server.client().sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{its_id}")
    browser = Browser.of(server, user)
    browser.get(server.url(f"account-identity-reset?id={its_id}"))
    return filled(browser, decision="allow")


def an_own_password(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("account-password"))
    new = "correct horse battery staple of another stable"
    return filled(browser, account=user.user_id, password=new, decision="set")


def a_name(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("account-profile"))
    return filled(browser, display_name="Another", decision="name")


def an_address_to_remove(homeserver, server, user):
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, f"{user.localpart}@example.com"),
    )
    browser = Browser.of(server, user)
    page = browser.get(server.url("account-profile")).text
    browser.get(server.url(re.search(r'"(account-address-remove\?id=\w+)"', page)[1]))
    return filled(browser, decision="remove")


def a_whole_account(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("account-deactivate"))
    return filled(browser, account=user.user_id, confirm="yes", decision="deactivate")


def a_device_to_rename(homeserver, server, user):
    homeserver.login(user, device_id="OLDDEVICE")
    browser = Browser.of(server, user)
    browser.get(server.url("account-device?id=OLDDEVICE"))
    return filled(browser, decision="rename", name="Kitchen radio")


def several_to_sign_out(homeserver, server, user):
    homeserver.login(user, device_id="OLDDEVICE")
    server.client().sign_in(user.localpart, user.password, scope="openid")
    browser = Browser.of(server, user)
    browser.get(server.url("account-devices-end?id=others"))
    shown = re.search(r'name="shown" value="([^"]+)"', browser.page.text)[1]
    return filled(browser, decision="end", shown=shown)


def an_application_to_revoke(homeserver, server, user):
    client = server.client()
    client.sign_in(user.localpart, user.password)
    browser = Browser.of(server, user)
    browser.get(server.url(f"account-app-end?id={client.id}"))
    return filled(browser, decision="end")


def an_invitation(homeserver, server, user):
    homeserver.query(
        "INSERT INTO nextgen_invitations (token, made_at, invited_by, rooms, slot)"
        " VALUES (?, 1, ?, '[]', 0)",
        *(f"t-{user.localpart}", user.user_id),
    )
    homeserver.query(
        "INSERT INTO registration_tokens (token, uses_allowed, pending, completed)"
        " VALUES (?, 1, 0, 0)",
        f"t-{user.localpart}",
    )
    browser = Browser.of(server, user)
    browser.get(server.url("account-invitations"))
    return filled(browser, decision="withdraw", invitation=f"t-{user.localpart}")


def a_token(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("account-token-add"))
    return filled(browser, decision="make", **A_TOKEN)


def a_token_to_end(homeserver, server, user):
    browser = Browser.of(server, user)
    make_token(browser)
    page = browser.get(server.url("account-tokens"))
    browser.get(server.url(re.search(r"account-token-end\?id=\w+", page.text)[0]))
    return filled(browser, decision="end")


def a_download(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("account-data"))
    return filled(browser, decision="download")


def a_reset(homeserver, server, user):
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    path = "/_matrix/client/v3/keys/device_signing/upload"
    server.api("POST", path, token, json=master_key(user.user_id))
    asked = server.api("POST", path, token, json=master_key(user.user_id)).json()
    browser = Browser.of(server, user)
    browser.get(asked["params"]["m.oauth"]["url"])
    return filled(browser, decision="approve")


def a_user_code(homeserver, server, user):
    client = server.client(
        web_client(application_type="native", redirect_uris=None, response_types=[],
                   grant_types=[DEVICE_CODE])
    )  # fmt: skip
    scope = f"{API} {DEVICE}{device_id()}"
    begun = server.post("device-authorization", {"client_id": client.id, "scope": scope}).json()
    browser = Browser.of(server, user)
    browser.get(server.url("link"))
    return filled(browser, user_code=begun["user_code"])


def a_device_grant(homeserver, server, user):
    linking = a_user_code(homeserver, server, user)
    linking.browser.submit(user_code=linking.fields["user_code"])
    return filled(linking.browser, decision="approve", confirm="yes")


def a_legacy_login(homeserver, server, user):
    browser = Browser.of(server, user)
    waits_at = {"redirectUrl": "https://client.example.com/"}
    browser.get(server.url("legacy-sign-in"), params=waits_at)
    return filled(browser, decision="approve")


def an_account(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.authorize(server.client().request(prompt="select_account")[0])
    return filled(browser, decision=user.user_id)


def a_new_password(homeserver, server, user):
    browser = Browser(server)
    browser.get(Operator.of(homeserver).ask("set-password-link", user=user.user_id)["url"])
    new = "correct horse battery staple of another stable"
    return filled(browser, account=user.user_id, password=new, sign_out="yes", decision="set")


def a_language(homeserver, server, user):
    browser = Browser.of(server, user)
    browser.get(server.url("language"))
    return filled(browser, decision="de")


FORMS = {
    "/set-password": a_new_password,
    "/accounts": an_account,
    "/language": a_language,
    "/sign-in": a_sign_in,
    "/consent": a_consent,
    "/legacy-login": a_legacy_login,
    "/sign-out": a_sign_out,
    "/account-device-end": a_device_to_sign_out,
    "/account-identity-reset": a_reset_of_our_own,
    "/account-password": an_own_password,
    "/account-profile": a_name,
    "/account-address-remove": an_address_to_remove,
    "/account-deactivate": a_whole_account,
    "/account-device": a_device_to_rename,
    "/account-devices-end": several_to_sign_out,
    "/account-app-end": an_application_to_revoke,
    "/account-invitations": an_invitation,
    "/account-token-add": a_token,
    "/account-token-end": a_token_to_end,
    "/account-data": a_download,
    "/approve": a_reset,
    "/link": a_user_code,
    "/device": a_device_grant,
}


# Forms that nobody has to be let in for, or out: whose account it is, and how it is, does not matter.
FOR_EVERYBODY = {"/accounts", "/language", "/sign-out", "/link"}
# Forms with one button: whatever it is called, it was pressed.
ONE_BUTTON = {"/sign-in", "/sign-out", "/link"}


@pytest.fixture(params=FORMS)
def path(request):
    return request.param


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def form(homeserver, server, user, path):
    return FORMS[path](homeserver, server, user)


@pytest.fixture
def lock(homeserver, server, user):
    """Return a function that locks the account as an administrator does."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    def lock_():
        url = f"/_synapse/admin/v2/users/{user.user_id}"
        assert server.api("PUT", url, admin, json={"locked": True}).status_code == 200

    return lock_


def stored(homeserver):
    """Return what a form or a look could change: every row of ours, the devices, the names."""
    devices = homeserver.query("SELECT user_id, device_id, display_name FROM devices")
    names = homeserver.query("SELECT full_user_id, displayname FROM profiles")
    others = {"devices": sorted(map(repr, devices)), "names": sorted(map(repr, names))}
    return rows_of_ours(homeserver) | others


def with_proof_in_query(form):
    return form.post(leave_out=["csrf"], params={"csrf": form.fields["csrf"]})


def of_another_browser(form):
    other = Browser(form.browser.server)
    other.get(form.browser.server.url("sign-in"))
    return form.post(csrf=proof(other.page))


def made(form, age):
    """Return a proof that we made for this browser that many seconds ago."""
    visitor = Visitor(Secret(form.browser.cookie), is_new=False)
    return browsers.csrf(KEYS, visitor, now=int(time.time()) - age)


ATTACKS = {
    "no proof": lambda form: form.post(leave_out=["csrf"]),
    "empty proof": lambda form: form.post(csrf=""),
    "wrong proof": lambda form: form.post(csrf=f"{int(time.time())}.{'A' * 43}"),
    "garbage": lambda form: form.post(csrf="\u0663\u0663.x\n'<"),
    "proof of another browser": of_another_browser,
    "proof in the query": with_proof_in_query,
    "old proof": lambda form: form.post(csrf=made(form, CSRF_LIFETIME + 1)),
    "proof from the future": lambda form: form.post(csrf=made(form, -3600)),
    "no cookie": lambda form: form.post(http=requests),
    "another site": lambda form: form.post(headers={"Sec-Fetch-Site": "cross-site"}),
    "a sibling": lambda form: form.post(headers={"Sec-Fetch-Site": "same-site"}),
    "another origin": lambda form: form.post(headers={"Origin": "https://evil.example"}),
    "a lookalike origin": lambda form: form.post(
        headers={"Origin": form.browser.server.base_url + ".evil.example"}
    ),
}


DANGEROUS = [
    path
    for path, route in ROUTES.items()
    if isinstance(route, AccountPage) and route.dangerous and route.submit
    if path not in WITH_PROVIDERS | WITH_MAIL | WITH_MESSAGES | OF_FACTORS
]
SECRETS = {"password": "otters and stoats", "new_password": "stoats", "code": "738264"}


@pytest.mark.parametrize("path", DANGEROUS)
def test_c233_a_form_with_an_old_proof_does_nothing_and_comes_back_filled_in(
    homeserver, server, user, path
):
    """Every dangerous one: the person proves again who they are, and what they typed is there again."""
    form = FORMS[path](homeserver, server, user)
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 301,"
        " auth_time = auth_time - 301 WHERE user_id = ?",
        user.user_id,
    )
    before = stored(homeserver)
    known = before.pop("nextgen_attempts")

    secrets = {name: form.fields.get(name, value) for name, value in SECRETS.items()}
    answer = form.post(**secrets, note="typed, and kept")
    after = stored(homeserver)
    new = [row for row in after.pop("nextgen_attempts") if row not in known]
    differ = {table for table in after if after[table] != before[table]}
    form.browser.get(urljoin(form.url, answer.headers["Location"]))
    page = form.browser.sign_in(user.localpart, user.password)
    (answers,) = homeserver.query(
        "SELECT answers FROM nextgen_attempts WHERE user_id = ? AND purpose = 'prove_again'"
        " AND answers <> '{}'",
        user.user_id,
    )
    kept = json.loads(KEYS.unseal(Purpose.TYPED, json.loads(answers[0])["typed"]))

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("sign-in?attempt=")
    assert (len(new), differ - {"nextgen_throttle"}) == (1, set())
    assert urlsplit(page.url).path == urlsplit(form.url).path
    assert page.status_code == 200
    assert kept == typed.kept(form.fields | {"note": "typed, and kept"})
    assert all(html.escape(kept[name]) in page.text for name in kept if name != "note")


def test_c181_every_page_that_takes_forms_is_here():
    """A new page needs a form above, so that the tests below are about it too."""
    pages = {path for path, r in ROUTES.items() if isinstance(r, ForPeople)}
    taking = {path for path in pages if "POST" in ROUTES[path].methods}

    with_options = (
        OF_AN_OPTION | OF_FACTORS | OF_OTHERS | WITH_MAIL | WITH_MESSAGES | WITH_PROVIDERS
    )
    elsewhere = FOR_CLIENTS | OF_NEWCOMERS | with_options | NO_FORM
    assert taking - elsewhere == set(FORMS)


def test_c181_only_the_entrances_for_clients_take_forms_of_others():
    """Whoever calls another path an entrance takes its forms out of the tests below."""
    assert {
        path for path, r in ROUTES.items() if isinstance(r, AuthorizationEndpoint)
    } == FOR_CLIENTS


def test_c181_the_forms_work(homeserver, form):
    """Without this the refusals below would prove nothing: each does what it is for."""
    before = stored(homeserver)

    answer = form.post()

    assert answer.status_code in {200, 303}, answer.text
    assert 'role="alert"' not in answer.text
    assert not answer.headers.get("Location", "").startswith("sign-in")
    assert stored(homeserver) != before


def test_c181_c186_forged_forms_change_nothing(homeserver, form):
    """Without its own fresh proof, or from another site, a form is refused and leaves no trace."""
    before = stored(homeserver)

    refused = {name: attack(form) for name, attack in ATTACKS.items()}

    for answer in refused.values():
        assert_page(answer, OUT_OF_DATE, status=403)
        assert "Set-Cookie" not in answer.headers
    assert stored(homeserver) == before


def test_c181_a_get_does_nothing(homeserver, form):
    """The same fields in a link change nothing, whatever is shown."""
    before = stored(homeserver)

    answer = form.browser.http.get(form.url, params=form.fields, allow_redirects=False, timeout=30)

    assert answer.status_code in {200, 303, 400, 405}
    assert stored(homeserver) == before


def test_c181_a_first_look_does_nothing(homeserver, server, user):
    """Nobody has seen any page here before, so nothing that a look would write is there already."""
    form = a_sign_in(homeserver, server, user)
    assert form.post().status_code == 303  # and the start page is not gone on to
    browser = form.browser
    looked = [path for path, r in ROUTES.items() if isinstance(r, ForPeople) and "GET" in r.methods]
    before = stored(homeserver)

    for path in looked:
        browser.http.get(server.url(path[1:]), allow_redirects=False, timeout=30)

    assert {"/", "/account"} <= set(looked)
    assert stored(homeserver) == before


@pytest.mark.parametrize(
    "pressed",
    [{"decision": "no button of ours"}, {"decision": ""}, {"leave_out": ["decision"]}],
    ids=["unknown", "empty", "missing"],
)
def test_what_was_sent_by_none_of_the_buttons_changes_nothing(homeserver, form, path, pressed):
    """A page that does not look which one was pressed would do it on "Cancel", too."""
    before = stored(homeserver)

    answer = form.post(**pressed)

    assert (stored(homeserver) == before) == (path not in ONE_BUTTON)
    assert (answer.status_code == 400) == (path not in ONE_BUTTON)


def test_c179_a_lock_counts_at_every_form(homeserver, form, path, lock):
    """Whoever was locked after the page was shown does nothing any more, whatever page it is."""
    lock()
    before = stored(homeserver)

    answer = form.post()

    assert (stored(homeserver) == before) == (path not in FOR_EVERYBODY)
    # A lock ends the links that the account has.
    assert (answer.status_code in {403, 410}) == (path not in FOR_EVERYBODY)


def test_c179_a_lock_counts_at_every_page_of_an_account(homeserver, server, user, lock):
    """Also where there is no form; whose page it is says the table."""
    browser = Browser.of(server, user)
    lock()

    for path, route in ROUTES.items():
        if isinstance(route, AccountPage) and "GET" in route.methods:
            answer = browser.http.get(server.url(path[1:]), allow_redirects=False, timeout=30)
            assert_page(answer, "This account is locked", status=403)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        # What browsers send with the forms of pages that give no referrer.
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
    ],
)
def test_c186_what_browsers_say_of_our_own_forms_is_accepted(homeserver, server, headers):
    """Old browsers say nothing; that is no reason to refuse."""
    form = a_sign_in(homeserver, server, homeserver.new_user())

    assert form.post(headers=headers).status_code == 303


def test_c186_our_own_origin_is_accepted(homeserver, server):
    """It is the one of `public_baseurl`."""
    form = a_sign_in(homeserver, server, homeserver.new_user())

    assert form.post(headers={"Origin": server.base_url.rstrip("/")}).status_code == 303


def test_a_form_that_is_out_of_date_leads_to_a_fresh_one(form):
    """The page that says so has a button, and behind it is the same step again."""
    refused = form.post(csrf="")
    (target,) = re.findall(r'<a class="button[^"]*" href="([^"]+)"', refused.text)

    again = form.browser.get(form.browser.server.url(html.unescape(target)))

    assert again.status_code == 200
    where = urlsplit(form.url).path.rpartition("/")[2]
    starts = {"sign-in": "", "sign-out": ""}
    assert urlsplit(again.url).path.rpartition("/")[2] == starts.get(where, where)
    assert urlsplit(again.url).query == (urlsplit(form.url).query if where not in starts else "")


def test_c182_a_proof_dies_with_the_sign_in(homeserver, server):
    """The cookie changes when somebody signs in, and with it what our forms must carry."""
    user = homeserver.new_user()
    form = a_sign_in(homeserver, server, user)
    before, old_proof = form.browser.cookie, form.fields["csrf"]
    form.browser.submit(**form.fields)
    form.browser.get(server.issuer)

    refused = form.browser.http.post(
        server.url("sign-out"), data={"csrf": old_proof}, allow_redirects=False, timeout=30
    )

    assert form.browser.cookie != before
    assert_page(refused, OUT_OF_DATE, status=403)
    form.browser.get(server.issuer)
    assert user.user_id in form.browser.page.text


def test_c182_a_planted_cookie_is_worth_nothing_after_the_sign_in(homeserver, server):
    """Whoever put the first cookie there does not share in the sign-in that follows."""
    user = homeserver.new_user()
    form = a_sign_in(homeserver, server, user)
    attacker = Browser(server)
    attacker.http.cookies.update(form.browser.http.cookies)
    form.post()

    attacker.get(server.issuer)

    assert user.user_id not in attacker.page.text


def test_c182_on_https_only_we_can_set_the_cookie(public_homeserver, public_server):
    """`__Host-` keeps sibling domains from planting one; the plain name is no cookie of ours."""
    browser = Browser(public_server)
    answer = browser.get(public_server.url("sign-in"))
    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    plain = {"nextgen_auth": browser.cookie}

    again = Browser(public_server).http.get(public_server.url("sign-in"), cookies=plain, timeout=30)

    assert name == "__Host-nextgen_auth"
    assert set(attributes.split("; ")[1:]) == {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert "Set-Cookie" in again.headers


def test_c186_our_origin_is_ours_however_public_baseurl_is_written(start_homeserver):
    """Browsers leave out the usual port and write in lower case (RFC 6454); so do we."""
    homeserver = start_homeserver(config={"public_baseurl": "HTTPS://Matrix.Example.COM:443/"})
    server = Server(homeserver.base_url)
    theirs = {"Origin": "https://matrix.example.com.evil.example"}
    ours = {"Origin": "https://matrix.example.com"}

    assert (
        a_sign_in(homeserver, server, homeserver.new_user()).post(headers=theirs).status_code == 403
    )
    form = a_sign_in(homeserver, server, homeserver.new_user())
    assert form.browser.http.cookies.keys() == ["__Host-nextgen_auth"]
    assert form.post(headers=ours).status_code == 303
