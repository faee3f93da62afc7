"""Codes by e-mail as a second factor in the browser: turned on, asked for, lost with the address."""

import itertools
import re

import pytest
import requests

from support import metrics
from support.authenticator import CODE, add_app
from support.commands import Operator
from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only]

_numbers = itertools.count()
WRONG = "000000"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def mailing(request, tmp_path_factory, make_database, session_mailbox):
    """Yield a homeserver where codes by mail are a second factor, which some must have."""
    directory = tmp_path_factory.mktemp(f"homeserver-factor-mail-{request.param}")
    homeserver = Homeserver(
        directory,
        make_database(request.param, directory),
        module={
            "factors": {
                "policy": "optional",
                "email_codes": True,
                "accounts": [{"matching": "@must.*", "rule": "required"}],
            },
            "sign_in": {"email_codes": True},
            # So that what comes to a mailbox are codes.
            "notices": {"by_mail": False},
        },
        log_level="DEBUG",
    )
    homeserver.config = {**metrics.listening(homeserver), "email": session_mailbox.settings()}
    with homeserver:
        before = metrics.series(homeserver)
        yield homeserver
        new = metrics.series(homeserver) - before
    # Whatever is counted here was there at 0.
    assert new == set()


@pytest.fixture
def server(mailing):
    return Server(mailing.base_url)


@pytest.fixture(autouse=True)
def forget_limits(mailing, mailbox):
    """Let each test have the mails that it asks for."""
    yield
    mailbox.heal()
    mailing.query("DELETE FROM nextgen_throttle")
    mailing.query("DELETE FROM nextgen_outbox")


@pytest.fixture
def person(mailing):
    """Return an account with a password and an address, and that address."""
    return a_person(mailing)


def a_person(homeserver, name=""):
    number = next(_numbers)
    user = homeserver.register_user(f"{name or 'mailed'}{number}")
    address = f"{name or 'mailed'}{number}@example.com"
    add_address(homeserver, user, address)
    return user, address


def add_address(homeserver, user, address):
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )


def pressing(browser, decision):
    """Press a button of a page, with all fields of its form."""
    for form in re.findall(r"<form.*?</form>", browser.page.text, re.DOTALL):
        if f'value="{decision}"' in form:
            hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
            return browser.submit(**hidden, decision=decision)
    raise AssertionError(browser.page.text)


def csrf(browser):
    return re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]


def looking_for(browser, words):
    """Look at the page again and again until these words are there."""
    url = browser.page.url
    return eventually(
        lambda: page if words in (page := browser.get(url)).text else None, patience=60
    )


def turn_on(server, mailbox, user, address):
    """Turn codes on at the account's page; return the browser and the recovery codes that came."""
    browser = Browser.of(server, user)
    browser.get(server.url("account-factor-mail"))
    count = len(mailbox._to(address))
    pressing(browser, "send")
    mail = mailbox.last_to(address, count + 1)
    page = browser.submit(code=mail.code, decision="check")
    assert page.status_code == 200, page.text
    return browser, CODE.findall(page.text)


def typed_password(server, user):
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    return browser


def is_signed_in(browser):
    answer = browser.http.get(
        browser.server.url("account-profile"), allow_redirects=False, timeout=30
    )
    return answer.status_code == 200


def mails_to(mailbox, address):
    return len(mailbox._to(address))


def kinds(homeserver, user):
    found = homeserver.query(
        "SELECT kind FROM nextgen_events WHERE user_id = ? ORDER BY happened_at", user.user_id
    )
    return [kind for (kind,) in found]


def has_factor(homeserver, user):
    found = homeserver.query(
        "SELECT COUNT(*) FROM nextgen_factor_mail WHERE user_id = ?", user.user_id
    )
    return found == [(1,)]


