"""Who is asked for a second factor, by when, in which browser, and who takes one away."""

import time

import pytest

from support import rulers
from support.authenticator import add_app
from support.commands import Operator
from support.oauth import Browser, Server
from support.providers import servers
from support.providers.journey import begin, choose
from support.providers.person import Person
from support.synapse import Homeserver

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

DAY = 24 * 3600
COOKIE = "nextgen_remembered"


@pytest.fixture(scope="module")
def ruled(tmp_path_factory, make_database, session_mailbox, liar):
    """Yield a homeserver where administrators need one, and listed people and guards in a week."""
    directory = tmp_path_factory.mktemp("homeserver-ruled")
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={
            "factors": {
                "policy": "optional",
                "admins": "required",
                "accounts": [
                    {"users": ["listed"], "rule": "required"},
                    {"matching": "@.*-ext:localhost", "rule": "required"},
                ],
                "grace_period": "7d",
                "remember_for": "30d",
                "providers": {"silent": ["mfa", "urn:example:two"]},
            }
        },
        config={
            "modules": [{"module": "support.rulers.Ruler"}],
            "email": session_mailbox.settings(),
            "oidc_providers": [
                liar.entry("silent"),
                liar.entry("existing", allow_existing_users=True),
            ],
        },
    )
    servers.lend_support(directory)
    with homeserver:
        yield homeserver


@pytest.fixture
def server(ruled):
    return Server(ruled.base_url)


@pytest.fixture
def user(ruled):
    return ruled.new_user()


def typed_password(server, user, browser=None):
    """Return a browser in which somebody typed the password of an account."""
    browser = browser or Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    return browser


def where(browser):
    return browser.page.url.rpartition("/")[2].partition("?")[0]


def sign_out(browser):
    """Leave the browser as it is, but for who is signed in there."""
    found = {each.name: each.value for each in browser.http.cookies}
    browser.http.cookies.clear()
    if COOKIE in found:
        browser.http.cookies.set(COOKIE, found[COOKIE], domain="localhost.local", path="/")


@pytest.mark.parametrize(
    ("name", "is_admin", "page"),
    [
        ("listed", False, "factor-enrol"),
        ("anna-ext", False, "factor-enrol"),
        ("anna-ext-not", False, "account"),
        ("guard", False, "factor-enrol"),
        ("anna", False, "account"),
    ],
)
def test_who_needs_a_factor_is_told_and_may_wait(ruled, server, name, is_admin, page):
    """By name, by a pattern of the whole id, by what another module says."""
    user = ruled.register_user(name, admin=is_admin)
    browser = typed_password(server, user)
    assert where(browser) in {page, ""} if page == "account" else where(browser) == page
    if page == "account":
        return

    told = browser.page.text
    browser.submit(decision="later")
    waits = is_signed_in(browser)
    ruled.query(
        "UPDATE nextgen_factor_owed SET since = ? WHERE user_id = ?",
        *(int(time.time()) - 7 * DAY, user.user_id),
    )
    late = typed_password(server, user)

    assert 'value="later"' in told
    assert waits
    assert where(late) == "factor-enrol"
    assert 'value="later"' not in late.page.text


def is_signed_in(browser):
    answer = browser.http.get(
        browser.server.url("account-profile"), allow_redirects=False, timeout=30
    )
    return answer.status_code == 200


def test_c295_a_browser_that_waited_lets_nothing_in_after_the_last_day(ruled, server):
    """It stays signed in, and its person sets one up before an application gets anything."""
    user = ruled.register_user("late-ext")
    browser = typed_password(server, user)
    browser.submit(decision="later")
    client = server.client()
    before = browser.authorize(client.request(scope="openid")[0]).url
    ruled.query(
        "UPDATE nextgen_factor_owed SET since = ? WHERE user_id = ?",
        *(int(time.time()) - 7 * DAY, user.user_id),
    )

    refused = browser.submit(decision="approve")
    browser.sign_in(user.localpart, user.password)

    assert "/consent?grant=" in before
    assert "/sign-in?grant=" in refused.url
    assert where(browser) == "factor-enrol"


