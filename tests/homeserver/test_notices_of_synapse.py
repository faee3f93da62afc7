"""What Synapse itself changes of passwords and addresses is told as what our pages change."""

import itertools
import re
import time

import pytest
import requests

from support.oauth import Browser, Server
from support.redis import RedisServer
from support.waiting import eventually
from synapse_nextgen_auth.accounts.works import NoteChange, write
from synapse_nextgen_auth.secret import digest

pytestmark = [pytest.mark.one_database, pytest.mark.every_release]

V3 = "/_matrix/client/v3"
ADMIN_API = "/_synapse/admin"
PASSWORD = "The password of your account"
ADDRESSES = "The addresses of your account"
WRITTEN = (
    "SELECT kind, detail, address FROM nextgen_events WHERE user_id = ?"
    " AND (kind LIKE 'password%' OR kind LIKE 'address%' OR kind LIKE 'phone%')"
    " ORDER BY happened_at, kind"
)
HERE = "127.0.0.1"
_numbers = itertools.count()


@pytest.fixture
def homeserver(mailing_homeserver):
    return mailing_homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def address():
    """Return an address that no account has."""
    return f"of-synapse{next(_numbers)}@example.com"


@pytest.fixture
def user(homeserver):
    """Return somebody who has been here for a day, with an address."""
    return with_address(homeserver, homeserver.new_user())


def with_address(homeserver, user):
    homeserver.query(
        "UPDATE users SET creation_ts = creation_ts - 86400 WHERE name = ?", user.user_id
    )
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address_of(user)),
    )
    return user


def address_of(user):
    return f"{user.localpart}@example.com"


@pytest.fixture
def legacy(homeserver, user):
    """Return the access token of a client that signed in in the old way."""
    return homeserver.login(user)["access_token"]


@pytest.fixture
def admin(homeserver):
    return homeserver.login(homeserver.new_user(admin=True))["access_token"]


@pytest.fixture
def own_redis():
    """Yield a Redis that no other homeserver of the same name talks over."""
    redis = RedisServer()
    try:
        yield redis.start()
    finally:
        redis.stop()


def confirmed(homeserver, address):
    """Return what a client sends about an address that its reader confirmed."""
    sid = f"sid of {address}"
    homeserver.query(
        "INSERT INTO threepid_validation_session"
        " (session_id, medium, address, client_secret, last_send_attempt, validated_at)"
        " VALUES (?, 'email', ?, 'a-secret', 1, ?)",
        *(sid, address, int(time.time() * 1000)),
    )
    return {"client_secret": "a-secret", "sid": sid}


def by_password(server, path, user, token, **body):
    """Send a request that Synapse asks the password for, and type that."""
    answer = server.api("POST", V3 + path, token, json=body)
    if answer.status_code == 401:
        typed = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user.localpart},
            "password": user.password,
            "session": answer.json()["session"],
        }
        answer = server.api("POST", V3 + path, token, json=body | {"auth": typed})
    assert answer.status_code == 200, answer.text
    return answer


def subjects(mailbox, address):
    """Return which of these notices came, the names of servers left out."""
    found = [mail.subject for mail in mailbox.to(address)]
    return [each for each in found if each.startswith((PASSWORD, ADDRESSES))]


def told_all(homeserver):
    return not homeserver.query(
        "SELECT 1 FROM nextgen_outbox WHERE kind IN ('tell', 'send_notice')"
        " AND due_at <= ? AND given_up_at IS NULL",
        int(time.time()),
    )


def told(mailbox, address, subject):
    """Wait for the notice with this subject, and return it."""

    def found():
        return [mail for mail in mailbox.to(address) if mail.subject.startswith(subject)]

    return eventually(found)[-1]


def test_a_password_that_is_changed_in_an_old_client_is_told(
    homeserver, server, user, legacy, mailbox
):
    by_password(server, "/account/password", user, legacy, new_password="battery-staple-9")
    mail = told(mailbox, address_of(user), PASSWORD)

    assert homeserver.query(WRITTEN, user.user_id) == [("password_changed", "changed", HERE)]
    assert "The password was changed." in mail.text
    assert f"Network address: {HERE}" in mail.text


