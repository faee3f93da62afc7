"""A form that comes back says so to whoever does not see it (WCAG 3.3.1, 4.1.3)."""

import pytest

from support.gallery import SAMPLES
from support.pages import TEMPLATES, Read

TAKES_FOCUS = {"input", "select", "textarea"}


class Heard(Read):
    """A page, with the links of each notice that says that something went wrong."""

    def __init__(self, html):
        self.notices = []  # (attributes, the ids that it leads to)
        self.depth = None
        super().__init__(html)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        found = dict(attrs)
        if "notice-error" in found.get("class", "").split():
            self.notices.append((found, []))
            self.depth = len(self.open)
        elif tag == "a" and self.is_in_a_notice and found["href"].startswith("#"):
            self.notices[-1][1].append(found["href"][1:])

    @property
    def is_in_a_notice(self):
        return self.depth is not None and len(self.open) >= self.depth

    @property
    def wrong(self):
        """Return the fields that are."""
        return [found for _, found in self.elements if found.get("aria-invalid") == "true"]

    def reach(self, field):
        """Whether an alert leads to a field, or to the first of those that it describes alike."""
        about = field["aria-describedby"].split()
        return any(
            field["id"] in to or (found.get("id") in about and to) for found, to in self.notices
        )


PAGES = {name: Heard(TEMPLATES.render(sample)) for name, sample in SAMPLES.items()}
WRONG = [name for name, html in PAGES.items() if html.wrong]
REFUSED = [name for name, html in PAGES.items() if html.notices]


def test_many_pages_can_be_filled_in_wrongly():
    assert len(WRONG) > 80
    assert len(REFUSED) > 130
    assert set(WRONG) <= set(REFUSED)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_announced_linked_described_and_has_the_focus(name):
    """An alert leads to each field that is wrong; the field says what, and the first has the focus."""
    html = PAGES[name]
    described = {each for field in html.wrong for each in field["aria-describedby"].split()}
    focus = [found for _, found in html.elements if "autofocus" in found]

    assert described <= {found.get("id") for _, found in html.elements}
    assert [field["id"] for field in html.wrong if not html.reach(field)] == []
    # What was typed is there still, but for a password.
    assert focus[0] in html.wrong or focus[0]["type"] == "password"


@pytest.mark.parametrize("name", REFUSED)
def test_whatever_went_wrong_is_announced_and_leads_only_to_fields(name):
    """The title says it first, before the alert is heard; no link in it leads past the form."""
    html = PAGES[name]
    fields = {
        found.get("id")
        for tag, found in html.elements
        if tag in TAKES_FOCUS and found.get("type") != "hidden"
    }

    assert html.text("title").startswith("Error: ")
    for found, to in html.notices:
        assert found["role"] == "alert"
        assert set(to) <= fields


def test_a_title_says_error_where_an_alert_says_which():
    """Whoever hears the title finds the reason; an account that changed meanwhile is a warning."""
    silent = [
        name
        for name, html in PAGES.items()
        if html.text("title").startswith("Error: ")
        and "alert" not in {found.get("role") for _, found in html.elements}
    ]

    assert silent == []


@pytest.mark.parametrize("name", SAMPLES)
def test_the_focus_goes_through_the_page_as_it_is_read(name):
    """Nothing jumps ahead (WCAG 2.4.3)."""
    jumps = {found["tabindex"] for _, found in PAGES[name].elements if "tabindex" in found}

    assert jumps <= {"0"}
