"""How heavy the first page is: what a browser loads of it, and whether anything in it moves."""

from urllib.parse import urlencode

import pytest

from support.synapse import Homeserver

# Of the page that somebody meets first, the icons of providers not counted.
MOST_BYTES, MOST_REQUESTS = 40_000, 4
SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.shifted += each.value;
  }).observe({type: "layout-shift", buffered: true});
}"""


@pytest.fixture(scope="module")
def sqlite_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver on which people may have passkeys: the heavier of the first pages."""
    directory = tmp_path_factory.mktemp("homeserver-weight")
    database = make_database("sqlite", directory)
    module = {"factors": {"policy": "optional"}}
    with Homeserver(directory, database, module=module) as started:
        yield started


@pytest.fixture
def weighed(open_tab, client):
    """Return a function that opens the sign-in page and returns bytes, requests and shifts of it."""

    def weigh(**view):
        tab = open_tab(**view)
        session = tab.page.context.new_cdp_session(tab.page)
        session.send("Network.enable")
        sizes = {}
        session.on(
            "Network.loadingFinished",
            lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}),
        )
        tab.page.add_init_script(f"({SHIFTS})()")
        tab.authorize(client.request()[0])
        tab.page.wait_for_load_state("networkidle")
        session.detach()
        # What a redirect was, and what came out of the cache, has no length.
        loaded = [size for size in sizes.values() if size]
        return sum(loaded), len(loaded), tab.page.evaluate("window.shifted")

    return weigh


@pytest.mark.parametrize(
    "viewport", [{"width": 320, "height": 640}, {"width": 1280, "height": 860}]
)
def test_the_first_page_is_light_and_stands_still(weighed, viewport):
    """40 kB and four requests at most, with headers and without compression; no layout shift."""
    size, requests, shifted = weighed(viewport=viewport)

    assert 10_000 < size <= MOST_BYTES
    assert 2 <= requests <= MOST_REQUESTS
    assert shifted == 0


@pytest.fixture
def held(open_tab):
    """Return a function that opens a page whose script comes after the first paint, and how it moved."""

    def hold(name, path, box, user=None):
        tab = open_tab()
        if user:
            tab.open("account")
            tab.sign_in(user)
        scripts = []

        def keep(route):
            scripts.append(route)

        tab.page.add_init_script(f"({SHIFTS})()")
        tab.page.route(f"**/{name}*", keep)
        tab.page.goto(tab.server.url(path), wait_until="commit")
        tab.until(lambda: scripts and tab.page.evaluate(PAINTED))
        assert scripts
        assert tab.page.evaluate(PAINTED)
        before = tab.page.locator(box).bounding_box()
        for each in scripts:
            each.continue_()
        tab.page.wait_for_load_state("networkidle")
        after = tab.page.locator(box).bounding_box()
        return before, after, tab.page.evaluate("window.shifted")

    return hold


PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length"


def test_the_button_of_passkeys_does_not_move_the_page(held, client):
    """It stands there before its script has come."""
    before, after, shifted = held(
        "passkey_page.js", "authorize?" + urlencode(client.request()[0]), "[data-passkey]"
    )

    assert before == after
    assert shifted == 0


def test_the_field_for_a_picture_does_not_move_the_page(held, user):
    """As little as that."""
    before, after, shifted = held("avatar.js", "account-profile", "[data-upload]", user)

    assert before == after
    assert shifted == 0


@pytest.mark.parametrize("can", [True, False])
def test_a_browser_without_passkeys_shows_no_button_for_them(open_tab, client, can):
    """One that runs scripts and knows none: the box that the style sheet shows is taken away."""
    tab = open_tab()
    if not can:
        tab.page.add_init_script("delete window.PublicKeyCredential")
    tab.authorize(client.request()[0])
    tab.page.wait_for_load_state("networkidle")

    assert tab.page.locator("[data-passkey]").is_visible() is can