def test_the_owner_sees_it_on_the_page(homeserver, server, user, legacy):
    by_password(server, "/account/password", user, legacy, new_password="correct-horse-9")
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, "correct-horse-9")

    assert "The password was changed" in browser.get(server.url("account-events")).text


def test_a_password_that_is_set_by_a_mail_to_an_old_client_is_told(
    homeserver, server, user, mailbox
):
    """Nobody is signed in: whoever reads the mailbox could be a thief of that alone."""
    proof = confirmed(homeserver, address_of(user))
    url, body = f"{server.base_url}{V3}/account/password", {"new_password": "battery-staple-9"}
    begun = requests.post(url, json=body, timeout=30).json()
    auth = {"type": "m.login.email.identity", "threepid_creds": proof, "session": begun["session"]}
    done = requests.post(url, json=body | {"auth": auth}, timeout=30)
    mail = told(mailbox, address_of(user), PASSWORD)

    assert done.status_code == 200, done.text
    assert homeserver.query(WRITTEN, user.user_id) == [("password_changed", "recovery", HERE)]
    assert "The password was changed." in mail.text


@pytest.mark.parametrize("path", ["/account/3pid/add", "/account/3pid"])
def test_an_address_that_an_old_client_adds_is_told(homeserver, user, mailbox, address, path):
    """To the address that was there before, too; also by the older endpoint, which asks nobody."""
    server, legacy = Server(homeserver.base_url), homeserver.login(user)["access_token"]
    proof = confirmed(homeserver, address)
    body = proof if path.endswith("add") else {"three_pid_creds": proof}
    by_password(server, path, user, legacy, **body)
    mail = told(mailbox, address_of(user), ADDRESSES)

    assert homeserver.query(WRITTEN, user.user_id) == [("address_added", None, HERE)]
    assert "An e-mail address was added." in mail.text
    assert address not in mail.text


def test_a_phone_number_that_an_old_client_removes_is_told(
    homeserver, server, user, legacy, mailbox
):
    number = f"4915100000{next(_numbers):03}"
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'msisdn', ?, 1, 1)",
        *(user.user_id, number),
    )
    by_password(server, "/account/3pid/delete", user, legacy, medium="msisdn", address=number)
    mail = told(mailbox, address_of(user), ADDRESSES)

    assert homeserver.query(WRITTEN, user.user_id) == [("phone_removed", None, HERE)]
    assert "A phone number was removed." in mail.text


def test_an_address_that_an_old_client_removes_is_told_there_and_to_the_others(
    homeserver, server, user, legacy, mailbox, address
):
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )
    gone = {"medium": "email", "address": address.upper()}
    by_password(server, "/account/3pid/delete", user, legacy, **gone)
    there, other = (told(mailbox, each, ADDRESSES) for each in (address, address_of(user)))
    by_password(server, "/account/3pid/delete", user, legacy, **gone)

    assert homeserver.query(WRITTEN, user.user_id) == [("address_removed", None, HERE)]
    assert "An e-mail address was removed." in there.text
    assert user.user_id in there.text
    assert "An e-mail address was removed." in other.text


def test_an_address_that_is_there_already_is_no_news(homeserver, server, user, legacy):
    by_password(
        *(server, "/account/3pid/add", user, legacy), **confirmed(homeserver, address_of(user))
    )

    assert homeserver.query(WRITTEN, user.user_id) == []


def test_who_had_an_address_that_synapse_gives_to_another_is_told(
    homeserver, server, user, legacy, mailbox
):
    """It goes to whoever confirmed it before; its former owner hears of it where they read it."""
    other = with_address(homeserver, homeserver.new_user())
    proof = confirmed(homeserver, address_of(other))
    by_password(server, "/account/3pid/add", user, legacy, **proof)

    def to_former():
        mails = mailbox.to(address_of(other))
        return [mail for mail in mails if other.user_id in mail.text]

    [lost] = eventually(to_former)

    assert homeserver.query(WRITTEN, user.user_id) == [("address_added", None, HERE)]
    assert homeserver.query(WRITTEN, other.user_id) == [("address_removed", None, None)]
    assert "An e-mail address was removed." in lost.text
    assert other.user_id in lost.text


