"""The database fails anywhere in a sign-up: nobody is left with half an account, or without a way on."""

from itertools import count

from support.deployment import PROCESSES
from support.oauth import Browser, device_id
from support.sabotage import AFTER_COMMIT, ANSWER, Plan
from support.scale import FULL

HERE = PROCESSES[1]
FAULTS = (
    ("hang up", "disconnect", "serialization", "disk full") if FULL else ("hang up", "disk full")
)
FOREVER = 1000
PASSWORD = "seven brave otters juggle"
_numbers = count()


def press(server, name):
    """Come to the first page and send it; return what it leads to."""
    browser = Browser(server)
    browser.get(server.url("register"))
    return browser.submit(username=name, password=PASSWORD, display_name="", decision="create")


def signs_in(server, name):
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    page = browser.sign_in(name, PASSWORD)
    return page.status_code == 200 and f"@{name}:" in page.text.replace("<wbr>", "")


def a_name():
    return f"{device_id()}{next(_numbers)}".lower()


def points(deployment, server):
    """Return every point of the database that a sign-up passes, each once."""
    press(server, a_name())
    sabotage = deployment.sabotage(HERE)
    sabotage.plan(Plan("/register"))
    page = press(server, a_name())
    seen = sabotage.seen()
    sabotage.plan(None)
    assert page.status_code == 200
    return [point for point in dict.fromkeys(seen) if point.place != ANSWER]


def test_c247_whoever_fails_anywhere_signs_in_or_signs_up_again(deployment):
    """With the same name and password, at once; what fails is a page that says to come back."""
    server = deployment.server(HERE)
    found = points(deployment, server)
    sabotage = deployment.sabotage(HERE)
    wrong, struck = {}, 0

    for number, point in enumerate(found):
        fault = FAULTS[number % len(FAULTS)] if point.place != AFTER_COMMIT else "hang up"
        name = a_name()
        sabotage.plan(Plan("/register", fault, point, FOREVER))
        first = press(server, name)
        struck += sabotage.fired() > 0
        sabotage.plan(None)
        if first.status_code not in {200, 503}:
            wrong[point, fault] = f"first {first.status_code} {first.text[:200]}"
        elif not signs_in(server, name) and press(server, name).status_code != 200:
            wrong[point, fault] = "neither signs in nor signs up"
        elif not signs_in(server, name):
            wrong[point, fault] = "has no account after all"

    assert wrong == {}
    assert struck > len(found) / 2
