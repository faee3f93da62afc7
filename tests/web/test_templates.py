"""Every page, with friendly samples and hostile ones, read back by an HTML parser."""

import enum
import re
from html.parser import HTMLParser
from pathlib import Path

import attrs
import jinja2
import pytest

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.oauth import scopes
from synapse_nextgen_auth.oauth.permissions import PERMISSIONS
from synapse_nextgen_auth.web.templates import Templates, find_directory
from synapse_nextgen_auth.web.views import (
    PAGES,
    ApprovedPage,
    ApprovePage,
    AskAgainPage,
    ClientCard,
    ConsentPage,
    DeviceDonePage,
    DeviceGrantPage,
    DeviceLine,
    DevicePage,
    DevicesPage,
    FormPostPage,
    ForwardLabel,
    HomePage,
    LinkError,
    LinkPage,
    Message,
    MessagePage,
    Refusal,
    RefusedPage,
    SessionLine,
    SessionPage,
    SignedOutPage,
    SignInError,
    SignInPage,
    WayBackPage,
)

BASE = "/_synapse/client/auth"
DIRECTORY = Path(__file__).resolve().parent.parent.parent / "templates"
TEMPLATES = Templates(BASE)
STYLE = (DIRECTORY / "static" / "style.css").read_text()

LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 6
LONG_ID = f"@{LONG[:180]}:matrix.{LONG[:60]}.example.org"
API = "urn:matrix:client:api:*"
DEVICE_SCOPE = "urn:matrix:client:device:HJKLQWERTY"
ADMIN = "urn:synapse:admin:*"
RIGHT_TO_LEFT = "\u202e\u200fتطبيق المراسلة الآمن\u202c Element"

ELEMENT = ClientCard(
    "Element X",
    "element.io",
    "https://element.io/",
    "https://element.io/terms",
    "https://element.io/privacy",
)
BARE = ClientCard("gomuks", "gomuks.app")
LOCAL = ClientCard("Scripts", "127.0.0.1")
UGLY = ClientCard(LONG, f"{LONG[:60].lower()}.{LONG[:60].lower()}.example", f"https://{LONG}/")

SIGN_IN = SignInPage(
    csrf="c5rf",
    action="sign-in?grant=8a1f",
    identifier="",
    server_name="example.org",
    client=ELEMENT,
)
CONSENT = ConsentPage(
    csrf="c5rf",
    action="consent?grant=8a1f",
    server_name="example.org",
    client=ELEMENT,
    user_id="@alice:example.org",
    display_name="Alice Liddell",
    permissions=scopes.parse(f"openid {API} {DEVICE_SCOPE}").permissions,
    device_id="HJKLQWERTY",
    redirect_host="app.element.io",
)
MESSAGE = MessagePage(Message.NOT_FOUND, "example.org")
APPROVE = ApprovePage(
    csrf="c5rf",
    action="approve?ticket=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    operation=Operation.CROSS_SIGNING_RESET,
    client=ELEMENT,
    device_name="Pixel 9",
)
FORM_POST = FormPostPage(
    action="https://wiki.example.net/callback",
    fields=(("code", "mcode_x"), ("state", "xyz"), ("iss", "https://example.org/")),
    server_name="example.org",
    client=ELEMENT,
)

REFUSED = RefusedPage(
    kind=Refusal.MISTAKE,
    server_name="example.org",
    client=ELEMENT,
    destination="wiki.example.net",
    detail="invalid_scope: The scope is not known here",
    forward_url="https://wiki.example.net/callback?error=invalid_scope&state=xyz#",
)
WAY_BACK = WayBackPage("https://wiki.example.net/callback?code=x#", "example.org", ELEMENT)
ASK_AGAIN = AskAgainPage("authorize", '{"client_id": "x"}', "example.org", ELEMENT)

