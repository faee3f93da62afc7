"""People whose mails matter, on workers: they sign up, recover and are invited there.

A worker takes an address and a code; the mail leaves from the main process, when that is there.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support import smtp
from support.commands import Operator
from support.deployment import WORKERS
from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually
from synapse_nextgen_auth.secret import Keyring

pytestmark = [pytest.mark.newest_only]

PASSWORD = "seven brave otters juggle"
NEW_PASSWORD = "correct horse battery staple of another stable"
TOKEN = "for-everybody"
LOBBY = "#lobby:localhost"


@pytest.fixture(scope="module")
def mailing(tmp_path_factory, make_database, redis_server, session_mailbox):
    """Yield one on PostgreSQL with two workers, which sends mails and lets people in by a token."""
    directory = tmp_path_factory.mktemp("homeserver-mailing-worker")
    homeserver = Homeserver(
        directory,
        make_database("postgres", directory),
        module={"secret": smtp.SECRET},
        config={
            "email": session_mailbox.settings(),
            "enable_registration": True,
            "registrations_require_3pid": ["email"],
            "registration_requires_token": True,
            "auto_join_rooms": [LOBBY],
            "user_types": {"default_user_type": "visitor", "extra_user_types": ["visitor"]},
        },
        redis=redis_server,
    )
    with homeserver:
        for name in WORKERS:
            homeserver.add_worker(name)
        homeserver.query(
            "INSERT INTO registration_tokens (token, pending, completed) VALUES (?, 0, 0)", TOKEN
        )
        yield homeserver


def newcomer(process, name, *, path="register", token=TOKEN, browser=None):
    browser = browser or Browser(Server(process.base_url))
    browser.get(browser.server.url(path))
    page = browser.submit(username=name, password=PASSWORD, token=token, decision="create")
    assert "/register-email?" in page.url, page.text
    return browser


def test_c259_a_worker_takes_the_address_and_the_main_process_sends_the_mail(mailing, mailbox):
    """While that is away the mail waits, and the page is there at once."""
    worker = mailing.workers["worker1"]
    browser = newcomer(worker, "anna")
    mailing.main.stop()
    page = browser.submit(email="anna@worker.example", decision="send")
    assert "/register-email-code?" in page.url
    assert mailbox.none_to("anna@worker.example")
    mailing.main.start()
    mail = mailbox.last_to("anna@worker.example")
    page = browser.submit(code=mail.code, decision="check")

    assert page.status_code == 200
    assert mailing.query("SELECT user_id FROM user_threepids WHERE address = 'anna@worker.example'")


def test_c251_typed_on_two_processes_at_once_a_code_makes_one_account(mailing, mailbox):
    """Both presses are right; one of them goes on."""
    browser = newcomer(mailing.workers["worker1"], "bella")
    page = browser.submit(email="bella@worker.example", decision="send")
    code = mailbox.last_to("bella@worker.example").code
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    path = page.url.partition("/_synapse")[2]
    processes = (mailing.main, mailing.workers["worker1"]) * 2

    def press(process):
        return browser.http.post(
            f"{process.base_url}/_synapse{path}",
            data={"csrf": csrf, "code": code, "decision": "check"},
            headers={"Cookie": "; ".join(f"{each.name}={each.value}" for each in cookies)},
            allow_redirects=False,
            timeout=60,
        )

    cookies = list(browser.http.cookies)
    with ThreadPoolExecutor(len(processes)) as pool:
        pressed = list(pool.map(press, processes))

    assert all(each.status_code in {303, 409} for each in pressed), [each.text for each in pressed]
    assert eventually(
        lambda: (
            mailing.query(
                "SELECT COUNT(*) FROM user_threepids WHERE address = 'bella@worker.example'"
            )
            == [(1,)]
        )
    )
    assert mailing.query("SELECT COUNT(*) FROM users WHERE name LIKE '@bella%'") == [(1,)]


def here(process, link):
    """Return a link of a mail as a proxy leads it to this process."""
    return process.base_url + "/_synapse" + link.partition("/_synapse")[2]


def rooms(server, access_token):
    return server.api("GET", "/_matrix/client/v3/joined_rooms", access_token).json()["joined_rooms"]


def test_somebody_signs_up_whom_the_main_process_never_sees(mailing, mailbox):
    """All of it on a worker: the account is of the type that it should be, and where it should be."""

    def asked_main():
        return mailing.main.log_file.read_text().count(" /_synapse/client/auth/")

    worker, before = mailing.workers["worker2"], asked_main()
    browser = Browser(Server(worker.base_url))
    client = browser.server.client()
    parameters, verifier = client.request(prompt="create")
    browser.authorize(parameters)
    page = browser.submit(username="clara", password=PASSWORD, token=TOKEN, decision="create")
    assert "/register-email?" in page.url
    browser.submit(email="clara@worker.example", decision="send")
    page = browser.submit(code=mailbox.last_to("clara@worker.example").code, decision="check")
    assert "/consent?" in page.url, page.text
    code = browser.answer(browser.submit(decision="approve"))["code"]
    token = client.redeem(code, verifier).json()["access_token"]

    server, user_id = browser.server, "@clara:localhost"
    assert server.whoami(token).json()["user_id"] == user_id
    assert eventually(lambda: rooms(server, token))
    path = f"/_matrix/client/v3/directory/room/{LOBBY.replace('#', '%23')}"
    assert rooms(server, token) == [server.api("GET", path, token).json()["room_id"]]
    assert mailing.query("SELECT user_type FROM users WHERE name = ?", user_id) == [("visitor",)]
    assert mailing.query("SELECT address FROM user_threepids WHERE user_id = ?", user_id) == [
        ("clara@worker.example",)
    ]
    assert mailing.query("SELECT pending FROM registration_tokens WHERE token = ?", TOKEN) == [(0,)]
    assert asked_main() == before


def test_a_link_that_one_worker_was_asked_for_works_on_the_other(mailing, mailbox):
    """And what it ends is over on both."""
    asked, used = (mailing.workers[name] for name in WORKERS)
    user, address = mailing.new_user(), "dora@worker.example"
    mailing.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 0, 0)",
        *(user.user_id, address),
    )
    signed_in = Server(asked.base_url)
    token = signed_in.client().sign_in(user.localpart, user.password)["access_token"]
    browser = Browser(Server(asked.base_url))
    browser.get(browser.server.url("recover"))
    browser.submit(address=address, decision="send")
    other = Browser(Server(used.base_url))
    other.get(here(used, mailbox.last_to(address).link))
    page = other.submit(password=NEW_PASSWORD, sign_out="yes", decision="set")

    assert page.status_code == 200, page.text
    assert [Server(each.base_url).whoami(token).status_code for each in (asked, used)] == [401] * 2
    again = Browser(Server(asked.base_url))
    again.get(again.server.url("sign-in"))
    assert again.sign_in(user.localpart, NEW_PASSWORD).status_code == 200


def test_an_invitation_that_one_worker_made_lets_somebody_in_on_the_other(mailing, mailbox):
    """By its mail, so without a code; and into the room that it leads to."""
    made_by, used = (mailing.workers[name] for name in WORKERS)
    server, address = Server(used.base_url), "emil@worker.example"
    host = mailing.login(mailing.new_user())["access_token"]
    path = "/_matrix/client/v3/createRoom"
    room = server.api("POST", path, host, json={"preset": "public_chat"}).json()["room_id"]
    operator = Operator(made_by.base_url, Keyring.of(smtp.SECRET.encode()))
    made = operator.ask("invitations create", email=address, send=True, rooms=[room])
    browser = Browser(server)
    browser.get(here(used, mailbox.last_to(address).link))
    page = browser.submit(
        username="emil", password=PASSWORD, token=made["token"], decision="create"
    )

    assert page.status_code == 200, page.text
    joined = (
        "SELECT room_id FROM local_current_membership WHERE user_id = '@emil:localhost'"
        " AND membership = 'join'"
    )
    assert eventually(lambda: (room,) in mailing.query(joined)), mailing.query(joined)
    assert mailing.query(
        "SELECT pending, completed FROM registration_tokens WHERE token = ?", made["token"]
    ) == [(0, 1)]
    assert mailing.query(
        "SELECT address FROM user_threepids WHERE user_id = '@emil:localhost'"
    ) == [(address,)]