def token_of_an_admin(ruled):
    """Return a token from before its owner administered anything: now they would need a factor."""
    boss = ruled.new_user()
    token = ruled.login(boss)["access_token"]
    ruled.query("UPDATE users SET admin = 1 WHERE name = ?", boss.user_id)
    return token


def test_an_administrator_is_given_no_time(ruled, server):
    """`admins` asks for it by itself, so the time that others are given is not theirs."""
    browser = typed_password(server, ruled.register_user("boss", admin=True))
    told = browser.page.text
    browser.submit(decision="later")

    assert "factor-enrol" in browser.page.url
    assert 'value="later"' not in told
    assert not is_signed_in(browser)


def test_who_becomes_an_administrator_needs_one_from_then_on(ruled, server, user):
    """The flag is looked at at each sign-in, whoever gave it."""
    before = typed_password(server, user)
    admin = token_of_an_admin(ruled)
    path = f"/_synapse/admin/v1/users/{user.user_id}/admin"
    server.api("PUT", path, admin, json={"admin": True})

    after = typed_password(server, user)

    assert is_signed_in(before)
    assert where(after) == "factor-enrol"


def test_while_another_module_has_no_answer_nobody_goes_on(ruled, server):
    """Whether somebody needs one is not guessed: the page says when to try again."""
    user = ruled.register_user(f"{rulers.BROKEN}1")
    browser = typed_password(server, user)

    assert browser.page.status_code == 503
    assert browser.page.headers["Retry-After"]
    assert not is_signed_in(browser)
    answer = ruled_login(ruled, user)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def ruled_login(homeserver, user):
    import requests  # noqa: PLC0415

    request = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
    }
    url = f"{homeserver.base_url}/_matrix/client/v3/login"
    return requests.post(url, json=request, timeout=30)


@pytest.mark.parametrize(
    ("provider", "says", "page"),
    [
        ("oidc-silent", {"amr": ["pwd", "mfa"]}, "consent"),
        ("oidc-silent", {"acr": "urn:example:two"}, "consent"),
        ("oidc-silent", {"amr": ["pwd"], "acr": "urn:example:one"}, "factor"),
        ("oidc-silent", {}, "factor"),
        # Anybody can write the words.
        ("oidc-existing", {"amr": ["pwd", "mfa"], "acr": "urn:example:two"}, "factor"),
    ],
)
def test_c293_a_provider_is_two_factors_where_the_operator_says_so(
    ruled, server, liar, provider, says, page
):
    """By what it says of that sign-in, and of that provider only; else the factor here is asked for."""
    name = f"company{len(ruled.query('SELECT name FROM users'))}"
    user = ruled.register_user(name)
    add_row(ruled, user)
    ruled.query(
        "INSERT INTO user_external_ids (auth_provider, external_id, user_id) VALUES (?, ?, ?)",
        *(provider, name, user.user_id),
    )
    liar.says(name, **says)
    person = Person(name)
    begin(server, person, scope="openid")
    person.get(choose(person, provider))

    assert person.page.url.rpartition("/")[2].partition("?")[0] == page
    levels = "SELECT level FROM nextgen_browsers WHERE user_id = ?"
    assert ruled.query(levels, user.user_id) == ([(2,)] if page == "consent" else [])


@pytest.fixture
def remembered(ruled, server, user):
    """Return a browser that its person let be remembered, and the app of the account."""
    app, _ = add_app(Browser.of(server, user))
    browser = typed_password(server, user)
    assert where(browser) == "factor"
    browser.submit(code=app.shows(), remember="yes", decision="check")
    assert is_signed_in(browser)
    return browser, app