def test_c294_it_is_turned_on_by_a_code_and_asked_for_from_then_on(
    mailing, server, mailbox, person
):
    """Recovery codes come with it; the address is shown in part to whoever has the password alone."""
    user, address = person
    before = typed_password(server, user)
    _, codes = turn_on(server, mailbox, user, address)
    count = mails_to(mailbox, address)
    browser = typed_password(server, user)
    asked = browser.page
    sent_by_looking = mails_to(mailbox, address) - count
    page = pressing(browser, "send")
    mail = mailbox.last_to(address, count + 1)
    between = is_signed_in(browser)
    browser.submit(code=mail.code, decision="check")
    (amr,) = mailing.query(
        "SELECT amr FROM nextgen_browsers WHERE user_id = ? AND amr LIKE '%mfa%'", user.user_id
    )[-1]

    assert is_signed_in(before)
    assert len(set(codes)) == 10
    assert "/factor?attempt=" in asked.url
    assert address not in asked.text
    assert "m…@e….com" in asked.text
    assert sent_by_looking == 0
    assert 'autocomplete="one-time-code"' in page.text
    assert user.user_id in mail.text
    assert "second factor" in mail.subject
    assert not between
    assert is_signed_in(browser)
    assert amr == "pwd otp mfa"
    assert "factor_added" in kinds(mailing, user)


def test_c294_another_code_turns_nothing_on(mailing, server, mailbox, person):
    """Nor does one that was sent to add an address, or that another browser asked for."""
    user, address = person
    browser = Browser.of(server, user)
    browser.get(server.url("account-factor-mail"))
    pressing(browser, "send")
    code = mailbox.last_to(address).code
    wrong = browser.submit(code="111111" if code != "111111" else "222222", decision="check")
    other = Browser.of(server, user)
    other.get(server.url("account-factor-mail"))
    elsewhere = other.http.post(
        browser.page.url,
        data={"csrf": csrf(other), "code": code, "decision": "check"},
        timeout=30,
    )

    assert wrong.status_code == 409
    assert "That is not the code." in wrong.text
    assert elsewhere.status_code == 400
    assert not has_factor(mailing, user)
    assert is_signed_in(typed_password(server, user))


def test_c289_a_code_signs_in_once_and_in_its_own_attempt(server, mailbox, person):
    user, address = person
    turn_on(server, mailbox, user, address)
    count = mails_to(mailbox, address)
    browser, other = typed_password(server, user), typed_password(server, user)
    pressing(browser, "send")
    code = mailbox.last_to(address, count + 1).code
    page = pressing(other, "send")
    mailbox.last_to(address, count + 2)
    assert 'name="code"' in page.text
    foreign = other.submit(code=code, decision="check")
    answered = browser.submit(code=code, decision="check")
    third = typed_password(server, user)
    pressing(third, "send")
    again = third.submit(code=code, decision="check")

    assert "/factor" not in answered.url
    assert is_signed_in(browser)
    assert foreign.status_code == again.status_code == 403
    assert not is_signed_in(other)
    assert not is_signed_in(third)


def test_c290_a_code_that_is_over_is_said_to_be(mailing, server, mailbox, person):
    """A new one is a press away."""
    user, address = person
    turn_on(server, mailbox, user, address)
    count = mails_to(mailbox, address)
    browser = typed_password(server, user)
    pressing(browser, "send")
    code = mailbox.last_to(address, count + 1).code
    mailing.query("UPDATE nextgen_codes SET made_at = made_at - 601, expires_at = expires_at - 601")
    late = browser.submit(code=code, decision="check")
    pressing(browser, "send")
    newer = mailbox.last_to(address, count + 2).code
    browser.submit(code=newer, decision="check")

    assert late.status_code == 403
    assert "No code works here any more." in late.text
    assert is_signed_in(browser)


def test_c291_guesses_end_and_their_owner_is_told(mailing, server, mailbox, person):
    """New mails bring no new tries; what else the account has goes on."""
    user, address = person
    _, recovery = turn_on(server, mailbox, user, address)
    count = mails_to(mailbox, address)
    browser = typed_password(server, user)
    pressing(browser, "send")
    code = mailbox.last_to(address, count + 1).code
    guess = WRONG if code != WRONG else "111111"
    pages = [browser.submit(code=guess, decision="check") for _ in range(5)]
    over = browser.http.post(
        browser.page.url,
        data={"csrf": csrf(browser), "code": code, "decision": "check"},
        timeout=30,
    )
    other = typed_password(server, user)
    link = re.search(r'href="(factor\?[^"]*by=recovery-code)"', other.page.text)[1]
    other.get(server.url(link.replace("&amp;", "&")))
    other.submit(code=recovery[0], decision="check")

    assert [page.status_code for page in pages] == [403] * 5
    assert over.status_code == 403
    assert "too many wrong codes" in over.text
    assert not is_signed_in(browser)
    assert is_signed_in(other)
    assert kinds(mailing, user).count("factor_refused") == 5
    assert "factor_guessed" in kinds(mailing, user)


