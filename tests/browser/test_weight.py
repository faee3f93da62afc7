"""How heavy the first page is: what a browser loads of it, and whether anything in it moves."""

import pytest

# Of the page that somebody meets first, the icons of providers not counted.
MOST_BYTES, MOST_REQUESTS = 40_000, 4
SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.shifted += each.value;
  }).observe({type: "layout-shift", buffered: true});
}"""


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