LINK = LinkPage(csrf="c5rf", action="link", server_name="example.org", user_code="")
DEVICE_GRANT = DeviceGrantPage(
    csrf="c5rf",
    action="device?grant=8a1f",
    server_name="example.org",
    client_name="Element X",
    user_id="@alice:example.org",
    display_name="Alice Liddell",
    permissions=scopes.parse(f"{API} {DEVICE_SCOPE}").permissions,
    user_code="BCD-FGH-JKL",
    asked_at="2026-11-22 08:40 UTC",
    asked_minutes=2,
    asked_from="192.0.2.7",
    asked_by="Firefox on Linux",
    device_id="HJKLQWERTY",
)
HOME_URLS = ("sign-in", "sign-out", "account")
DEVICE = DeviceLine(
    "HJKLQWERTY",
    "Element X on a phone",
    "account?action=org.matrix.device_view&device_id=HJKLQWERTY",
    client=ELEMENT,
    last_seen="2026-11-22 08:40 UTC",
    address="192.0.2.7",
)
LEGACY_DEVICE = DeviceLine("ABCDEFGHIJ", "ABCDEFGHIJ", "account?device_id=ABCDEFGHIJ")
LONG_DEVICE = DeviceLine(LONG, LONG, "account", client=UGLY, last_seen=None, address=LONG)
WEBSITE = SessionLine(
    ClientCard("Wiki", "wiki.example.net", "https://wiki.example.net/"),
    "account?session=8a1f",
    began="2026-10-22 08:40 UTC",
    last_used="2026-11-22 08:40 UTC",
    address="192.0.2.7",
)
LONG_WEBSITE = attrs.evolve(WEBSITE, client=UGLY, address=LONG)
SESSION_PAGE = SessionPage(
    csrf="c5rf",
    action="account?session=8a1f",
    server_name="example.org",
    user_id="@alice:example.org",
    session=WEBSITE,
    devices_url="account",
)
DEVICE_PAGE = DevicePage(
    csrf="c5rf",
    action="account?action=org.matrix.device_delete&device_id=HJKLQWERTY",
    server_name="example.org",
    user_id="@alice:example.org",
    device=DEVICE,
    devices_url="account",
    end_url="account?action=org.matrix.device_delete&device_id=HJKLQWERTY",
    asks_to_end=False,
)