def test_what_an_administrator_changes_with_synapses_api_is_told_without_where_they_are(
    homeserver, server, user, admin, mailbox, address
):
    """As what they change with ours."""
    path = f"{ADMIN_API}/v2/users/{user.user_id}"
    new = [{"medium": "email", "address": address}]
    replaced = server.api("PUT", path, admin, json={"threepids": new})
    there = told(mailbox, address_of(user), ADDRESSES)
    reset = server.api(
        *("POST", f"{ADMIN_API}/v1/reset_password/{user.user_id}", admin),
        json={"new_password": "battery-staple-9", "logout_devices": False},
    )
    mail = told(mailbox, address, PASSWORD)

    assert replaced.status_code == 200, replaced.text
    assert reset.status_code == 200, reset.text
    assert sorted(homeserver.query(WRITTEN, user.user_id)) == [
        ("address_added", "admin", None),
        ("address_removed", "admin", None),
        ("password_changed", "admin", None),
    ]
    assert "An e-mail address was removed." in there.text
    assert "Network address" not in mail.text


def test_an_account_that_an_administrator_makes_with_an_address_is_told_nothing(
    homeserver, server, admin, address
):
    user_id = f"@made{next(_numbers)}:{homeserver.server_name}"
    made = server.api(
        *("PUT", f"{ADMIN_API}/v2/users/{user_id}", admin),
        json={"password": "correct-horse", "threepids": [{"medium": "email", "address": address}]},
    )

    assert made.status_code == 201, made.text
    assert homeserver.query(WRITTEN, user_id) == []


def test_whoever_signs_up_with_an_address_in_an_old_client_is_told_nothing(
    homeserver, server, address
):
    name, proof = f"signup{next(_numbers)}", confirmed(homeserver, address)
    url, body = f"{server.base_url}{V3}/register", {"username": name, "password": "correct-horse"}
    begun = requests.post(url, json=body, timeout=30).json()
    auth = {"type": "m.login.email.identity", "threepid_creds": proof, "session": begun["session"]}
    made = requests.post(url, json=body | {"auth": auth}, timeout=30)

    assert made.status_code == 200, made.text
    user_id = made.json()["user_id"]
    assert homeserver.query("SELECT address FROM user_threepids WHERE user_id = ?", user_id) == [
        (address,)
    ]
    assert homeserver.query(WRITTEN, user_id) == []


def test_whoever_closes_their_account_reads_of_that_alone(
    homeserver, server, user, legacy, mailbox
):
    by_password(server, "/account/deactivate", user, legacy)

    assert told(mailbox, address_of(user), "Your account on")
    assert homeserver.query(WRITTEN, user.user_id) == []


def test_what_a_page_changes_is_written_down_once(homeserver, server, user, mailbox):
    browser = Browser.of(server, user)
    page = browser.get(server.url("account-profile")).text
    browser.get(server.url(re.search(r'"(account-address-remove\?id=\w+)"', page)[1]))
    browser.submit(decision="remove")

    assert told(mailbox, address_of(user), ADDRESSES)
    assert homeserver.query(WRITTEN, user.user_id) == [("address_removed", None, HERE)]


def test_what_was_approved_in_the_browser_is_written_down_and_told_once(
    homeserver, server, user, mailbox, address
):
    """The notice of the approval says what it is for; that it happened, the page of events says."""
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    proof, path = confirmed(homeserver, address), f"{V3}/account/3pid/add"
    challenge = server.api("POST", path, token, json=proof).json()
    browser = Browser.of(server, user)
    browser.get(challenge["params"]["m.login.sso"]["url"])
    browser.submit(decision="approve")
    done = server.api("POST", path, token, json=proof | {"auth": {"session": challenge["session"]}})
    approved = told(mailbox, address_of(user), "Something was approved")
    assert eventually(lambda: told_all(homeserver))

    assert done.status_code == 200, done.text
    assert homeserver.query(WRITTEN, user.user_id) == [("address_added", None, HERE)]
    assert "An app was allowed to add an e-mail address" in approved.text
    assert subjects(mailbox, address_of(user)) == []


