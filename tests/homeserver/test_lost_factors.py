"""Every second factor is lost: the way to have them removed, and everything that stops it."""

import html
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import attrs
import pytest
import requests

from support import smtp
from support.authenticator import add_app
from support.commands import Operator
from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually
from synapse_nextgen_auth.secret import Keyring

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

DAY = 24 * 3600
LOST = re.compile(r'href="(factor-lost\?attempt=[^"]+)"')
ASKED = "It was asked for"
STOPPED = "The owner of this account stopped"


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_database, session_mailbox):
    """Yield a homeserver on which people who lost every factor are helped after a week."""
    directory = tmp_path_factory.mktemp("homeserver-lost")
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={
            "secret": smtp.SECRET,
            "factors": {"policy": "optional", "lost_wait": "7d", "legacy_logins": "allow"},
        },
        config={
            "email": session_mailbox.settings(),
            "server_notices": {
                "system_mxid_localpart": "notices",
                "system_mxid_display_name": "Notices",
                "room_name": "Notices",
            },
        },
        log_level="DEBUG",
    )
    with homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def operator(homeserver):
    return Operator(homeserver.base_url, Keyring.of(smtp.SECRET.encode()))


@pytest.fixture
def user(homeserver):
    user = homeserver.new_user()
    give_address(homeserver, user)
    return user


@pytest.fixture
def owner(server, user):
    """Return the browser in which the owner is signed in, and their app."""
    browser = Browser.of(server, user)
    browser.app, browser.codes = add_app(browser)
    return browser


def address_of(user):
    return f"{user.localpart}@example.com"


def give_address(homeserver, user):
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address_of(user)),
    )


def typed_password(server, user):
    """Return a browser in which somebody typed the password, and is asked for the second factor."""
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    page = browser.sign_in(user.localpart, user.password)
    assert LOST.search(page.text), page.text
    return browser


def at_lost(browser):
    """Go to the page for whoever lost everything."""
    found = html.unescape(LOST.search(browser.page.text)[1])
    browser.get(urljoin(browser.page.url, found))
    return browser


def ask(server, user):
    """Ask for the removal with the password alone, as its owner or a thief."""
    browser = at_lost(typed_password(server, user))
    browser.submit(decision="ask")
    assert ASKED in browser.page.text, browser.page.text
    return browser


def notices(mailbox, user, count=1):
    """Wait for the mails about it."""

    def found():
        mails = mailbox.to(address_of(user))
        return [each for each in mails if "factor-lost-cancel?link=" in each.text]

    assert eventually(lambda: len(found()) >= count), mailbox.to(address_of(user))
    return found()


def link_in(mail):
    return re.search(r"https?://\S+factor-lost-cancel\?link=\S+", mail.text)[0]


def age(homeserver, user, seconds):
    """Let so much time pass for what was asked for of an account."""
    columns = ("asked_at", "remind_at", "ready_at", "expires_at", "told_at", "reminded_at")
    moved = ", ".join(f"{each} = {each} - {seconds}" for each in columns)
    homeserver.query(f"UPDATE nextgen_lost_factors SET {moved} WHERE user_id = ?", user.user_id)


def told(homeserver, user, column="told_at"):
    sql = f"SELECT {column} FROM nextgen_lost_factors WHERE user_id = ?"
    return eventually(lambda: homeserver.query(sql, user.user_id)[0][0])


def ripen(homeserver, user):
    """Let the owner be told, and the time be over; the notice before the end was written, too."""
    assert told(homeserver, user)
    age(homeserver, user, 7 * DAY)
    homeserver.query(
        "UPDATE nextgen_lost_factors SET reminded_at = remind_at WHERE user_id = ?", user.user_id
    )


def forget_notices(homeserver, user):
    """Let the next notice about factors go out at once: the one of the app was a moment ago."""
    homeserver.query("DELETE FROM nextgen_notices WHERE user_id = ?", user.user_id)