def test_c253_who_came_by_a_link_cannot_use_the_mailbox_again(mailing, server, mailbox, person):
    """A recovery code sets the password; the page says why no mail does."""
    user, address = person
    _, recovery = turn_on(server, mailbox, user, address)
    count = mails_to(mailbox, address)
    browser = Browser(server)
    browser.get(Operator.of(mailing).ask("set-password-link", user=user.user_id)["url"])
    page = browser.submit(decision="prove")
    forced = browser.http.post(
        page.url, data={"csrf": csrf(browser), "decision": "send"}, timeout=30
    )
    by_mail = browser.http.get(f"{page.url}&by=email", timeout=30)
    mails = mails_to(mailbox, address)

    assert "/factor?" in page.url, page.text
    assert "a code by mail would prove nothing more" in page.text
    assert "by=email" not in page.text
    assert forced.status_code == 400
    assert "Recovery code" in by_mail.text
    assert mails == count
    assert not is_signed_in(browser)
    browser.submit(code=recovery[0], decision="check")
    assert "/factor" not in browser.page.url


def test_an_app_is_offered_before_the_mailbox(server, mailbox, person):
    """It is the weakest, so it comes last, and one chooses it."""
    user, address = person
    browser, _ = turn_on(server, mailbox, user, address)
    add_app(browser)
    other = typed_password(server, user)
    page = other.page

    assert "Code from the app" in page.text
    assert "We sent" not in page.text
    assert page.text.index("Use a recovery code") < page.text.index("Use a code by e-mail")


def test_c286_it_is_turned_off_by_who_may_do_without(mailing, server, mailbox):
    """Whose account must have a factor keeps the last one, and the address that it is."""
    for name, may in (("free", True), ("must", False)):
        user, address = a_person(mailing, name)
        if may:
            browser, _ = turn_on(server, mailbox, user, address)
        else:
            browser = enrolled(server, mailbox, user, address)
        browser.get(server.url("account-deactivate"))
        token = csrf(browser)
        page = browser.http.post(
            server.url("account-factor-mail"),
            data={"csrf": token, "decision": "remove"},
            timeout=30,
        )
        is_there = has_factor(mailing, user)
        profile = browser.get(server.url("account-profile"))
        link = re.search(r'href="(account-address-remove\?[^"]*)"', profile.text)[1]
        browser.get(server.url(link))
        removed = browser.http.post(
            server.url(link), data={"csrf": token, "decision": "remove"}, timeout=30
        )

        assert is_there is not may
        assert ("this is the only one, so it stays" in page.text) is not may
        assert (removed.status_code == 409) is not may
        assert ("the codes that go there are the only one" in removed.text) is not may


def enrolled(server, mailbox, user, address):
    """Return a browser of somebody who had to set one up, and took the mailbox."""
    browser = typed_password(server, user)
    assert "/factor-enrol?" in browser.page.url, browser.page.text
    count = mails_to(mailbox, address)
    pressing(browser, "mail")
    mail = mailbox.last_to(address, count + 1)
    page = browser.submit(code=mail.code, decision="confirm-mail")
    assert len(CODE.findall(page.text)) == 10, page.text
    browser.submit(decision="kept")
    return browser


