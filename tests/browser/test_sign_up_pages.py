"""A sign-up in a real browser: its pages for everybody, which names are free, and work for nobody."""

import itertools

import pytest
from playwright.sync_api import expect

from support.chromium import problems
from support.oauth import Server
from support.synapse import Homeserver

PASSWORD = "seven brave otters juggle"
_names = itertools.count()


@pytest.fixture(scope="module")
def working(tmp_path_factory, make_database):
    """Yield a homeserver on which a sign-up is a little work, or two seconds, and has terms."""
    directory = tmp_path_factory.mktemp("homeserver-working")
    for name in ("1.0", "success"):
        path = directory / "terms" / "en" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<h1>Be kind</h1>")
    module = {"captcha": {"kind": "proof_of_work", "work": 16, "wait": "2s"}}
    terms = {"version": "1.0", "template_dir": str(directory / "terms")}
    config = {
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "user_consent": {**terms, "require_at_registration": True},
        "form_secret": "a secret for the links to the terms",
    }
    plenty = {"rc_registration": {"per_second": 1000, "burst_count": 1000}}
    database = make_database("sqlite", directory)
    with Homeserver(directory, database, module=module, config=config | plenty) as homeserver:
        yield homeserver


@pytest.fixture
def server(working):
    return Server(working.base_url)


@pytest.fixture(autouse=True)
def forgiven():
    """Nobody types codes here."""


def begin(tab):
    """Fill in the first page and send it; return the name."""
    name = f"worker{next(_names)}"
    tab.open("register")
    tab.page.get_by_label("Username").fill(name)
    tab.page.get_by_label("Password").fill(PASSWORD)
    return name


def accept(tab):
    """Accept the terms, which come last."""
    tab.until(lambda: tab.path == "register-terms")
    tab.page.get_by_role("checkbox").check()
    tab.press("Create the account")


def exists(working, name):
    user_id = f"@{name}:{working.server_name}"
    return bool(working.query("SELECT 1 FROM users WHERE name = ?", user_id))


def test_with_scripts_nobody_does_anything(tab, working):
    """The page works by itself, under its own policy, and goes on when it is done."""
    name = begin(tab)
    tab.page.get_by_role("button", name="Continue").click()
    accept(tab)

    assert exists(working, name)
    tab.until(lambda: tab.path == "")
    assert tab.path == ""


def test_without_scripts_a_wait_is_shown(open_tab, working):
    """It is said in words, drawn by the browser, and over when the server says so."""
    tab = open_tab(java_script_enabled=False)
    name = begin(tab)
    tab.press("Continue")

    expect(tab.page.get_by_text("Wait 2 seconds, then press the button.")).to_be_visible()
    expect(tab.page.get_by_text("Checking that you are not a program")).to_be_hidden()
    assert tab.page.locator("svg.wait-bar").bounding_box()["width"] > 100
    tab.until(lambda: tab.press("Continue") or tab.path == "register-terms")
    accept(tab)
    assert exists(working, name)


def test_a_browser_that_cannot_work_waits(open_tab, working):
    """Where the worker fails, the page is what it is without scripts."""
    tab = open_tab()
    tab.page.route("**/proof_worker.js", lambda route: route.abort())
    name = begin(tab)
    tab.press("Continue")

    expect(tab.page.get_by_text("Wait 2 seconds, then press the button.")).to_be_visible()
    tab.until(lambda: tab.press("Continue") or tab.path == "register-terms")
    accept(tab)
    assert exists(working, name)
    tab.complaints.clear()  # Chromium says that it could not load the worker


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_by_how_they_read(open_tab, working, axe, scheme):
    """On a small screen, while it works: a status that is read out, and a bar with a name."""
    tab = open_tab(color_scheme=scheme, viewport={"width": 320, "height": 640})
    tab.page.add_init_script(
        "window.Worker = class { postMessage() {} terminate() {} };"  # it is never done
    )
    begin(tab)
    tab.press("Continue")

    status = tab.page.get_by_role("status")
    expect(status).to_contain_text("Checking that you are not a program")
    expect(
        tab.page.get_by_role("progressbar", name="How much of the check is done")
    ).to_be_visible()
    assert problems(tab, axe) == []


