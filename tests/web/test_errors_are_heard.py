"""A form that comes back says so to whoever does not see it (WCAG 3.3.1, 4.1.3)."""

import pytest

from support.gallery import SAMPLES
from support.pages import read


def invalid(html):
    """Return the fields of a page that are wrong."""
    return [found for _, found in html.elements if found.get("aria-invalid") == "true"]


WRONG = [name for name, sample in SAMPLES.items() if invalid(read(sample))]


def test_many_pages_can_be_filled_in_wrongly():
    assert len(WRONG) > 80


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_announced_described_and_has_the_focus(name):
    """The title says it first; the field that is wrong has the focus and says what, or an alert does."""
    html = read(SAMPLES[name])
    fields = invalid(html)
    described = {each for field in fields for each in field["aria-describedby"].split()}
    alerts = [found for _, found in html.elements if found.get("role") == "alert"]
    focus = [found for _, found in html.elements if "autofocus" in found]

    assert html.text("title").startswith("Error: ")
    assert described <= {found.get("id") for _, found in html.elements}
    assert alerts or focus[0] in fields
    # What was typed is there still, but for a password.
    assert focus[0] in fields or focus[0]["type"] == "password"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_focus_goes_through_the_page_as_it_is_read(name):
    """Nothing jumps ahead (WCAG 2.4.3)."""
    html = read(SAMPLES[name])
    jumps = {found["tabindex"] for _, found in html.elements if "tabindex" in found}

    assert jumps <= {"0"}