SAMPLES = {
    SignInPage: {
        "plain": SIGN_IN,
        "alone": attrs.evolve(SIGN_IN, client=None, email_allowed=True),
        "long": attrs.evolve(
            SIGN_IN, client=UGLY, identifier=LONG_ID, server_name=LONG_ID.partition(":")[2]
        ),
        "rtl": attrs.evolve(SIGN_IN, client=ClientCard(RIGHT_TO_LEFT, "example.com")),
        "asked_for": attrs.evolve(SIGN_IN, identifier="alice", asked_for="@alice:example.org"),
        **{
            kind.value: attrs.evolve(
                SIGN_IN,
                error=kind,
                identifier="alice",
                retry_after=290,
                asked_for="@bob:example.org" if kind is SignInError.OTHER_ACCOUNT else None,
            )
            for kind in SignInError
        },
    },
    ConsentPage: {
        "plain": CONSENT,
        "admin": attrs.evolve(
            CONSENT,
            client=BARE,
            permissions=scopes.parse(f"{API} {DEVICE_SCOPE} {ADMIN}").permissions,
            redirect_host="127.0.0.1",
        ),
        "admin_only": attrs.evolve(
            CONSENT, permissions=scopes.Scope((ADMIN,)).permissions, device_id=None
        ),
        "everything": attrs.evolve(
            CONSENT, permissions=PERMISSIONS, replaces="Pixel 5, the old one"
        ),
        "web": attrs.evolve(
            CONSENT,
            permissions=scopes.parse("openid email profile").permissions,
            display_name=None,
            device_id=None,
        ),
        "long": attrs.evolve(
            CONSENT,
            client=UGLY,
            user_id=LONG_ID,
            display_name=LONG,
            device_id=LONG,
            replaces=LONG,
            redirect_host=LONG,
            server_name=LONG,
        ),
        "rtl": attrs.evolve(
            CONSENT, client=ClientCard(RIGHT_TO_LEFT, "example.com"), display_name=RIGHT_TO_LEFT
        ),
    },
    HomePage: {
        "signed_in": HomePage("c5rf", "example.org", "@alice:example.org", *HOME_URLS),
        "nobody": HomePage("c5rf", "example.org", None, *HOME_URLS),
        "long": HomePage("c5rf", LONG, LONG_ID, *HOME_URLS),
    },
    LinkPage: {
        "plain": LINK,
        "filled": attrs.evolve(LINK, user_code="BCD-FGH-JKL"),
        **{
            kind.value: attrs.evolve(LINK, user_code="BCDF", error=kind, retry_after=700)
            for kind in LinkError
        },
        "long": attrs.evolve(LINK, server_name=LONG, user_code=LONG),
    },
    DeviceGrantPage: {
        "plain": DEVICE_GRANT,
        "unconfirmed": attrs.evolve(DEVICE_GRANT, missing_confirmation=True),
        "nameless": attrs.evolve(DEVICE_GRANT, client_name=None),
        "admin": attrs.evolve(
            DEVICE_GRANT, permissions=PERMISSIONS, asked_from=None, asked_by=None
        ),
        "long": attrs.evolve(
            DEVICE_GRANT,
            client_name=LONG,
            user_id=LONG_ID,
            display_name=LONG,
            asked_from=LONG,
            asked_by=LONG,
            device_id=LONG,
            server_name=LONG,
        ),
    },
    DeviceDonePage: {
        "approved": DeviceDonePage("example.org", approved=True, client_name="Element X"),
        "refused": DeviceDonePage("example.org", approved=False, client_name=LONG),
        "nameless": DeviceDonePage("example.org", approved=True),
        "nameless, refused": DeviceDonePage("example.org", approved=False),
    },
    DevicesPage: {
        "several": DevicesPage(
            "example.org", "@alice:example.org", (DEVICE, LEGACY_DEVICE, LONG_DEVICE), "./"
        ),
        "none": DevicesPage("example.org", "@alice:example.org", (), "./"),
        "websites": DevicesPage(
            "example.org", "@alice:example.org", (), "./", (WEBSITE, LONG_WEBSITE)
        ),
        "everything": DevicesPage(
            *("example.org", "@alice:example.org", (DEVICE, LEGACY_DEVICE), "./"),
            sessions=(WEBSITE, LONG_WEBSITE),
            more_sessions=True,
        ),
    },
    SessionPage: {
        "plain": SESSION_PAGE,
        "long": attrs.evolve(SESSION_PAGE, session=LONG_WEBSITE, user_id=LONG_ID, server_name=LONG),
    },
    DevicePage: {
        "look": DEVICE_PAGE,
        "end": attrs.evolve(DEVICE_PAGE, asks_to_end=True),
        "legacy": attrs.evolve(DEVICE_PAGE, device=LEGACY_DEVICE, asks_to_end=True),
        "long": attrs.evolve(DEVICE_PAGE, device=LONG_DEVICE, user_id=LONG_ID, server_name=LONG),
    },
    SignedOutPage: {
        "plain": SignedOutPage("example.org", "sign-in"),
        "long": SignedOutPage(LONG, "sign-in"),
    },
    MessagePage: {
        **{kind.value: attrs.evolve(MESSAGE, kind=kind) for kind in Message},
        "full": MessagePage(
            Message.BAD_REDIRECT_URI,
            "example.org",
            reference="7f3c9a12",
            detail="redirect_uri is not registered: https://app.element.io/callback?step=2",
            forward_url="https://element.io/",
            forward_label=ForwardLabel.OTHER_ACCOUNT,
            client=ELEMENT,
        ),
        "retry": MessagePage(
            Message.UNAVAILABLE,
            "example.org",
            reference="7f3c9a12",
            forward_url=f"{BASE}/home",
            forward_label=ForwardLabel.TRY_AGAIN,
        ),
        "waiting": MessagePage(Message.TOO_MANY_REQUESTS, "example.org", retry_after=700),
        "taken": MessagePage(
            Message.DEVICE_TAKEN,
            "example.org",
            forward_url="link",
            forward_label=ForwardLabel.TRY_AGAIN,
            devices_url="account",
        ),
        "long": MessagePage(Message.BAD_REQUEST, LONG, LONG, LONG * 9, "home", None, UGLY),
    },
    FormPostPage: {
        "plain": FORM_POST,
        "unknown": attrs.evolve(FORM_POST, client=None),
        "long": attrs.evolve(FORM_POST, client=UGLY, server_name=LONG),
    },
    WayBackPage: {
        "plain": WAY_BACK,
        "unknown": attrs.evolve(WAY_BACK, client=None),
        "app": attrs.evolve(WAY_BACK, forward_url="io.element.app:/back?code=x"),
        "long": WayBackPage(f"https://{LONG}/", LONG, UGLY),
    },
    AskAgainPage: {
        "plain": ASK_AGAIN,
        "unknown": attrs.evolve(ASK_AGAIN, client=None),
        "long": attrs.evolve(ASK_AGAIN, request=LONG, server_name=LONG, client=UGLY),
    },
    RefusedPage: {
        **{kind.value: attrs.evolve(REFUSED, kind=kind) for kind in Refusal},
        "app": attrs.evolve(
            REFUSED, destination="io.element.app:", forward_url="io.element.app:/back?error=x"
        ),
        "form": attrs.evolve(
            REFUSED,
            forward_url=None,
            redirect_uri=FORM_POST.action,
            fields=(("error", "x"), ("state", "xyz")),
        ),
        "long": RefusedPage(
            Refusal.MISTAKE, LONG, UGLY, UGLY.host, LONG * 3, f"https://{UGLY.host}/"
        ),
    },
    ApprovePage: {
        "plain": APPROVE,
        "bare": attrs.evolve(APPROVE, client=None, device_name=None),
        "long": attrs.evolve(
            APPROVE, client=UGLY, device_name=LONG, user_id=LONG_ID, server_name=LONG
        ),
    },
    ApprovedPage: {
        "plain": ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 10),
        "last_minute": ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 1),
    },
}
EACH_SAMPLE = [
    pytest.param(sample, id=f"{page.__name__}-{name}")
    for page, samples in SAMPLES.items()
    for name, sample in samples.items()
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


class Read(HTMLParser):
    """What a browser would make of a page."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements = []  # (tag, attributes)
        self.texts = []  # (path of open tags, text)
        self.open = []
        self.declared = None
        self.feed(html)
        self.close()

    def handle_decl(self, decl):
        """Keep the doctype."""
        self.declared = decl

    def handle_starttag(self, tag, attrs):
        """Keep the tag with its attributes."""
        assert len(attrs) == len(dict(attrs)), f"{tag} has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Refuse a tag that closes something else."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Keep the text with the tags it stands in."""
        self.texts.append((tuple(self.open), data))

    def all(self, *tags):
        """Return the attributes of each such element."""
        return [found for tag, found in self.elements if tag in tags]

    def text(self, inside="main"):
        """Return what a person reads inside this tag."""
        words = " ".join(text for path, text in self.texts if inside in path)
        return " ".join(words.split())

    @property
    def shape(self):
        """Tags and the names of their attributes: what no text may change."""
        return [(tag, sorted(found)) for tag, found in self.elements]


def read(page):
    """Render a page and read it back."""
    return Read(TEMPLATES.render(page))


def every_field(page, change):
    """Replace every text in `page`, however deep, by what `change` makes of its name and value."""
    changed = {}
    for field in attrs.fields(type(page)):
        value = getattr(page, field.name)
        if attrs.has(type(value)):
            changed[field.name] = every_field(value, change)
        elif field.name == "fields":
            changed[field.name] = tuple((change("name", a), change("value", b)) for a, b in value)
        elif isinstance(value, str) and not isinstance(value, enum.Enum) and value:
            changed[field.name] = change(field.name, value)
    return attrs.evolve(page, **changed)


@pytest.mark.parametrize("page", PAGES)
def test_every_record_has_samples(page):
    """A page without a sample would be a page nobody has looked at."""
    assert SAMPLES[page]


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_a_page_is_a_whole_document(page):
    """A page has a language, a title that names it and then the server, one h1 and landmarks."""
    html = read(page)

    assert html.declared == "doctype html"
    assert html.open == []
    assert html.all("html") == [{"lang": "en"}]
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
        found[name]
        for _, found in html.elements
        for name in ("for", "aria-describedby", "aria-labelledby")
        if name in found
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

    assert all(form["method"] == "post" for form in forms)
    assert all("formaction" not in button for button in html.all("button"))
    # These change nothing here: they go to the application, or ask once more.
    if forms and not isinstance(page, FormPostPage | RefusedPage | AskAgainPage):
        assert {"name": "csrf", "value": page.csrf}.items() <= html.all("input")[0].items()


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_c199_nothing_runs_and_nothing_loads_from_elsewhere(page):
    """No inline script, style or handler; what a page loads is a static file of ours."""
    html = read(page)
    scripts = [text for path, text in html.texts if path[-1:] in [("script",), ("style",)]]
    loaded = [found["src"] for _, found in html.elements if "src" in found]
    loaded += [found["href"] for found in html.all("link")]

    assert not scripts
    assert not html.all("style", "base", "iframe", "object", "embed", "svg")
    assert not [name for _, found in html.elements for name in found if name.startswith("on")]
    assert not [found for _, found in html.elements if "style" in found]
    assert all(url.startswith(f"{BASE}/static/") for url in loaded)
    assert all(TEMPLATES.static_file(url.removeprefix(f"{BASE}/static/")) for url in loaded)


@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_links_to_elsewhere_are_those_of_the_application(page):
    """A page links to nobody but the application, and tells it nothing about itself."""
    html = read(page)
    device = getattr(page, "device", None) or getattr(page, "session", None)
    client = getattr(device or page, "client", None)
    names = ("forward_url", "sign_in_url", "devices_url", "home_url", "end_url")
    ours = {getattr(page, name, None) for name in names}
    ours |= {line.url for line in getattr(page, "devices", ())}
    ours |= {line.url for line in getattr(page, "sessions", ())}
    theirs = {client.uri, client.tos_uri, client.policy_uri} if client else set()

    for link in html.all("a"):
        assert link["href"] in ours | theirs
        assert "noreferrer" in link["rel"]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("page", EACH_SAMPLE)
def test_c198_hostile_text_stays_text(page, payload):
    """Whatever any field holds, the page has the same tags and attributes as before."""

    def change(name, value):
        if name.endswith("uri") or (name == "action" and isinstance(page, FormPostPage)):
            return "https://example.com/" + re.sub(r"[\x00-\x20]", "+", payload)
        return value if name == "forward_url" else payload

    hostile = every_field(page, change)

    assert read(hostile).shape == read(page).shape


def test_c198_hostile_text_is_shown_as_it_is():
    """The person sees exactly what was sent, not what a template engine made of it."""
    hostile = every_field(CONSENT, lambda name, _: f"{name} {{{{7*7}}}} <b>&amp;\"'")
    html = read(hostile)
    shown = html.text("main") + html.text("header")

    for name in ("name", "host", "user_id", "display_name", "device_id", "redirect_host"):
        assert f"{name} {{{{7*7}}}} <b>&amp;\"'" in shown


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


def test_c199_templates_switch_no_escaping_off():
    """No template, of whatever name, contains a way around the escaping."""
    around = re.compile(r"\|\s*safe\b|autoescape|Markup|<script(?! src=)|<style|\sstyle=|\son\w+=")

    for path in DIRECTORY.rglob("*"):
        if path.is_file() and path.parent.name != "static":
            assert not around.search(path.read_text()), path


def test_every_template_belongs_to_a_page():
    """No file is left over; what is not reached would not be compiled at start-up either."""
    folder = DIRECTORY / "pages"

    assert {f"pages/{path.name}" for path in folder.iterdir()} == {p.template for p in PAGES}


def wording(pages, inside="main"):
    """Return what each page says; none says nothing."""
    words = [read(page).text(inside) for page in pages]
    assert all(words)
    return words


def test_every_message_has_its_own_words():
    """Each kind has a heading and a text of its own, and says what to do now."""
    pages = [attrs.evolve(MESSAGE, kind=kind) for kind in Message]

    assert len(set(wording(pages))) == len(set(wording(pages, "h1"))) == len(Message)
    for page in pages:
        assert len(read(page).all("p")) >= 3  # what happened, what to do, and the footer


def test_every_sign_in_error_has_its_own_words():
    """Each kind is announced, in different words, and the title says that there is an error."""
    pages = [attrs.evolve(SIGN_IN, error=kind) for kind in SignInError]

    assert len(set(wording(pages))) == len(SignInError)
    for page in pages:
        html = read(page)
        assert [found for _, found in html.elements if found.get("role") == "alert"]
        assert html.text("title").startswith("Error: ")


def test_every_permission_has_its_own_words():
    """Each permission reads differently, and no page shows one that was not asked for."""
    pages = [attrs.evolve(CONSENT, permissions=(kind,)) for kind in PERMISSIONS]

    assert len(set(wording(pages))) == len(PERMISSIONS)


def test_every_operation_has_its_own_words():
    """Each operation explains itself before and after."""
    before = [attrs.evolve(APPROVE, operation=kind) for kind in Operation]
    after = [ApprovedPage(kind, "example.org", 10) for kind in Operation]

    assert len(set(wording(before))) == len(set(wording(after))) == len(Operation)


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


def named(html, name):
    """Return the attributes of the field of this name."""
    return next(field for field in html.all("input") if field["name"] == name)


def decisions(html):
    """Return what the buttons decide, in order."""
    return [button.get("value") for button in html.all("button")]


def test_the_sign_in_form_speaks_to_password_managers():
    """The fields carry the names that browsers and password managers look for."""
    html = read(SIGN_IN)

    assert named(html, "identifier")["autocomplete"] == "username"
    assert named(html, "password")["autocomplete"] == "current-password"
    assert named(html, "password")["type"] == "password"
    assert html.all("form")[0]["action"] == SIGN_IN.action


def test_cancelling_needs_no_password_and_somewhere_to_go():
    """Enter signs in; Cancel skips the checks, and is there only when an application waits."""
    html = read(SIGN_IN)

    assert decisions(html) == ["sign-in", "cancel"]
    assert "formnovalidate" in html.all("button")[1]
    assert decisions(read(attrs.evolve(SIGN_IN, client=None))) == ["sign-in"]


def test_the_identifier_is_kept_and_the_password_is_not():
    """After an error the person types the password again and nothing else."""
    html = read(attrs.evolve(SIGN_IN, identifier="alice", error=SignInError.WRONG_PASSWORD))

    assert named(html, "identifier")["value"] == "alice"
    assert "value" not in named(html, "password")
    assert "autofocus" in named(html, "password")


@pytest.mark.parametrize(
    ("error", "identifier", "wrong"),
    [
        (SignInError.WRONG_PASSWORD, "alice", {"identifier", "password"}),
        (SignInError.TOO_LONG, "alice", {"identifier", "password"}),
        (SignInError.MISSING_FIELDS, "alice", {"password"}),
        (SignInError.MISSING_FIELDS, "", {"identifier", "password"}),
        (SignInError.BUSY, "alice", set()),
        (SignInError.TOO_MANY_ATTEMPTS, "alice", set()),
        (None, "alice", set()),
    ],
)
def test_the_field_that_is_wrong_says_so(error, identifier, wrong):
    """A screen reader hears which field is meant, and the words of the error with it."""
    html = read(attrs.evolve(SIGN_IN, error=error, identifier=identifier))
    marked = [field for field in html.all("input") if field.get("aria-invalid") == "true"]

    assert {field["name"] for field in marked} == wrong
    assert all(field["aria-describedby"] == "sign-in-error" for field in marked)


def test_without_passwords_there_is_nothing_to_type():
    """A server without password login asks for none, and still lets the person go back."""
    html = read(attrs.evolve(SIGN_IN, error=SignInError.PASSWORD_LOGIN_DISABLED))

    assert [field["name"] for field in html.all("input")] == ["csrf"]
    assert decisions(html) == ["cancel"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "a little later"),
        (0, "in a second"),
        (1, "in a second"),
        (2, "in 2 seconds"),
        (89, "in 89 seconds"),
        (90, "in 2 minutes"),
        (121, "in 3 minutes"),
        (5400, "in 2 hours"),
        (7201, "in 3 hours"),
    ],
)
def test_a_wait_is_told_in_words(seconds, words):
    """Whoever tried too often reads how long to wait, rounded up."""
    kind = SignInError.TOO_MANY_ATTEMPTS

    assert f"Try again {words}." in read(
        attrs.evolve(SIGN_IN, error=kind, retry_after=seconds)
    ).text("main")