def room_says(homeserver, user, token):
    """Return what the room for server notices says by now; its invitation is accepted."""
    sql = "SELECT room_id FROM local_current_membership WHERE user_id = ?"
    rooms = eventually(lambda: homeserver.query(sql, user.user_id))
    url = f"{homeserver.base_url}/_matrix/client/v3/rooms/{rooms[0][0]}"
    headers = {"Authorization": f"Bearer {token}"}
    requests.post(f"{url}/join", json={}, headers=headers, timeout=30)
    answer = requests.get(f"{url}/messages?dir=b&limit=50", headers=headers, timeout=30)
    return [each["content"].get("body", "") for each in answer.json()["chunk"]]


def apps(homeserver, user):
    sql = "SELECT COUNT(*) FROM nextgen_totp_apps WHERE user_id = ?"
    return homeserver.query(sql, user.user_id)[0][0]


def events(homeserver, user):
    found = homeserver.query(
        "SELECT kind, detail FROM nextgen_events WHERE user_id = ? ORDER BY happened_at",
        user.user_id,
    )
    return [each for each in found if each[0].startswith(("factor_removal", "factors_"))]


def is_signed_in(browser):
    answer = browser.http.get(
        browser.server.url("account-profile"), allow_redirects=False, timeout=30
    )
    return answer.status_code == 200


def test_c298_who_waits_and_comes_back_removes_them_and_the_owner_is_told_twice(
    homeserver, server, user, owner, mailbox
):
    """Across a restart; nothing is removed before its time, or by itself."""
    browser = ask(server, user)
    (first,) = notices(mailbox, user)
    assert "Somebody wants to remove" in first.subject
    assert "127.0.0.1" in first.text
    page = owner.get(server.url("account"))
    assert "can have them removed from" in page.text

    assert told(homeserver, user)
    age(homeserver, user, 6 * DAY)
    homeserver.restart()
    _, second = notices(mailbox, user, 2)
    assert second.subject.startswith("Soon the second factors")
    assert told(homeserver, user, "reminded_at")
    assert ASKED in at_lost(typed_password(server, user)).page.text
    assert apps(homeserver, user) == 1

    age(homeserver, user, DAY + 60)
    forget_notices(homeserver, user)
    browser = at_lost(typed_password(server, user))
    browser.submit(decision="remove")

    assert is_signed_in(browser)
    assert apps(homeserver, user) == 0
    assert [kind for kind, _ in events(homeserver, user)] == [
        "factor_removal_asked",
        "factors_lost",
    ]
    assert eventually(
        lambda: any("nobody stopped it" in each.text for each in mailbox.to(address_of(user)))
    )
    link = requests.get(link_in(first), timeout=30)
    assert link.status_code == 410
    assert "removed already" in link.text


def test_the_owner_is_told_in_matrix_and_by_mail_in_the_same_words(
    homeserver, server, user, mailbox
):
    """Whatever `notices` switches off; the link there stops it, and lets nobody in."""
    token = homeserver.login(user)["access_token"]
    add_app(Browser.of(server, user))
    ask(server, user)
    link = link_in(notices(mailbox, user)[0])

    def says():
        said = room_says(homeserver, user, token)
        return [each for each in said if "says that every second factor is lost" in each]

    assert eventually(lambda: any(link in each for each in says()))


def test_c295_pressing_the_button_before_the_time_removes_nothing(homeserver, server, user, owner):
    """A form that somebody writes themselves."""
    browser = at_lost(typed_password(server, user))
    page = browser.submit(decision="remove")
    assert page.status_code == 409
    browser.submit(decision="ask")
    browser.get(browser.page.url)
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]

    answer = browser.http.post(
        browser.page.url, data={"csrf": csrf, "decision": "remove"}, timeout=30
    )

    assert answer.status_code == 409
    assert apps(homeserver, user) == 1
    assert not is_signed_in(browser)


def test_asking_twice_is_asking_once(homeserver, server, user, owner, mailbox):
    first = ask(server, user).page.text
    before = homeserver.query("SELECT * FROM nextgen_lost_factors WHERE user_id = ?", user.user_id)
    notices(mailbox, user)
    browser = at_lost(typed_password(server, user))
    assert ASKED in first
    assert 'value="ask"' not in browser.page.text
    after = homeserver.query("SELECT * FROM nextgen_lost_factors WHERE user_id = ?", user.user_id)
    assert after[0][:2] == before[0][:2]
    assert [kind for kind, _ in events(homeserver, user)] == ["factor_removal_asked"]


