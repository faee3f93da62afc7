"""The pages between a person and the application."""

import attrs
import pytest

from support.pages import read
from synapse_nextgen_auth.web.pages.way_back.page import RefusedPage
from synapse_nextgen_auth.web.pages.way_back.samples import FORM_POST, REFUSED, SAMPLES, WAY_BACK


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", " javascript:x"])
def test_c198_no_way_back_would_run(url):
    """Neither the one that goes on by itself nor the one that a person chooses."""
    assert read(attrs.evolve(WAY_BACK, forward_url=url)).all("a") == read(
        attrs.evolve(WAY_BACK, forward_url=None)
    ).all("a")
    for page in (
        attrs.evolve(REFUSED, forward_url=url),
        attrs.evolve(REFUSED, forward_url=None, redirect_uri=url),
    ):
        shown = read(page)
        assert not [a for a in shown.all("a") if a.get("class")]
        assert not shown.all("form")


def test_a_refusal_goes_nowhere_by_itself():
    """It names where its way back leads, by a link or a form, and has no script for it."""
    for name in ("mistake", "app", "form"):
        page = SAMPLES[RefusedPage][name]
        shown = read(page)
        scripts = [script["src"].rpartition("/")[2] for script in shown.all("script")]
        button = "button" if name == "form" else "a"

        assert scripts == ["hold.js"]
        assert page.destination.removesuffix(":") in shown.text(button)
    app = read(SAMPLES[RefusedPage]["app"])
    assert "the app io.element.app on this device" in app.text("main")
    assert "Open the app io.element.app" in app.text("a")
    assert "io.element.app:" not in app.text("main")


def test_the_answer_travels_in_hidden_fields():
    """The fields arrive in order and unchanged; the button works without JavaScript."""
    html = read(FORM_POST)
    fields = [(field["name"], field["value"]) for field in html.all("input")]

    assert fields == list(FORM_POST.fields)
    assert html.all("form")[0]["action"] == FORM_POST.action
    assert "name" not in html.all("button")[0]
    assert "mcode_x" not in repr(FORM_POST)