def test_the_label_names_what_is_accepted():
    """A person learns whether an e-mail address will do."""
    assert "e-mail" not in read(SIGN_IN).text("label")
    assert "e-mail" in read(attrs.evolve(SIGN_IN, email_allowed=True)).text("label")


def test_consent_names_the_parties_and_what_is_at_stake():
    """The person reads who asks, for which account, where it goes next, and the ways out."""
    html = read(attrs.evolve(CONSENT, replaces="Old phone"))
    text = html.text("main")

    for fact in ("Element X", "element.io", "@alice:example.org", "app.element.io", "Old phone"):
        assert fact in text
    assert decisions(html) == ["approve", "switch", "cancel"]
    assert {ELEMENT.uri, ELEMENT.tos_uri, ELEMENT.policy_uri} == {
        link["href"] for link in html.all("a")
    }


def test_consent_to_a_sign_in_is_not_consent_to_act():
    """An application that only wants to know who it is does not seem to ask for more."""
    acts, knows = read(CONSENT), read(SAMPLES[ConsentPage]["web"])

    assert "use your account" in acts.text("main")
    assert "use your" not in knows.text("main")
    assert acts.text("h1") != knows.text("h1")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "com.example.app:"])
def test_an_application_on_the_device_is_known_by_no_host(host):
    """The consent page says where it is; elsewhere it is on the device that it signed in."""
    local = ClientCard("Scripts", host, f"http://{host}/")

    consent = read(attrs.evolve(CONSENT, client=local)).text("main")
    assert "an application on this device" in consent
    assert "you have just started it yourself" in consent
    assert "Go on only if you know" not in consent
    devices = read(attrs.evolve(APPROVE, client=local)).text("main")
    assert "an application on the device itself" in devices


