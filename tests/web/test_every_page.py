"""Every page, with friendly samples and hostile ones, read back by an HTML parser."""

import re

import attrs
import pytest

from support.pages import BASE, DIRECTORY, STYLE, TEMPLATES, every_field, read
from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.web.pages.captcha.page import CaptchaPage
from synapse_nextgen_auth.web.pages.content import BRANDS, ClientCard
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.pages.samples import RIGHT_TO_LEFT, samples_of
from synapse_nextgen_auth.web.pages.way_back.page import AskAgainPage, FormPostPage, RefusedPage

EACH_SAMPLE = [
    pytest.param(sample, id=f"{page.__name__}-{name}")
    for page in PAGES
    for name, sample in samples_of(page).items()
]


PAYLOADS = [
    "<svg onload=alert(1)>",
    "\"'><img src=x onerror=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "{{7*7}}{% raw %}${7*7}",
    "</script></style></title><script>alert(1)</script>",
    "javascript:alert(1)",
    "a\u2028b\u2029c\u0000d",
    "<!-- ]]> &lt;b&gt;",
    RIGHT_TO_LEFT,
]

# These are about several accounts, or about none that is signed in.
WITHOUT_PICTURE = {
    f"pages/{name}.html"
    for name in (
        "accounts",
        "account_deactivated",
        "account_identity_allowed",
        "account_provider_taken",
    )
}


@pytest.mark.parametrize("page", PAGES)
def test_every_record_has_samples(page):
    """A page without a sample would be a page nobody has looked at."""
    assert samples_of(page)


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_a_page_is_a_whole_document(page):
    """A page has a language, a title that names it and then the server, one h1 and landmarks."""
    html = read(page)

    assert html.declared == "doctype html"
    assert html.open == []
    assert html.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert html.text("title").endswith(" ".join(f" · {page.server_name}".split()))
    assert not html.text("title").startswith("·")
    assert len(html.all("h1")) == len(html.all("header")) == 1
    assert len(html.all("main")) == len(html.all("footer")) == 1
    assert html.text("h1")
    assert page.server_name in html.text("header")
    assert {"name": "color-scheme", "content": "light dark"} in html.all("meta")


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_every_id_is_one_and_every_reference_leads_to_it(page):
    """Labels, descriptions and headings are tied to what they belong to."""
    html = read(page)
    ids = [found["id"] for _, found in html.elements if "id" in found]
    references = [
        reference
        for _, found in html.elements
        for name in ("for", "aria-describedby", "aria-labelledby")
        for reference in found.get(name, "").split()
    ]
    labels = [found["for"] for found in html.all("label")]

    assert len(ids) == len(set(ids))
    assert set(references) <= set(ids)
    for field in html.all("input"):
        assert field["type"] == "hidden" or field["id"] in labels


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_a_form_posts_and_carries_the_csrf_value(page):
    """Nothing changes by GET (C181, C185), and each form says which browser it was made for."""
    html = read(page)
    forms = html.all("form")

    # A search changes nothing, and says in its address what it shows.
    forms = [form for form in forms if form.get("role") != "search"]
    assert all(form["method"] == "post" for form in forms)
    assert all("formaction" not in button for button in html.all("button"))
    # These change nothing here: they go to the application, or ask once more.
    if forms and not isinstance(page, FormPostPage | RefusedPage | AskAgainPage):
        typed = [field for field in html.all("input") if field["type"] != "search"]
        assert {"name": "csrf", "value": page.csrf}.items() <= typed[0].items()


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_only_pages_of_an_account_show_its_picture(page):
    """Elsewhere an account has a letter: nobody has shown yet whose it is, or it is another one."""
    pictures = [found for found in read(page).all("img") if found["src"] == Place.AVATAR.value]
    of_an_account = page.template.startswith("pages/account")

    assert all(found["alt"] == "" and found["width"] == found["height"] for found in pictures)
    assert bool(pictures) is (of_an_account and page.template not in WITHOUT_PICTURE)


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_c199_nothing_runs_and_nothing_loads_from_elsewhere(page):
    """No inline script, style or handler; what a page loads is a static file of ours."""
    html = read(page)
    scripts = [text for path, text in html.texts if path[-1:] in [("script",), ("style",)]]
    pictures = {*links_of(page), Place.AVATAR.value}
    loaded = [f["src"] for _, f in html.elements if "src" in f and f["src"] not in pictures]
    loaded += [found["href"] for found in html.all("link")]

    # The one exception: what a captcha's service needs stands in the policy of that page alone.
    service = page.kind.service if isinstance(page, CaptchaPage) else None
    theirs = {service.script} if service else set()
    loaded = [url for url in loaded if url not in theirs]

    assert not theirs or page.loads.scripts
    assert not scripts
    assert not html.all("style", "base", "iframe", "object", "embed")
    assert {picture["class"].split()[0] for picture in html.all("svg")} <= {"icon", "qr"}
    assert not [name for _, found in html.elements for name in found if name.startswith("on")]
    assert not [found for _, found in html.elements if "style" in found]
    assert all(url.startswith(f"{BASE}/static/") for url in loaded)
    assert all(TEMPLATES.static_file(url.removeprefix(f"{BASE}/static/")) for url in loaded)