def test_c295_who_must_have_one_may_take_the_mailbox(mailing, server, mailbox):
    """It comes after what is stronger, counts once the code came back, and is asked for then."""
    user, address = a_person(mailing, "must")
    first = typed_password(server, user)
    offered = first.page.text
    before = is_signed_in(first)
    browser = enrolled(server, mailbox, user, address)
    other = typed_password(server, user)

    assert offered.index("Set up an authenticator app") < offered.index("Send a code to")
    assert address not in offered
    assert not before
    assert is_signed_in(browser)
    assert "/factor?" in other.page.url
    assert not is_signed_in(other)


def test_c291_guesses_at_setting_one_up_end_as_well(mailing, server, mailbox):
    """Whoever has the password and not the mailbox gets no further."""
    user, address = a_person(mailing, "must")
    browser = typed_password(server, user)
    pressing(browser, "mail")
    code = mailbox.last_to(address).code
    guess = WRONG if code != WRONG else "111111"
    pages = [browser.submit(code=guess, decision="confirm-mail") for _ in range(5)]
    over = browser.submit(code=code, decision="confirm-mail")

    assert [page.status_code for page in pages] == [400] * 5
    assert over.status_code == 403
    assert not has_factor(mailing, user)
    assert not is_signed_in(browser)


def test_c293_the_old_way_in_asks_for_the_browser(mailing, server, mailbox, person):
    user, address = person
    turn_on(server, mailbox, user, address)
    answer = requests.post(
        f"{mailing.base_url}/_matrix/client/v3/login",
        json={
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user.localpart},
            "password": user.password,
        },
        timeout=30,
    )

    assert answer.status_code == 403
    assert "second factor" in answer.json()["error"]