def test_an_application_that_gives_no_name_chose_none():
    """The sentence about its name would be wrong, in both its forms."""
    for card in (BARE, LOCAL):
        nameless = attrs.evolve(card, name=card.host, is_named=False)
        assert "chose its own name" in read(attrs.evolve(CONSENT, client=card)).text("main")
        text = read(attrs.evolve(CONSENT, client=nameless)).text("main")
        assert "gives no name" in text
        assert "chose its own name" not in text


def test_all_hosts_that_may_stand_behind_an_application_are_named():
    """Any of them may have the tokens, so none is left out and none is a link."""
    several = attrs.evolve(BARE, others=("one.example", "two.example"))
    page = read(attrs.evolve(APPROVE, client=several))

    assert "gomuks.app or one.example or two.example" in page.text("main")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_an_application_on_this_computer_is_called_that(host):
    """Loopback is a word to nobody; that the answer stays on the computer is worth knowing."""
    assert f"{host} (an application on this computer)" in read(
        attrs.evolve(CONSENT, redirect_host=host)
    ).text("dd")
    assert "on this computer" not in read(CONSENT).text("main")


def test_an_app_is_called_that():
    """A scheme says little to most people: it means that an app opens."""
    text = read(attrs.evolve(CONSENT, redirect_host="io.element:")).text("dd")

    assert "io.element (an app on this device)" in text
    assert "on this device" not in read(CONSENT).text("main")


