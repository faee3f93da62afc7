"""Second factors in the browser: set up, asked for, lost, and what nobody gets past."""

import html
import re
import shutil
import subprocess
import time
from urllib.parse import urljoin

import pytest

from support.authenticator import CODE, SECRET, App, add_app
from support.commands import Operator
from support.oauth import Browser, Server
from support.passkeys import UP, SoftKey
from support.synapse import Homeserver

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


@pytest.fixture(scope="module")
def demanding_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver where everybody must have one."""
    directory = tmp_path_factory.mktemp("homeserver-demanding")
    database = make_database("sqlite", directory)
    homeserver = Homeserver(
        directory,
        database,
        module={"factors": {"policy": "required"}},
        config={"enable_registration": True, "enable_registration_without_verification": True},
        log_level="DEBUG",
    )
    with homeserver:
        yield homeserver


@pytest.fixture
def server(factor_server):
    return factor_server


@pytest.fixture
def user(factor_homeserver):
    return factor_homeserver.new_user()


@pytest.fixture
def browser(server, user):
    return Browser.of(server, user)


def typed_password(server, user):
    """Return a browser in which somebody typed the password of an account."""
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    return browser


def is_signed_in(browser):
    # Away from the page that is looked at.
    answer = browser.http.get(
        browser.server.url("account-profile"), allow_redirects=False, timeout=30
    )
    return answer.status_code == 200


def rows(homeserver, user):
    return homeserver.query(
        "SELECT app_id, name, confirmed_at, last_used_at FROM nextgen_totp_apps WHERE user_id = ?",
        user.user_id,
    )


def events(homeserver, user):
    found = homeserver.query(
        "SELECT kind FROM nextgen_events WHERE user_id = ? ORDER BY happened_at", user.user_id
    )
    return [kind for (kind,) in found]


def test_c294_an_app_is_set_up_and_asked_for_from_then_on(factor_homeserver, server, user, browser):
    """Its secret is shown until the right code was typed; recovery codes come with the first."""
    app, codes = add_app(browser)
    listed = browser.get(server.url("account-factors"))
    other = typed_password(server, user)
    asked = other.page
    before = is_signed_in(other)
    other.submit(code=app.shows(), decision="check")

    assert len(set(codes)) == 10
    assert "Phone" in listed.text
    assert "10 of 10 are left" in listed.text
    assert "/factor?attempt=" in asked.url
    assert 'autocomplete="one-time-code"' in asked.text
    assert not before
    assert is_signed_in(other)
    assert rows(factor_homeserver, user)[0][3] is not None
    level = factor_homeserver.query(
        "SELECT amr, level FROM nextgen_browsers WHERE user_id = ? AND amr IS NOT NULL"
        " ORDER BY signed_in_at DESC, level DESC",
        user.user_id,
    )
    assert ("pwd otp mfa", 2) in [tuple(row) for row in level]


def test_c294_a_secret_counts_for_nothing_before_its_code(factor_homeserver, server, user, browser):
    """Nobody is asked for it, and a wrong code changes nothing."""
    browser.get(server.url("account-factor-add"))
    browser.submit(name="Phone", decision="begin")
    app = App.on(browser.page)
    wrong = browser.submit(code=app.wrong(), decision="confirm")
    other = typed_password(server, user)

    assert wrong.status_code == 400
    assert "That is not the code." in wrong.text
    assert SECRET.search(wrong.text)
    assert rows(factor_homeserver, user)[0][2] is None
    assert is_signed_in(other)
    assert "factor_added" not in events(factor_homeserver, user)


def test_c294_a_secret_is_shown_to_nobody_once_it_counts(factor_homeserver, server, user, browser):
    """Neither on its own page, nor where it was shown before; in no log and in no row."""
    browser.get(server.url("account-factor-add"))
    shown = browser.submit(name="Phone", decision="begin").url
    app = App.on(browser.page)
    browser.submit(code=app.shows(), decision="confirm")
    codes = CODE.findall(browser.page.text)
    secret = app.totp.secret
    again = browser.get(shown)
    (row,) = rows(factor_homeserver, user)
    its_page = browser.get(server.url(f"account-factor?id={row[0]}"))
    log = factor_homeserver.log_text()
    kept = str(factor_homeserver.query("SELECT * FROM nextgen_totp_apps")) + str(
        factor_homeserver.query("SELECT * FROM nextgen_recovery_codes")
    )

    for text in (again.text, its_page.text, log, kept):
        assert secret not in text.replace(" ", "")
        assert codes[0] not in text
        assert codes[0].replace("-", "") not in text
    assert again.status_code == 410


def test_c289_a_code_counts_once_in_every_browser(server, user, browser):
    """Typed again in another attempt it is refused; the next one is not."""
    app, _ = add_app(browser)
    one, two = typed_password(server, user), typed_password(server, user)
    code = app.shows()
    one.submit(code=code, decision="check")
    refused = two.submit(code=code, decision="check")
    before = is_signed_in(two)

    assert is_signed_in(one)
    assert refused.status_code == 403
    assert "That code was used already." in refused.text
    assert not before


def test_whoever_comes_back_is_led_on(server, user, browser):
    """By the history: the factor was proven, and nobody says that its code was used."""
    app, _ = add_app(browser)
    other = typed_password(server, user)
    asked = other.page.url
    other.submit(code=app.shows(), decision="check")
    again = other.get(asked)

    assert again.status_code == 409
    assert "used already" not in again.text
    assert is_signed_in(other)


def test_c290_a_code_from_a_minute_ago_is_none(server, user, browser):
    app, _ = add_app(browser)
    other = typed_password(server, user)
    present = int(time.time()) // 30
    late = other.submit(code=app.totp.generate_otp(present - 3), decision="check")
    early = other.submit(code=app.totp.generate_otp(present + 3), decision="check")

    assert late.status_code == early.status_code == 403
    assert not is_signed_in(other)


def test_c291_wrong_codes_come_to_an_end_and_other_factors_go_on(
    factor_homeserver, server, user, browser
):
    """After five the right one is not looked at; a recovery code is. The owner sees it."""
    app, codes = add_app(browser)
    other = typed_password(server, user)
    said = [other.submit(code=app.wrong(), decision="check").status_code for _ in range(5)]
    over = other.submit(code=app.shows(), decision="check")
    restarted = html.unescape(re.search(r'href="([^"]*sign-in[^"]*)"', over.text)[1])
    by_code = html.unescape(re.search(r'href="(factor[^"]*recovery-code)"', over.text)[1])
    before = is_signed_in(other)
    other.get(server.url(by_code))
    other.submit(code=codes[0].lower().replace("-", " "), decision="check")

    assert said == [403] * 5
    assert "There were too many wrong codes" in over.text
    assert "attempt" not in restarted
    assert not before
    assert is_signed_in(other)
    assert events(factor_homeserver, user).count("factor_refused") == 5
    assert "factor_guessed" in events(factor_homeserver, user)
    assert "recovery_code_used" in events(factor_homeserver, user)
    seen = browser.get(server.url("account-events"))
    assert "Somebody typed a wrong code of a second factor" in seen.text
    assert "A recovery code was used" in seen.text


def test_a_recovery_code_works_once(server, user, browser):
    _, codes = add_app(browser)
    one, two = typed_password(server, user), typed_password(server, user)
    url = one.page.url.replace("factor?", "factor?by=recovery-code&")
    one.get(url)
    one.submit(code=codes[3], decision="check")
    two.get(two.page.url + "&by=recovery-code")
    again = two.submit(code=codes[3], decision="check")
    none = two.submit(code="AAAAA-AAAAA", decision="check")
    other = two.submit(code=codes[4], decision="check")

    assert is_signed_in(one)
    assert "That recovery code was used already." in again.text
    assert "That is none of your recovery codes." in none.text
    assert other.status_code == 200
    assert is_signed_in(two)


def test_new_codes_void_the_old_ones(server, user, browser):
    """They are shown once: looking at the page again makes none."""
    _app, old = add_app(browser)
    browser.get(server.url("account-recovery-codes"))
    new = CODE.findall(browser.submit(decision="make").text)
    back = browser.submit(decision="kept")
    other = typed_password(server, user)
    other.get(other.page.url + "&by=recovery-code")
    refused = other.submit(code=old[0], decision="check")
    other.submit(code=new[0], decision="check")

    assert len(set(new)) == 10
    assert set(new).isdisjoint(old)
    assert back.url.endswith("/account-factors")
    assert "That is none of your recovery codes." in refused.text
    assert is_signed_in(other)


def test_c295_no_way_around_leads_past_the_factor(server, user, browser):
    """Beginning anew, going back, another way, another tab, another page: the factor stays asked for."""
    add_app(browser)
    other = typed_password(server, user)
    asked = other.page.url
    tried = [
        other.get(server.url("account")),
        other.get(asked.replace("/factor?", "/factor-enrol?")),
        other.get(asked.replace("/factor?", "/stage?")),
        other.get(asked.replace("/factor?", "/sign-in?")),
        other.get(asked + "&by=nothing"),
        other.get(asked + "&by=recovery-code"),
        other.authorize(server.client().request()[0]),
        other.get(server.url("sign-in")),
    ]
    other.get(server.url("sign-in"))
    other.sign_in(user.localpart, user.password)
    again = other.page
    other.get(asked)

    assert all("/factor?" in page.url or 'name="password"' in page.text for page in tried)
    assert "/factor?" in again.url
    assert not is_signed_in(other)
    stranger = Browser(server).get(asked)
    assert stranger.status_code == 400
    assert user.localpart not in stranger.text


def test_c297_what_is_dangerous_takes_both_factors_once_more(
    factor_homeserver, server, user, browser
):
    """The password alone opens no such page of an account with a factor."""
    app, _ = add_app(browser)
    factor_homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 3600 WHERE user_id = ?",
        user.user_id,
    )
    browser.get(server.url("account-recovery-codes"))
    asked = browser.page.url
    browser.sign_in(user.localpart, user.password)
    halfway = browser.page
    browser.submit(code=app.shows(), decision="check")

    assert "/sign-in?" in asked
    assert "/factor?attempt=" in halfway.url
    assert browser.page.url.endswith("/account-recovery-codes")


def test_c286_an_app_is_renamed_and_removed(factor_homeserver, server, user, browser):
    """Without one nobody is asked any more, and no recovery code is left."""
    add_app(browser)
    (row,) = rows(factor_homeserver, user)
    browser.get(server.url(f"account-factor?id={row[0]}"))
    browser.submit(name="x" * 65, decision="rename")
    too_long = browser.page
    renamed = browser.submit(name=' <b>"Old" phone ', decision="rename")
    browser.get(server.url(f"account-factor-remove?id={row[0]}"))
    removed = browser.submit(decision="remove")
    other = typed_password(server, user)

    assert too_long.status_code == 400
    assert "&lt;b&gt;&#34;Old&#34; phone" in renamed.text
    assert "The app was removed." in removed.text
    assert is_signed_in(other)
    assert factor_homeserver.query(
        "SELECT COUNT(*) FROM nextgen_recovery_codes WHERE user_id = ?", user.user_id
    ) == [(0,)]
    assert {"factor_added", "factor_removed"} <= set(events(factor_homeserver, user))


def test_c301_nobody_elses_app_is_shown_or_changed(factor_homeserver, server, user, browser):
    """Confirmed or not: the page of a thief knows of no such thing."""
    add_app(browser)
    browser.get(server.url("account-factor-add"))
    waits = browser.submit(name="Tablet", decision="begin").url.rpartition("=")[2]
    confirmed = next(row[0] for row in rows(factor_homeserver, user) if row[2])
    thief = factor_homeserver.new_user()
    other, before = Browser.of(server, thief), rows(factor_homeserver, user)
    csrf = re.search(r'name="csrf" value="([^"]+)"', other.get(server.url("")).text)[1]

    for its_id in (confirmed, waits):
        for page, decision in (
            ("account-factor-add", "confirm"),
            ("account-factor", "rename"),
            ("account-factor-remove", "remove"),
        ):
            url = server.url(f"{page}?id={its_id}")
            looked = other.get(url)
            form = {"csrf": csrf, "decision": decision, "name": "mine", "code": "123456"}
            pressed = other.http.post(url, data=form, timeout=30)

            assert SECRET.search(looked.text + pressed.text) is None
            assert user.localpart not in looked.text + pressed.text
            assert "Tablet" not in looked.text + pressed.text
    assert rows(factor_homeserver, user) == before


@pytest.mark.parametrize("page", ["factor", "factor-enrol"])
def test_c181_a_form_of_another_browser_does_nothing(server, user, browser, page):
    """With the right code, and what proves another browser's form."""
    app, _ = add_app(browser)
    other = typed_password(server, user)
    url = other.page.url.replace("/factor?", f"/{page}?")
    csrf = re.search(
        r'name="csrf" value="([^"]+)"', Browser(server).get(server.url("sign-in")).text
    )[1]
    form = {"code": app.shows(), "decision": "check"}
    answers = [
        other.http.post(url, data={**form, **sent}, timeout=30) for sent in ({}, {"csrf": csrf})
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert not is_signed_in(other)


PAGES = {
    "account-factors": {"decision": "kept"},
    "account-factor-add": {"decision": "begin", "name": "x"},
    "account-factor": {"decision": "rename", "name": "x"},
    "account-factor-remove": {"decision": "remove"},
    "account-recovery-codes": {"decision": "make"},
}


@pytest.mark.parametrize("page", PAGES)
def test_c181_the_forms_of_the_account_need_their_proof(
    factor_homeserver, server, user, browser, page
):
    """Nothing is changed by a form from elsewhere, and none is sent by no button."""
    add_app(browser)
    (row,) = rows(factor_homeserver, user)
    query = "" if page in {"account-factors", "account-recovery-codes"} else f"?id={row[0]}"
    before = rows(factor_homeserver, user)
    csrf = re.search(
        r'name="csrf" value="([^"]+)"', browser.get(server.url("account-recovery-codes")).text
    )[1]
    url = server.url(page + query)
    foreign = [
        browser.http.post(url, data=PAGES[page], timeout=30),
        browser.http.post(url, data={**PAGES[page], "csrf": "1.x"}, timeout=30),
        browser.http.post(
            url,
            data={**PAGES[page], "csrf": csrf},
            headers={"Origin": "https://evil.example"},
            timeout=30,
        ),
    ]
    buttonless = browser.http.post(url, data={"csrf": csrf, "decision": "x"}, timeout=30)

    assert {answer.status_code for answer in foreign} == {403}
    assert buttonless.status_code == 400
    assert rows(factor_homeserver, user) == before


def test_what_no_key_opens_is_said_and_no_error(factor_homeserver, server, user, browser):
    """As after a new secret of the server: a recovery code still opens, and the app can be removed."""
    _, codes = add_app(browser)
    factor_homeserver.query(
        "UPDATE nextgen_totp_apps SET secret = 'gAAAA' WHERE user_id = ?", user.user_id
    )
    listed = browser.get(server.url("account-factors"))
    other = typed_password(server, user)
    asked = other.page
    other.submit(code=codes[0], decision="check")

    assert "Cannot be read" in listed.text
    assert "cannot read the secret of an authenticator app" in asked.text
    assert 'autocomplete="one-time-code"' not in asked.text
    assert is_signed_in(other)


def test_a_closed_account_keeps_no_factor(factor_homeserver, server, user, browser):
    add_app(browser)
    browser.get(server.url("account-deactivate"))
    browser.submit(account=user.user_id, confirm="yes", typed=user.localpart, decision="deactivate")

    assert rows(factor_homeserver, user) == []


def test_the_overview_and_the_list_say_how_it_is(server, browser):
    before = browser.get(server.url("account")).text
    ways = browser.get(server.url("account-sign-in")).text
    add_app(browser)
    after = browser.get(server.url("account")).text

    assert "Your password or provider alone opens your account" in before
    assert "None yet: one of these ways is enough to get in." in ways
    assert "A second factor protects your sign-in" in after
    assert "1 set up: it is asked for as well." in browser.get(server.url("account-sign-in")).text


def test_oathtool_shows_what_the_server_takes(server, user, browser):
    """A program that nobody here wrote, with the secret as a person types it."""
    program = shutil.which("oathtool")
    if program is None:
        pytest.skip("no oathtool: install the package oathtool")
    browser.get(server.url("account-factor-add"))
    browser.submit(name="", decision="begin")
    secret = SECRET.search(browser.page.text)[1]

    def shown(at):
        command = [program, "--totp", "--base32", f"--now=@{at}", secret]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    confirmed = browser.submit(code=shown(int(time.time())), decision="confirm")
    other = typed_password(server, user)
    other.submit(
        code=f" {shown(int(time.time()) + 30)[:3]} {shown(int(time.time()) + 30)[3:]}",
        decision="check",
    )

    assert len(CODE.findall(confirmed.text)) == 10
    assert is_signed_in(other)


def test_c295_whoever_must_have_one_sets_it_up_before_anything_else(demanding_homeserver):
    """The confirming code is the second proof; what the sign-in was for goes on after the codes."""
    server, user = Server(demanding_homeserver.base_url), demanding_homeserver.new_user()
    client, browser = server.client(), Browser(Server(demanding_homeserver.base_url))
    parameters, _ = client.request()
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    asked = browser.page
    around = [browser.get(server.url("account")), browser.authorize(parameters)]
    browser.get(asked.url)
    browser.submit(decision="later")
    later = browser.page
    browser.submit(decision="begin")
    app = App.on(browser.page)
    wrong = browser.submit(code=app.wrong(), decision="confirm")
    before = is_signed_in(browser)
    codes = CODE.findall(browser.submit(code=app.shows(), decision="confirm").text)
    consent = browser.submit(decision="kept")

    assert "/factor-enrol?attempt=" in asked.url
    assert "You need it before you go on." in asked.text
    assert ">Later<" not in asked.text
    assert "/factor-enrol?attempt=" in later.url
    assert all('name="password"' in page.text for page in around)
    assert wrong.status_code == 400
    assert not before
    assert len(codes) == 10
    assert "/consent?" in consent.url
    assert is_signed_in(browser)


def test_c294_two_tabs_set_up_one_factor(demanding_homeserver):
    """Whoever has the password and was slower proves what the account has by now."""
    server, user = Server(demanding_homeserver.base_url), demanding_homeserver.new_user()
    owner, thief = typed_password(server, user), typed_password(server, user)
    thief.submit(decision="begin")
    theirs = App.on(thief.page)
    owner.submit(decision="begin")
    app = App.on(owner.page)
    owner.submit(code=app.shows(), decision="confirm")
    page = thief.submit(code=theirs.shows(), decision="confirm")
    before = is_signed_in(thief)
    thief.submit(code=theirs.shows(), decision="check")

    assert "/factor?attempt=" in page.url
    assert not before
    assert not is_signed_in(thief)
    confirmed = [row for row in rows(demanding_homeserver, user) if row[2]]
    assert len(confirmed) == 1


def test_c286_the_last_factor_stays_where_one_is_demanded(demanding_homeserver):
    server, user = Server(demanding_homeserver.base_url), demanding_homeserver.new_user()
    browser = typed_password(server, user)
    browser.submit(decision="begin")
    app = App.on(browser.page)
    browser.submit(code=app.shows(), decision="confirm")
    browser.submit(decision="kept")
    (row,) = rows(demanding_homeserver, user)
    page = browser.get(server.url(f"account-factor-remove?id={row[0]}"))
    csrf = re.search(
        r'name="csrf" value="([^"]+)"', browser.get(server.url("account-recovery-codes")).text
    )[1]
    forced = browser.http.post(
        server.url(f"account-factor-remove?id={row[0]}"),
        data={"csrf": csrf, "decision": "remove"},
        timeout=30,
    )

    assert page.status_code == forced.status_code == 409
    assert "this is the only one, so it stays" in page.text
    assert rows(demanding_homeserver, user) == [row]


def test_where_the_policy_is_off_there_is_nothing_of_it(sqlite_homeserver):
    """Neither pages nor words; `factors.policy` is off by default."""
    server, user = Server(sqlite_homeserver.base_url), sqlite_homeserver.new_user()
    browser = Browser.of(server, user)
    answers = [browser.get(server.url(page)).status_code for page in PAGES]
    texts = [browser.get(server.url(page)).text for page in ("account", "account-sign-in")]

    assert answers == [404] * len(PAGES)
    assert not [text for text in texts if "econd factor" in text]


def test_a_reset_password_takes_no_factor_away(factor_homeserver, server, user, browser):
    """Whoever sets another one by a link is asked for it, then and later."""
    app, _ = add_app(browser)
    link = Operator.of(factor_homeserver).ask("set-password-link", user=user.user_id)["url"]
    other = Browser(server)
    other.get(link)
    new = "correct horse battery staple of another stable"
    other.submit(decision="prove")
    other.submit(code=app.shows(), decision="check")
    other.submit(account=user.user_id, password=new, sign_out="yes", decision="set")
    typed = Browser(server)
    typed.get(server.url("sign-in"))
    typed.sign_in(user.localpart, new)
    before = is_signed_in(typed)
    typed.submit(code=app.shows(), decision="check")

    assert not before
    assert is_signed_in(other)
    assert is_signed_in(typed)


def test_c295_who_cancels_sends_the_application_away(server, user, browser):
    """It hears that nobody let it in; the attempt is over."""
    add_app(browser)
    client, other = server.client(), Browser(server)
    other.authorize(client.request()[0])
    other.sign_in(user.localpart, user.password)
    asked = other.page.url
    answer = other.answer(other.submit(code="", decision="cancel"))
    again = other.get(asked)

    assert answer["error"] == "access_denied"
    assert again.status_code == 409
    assert not is_signed_in(other)


def typed_beside_a_passkey(homeserver, server, browser, user, **fields):
    """Return a browser that typed the password of an account with a passkey, and that key."""
    key = SoftKey(rp_id="localhost", origin=homeserver.base_url, **fields)
    asked = browser.get(server.url("account-passkey-add"))
    press(browser, key.make(question(asked)))
    return typed_password(server, user), key


def question(page):
    return html.unescape(re.search(r'data-passkey="([^"]*)"', page.text)[1])


def press(browser, answer):
    """Send what a passkey answered with the form that asked for it."""
    box = browser.page.text[browser.page.text.index("data-passkey=") :]
    form = re.search(r'<form[^>]*action="([^"]*)".*?</form>', box, re.DOTALL)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    url = urljoin(browser.page.url, html.unescape(form[1]))
    data = {**hidden, "passkey": answer, "decision": "passkey"}
    return browser._follow(browser.http.post(url, data=data, allow_redirects=False, timeout=30))


def test_a_passkey_is_a_second_factor_beside_the_password(factor_homeserver, server, user, browser):
    """Also one whose device does not know its owner."""
    other, key = typed_beside_a_passkey(factor_homeserver, server, browser, user, flags=UP)
    asked, before = other.page, is_signed_in(other)
    press(other, key.use(question(asked)))

    assert "Nothing is left" not in asked.text
    assert not before
    assert is_signed_in(other)


def test_c279_an_answer_for_another_sign_in_is_none(factor_homeserver, server, user, browser):
    """Nor is one for the sign-in page, or of a key of another account."""
    other, key = typed_beside_a_passkey(factor_homeserver, server, browser, user)
    again, stranger = typed_password(server, user), factor_homeserver.new_user()
    elsewhere = press(other, key.use(question(again.page)))
    asked = other.get(other.page.url)
    of_sign_in = press(other, key.use(question(Browser(server).get(server.url("sign-in")))))
    theirs, their_key = typed_beside_a_passkey(
        factor_homeserver, server, Browser.of(server, stranger), stranger
    )
    of_another = press(other, their_key.use(question(other.page)))

    assert [page.status_code for page in (elsewhere, of_sign_in, of_another)] == [403] * 3
    assert "That is no passkey of this account" in elsewhere.text
    assert "/factor?" in asked.url
    assert not is_signed_in(other)
    assert not is_signed_in(theirs)


@pytest.mark.parametrize("page", ["factor", "factor-enrol"])
def test_c278_an_attempt_of_nobody_leads_nowhere(factor_homeserver, server, user, browser, page):
    """Such as one of somebody who signs up and has no account yet: the same as one that is unknown."""
    add_app(browser)
    other = typed_password(server, user)
    attempt = other.page.url.partition("attempt=")[2]
    factor_homeserver.query(
        "UPDATE nextgen_attempts SET purpose = 'sign_up', user_id = NULL, proofs = '[]'"
        " WHERE attempt_id = ?",
        attempt,
    )
    answer = other.get(server.url(f"{page}?attempt={attempt}"))

    assert answer.status_code == 400


def test_whoever_signs_up_where_one_is_demanded_sets_it_up(demanding_homeserver):
    """Before they are signed in for the first time."""
    server = Server(demanding_homeserver.base_url)
    browser = Browser(server)
    browser.get(server.url("register"))
    fields = {"username": "newcomer", "password": "otters and stoats in the wood"}
    browser.submit(decision="create", display_name="", **fields)
    asked, before = browser.page, is_signed_in(browser)
    browser.submit(decision="begin")
    app = App.on(browser.page)
    codes = CODE.findall(browser.submit(code=app.shows(), decision="confirm").text)
    browser.submit(decision="kept")

    assert "/factor-enrol?attempt=" in asked.url
    assert not before
    assert len(codes) == 10
    assert is_signed_in(browser)


def a_link(homeserver, user):
    return Operator.of(homeserver).ask("set-password-link", user=user.user_id)["url"]


def test_c293_a_link_sets_no_password_before_the_factor_was_proven(
    factor_homeserver, server, user, browser
):
    """Whoever reads the mailbox alone changes nothing, and signs nobody out."""
    app, _codes = add_app(browser)
    url, thief = a_link(factor_homeserver, user), Browser(server)
    page = thief.get(url)
    assert "has a second factor" in page.text
    assert 'name="password"' not in page.text

    page = thief.submit(
        account=user.user_id, password="another-Password-99", decision="set", sign_out="yes"
    )

    assert page.status_code == 403
    assert browser.get(server.url("account")).status_code == 200
    assert user.user_id in browser.page.text

    owner = Browser(server)
    owner.get(url)
    page = owner.submit(decision="prove")
    assert page.url.startswith(server.url("factor"))
    wrong = owner.get(page.url.replace("factor?", "set-password?"))
    assert wrong.url.startswith(server.url("factor"))
    page = owner.submit(code=app.shows(), decision="check")
    assert page.url.startswith(server.url("set-password"))
    page = owner.submit(password="another-Password-99", decision="set", sign_out="yes")
    assert user.user_id in owner.get(server.url("account")).text
    [level] = factor_homeserver.query(
        "SELECT level FROM nextgen_browsers WHERE user_id = ? AND ended_at IS NULL", user.user_id
    )
    assert tuple(level) == (2,)
    assert not is_signed_in(browser)
    assert not is_signed_in(thief)


def test_c293_a_proof_for_one_link_sets_no_password_by_another(
    factor_homeserver, server, user, browser
):
    """Nor in another browser."""
    app, _codes = add_app(browser)
    owner = Browser(server)
    owner.get(a_link(factor_homeserver, user))
    owner.submit(decision="prove")
    page = owner.submit(code=app.shows(), decision="check")
    other = Browser(server)
    other.get(a_link(factor_homeserver, user))

    assert other.get(page.url).status_code == 400
    owner.get(a_link(factor_homeserver, user))
    assert owner.get(page.url).status_code == 400
