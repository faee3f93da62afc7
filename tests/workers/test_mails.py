"""A worker takes an address and a code; the mail leaves from the main process, when that is there."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support import smtp
from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only]

PASSWORD = "seven brave otters juggle"


@pytest.fixture(scope="module")
def mailing(tmp_path_factory, make_database, redis_server, session_mailbox):
    """Yield a homeserver on PostgreSQL with one worker, which sends mails."""
    directory = tmp_path_factory.mktemp("homeserver-mailing-worker")
    homeserver = Homeserver(
        directory,
        make_database("postgres", directory),
        module={"secret": smtp.SECRET},
        config={
            "email": session_mailbox.settings(),
            "enable_registration": True,
            "registrations_require_3pid": ["email"],
        },
        redis=redis_server,
    )
    with homeserver:
        homeserver.add_worker()
        yield homeserver


def newcomer(process, name):
    browser = Browser(Server(process.base_url))
    browser.get(browser.server.url("register"))
    page = browser.submit(username=name, password=PASSWORD, display_name="", decision="create")
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