def test_c311_administration_is_never_a_line_among_others():
    """Power over the server gets a warning of its own and a red button."""
    html = read(
        attrs.evolve(CONSENT, permissions=scopes.parse(f"{API} {DEVICE_SCOPE} {ADMIN}").permissions)
    )
    classes = " ".join(found.get("class", "") for _, found in html.elements)

    assert "notice-danger" in classes
    assert "button-danger" in classes
    assert "administer" in html.text("main")
    assert "administer" not in html.text("ul")
    assert "administer" not in read(CONSENT).text("main")


@pytest.mark.parametrize("page", [CONSENT, APPROVE])
def test_c178_only_the_approving_button_waits(page):
    """The script that keeps a double click from approving finds exactly one button."""
    html = read(page)
    held = [button["value"] for button in html.all("button") if "data-hold" in button]

    assert held == ["approve"]
    assert html.all("script")[0]["src"].endswith("/hold.js")


def test_signing_out_is_a_form():
    """Nobody is signed out by a link or an image (C185)."""
    html = read(SAMPLES[HomePage]["signed_in"])

    assert html.all("form")[0]["action"] == "sign-out"
    assert [link["href"] for link in html.all("a")] == ["account"]


def test_the_answer_travels_in_hidden_fields():
    """The fields arrive in order and unchanged; the button works without JavaScript."""
    html = read(FORM_POST)
    fields = [(field["name"], field["value"]) for field in html.all("input")]

    assert fields == list(FORM_POST.fields)
    assert html.all("form")[0]["action"] == FORM_POST.action
    assert "name" not in html.all("button")[0]
    assert "mcode_x" not in repr(FORM_POST)