def test_what_cannot_be_written_down_was_changed_all_the_same(
    start_homeserver, session_mailbox, tmp_path
):
    """Synapse answers as ever, and the log says so; the main process writes it down when it can."""
    homeserver = start_homeserver(config={"email": session_mailbox.settings()})
    server, user = Server(homeserver.base_url), with_address(homeserver, homeserver.new_user())
    token = homeserver.login(user)["access_token"]
    homeserver.query("ALTER TABLE nextgen_events RENAME TO nextgen_events_away")
    gone = {"medium": "email", "address": address_of(user)}
    by_password(server, "/account/3pid/delete", user, token, **gone)

    assert homeserver.query("SELECT * FROM user_threepids") == []
    assert f"Could not write down yet what was changed of {user.user_id}" in homeserver.log_text()

    homeserver.query("ALTER TABLE nextgen_events_away RENAME TO nextgen_events")
    homeserver.query("UPDATE nextgen_outbox SET due_at = 1 WHERE kind = 'note_change'")
    homeserver.restart()

    assert eventually(lambda: homeserver.query(WRITTEN, user.user_id)) == [
        ("address_removed", None, HERE)
    ]


def test_what_is_neither_an_address_nor_a_number_goes_without_a_word(
    homeserver, server, user, admin
):
    """Synapse took any of them once, and nothing of ours says what they are."""
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'pager', '0815', 1, 1)",
        user.user_id,
    )
    path = f"{ADMIN_API}/v2/users/{user.user_id}"
    kept = [{"medium": "email", "address": address_of(user)}]
    answer = server.api("PUT", path, admin, json={"threepids": kept})

    assert answer.json()["threepids"][0]["medium"] == "email", answer.text
    assert homeserver.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'note_change'") == []
    assert homeserver.query(WRITTEN, user.user_id) == []


def test_what_synapse_fails_at_and_does_the_next_time_is_told_once(
    homeserver, server, user, legacy
):
    homeserver.query(
        "CREATE TRIGGER no_more BEFORE DELETE ON user_threepids"
        f" WHEN OLD.user_id = '{user.user_id}' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    gone = {"medium": "email", "address": address_of(user)}
    try:
        failed = server.api("POST", f"{V3}/account/3pid/delete", legacy, json=gone)
        waiting = homeserver.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'note_change'")
    finally:
        homeserver.query("DROP TRIGGER no_more")
    by_password(server, "/account/3pid/delete", user, legacy, **gone)

    assert failed.status_code == 500
    assert waiting == []
    assert homeserver.query(WRITTEN, user.user_id) == [("address_removed", None, HERE)]


def test_what_a_process_died_after_is_told(homeserver, server, user, mailbox):
    """As it is found after a start: Synapse set one password, and one of an hour ago it did not."""
    [(found,)] = homeserver.query("SELECT password_hash FROM users WHERE name = ?", user.user_id)
    now = int(time.time())
    tried = (("never set", now - 3600), (found, now))
    for position, (password_hash, at) in enumerate(tried, start=1):
        work = NoteChange(
            *(user.user_id, "password", at, user.user_id, HERE, 0, "1", ""),
            digest(password_hash),
        )
        homeserver.query(
            "INSERT INTO nextgen_outbox (entry_id, kind, subject, position, payload, written_at,"
            " due_at, tries) VALUES (?, 'note_change', ?, ?, ?, 1, 1, 0)",
            *(f"{position}{user.user_id}", user.user_id, position, write(work)),
        )
    homeserver.restart()
    told(mailbox, address_of(user), PASSWORD)

    assert homeserver.query(WRITTEN, user.user_id) == [("password_changed", "changed", HERE)]
    assert homeserver.query("SELECT 1 FROM nextgen_outbox WHERE kind = 'note_change'") == []


def test_what_a_worker_changes_is_told_as_well(start_homeserver, own_redis, mailbox, address):
    """`POST /account/3pid` is served everywhere."""
    config = {"email": mailbox.settings()}
    homeserver = start_homeserver("postgres", config=config, redis=own_redis)
    worker = Server(homeserver.add_worker().base_url)
    user = with_address(homeserver, homeserver.new_user())
    token = homeserver.login(user)["access_token"]
    proof = {"three_pid_creds": confirmed(homeserver, address)}
    by_password(worker, "/account/3pid", user, token, **proof)

    assert homeserver.query(WRITTEN, user.user_id) == [("address_added", None, HERE)]
    assert "An e-mail address was added." in told(mailbox, address_of(user), ADDRESSES).text