def test_a_remembered_browser_is_not_asked_at_sign_in(ruled, server, user, remembered):
    """That browser, that account, at sign-in: nothing else is spared."""
    browser, _ = remembered
    other = ruled.new_user()
    add_app(Browser.of(server, other))
    sign_out(browser)

    again = typed_password(server, user, browser)
    spared = is_signed_in(again)
    (level,) = ruled.query(
        "SELECT level FROM nextgen_browsers WHERE user_id = ? ORDER BY signed_in_at DESC, level",
        user.user_id,
    )[:1]
    page = again.authorize(server.client().request(scope="openid")[0])
    sign_out(browser)
    someone = typed_password(server, other, browser)

    assert spared
    assert level == (1,)
    assert "/consent?grant=" in page.url, "it lets an application in, as it was remembered for that"
    assert where(someone) == "factor", "the other account is not remembered there"
    assert where(typed_password(server, user)) == "factor", "nor is this one elsewhere"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "300"}])
def test_c297_a_fresh_proof_is_of_both_whatever_the_address_says(
    ruled, server, user, remembered, asked
):
    """Also of whoever says on the page that they are somebody else, and is not."""
    browser, _ = remembered
    ruled.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 1000 WHERE user_id = ?",
        user.user_id,
    )
    page = browser.authorize(server.client().request(scope="openid", **asked)[0])
    grant = page.url.partition("grant=")[2].partition("&")[0]

    browser.get(server.url(f"sign-in?grant={grant}&account=another"))
    browser.sign_in(user.localpart, user.password)

    assert where(browser) == "factor"


def test_c297_a_password_of_just_now_is_no_fresh_proof_of_a_remembered_browser(
    server, user, remembered
):
    """It was spared the code at the sign-in; what is dangerous wants both, however late that was."""
    browser, _ = remembered
    sign_out(browser)
    typed_password(server, user, browser)
    spared = is_signed_in(browser)

    browser.get(server.url("account-recovery-codes"))
    page = browser.submit(decision="make")

    assert spared
    assert page.url.startswith(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    assert where(browser) == "factor"


def test_c295_what_is_dangerous_is_never_spared(ruled, server, user, remembered):
    """A remembered browser proves both again before it changes the account."""
    browser, _ = remembered
    sign_out(browser)
    typed_password(server, user, browser)
    ruled.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 3600 WHERE user_id = ?",
        user.user_id,
    )
    browser.get(server.url("account-recovery-codes"))
    browser.submit(decision="make")
    browser.sign_in(user.localpart, user.password)

    assert where(browser) == "factor"
    assert 'name="remember"' not in browser.page.text


def test_the_cookie_is_of_this_host_alone_and_changes(ruled, server, user):
    """No script reads it, and whoever had it before the tick has nothing."""
    app, _ = add_app(Browser.of(server, user))
    browser = typed_password(server, user)
    planted = "A" * 43
    browser.http.cookies.set(COOKIE, planted, domain="localhost.local", path="/")
    answer = browser.http.post(
        browser.page.url,
        data={**fields(browser), "code": app.shows(), "remember": "yes", "decision": "check"},
        allow_redirects=False,
        timeout=30,
    )

    (said,) = [
        value
        for name, value in answer.raw.headers.items()
        if name.lower() == "set-cookie" and value.startswith(COOKIE)
    ]
    assert planted not in said
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={30 * DAY}"):
        assert part in said
    kept = ruled.query("SELECT digest FROM nextgen_remembered WHERE user_id = ?", user.user_id)
    assert len(kept) == 1
    assert kept[0][0] not in said


def fields(browser):
    import re  # noqa: PLC0415

    return {"csrf": re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]}