def test_c254_the_link_stops_it_by_a_press_and_not_by_a_look(
    homeserver, server, user, owner, mailbox
):
    """Without a sign-in; mail scanners look, and the secret leaves the address at once (C258)."""
    ask(server, user)
    url = link_in(notices(mailbox, user)[0])
    for _ in range(3):
        assert requests.get(url, timeout=30).status_code == 200
    assert events(homeserver, user) == [("factor_removal_asked", None)]

    anybody = Browser(server)
    first = anybody.http.get(url, timeout=30, allow_redirects=False)
    assert first.headers["Location"] == "factor-lost-cancel"
    anybody.get(server.url("factor-lost-cancel"))
    assert url.partition("link=")[2] not in anybody.page.text
    page = anybody.submit(decision="stop")

    assert "Your second factors stay" in page.text
    assert not is_signed_in(anybody)
    assert events(homeserver, user)[-1] == (
        "factor_removal_cancelled",
        "by the link in the notice",
    )
    browser = at_lost(typed_password(server, user))
    assert STOPPED in browser.page.text
    assert apps(homeserver, user) == 1


def test_a_wrong_link_says_nothing(server):
    for link in ("x" * 43, "<b>", ""):
        page = requests.get(server.url(f"factor-lost-cancel?link={link}"), timeout=30)
        assert (page.status_code, "Nothing waits here" in page.text) == (410, True)


def test_the_owner_stops_it_in_their_browser_and_nobody_elses(
    homeserver, server, user, owner, mailbox
):
    """Every page of the account leads there; no fresh proof is wanted for that."""
    ask(server, user)
    stranger = Browser.of(server, homeserver.new_user())
    stranger.get(server.url("account-factor-lost"))
    assert "nobody asked for that" in stranger.page.text
    csrf = re.search(r'name="csrf" value="([^"]+)"', stranger.get(server.url("account")).text)[1]
    data = {"csrf": csrf, "decision": "stop"}
    stranger.http.post(server.url("account-factor-lost"), data=data, timeout=30)
    assert events(homeserver, user) == [("factor_removal_asked", None)]

    owner.get(server.url("account-devices"))
    assert "account-factor-lost" in owner.page.text
    overview = owner.get(server.url("account")).text
    assert "Somebody wants your second factors removed" in overview
    assert "Your account looks safe" not in overview
    assert "A second factor protects your sign-in" not in overview
    assert "account-factor-lost" in owner.get(server.url("")).text
    owner.get(server.url("account-factor-lost"))
    forget_notices(homeserver, user)
    owner.submit(decision="stop")

    assert "It is stopped" in owner.page.text
    assert events(homeserver, user)[-1] == (
        "factor_removal_cancelled",
        "in a browser that was signed in",
    )
    assert "account-factor-lost" not in owner.get(server.url("account")).text
    assert "account-factor-lost" not in owner.get(server.url("")).text
    assert eventually(
        lambda: any("was stopped" in each.text for each in mailbox.to(address_of(user)))
    )


def test_who_signs_in_with_a_factor_has_not_lost_it(homeserver, server, user, owner):
    ask(server, user)
    browser = typed_password(server, user)
    browser.submit(code=owner.app.shows(), decision="check")

    assert is_signed_in(browser)
    assert events(homeserver, user)[-1] == (
        "factor_removal_cancelled",
        "a second factor was proven",
    )