def test_c245_whether_a_name_is_free_is_said_while_somebody_types(open_tab, working, axe):
    """Once they pause, to screen readers too, and under the policy of the page."""
    tab = open_tab()
    working.register_user("popular", PASSWORD)
    tab.open("register")
    typed, said = tab.page.get_by_label("Username"), tab.page.get_by_role("status")
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    typed.press_sequentially("popular", delay=20)
    expect(said).to_contain_text("That username is taken. Choose another one. Still free: popular")
    assert len([url for url in asked if "register-available" in url]) == 1
    assert problems(tab, axe) == []
    typed.fill("popular.too")
    expect(said).to_have_text("That username is free.")
    assert problems(tab, axe) == []
    typed.fill("")

    expect(said).to_have_text("")
    assert not [url for url in asked if PASSWORD in url]


KEYBOARDS = {
    "wide": {"viewport": {"width": 1280, "height": 860}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
    "without_scripts": {"java_script_enabled": False, "viewport": {"width": 320, "height": 640}},
    "german": {"locale": "de", "viewport": {"width": 320, "height": 640}},
    "arabic": {"locale": "ar", "color_scheme": "dark", "viewport": {"width": 1280, "height": 860}},
}
# What the pages are called, and which way they run.
WORDS = {
    "de": ("ltr", "Konto anlegen", "Nutzungs\u00adbedingungen"),
    "ar": ("rtl", "إنشاء حساب", "الشروط والأحكام"),
    "en": ("ltr", "Create an account", "Terms and conditions"),
}


@pytest.mark.parametrize("view", KEYBOARDS)
def test_by_the_keyboard_alone_from_the_name_to_the_terms(open_tab, working, axe, view):
    """With a slip on each page: it is read out, and the field that it is about has the focus."""
    tab = open_tab(**KEYBOARDS[view])
    keyboard, name, looked = tab.page.keyboard, f"typist{next(_names)}", {}
    direction, account, terms = WORDS[KEYBOARDS[view].get("locale", "en")]

    def look(what):
        # axe is a script itself.
        looked[what] = [] if view == "without_scripts" else problems(tab, axe)

    tab.open("register")
    assert tab.page.locator("html").get_attribute("dir") == direction
    assert tab.heading == account
    look("account")
    to(tab, "username")
    keyboard.type("_nobody")
    to(tab, "password")
    keyboard.type("password1")
    with tab.page.expect_navigation():
        keyboard.press("Enter")
    expect(tab.page.locator("[name=username]")).to_be_focused()
    expect(tab.page.locator("[name=username]")).to_have_attribute("aria-invalid", "true")
    assert tab.page.locator("#password").get_attribute("aria-invalid") == "true"
    expect(tab.page.get_by_role("alert")).to_be_visible()
    look("slips")
    keyboard.press("Control+a")
    keyboard.type(name)
    to(tab, "password")
    keyboard.type(PASSWORD)
    with tab.page.expect_navigation():
        keyboard.press("Enter")
    if view == "without_scripts":
        to(tab, "continue")
        tab.until(lambda: press_enter(tab) or tab.path == "register-terms")
    tab.until(lambda: tab.path == "register-terms")
    assert tab.heading == terms
    look("terms")
    to(tab, "continue")
    keyboard.press("Enter")
    # A browser looks by itself whether what is required is there: it sends nothing, and goes there.
    expect(tab.page.locator("[name=accept_terms]")).to_be_focused()
    keyboard.press("Space")
    to(tab, "continue")
    with tab.page.expect_navigation():
        keyboard.press("Enter")

    assert exists(working, name)
    assert {what: found for what, found in looked.items() if found} == {}


def to(tab, name):
    """Press Tab until a field or a button has the focus, as somebody without a mouse does."""
    wanted = tab.page.locator(f"[name={name}], button[value={name}]").first
    for _ in range(20):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"nobody gets to {name} by the keyboard")


def press_enter(tab):
    with tab.page.expect_navigation():
        to(tab, "continue")
        tab.page.keyboard.press("Enter")