def test_approved_is_not_done():
    """The page says that the application has yet to act, until when, and tells it to."""
    html = read(ApprovedPage(Operation.CROSS_SIGNING_RESET, "example.org", 10))

    assert "return to your app" in html.text("h1")
    assert "10 minutes" in html.text("main")
    assert "not happened yet" in html.text("main")
    assert html.all("script")[0]["src"].endswith("/approved.js")
    assert b'postMessage("authDone", "*")' in (DIRECTORY / "static/approved.js").read_bytes()


def test_details_for_developers_are_apart():
    """The words of the protocol are there for whoever can use them, and for nobody else."""
    html = read(SAMPLES[MessagePage]["full"])

    assert "For the developer of this application" in html.text("h2")
    assert "redirect_uri is not registered" in html.text("code")
    assert "7f3c9a12" in html.text("main")
    assert not read(MESSAGE).all("code")


@pytest.mark.parametrize(
    ("name", "initial"),
    [("element", "E"), ("  ßx", "S"), ("\u202e Ω", "Ω"), ("123", "1"), ("🦊", "?"), ("", "?")],
)
def test_a_client_without_a_logo_has_a_letter(name, initial):
    """The picture is the first letter of the name, whatever else stands before it."""
    assert ClientCard(name, "example.com").initial == initial


def test_the_language_is_the_callers():
    """A page says which language it is in."""
    assert '<html lang="de">' in TEMPLATES.render(MESSAGE, lang="de")


# Static files


