"""The page that can only say something."""

import enum

import attrs
import jinja2
import pytest

from support.pages import TEMPLATES, read, wording
from synapse_nextgen_auth.web.pages.content import ClientCard
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message, MessagePage
from synapse_nextgen_auth.web.pages.message.samples import MESSAGE, SAMPLES
from synapse_nextgen_auth.web.pages.way_back.samples import FORM_POST


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "blob:https://example.org/x",
    ],
)
def test_c198_a_link_that_would_run_is_dropped(url):
    """A script in the place of a link never becomes one, whoever gave it."""
    card = ClientCard("x", "example.com", url, url, url)
    html = read(attrs.evolve(MESSAGE, forward_url=url, client=card))

    assert html.all("a") == []
    with pytest.raises(ValueError, match="action is not an http or https URL"):
        attrs.evolve(FORM_POST, action=url)


@pytest.mark.parametrize("url", ["home", "/x?y=1", "https://a.example/", "io.element.app:/back"])
def test_a_way_forward_may_lead_into_an_app(url):
    """A relative URL, a web page and an app's own scheme are all ways forward."""
    assert read(attrs.evolve(MESSAGE, forward_url=url)).all("a")[0]["href"] == url


@pytest.mark.parametrize(
    ("seconds", "words"), [(7, "in 7 seconds."), (700, "in 12 minutes."), (None, "a little later.")]
)
def test_whoever_came_too_often_hears_for_how_long_to_wait(seconds, words):
    """The real time: with a slow rate it is much longer than a minute."""
    page = MessagePage(Message.TOO_MANY_REQUESTS, "example.org", retry_after=seconds)

    assert f"Try again {words}" in read(page).text("main")


def test_whoever_has_the_device_already_finds_the_devices():
    """The page says to sign it out first, so it leads there."""
    page = MessagePage(
        Message.DEVICE_TAKEN,
        "example.org",
        forward_url="link",
        forward_label=ForwardLabel.TRY_AGAIN,
        devices_url="account",
    )

    assert [link["href"] for link in read(page).all("a") if link["href"] == "account"]


def test_every_message_has_its_own_words():
    """Each kind has a heading and a text of its own, and says what to do now."""
    pages = [attrs.evolve(MESSAGE, kind=kind) for kind in Message]

    assert len(set(wording(pages))) == len(set(wording(pages, "h1"))) == len(Message)
    for page in pages:
        assert len(read(page).all("p")) >= 2  # what happened, what to do


def test_every_forward_label_has_its_own_words():
    """Each label of the way forward reads differently, and so does none."""
    labels = [*ForwardLabel, None]
    pages = [attrs.evolve(MESSAGE, forward_url="home", forward_label=label) for label in labels]

    assert len(set(wording(pages, "a"))) == len(labels)


def test_wrong_words_for_an_unknown_kind_are_an_error():
    """A kind that a template does not know fails loudly instead of leaving a hole."""

    class Other(enum.Enum):
        NEW = "new"

    with pytest.raises(jinja2.UndefinedError):
        TEMPLATES.render(attrs.evolve(MESSAGE, kind=Other.NEW))


def test_details_for_developers_are_apart():
    """The words of the protocol are there for whoever can use them, and for nobody else."""
    html = read(SAMPLES[MessagePage]["full"])

    assert "For the developer of this application" in html.text("h2")
    assert "redirect_uri is not registered" in html.text("code")
    assert "7f3c9a12" in html.text("main")
    assert not read(MESSAGE).all("code")