def test_c293_a_token_alone_does_not_take_the_factor_away(mailing, server, mailbox, person):
    """Whoever has a token of the old kind and the password would get in otherwise."""
    user, address = person
    token = mailing.login(user)["access_token"]
    turn_on(server, mailbox, user, address)
    other = f"other-{address}"
    add_address(mailing, user, other)
    answers = [
        requests.post(
            f"{mailing.base_url}/_matrix/client/v3/account/3pid/delete",
            json={"medium": "email", "address": each},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        for each in (address, address.upper(), f" {address}", f"\t{address}\n", other)
    ]

    assert [each.status_code for each in answers] == [403] * 5
    assert has_factor(mailing, user)
    assert "/factor?" in typed_password(server, user).page.url


def test_c293_a_token_alone_adds_no_address(mailing, server, mailbox, person):
    """It would be the way to a new password, and nobody was asked for the factor, or told."""
    user, address = person
    token = mailing.login(user)["access_token"]
    turn_on(server, mailbox, user, address)
    body = {"threePidCreds": {"sid": "1", "client_secret": "secret"}}
    answer = server.api("POST", "/_matrix/client/v3/account/3pid", token, json=body)

    assert answer.status_code == 403
    assert "second factor" in answer.json()["error"]


def test_it_goes_with_the_address_that_an_administrator_takes(mailing, server, mailbox):
    """Its owner is told; who must have a factor sets one up anew."""
    admin = mailing.new_user(admin=True)
    token = mailing.login(admin)["access_token"]
    user, address = a_person(mailing, "must")
    enrolled(server, mailbox, user, address)
    answer = requests.put(
        f"{mailing.base_url}/_synapse/admin/v2/users/{user.user_id}",
        json={"threepids": []},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    answer.raise_for_status()
    left = mailing.query(
        "SELECT COUNT(*) FROM nextgen_recovery_codes WHERE user_id = ?", user.user_id
    )
    browser = typed_password(server, user)

    assert not has_factor(mailing, user)
    assert left == [(0,)]
    assert kinds(mailing, user).count("factor_removed") == 1
    assert "/factor-enrol?" in browser.page.url
    assert "Send a code to" not in browser.page.text


def test_a_mail_server_that_is_away_or_refuses_is_said_so(mailing, server, mailbox, person):
    """Other ways stay."""
    user, address = person
    turn_on(server, mailbox, user, address)
    mailbox.refuse[address] = "550 no such mailbox"
    browser = typed_password(server, user)
    pressing(browser, "send")
    refused = looking_for(browser, "Nothing can be delivered")
    mailbox.heal()
    mailbox.refuse[address] = "451 come back later"
    other = typed_password(server, user)
    pressing(other, "send")
    waiting = looking_for(other, "has not left yet")

    assert "Use a recovery code" in refused.text
    assert "Use a recovery code" in waiting.text


def test_too_many_mails_are_not_sent(server, mailbox, person, mailing):
    """The page says when to come back, and the codes that came go on working."""
    user, address = person
    turn_on(server, mailbox, user, address)
    browsers = [typed_password(server, user) for _ in range(6)]
    pages = [pressing(browser, "send") for browser in browsers]

    assert {page.status_code for page in pages[:4]} == {200}
    assert pages[-1].status_code == 429
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert "Too many mails" in pages[-1].text


def test_whom_only_mails_let_in_cannot_turn_it_on(mailing, server, mailbox, person):
    """And who has it cannot come to have nothing but mails."""
    user, address = person
    browser, _ = turn_on(server, mailbox, user, address)
    browser.get(server.url("account-deactivate"))
    token = csrf(browser)
    page = browser.get(server.url("account-password-remove"))
    kept = browser.http.post(
        server.url("account-password-remove"),
        data={"csrf": token, "decision": "remove"},
        timeout=30,
    )
    other, _ = a_person(mailing)
    by_mail = Browser.of(server, other)
    mailing.query("UPDATE users SET password_hash = NULL WHERE name = ?", other.user_id)
    refused = by_mail.get(server.url("account-factor-mail"))

    assert page.status_code == kept.status_code == 409
    assert "Mails alone open your account" in refused.text
    assert 'value="send"' not in refused.text


def test_c298_it_is_listed_and_taken_away_by_whoever_runs_the_server(
    mailing, server, mailbox, person
):
    user, address = person
    turn_on(server, mailbox, user, address)
    operator = Operator.of(mailing)
    listed = operator.ask("factors list")["accounts"]
    reset = operator.ask("factors reset", user=user.user_id, why="moved")
    has = {"apps": 0, "passkeys": 0, "mail": 1, "recovery_codes": 10}
    (line,) = [each for each in listed if each["user_id"] == user.user_id]

    assert line.items() >= has.items()
    assert reset.items() >= has.items()
    assert not has_factor(mailing, user)
    assert "factors_reset" in kinds(mailing, user)


def test_nothing_of_a_code_is_in_the_log_or_the_tables(mailing, server, mailbox, person):
    user, address = person
    turn_on(server, mailbox, user, address)
    count = mails_to(mailbox, address)
    browser = typed_password(server, user)
    pressing(browser, "send")
    code = mailbox.last_to(address, count + 1).code
    kept = str(mailing.query("SELECT * FROM nextgen_codes"))
    browser.submit(code=code, decision="check")
    # Synapse's sender of mails writes down to whom.
    lines = [line for line in mailing.log_text().splitlines() if "synapse_nextgen_auth" in line]

    assert f"'{code}'" not in kept
    assert address not in kept
    assert not [line for line in lines if address in line]
    assert not [line for line in lines if re.search(rf"(?<!\d){code}(?!\d)", line)]


def test_c181_the_form_needs_its_proof(mailing, server, mailbox, person):
    """Nothing is turned off, or sent, by a form from elsewhere; and nothing by no button."""
    user, address = person
    browser, _ = turn_on(server, mailbox, user, address)
    browser.get(server.url("account-deactivate"))
    token, url = csrf(browser), server.url("account-factor-mail")
    form = {"decision": "remove"}
    count = mails_to(mailbox, address)
    foreign = [
        browser.http.post(url, data=form, timeout=30),
        browser.http.post(url, data={**form, "csrf": "1.x"}, timeout=30),
        browser.http.post(
            url,
            data={**form, "csrf": token},
            headers={"Origin": "https://evil.example"},
            timeout=30,
        ),
    ]
    buttonless = browser.http.post(url, data={"csrf": token, "decision": "x"}, timeout=30)
    asked = typed_password(server, user)
    unproven = asked.http.post(asked.page.url, data={"decision": "send"}, timeout=30)

    assert {each.status_code for each in foreign} == {403}
    assert buttonless.status_code == 400
    assert unproven.status_code == 403
    assert has_factor(mailing, user)
    assert mails_to(mailbox, address) == count


def test_c301_an_attempt_is_its_own_accounts(mailing, server, mailbox, person):
    """Another account sees nothing of its code, nor types it; an address is chosen of one's own."""
    user, address = person
    other, _ = a_person(mailing)
    browser, thief = Browser.of(server, user), Browser.of(server, other)
    browser.get(server.url("account-factor-mail"))
    chosen = re.search(r'name="to" value="([^"]+)"', browser.page.text)[1]
    pressing(browser, "send")
    code, url = mailbox.last_to(address).code, browser.page.url
    looked = thief.get(url)
    thief.get(server.url("account-factor-mail"))
    token = csrf(thief)
    typed = thief.http.post(
        url, data={"csrf": token, "code": code, "decision": "check"}, timeout=30
    )
    foreign = thief.http.post(
        server.url("account-factor-mail"),
        data={"csrf": token, "to": chosen, "decision": "send"},
        timeout=30,
    )

    assert address not in looked.text + typed.text + foreign.text
    assert looked.status_code == typed.status_code == 400
    assert foreign.status_code == 409
    assert not has_factor(mailing, user)
    assert not has_factor(mailing, other)
    assert mails_to(mailbox, address) == 1


def test_it_is_a_page_of_whoever_may_have_it(factor_server, factor_homeserver):
    """Where the option is off there is none, and nobody is offered any."""
    user = factor_homeserver.new_user()
    add_address(factor_homeserver, user, f"{user.localpart}@example.com")
    browser = Browser.of(factor_server, user)
    page = browser.get(factor_server.url("account-factor-mail"))
    listed = browser.get(factor_server.url("account-factors"))

    assert page.status_code == 404
    assert "Codes by e-mail" not in listed.text


def test_who_has_it_is_asked_still_where_it_was_switched_off(factor_server, factor_homeserver):
    """Nothing stops being asked for: another thing proves it, and it may be turned off."""
    user = factor_homeserver.new_user()
    address = f"{user.localpart}@example.com"
    add_address(factor_homeserver, user, address)
    browser = Browser.of(factor_server, user)
    _, recovery = add_app(browser)
    factor_homeserver.query("DELETE FROM nextgen_totp_apps WHERE user_id = ?", user.user_id)
    factor_homeserver.query(
        "INSERT INTO nextgen_factor_mail (user_id, address, made_at) VALUES (?, ?, 1)",
        *(user.user_id, address),
    )
    other = typed_password(factor_server, user)
    asked = other.page.text
    other.submit(code=recovery[0], decision="check")
    other.get(factor_server.url("account-factor-mail"))
    pressing(other, "remove")

    assert "Recovery code" in asked
    assert "by=email" not in asked
    assert is_signed_in(other)
    assert not has_factor(factor_homeserver, user)


@pytest.mark.newest_only
@pytest.mark.one_database
def test_an_administrator_who_writes_the_address_in_other_letters_leaves_the_factor(
    mailing, server, mailbox, person
):
    """Each run of a script would switch it off; another address does."""
    user, address = person
    turn_on(server, mailbox, user, address)
    admin = {
        "Authorization": f"Bearer {mailing.login(mailing.new_user(admin=True))['access_token']}"
    }

    def write(*addresses, displayname="Anna"):
        return requests.put(
            f"{mailing.base_url}/_synapse/admin/v2/users/{user.user_id}",
            json={
                "threepids": [{"medium": "email", "address": each} for each in addresses],
                "displayname": displayname,
            },
            headers=admin,
            timeout=30,
        )

    same = write(f" {address.capitalize()}", displayname="Änna")
    assert same.status_code == 200
    assert same.json()["displayname"] == "Änna"
    assert [each["address"] for each in same.json()["threepids"]] == [address]
    assert has_factor(mailing, user)
    assert "factor_removed" not in str(kinds(mailing, user))
    assert [write("no address").status_code, write(7).status_code] == [400, 500]
    assert write(f"other-{address}").status_code == 200
    assert not has_factor(mailing, user)
