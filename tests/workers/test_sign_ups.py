"""Sign-ups on several processes: one account for each name, and no half of one."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

from support import newcomers
from support.deployment import PROCESSES, HoppingBrowser, at_once
from support.oauth import Browser, device_id
from support.sabotage import STATEMENT, Plan, Point
from support.waiting import eventually

PASSWORD = "seven brave otters juggle"


def on_the_page(server):
    """Return a browser on the first page of a sign-up."""
    browser = Browser(server)
    browser.get(server.url("register"))
    return browser


def press(browser, name):
    return browser.submit(username=name, password=PASSWORD, display_name="", decision="create")


def test_c246_twenty_sign_ups_with_one_name_make_one_account(deployment):
    """On main process and workers at once: one is signed in, the others choose another name."""
    name = device_id().lower()
    places = cycle(PROCESSES)
    browsers = [on_the_page(deployment.server(next(places))) for _ in range(20)]
    pages = at_once(*(lambda b=b: press(b, name) for b in browsers))

    said = Counter("That username is taken." in page.text for page in pages)
    assert said == {True: 19, False: 1}
    (won,) = [page for page in pages if "That username is taken." not in page.text]
    assert f"@{name}:" in won.text.replace("<wbr>", "")
    user_id = f"@{name}:{deployment.server_name}"
    for table, column, value in (
        ("users", "name", user_id),
        ("profiles", "user_id", name),
        ("nextgen_browsers", "user_id", user_id),
    ):
        assert deployment.query(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", value) == [(1,)]
    ended = "SELECT COUNT(*) FROM nextgen_attempts WHERE user_id = ? AND ended_at IS NOT NULL"
    assert deployment.query(ended, user_id) == [(1,)]


def test_c246_two_presses_at_once_make_one_account(deployment):
    """Of one attempt, on two processes: one makes the account, the other one says that it is done."""
    first, second = HoppingBrowser(deployment, "worker1"), HoppingBrowser(deployment, "worker2")
    attempt = newcomers.sign_up(deployment, first)
    first.get(first.server.url(f"register?attempt={attempt}"))
    second.http.cookies, second.page = first.http.cookies, first.page
    name = device_id().lower()
    pages = at_once(lambda: press(first, name), lambda: press(second, name))

    assert sorted(page.status_code for page in pages) == [200, 409]
    user_id = f"@{name}:{deployment.server_name}"
    assert deployment.query("SELECT COUNT(*) FROM users WHERE name = ?", user_id) == [(1,)]
    assert deployment.query(
        "SELECT user_id FROM nextgen_attempts WHERE attempt_id = ?", attempt
    ) == [(user_id,)]


def test_c246_a_second_press_that_is_slow_is_not_told_that_its_own_name_is_taken(deployment):
    """The first one makes the account while the second one is about to look whether the name is free."""
    first, second = HoppingBrowser(deployment, "worker1"), HoppingBrowser(deployment, "worker2")
    attempt = newcomers.sign_up(deployment, first)
    first.get(first.server.url(f"register?attempt={attempt}"))
    second.http.cookies, second.page = first.http.cookies, first.page
    name, sabotage = device_id().lower(), deployment.sabotage("worker2")
    here = Point(STATEMENT, "get_users_by_id_case_insensitive", 1)
    sabotage.plan(Plan("/register", "slow", here))

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(press, second, name)
        assert eventually(sabotage.fired)
        made = press(first, name)
        page = late.result()

    sabotage.plan(None)
    assert (made.status_code, page.status_code) == (200, 409)
    assert "That username is taken." not in page.text