def test_c301_its_owner_sees_it_and_lets_it_ask_again(ruled, server, user, remembered):
    """On the page of the factors; nobody else's is forgotten by its id."""
    browser, _ = remembered
    listed = browser.get(server.url("account-factors"))
    (row,) = ruled.query(
        "SELECT remembered_id FROM nextgen_remembered WHERE user_id = ?", user.user_id
    )
    stranger = Browser.of(server, ruled.new_user())
    add_app(stranger)
    stranger.get(server.url("account-factors"))
    of_stranger = stranger.page.text
    stranger.get(server.url("account-recovery-codes"))
    stranger.http.post(
        server.url("account-factors"),
        data={**fields(stranger), "browser": row[0], "decision": "forget"},
        timeout=30,
    )
    still = ruled.query("SELECT * FROM nextgen_remembered WHERE user_id = ?", user.user_id)

    done = browser.submit(browser=row[0], decision="forget")

    assert row[0] in listed.text
    assert "Browsers that are not asked" not in of_stranger
    assert len(still) == 1
    assert "That browser is asked for a second factor again." in done.text
    assert "Browsers that are not asked" not in done.text
    sign_out(browser)
    assert where(typed_password(server, user, browser)) == "factor"


@pytest.mark.parametrize("how", ["password", "app", "everywhere", "forged", "expired"])
def test_what_makes_a_remembered_browser_ask_again(ruled, server, user, remembered, how):
    """Another password, another factor, signed out everywhere; a made-up cookie is none."""
    browser, _ = remembered
    sign_out(browser)
    if how == "password":
        admin = token_of_an_admin(ruled)
        path = f"/_synapse/admin/v1/reset_password/{user.user_id}"
        body = {"new_password": user.password, "logout_devices": False}
        assert server.api("POST", path, admin, json=body).status_code == 200
    elif how == "app":
        owner = typed_password(server, user, Browser(server))
        owner.submit(code=remembered[1].shows(), decision="check")
        add_app(owner, "Tablet")
    elif how == "everywhere":
        ruled.query("DELETE FROM nextgen_totp_apps WHERE user_id = ?", user.user_id)
        legacy = ruled.login(user)["access_token"]
        add_row(ruled, user)
        server.api("POST", "/_matrix/client/v3/logout/all", legacy)
    elif how == "forged":
        browser.http.cookies.set(COOKIE, "B" * 43, domain="localhost.local", path="/")
    else:
        ruled.query("UPDATE nextgen_remembered SET expires_at = 1 WHERE user_id = ?", user.user_id)

    assert where(typed_password(server, user, browser)) == "factor"


def add_row(homeserver, user):
    homeserver.query(
        "INSERT INTO nextgen_totp_apps (app_id, user_id, secret, name, made_at, confirmed_at)"
        " VALUES (?, ?, 'sealed', 'Phone', 1, 1)",
        *(f"again {user.localpart}", user.user_id),
    )


def test_c298_an_operator_takes_factors_away_and_the_owner_is_told(
    ruled, server, user, remembered, mailbox
):
    """With a reason that stays; then the password is enough, and nothing is left of them."""
    operator = Operator.of(ruled)
    listed = operator.ask("factors list")["accounts"]
    before = [each for each in listed if each["user_id"] == user.user_id]
    address = f"{user.localpart}@example.com"
    ruled.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )

    done = operator.ask("factors reset", user=user.localpart, why="lost the phone")

    had = {"user_id": user.user_id, "apps": 1, "passkeys": 0, "mail": 0, "recovery_codes": 10}
    assert before == [{**had, "lost": None}]
    assert done == {**had, "has_password": True}
    after = operator.ask("factors list")["accounts"]
    assert user.user_id not in {each["user_id"] for each in after}
    signed_in = typed_password(server, user)
    assert is_signed_in(signed_in)
    told = "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = 'factors_reset'"
    assert ruled.query(told, user.user_id) == [("command: lost the phone",)]
    said = "Somebody who runs the server removed the second factors of the account."
    assert said in " ".join(mailbox.last_to(address).text.split())
    seen = signed_in.get(server.url("account-events"))
    assert "Somebody who runs the server removed the second factors" in seen.text
    refused = operator.say("factors reset", user=user.localpart)
    assert refused == {"refused": "This account has no second factor"}
    assert "refused" in operator.say("factors reset", user="@nobody:localhost")