def test_c255_another_password_stops_it(homeserver, server, user, owner):
    """As somebody who runs the server sets one in Synapse: the thief knows the former."""
    ask(server, user)
    admin = homeserver.new_user(admin=True)
    token = homeserver.login(admin)["access_token"]
    answer = requests.post(
        f"{homeserver.base_url}/_synapse/admin/v1/reset_password/{user.user_id}",
        json={"new_password": "another password of the owner", "logout_devices": False},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    assert events(homeserver, user)[-1][0] == "factor_removal_cancelled"


def test_somebody_who_runs_the_server_sees_it_and_stops_it(
    homeserver, server, user, owner, operator
):
    ask(server, user)
    (line,) = [
        each for each in operator.ask("factors list")["accounts"] if each["user_id"] == user.user_id
    ]
    assert line["lost"]["state"] == "waiting"
    assert line["lost"]["ready_at"] - line["lost"]["asked_at"] == 7 * DAY

    operator.ask("factors cancel", user=user.user_id, why="called him")

    assert events(homeserver, user)[-1] == ("factor_removal_cancelled", "command: called him")
    assert "Nobody asked" in operator.say("factors cancel", user=user.user_id)["refused"]


def test_c298_nobody_asks_where_the_owner_would_not_hear_of_it(homeserver, server, user, owner):
    """No address, and no device that would show a server notice."""
    homeserver.query("DELETE FROM user_threepids WHERE user_id = ?", user.user_id)
    homeserver.query("DELETE FROM devices WHERE user_id = ?", user.user_id)
    browser = at_lost(typed_password(server, user))
    assert "There is no way to tell the owner" in browser.page.text
    assert refused(browser)
    assert events(homeserver, user) == []


def test_c298_a_device_that_waits_to_be_woken_shows_nobody_anything(
    homeserver, server, user, owner
):
    """A dehydrated one (MSC3814) reads no notice."""
    homeserver.query("DELETE FROM user_threepids WHERE user_id = ?", user.user_id)
    homeserver.query("DELETE FROM devices WHERE user_id = ?", user.user_id)
    homeserver.query(
        "INSERT INTO devices (user_id, device_id, hidden) VALUES (?, 'ASLEEP', ?)",
        *(user.user_id, False),
    )
    homeserver.query(
        "INSERT INTO dehydrated_devices (user_id, device_id, device_data) VALUES (?, 'ASLEEP', '{}')",
        user.user_id,
    )

    assert "There is no way to tell the owner" in at_lost(typed_password(server, user)).page.text


@pytest.mark.parametrize("answer", ["550 no such mailbox", "451 not now"])
def test_c298_the_time_does_not_run_while_no_notice_goes_out(
    homeserver, server, user, owner, mailbox, answer
):
    """The mail server refuses it, for ever or for now, and nobody reads notices in Matrix."""
    homeserver.query("DELETE FROM devices WHERE user_id = ?", user.user_id)
    mailbox.refuse[address_of(user)] = answer
    try:
        ask(server, user)
        waiting = "SELECT tries FROM nextgen_outbox WHERE kind = 'tell_lost' AND tries > 0"
        assert eventually(lambda: homeserver.query(waiting))
        age(homeserver, user, 7 * DAY + 60)
        browser = at_lost(typed_password(server, user))
        assert ASKED in browser.page.text
        assert 'value="remove"' not in browser.page.text
    finally:
        mailbox.heal()
        homeserver.query("DELETE FROM nextgen_outbox WHERE kind = 'tell_lost'")

    told_at = "SELECT told_at FROM nextgen_lost_factors WHERE user_id = ?"
    assert homeserver.query(told_at, user.user_id) == [(None,)]
    assert apps(homeserver, user) == 1


def test_c298_whoever_has_a_factor_and_changes_what_there_is_has_not_lost_them(
    homeserver, server, user, owner
):
    """Another app, or new recovery codes."""
    ask(server, user)
    add_app(owner)

    assert events(homeserver, user)[-1] == (
        "factor_removal_cancelled",
        "a second factor was proven",
    )


def refused(browser):
    """Send the form that the page does not have; say whether it was refused."""
    page = browser.page
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get(back_url(browser)).text)[1]
    answer = browser.http.post(
        page.url, data={"csrf": csrf, "decision": "ask"}, allow_redirects=False, timeout=30
    )
    return answer.status_code == 403


def back_url(browser):
    found = re.search(r'href="(factor\?attempt=[^"]+)"', browser.page.text)[1]
    return urljoin(browser.page.url, html.unescape(found))


def test_c253_a_mail_alone_neither_asks_nor_removes(homeserver, server, user, owner, operator):
    """Whoever reads the mailbox would get the notices, too: not what waits already, either."""
    ask(server, user)
    ripen(homeserver, user)
    browser = Browser(server)
    browser.get(operator.ask("set-password-link", user=user.user_id)["url"])
    browser.submit(decision="prove")
    at_lost(browser)

    assert "you only showed that you read the mail" in browser.page.text
    assert refused(browser)
    assert apps(homeserver, user) == 1