def test_c205_a_static_file_is_found_by_its_hash():
    """The address changes with the content, so that it may be kept for ever."""
    (sheet,) = [link for link in read(MESSAGE).all("link") if link["rel"] == "stylesheet"]
    found = TEMPLATES.static_file(sheet["href"].removeprefix(f"{BASE}/static/"))

    assert re.fullmatch(rf"{BASE}/static/[0-9a-f]{{16}}/style\.css", sheet["href"])
    assert found.content == STYLE.encode()
    assert found.content_type == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "style.css",
        "/style.css",
        "0000000000000000/style.css",
        "../base.html",
        "..%2fbase.html",
        "..\\base.html",
        "{good}/../style.css",
        "{good}%00",
        "{good}\x00",
        "{good}/",
        "/{good}",
        "{upper}",
    ],
)
def test_c205_nothing_else_is_a_static_file(name):
    """A name that is not exactly one of ours leads nowhere, however it is spelled."""
    (sheet,) = [link for link in read(MESSAGE).all("link") if link["rel"] == "stylesheet"]
    good = sheet["href"].removeprefix(f"{BASE}/static/")

    assert TEMPLATES.static_file(good)
    assert TEMPLATES.static_file(name.format(good=good, upper=good.upper())) is None


def test_the_stylesheet_loads_nothing():
    """Pictures are in the stylesheet itself; no address leads out of it."""
    urls = re.findall(r"url\((.{0,20})", STYLE)

    assert "@import" not in STYLE
    assert urls
    assert all(url.startswith('"data:image/svg+xml,') for url in urls)


def test_every_class_of_a_page_is_in_the_stylesheet():
    """A page uses no look that does not exist."""
    used = {
        name
        for samples in SAMPLES.values()
        for sample in samples.values()
        for _, found in read(sample).elements
        for name in found.get("class", "").split()
    }

    assert [name for name in used if f".{name}" not in STYLE] == []


def colours(block):
    """Return the named colours of a piece of the stylesheet."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


LIGHT = colours(STYLE.partition("@media (prefers-color-scheme: dark)")[0])
DARK = LIGHT | colours(STYLE.partition("@media (prefers-color-scheme: dark)")[2].partition("/*")[0])


def luminance(colour):
    """Return the relative luminance of a colour (WCAG 2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Return the contrast ratio of two colours (WCAG 2)."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *[(front, back, 4.5) for front in ("text", "muted") for back in ("page", "card", "inset")],
        *[(front, back, 4.5) for front in ("accent", "accent-hover") for back in ("card", "inset")],
        *[("on-button", back, 4.5) for back in ("button", "button-hover")],
        *[("on-button", back, 4.5) for back in ("danger-button", "danger-button-hover")],
        ("on-accent-tint", "accent-tint", 4.5),
        ("on-danger-tint", "danger-tint", 4.5),
        ("on-warning-tint", "warning-tint", 4.5),
        ("on-success-tint", "success-tint", 4.5),
        ("field-line", "card", 3),
        *[(edge, "card", 3) for edge in ("danger", "button", "danger-button")],
        ("danger", "danger-tint", 3),
        ("focus", "card", 3),
        ("focus", "page", 3),
    ],
)
def test_contrast_is_wcag_aa(scheme, front, back, least):
    """Text has 4.5:1 and the edges of controls 3:1 against what is behind them (WCAG 1.4.3, 11)."""
    assert contrast(scheme[front], scheme[back]) >= least


# Finding and compiling


def test_a_missing_directory_names_both_places(tmp_path):
    """An incomplete installation says where it looked."""
    with pytest.raises(FileNotFoundError, match=r"neither in .*one nor .*two"):
        find_directory((tmp_path / "one", tmp_path / "two"))


def test_the_wheels_directory_comes_first(tmp_path):
    """In a wheel the templates inside the package win over a stranger beside it."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "base.html").touch()

    assert find_directory((tmp_path / "one", tmp_path / "two")) == tmp_path / "one"


def copy(tmp_path, without=None):
    """Copy the templates, but for one file."""
    for path in DIRECTORY.rglob("*"):
        target = tmp_path / path.relative_to(DIRECTORY)
        if path.is_file() and path.name != without:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "name", [path.name for path in DIRECTORY.rglob("*") if path.is_file()], ids=str
)
def test_a_missing_file_fails_at_start_up(tmp_path, name):
    """Whatever file is missing, it is noticed before the first request."""
    directory = copy(tmp_path, without=name)

    with pytest.raises((jinja2.TemplateNotFound, FileNotFoundError)):
        Templates(BASE, directory=directory)


def test_a_broken_template_fails_at_start_up(tmp_path):
    """A template with a mistake in it is noticed before the first request."""
    directory = copy(tmp_path)
    (directory / "components/notice.html").write_text("{% macro notice( %}")

    with pytest.raises(jinja2.TemplateSyntaxError):
        Templates(BASE, directory=directory)


@pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
def test_the_base_may_end_in_a_slash(base):
    """Both spellings of the base lead to the same address."""
    assert f'href="{BASE}/static/' in Templates(base).render(MESSAGE)