def links_of(record):
    """Yield every address that a page or a line of it holds, by the names that those have."""
    for field in attrs.fields(type(record)):
        value = getattr(record, field.name)
        if field.name == "url" or field.name.endswith("_url"):
            yield value
        for line in value if isinstance(value, tuple) else (value,):
            if attrs.has(type(line)):
                yield from links_of(line)


def cards_of(record):
    """Yield the application that a page is about, or the one device or session that it shows."""
    for field in attrs.fields(type(record)):
        value = getattr(record, field.name)
        if isinstance(value, ClientCard):
            yield value
        elif attrs.has(type(value)):
            yield from cards_of(value)


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_links_to_elsewhere_are_those_of_the_application(page):
    """A page links to nobody but the application, and tells it nothing about itself."""
    html = read(page)
    ours, theirs = {*links_of(page), getattr(page, "came_from", None)}, set()
    for card in cards_of(page):
        theirs |= {card.uri, card.tos_uri, card.policy_uri}

    for link in html.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in {found.get("id") for _, found in html.elements}
            continue
        assert link["href"] in ours | theirs
        assert "noreferrer" in link["rel"]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_c198_hostile_text_stays_text(page, payload):
    """Whatever any field holds, the page has the same tags and attributes as before."""

    def change(name, value):
        if name.endswith("uri") or (name == "action" and isinstance(page, FormPostPage)):
            return "https://example.com/" + re.sub(r"[\x00-\x20]", "+", payload)
        # A mark is one of ours, or there is none.
        is_ours = name in {"forward_url", "provider_id", "last_provider"} or value in BRANDS
        return value if is_ours else payload

    hostile = every_field(page, change)

    assert read(hostile).shape == read(page).shape


def test_c199_templates_switch_no_escaping_off():
    """No template, of whatever name, contains a way around the escaping."""
    around = r"\|\s*safe\b|autoescape|Markup|<script(?! src=)|\son\w+="
    # A mail program loads no stylesheet.
    styled = rf"{around}|<style|\sstyle="

    for path in DIRECTORY.rglob("*"):
        if path.is_file() and path.parent.name != "static":
            unwanted = around if path.parent.name == "emails" else styled
            assert not re.search(unwanted, path.read_text()), path


def test_every_template_belongs_to_a_page():
    """No file is left over; what is not reached would not be compiled at start-up either."""
    folder = DIRECTORY / "pages"

    assert {f"pages/{path.name}" for path in folder.iterdir()} == {p.template for p in PAGES}


def test_every_class_of_a_page_is_in_the_stylesheet():
    """A page uses no look that does not exist."""
    used = {
        name
        for page in PAGES
        for sample in samples_of(page).values()
        for _, found in read(sample).elements
        for name in found.get("class", "").split()
    }

    assert [name for name in used if f".{name}" not in STYLE] == []