def test_c253_a_password_that_a_mail_set_in_an_old_client_neither_asks_nor_removes(
    homeserver, server, user, owner
):
    """Whoever reads the mailbox has such a password; a week later it counts as any other."""
    ask(server, user)
    ripen(homeserver, user)
    user = set_by_mail(homeserver, user, "battery-staple-9")

    browser = at_lost(typed_password(server, user))
    assert "you only showed that you read the mail" in browser.page.text
    assert refused(browser)
    assert apps(homeserver, user) == 1

    homeserver.query(
        "UPDATE nextgen_events SET happened_at = happened_at - ? WHERE user_id = ?",
        *(7 * DAY + 60, user.user_id),
    )
    browser = at_lost(typed_password(server, user))
    assert "you only showed that you read the mail" not in browser.page.text


def set_by_mail(homeserver, user, password):
    """Set a password as a client of somebody who forgot it and confirmed an address."""
    sid = f"sid of {user.user_id}"
    homeserver.query(
        "INSERT INTO threepid_validation_session"
        " (session_id, medium, address, client_secret, last_send_attempt, validated_at)"
        " VALUES (?, 'email', ?, 'a-secret', 1, ?)",
        *(sid, address_of(user), int(time.time() * 1000)),
    )
    url = f"{homeserver.base_url}/_matrix/client/v3/account/password"
    session = requests.post(url, json={"new_password": password}, timeout=30).json()["session"]
    proof = {"client_secret": "a-secret", "sid": sid}
    auth = {"type": "m.login.email.identity", "threepid_creds": proof, "session": session}
    done = requests.post(url, json={"new_password": password, "auth": auth}, timeout=30)
    assert done.status_code == 200, done.text
    return attrs.evolve(user, password=password)


def test_c255_a_locked_account_is_not_helped(homeserver, server, user, owner):
    browser = at_lost(typed_password(server, user))
    homeserver.query("UPDATE users SET locked = TRUE WHERE name = ?", user.user_id)
    homeserver.restart()
    page = browser.submit(decision="ask")
    assert page.status_code == 403
    assert events(homeserver, user) == []


def test_c295_of_who_stops_it_and_who_removes_one_is_first(
    homeserver, server, user, owner, mailbox
):
    """At the same moment; what one of them was told is so."""
    ask(server, user)
    link = Browser(server)
    link.get(link_in(notices(mailbox, user)[0]))
    ripen(homeserver, user)
    browser = at_lost(typed_password(server, user))

    with ThreadPoolExecutor(2) as pool:
        removed = pool.submit(browser.submit, decision="remove")
        stopped = pool.submit(link.submit, decision="stop")
        removed.result()

    is_removed = apps(homeserver, user) == 0
    assert is_signed_in(browser) is is_removed
    assert ("Your second factors stay" in stopped.result().text) is not is_removed
    last = events(homeserver, user)[-1][0]
    assert last == ("factors_lost" if is_removed else "factor_removal_cancelled")


def test_where_the_operator_says_so_admins_and_the_mailbox_are_helped(homeserver, server, operator):
    """And where a factor is demanded, another one is set up before anybody is let in."""
    admin = homeserver.new_user(admin=True)
    give_address(homeserver, admin)
    add_app(Browser.of(server, admin))
    browser = at_lost(typed_password(server, admin))
    assert "This account administers the server" in browser.page.text
    assert refused(browser)

    homeserver.module["factors"] |= {
        "policy": "required",
        "lost_by_mail": True,
        "lost_admins": True,
    }
    homeserver.restart()
    ask(server, admin)
    ripen(homeserver, admin)
    link = Browser(server)
    link.get(operator.ask("set-password-link", user=admin.user_id)["url"])
    assert "factor" in link.submit(decision="prove").url
    page = at_lost(link).submit(decision="remove")

    assert apps(homeserver, admin) == 0
    assert "factor-enrol" in page.url
    assert not is_signed_in(link)
