"""A brand on a running homeserver: every process shows it, and serves its files to whoever asks."""

import re
from urllib.parse import urljoin

import pytest
import requests

from support import brand
from support.oauth import Server

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def homeserver(homeserver_with_worker):
    return homeserver_with_worker


def pages(homeserver):
    """Return the sign-in page of each process."""
    bases = (homeserver.base_url, homeserver.workers["worker1"].base_url)
    return [requests.get(Server(base).url("sign-in"), timeout=30) for base in bases]


def test_c201_c205_files_of_a_brand_only_draw(homeserver):
    """Each process has them under one name; opened by itself a drawing has styles and nothing else."""
    here, there = pages(homeserver)
    names = re.findall(r'(?:src|href|srcset)="([^"]+/static/[^"]+)"', here.text)
    files = {name.rpartition("/")[2]: requests.get(urljoin(there.url, name), timeout=30)
             for name in names}  # fmt: skip

    assert names == re.findall(r'(?:src|href|srcset)="([^"]+/static/[^"]+)"', there.text)
    assert {file.status_code for file in files.values()} == {200}
    for name, colour in (("_logo.svg", "#7a3e9d"), ("_logo_dark.svg", "#c9a0e6")):
        assert files[name].text == brand.LOGO.format(colour)
        assert files[name].headers["Content-Type"] == "image/svg+xml"
        assert files[name].headers["X-Content-Type-Options"] == "nosniff"
        assert files[name].headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert files[name].headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
    assert files["icon.svg"].headers["Content-Security-Policy"] == "default-src 'none'"
    assert "--button: #f5c400;" in files["style.css"].text


def test_every_process_shows_the_brand_in_the_readers_language(homeserver):
    """By the same rules as everything else on a page."""
    for base in (homeserver.base_url, homeserver.workers["worker1"].base_url):
        german = requests.get(
            Server(base).url("sign-in"), headers={"Accept-Language": "de"}, timeout=30
        )

        assert "<bdi>Beispiel-Chat</bdi>" in german.text
        assert 'href="https://example.com/datenschutz"' in german.text
        assert "<p>Hallo.</p>" in german.text


def test_a_page_with_a_brand_is_small(homeserver):
    """With all that it loads at once, on the wire: 40 kB; a brand is one request, as our key was."""
    page = pages(homeserver)[0]
    loaded = set(re.findall(r'(?:src|href)="([^"]+/static/[^"]+)"', page.text))
    # One of the two logos is loaded, the icon of the tab after the page is there.
    asked = {name for name in loaded if not name.endswith("/icon.svg")}
    sizes = [len(page.content)]
    sizes += [len(requests.get(urljoin(page.url, name), timeout=30).content) for name in asked]

    drawn = {name.rpartition("/")[2] for name in asked if not name.endswith(".js")}
    assert drawn == {"style.css", "_logo.svg"}
    assert sum(sizes) <= 40_000


def test_a_colour_that_cannot_be_read_is_in_the_log(homeserver):
    """On each process, at its start."""
    for process in (homeserver.main, homeserver.workers["worker1"]):
        told = process.log_file.read_text("utf-8")

        assert "About the look of pages: branding.accent: #f5c400 cannot be read as a" in told


def test_applications_hear_of_the_operators_pages(homeserver):
    """`op_policy_uri` and `op_tos_uri` of the metadata (RFC 8414), in the language of the server."""
    told = Server(homeserver.base_url).metadata()

    assert told["op_policy_uri"] == "https://example.com/privacy"
    assert told["op_tos_uri"] == "https://example.com/terms"
