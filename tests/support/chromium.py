"""A person at a real Chromium, in the words of what people do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A site may share its process with others: a new one for each way from site to site, and for each
    # window, takes longer than most pages. What sites may do to each other is decided elsewhere.
    "--disable-site-isolation-trials",
    "--renderer-process-limit=1",
)
# Each window would load two pages for its own bar of addresses, which take longer than most of ours. Of
# such lists the last one counts, so what Playwright switches off is named again.
_SWITCHED_OFF = (
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
# What Chromium says of every page with a status above 399, and of an app that is not installed.
_HARMLESS = ("Failed to load resource: the server responded with a status of", "Failed to launch '")
# What axe finds, without all that it finds to be right, which would be described and sent here, too.
VIOLATIONS = 'axe.run({resultTypes: ["violations"]}).then((found) => found.violations)'
# What axe finds of colours alone, once the page has it.
CONTRAST = """axe.run({runOnly: ["color-contrast"]}).then(
    (found) => found.violations.flatMap((each) => each.nodes.map((node) => node.html)))"""


@contextmanager
def launched(executable: str, *, https_port: int) -> Iterator[Browser]:
    """Yield a Chromium for which every `*.example.com` is the TLS server on `https_port`."""
    rule = f"--host-resolver-rules=MAP *.example.com 127.0.0.1:{https_port}"
    arguments = [*FLAGS, f"--disable-features={','.join(_SWITCHED_OFF)}", rule]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


def listen(page: Page, complaints: list[str]) -> None:
    """Collect whatever goes wrong on a page: errors, policy violations, scripts that should not run."""

    def heard(message):
        if message.type in {"error", "warning"} and not message.text.startswith(_HARMLESS):
            complaints.append(f"{message.type}: {message.text} {message.location}")

    def asked(dialog):
        complaints.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    page.on("dialog", asked)


@attrs.define
class Tab:
    """One tab, in which somebody deals with our pages."""

    page: Page
    server: object
    complaints: list[str] = attrs.field(factory=list)

    def __attrs_post_init__(self):
        listen(self.page, self.complaints)

    @property
    def path(self):
        """Return where we are, below the issuer."""
        return urlsplit(self.page.url).path.removeprefix("/_synapse/client/auth/")

    @property
    def heading(self):
        return self.page.locator("h1").inner_text()

    @property
    def text(self):
        return self.page.locator("body").inner_text()

    def open(self, path=""):
        """Go to one of our pages; return its status."""
        return self.page.goto(self.server.url(path)).status

    def until(self, look, *, patience=60):
        """Let the browser go on until `look` returns something true."""
        deadline = time.monotonic() + patience
        while not look() and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)

    def authorize(self, parameters):
        """Arrive as a client sends people here."""
        return self.open("authorize?" + urlencode(parameters))

    def fill_in(self, user, password=None):
        self.page.get_by_label("Username").fill(user.localpart)
        self.page.get_by_label("Password").fill(password or user.password)

    def sign_in(self, user, password=None):
        self.fill_in(user, password)
        self.press("Sign in")

    def prove_again(self, user):
        """Type the password of the account that the page names."""
        self.page.get_by_label("Password").fill(user.password)
        self.press("Continue")

    def use_another_account(self):
        """Follow the line below the account that a page names."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name="Use another account").click()

    def press(self, name):
        """Press a button, or follow a link that looks like one, and wait for what comes then."""
        button = self.ready_button(name)
        with self.page.expect_navigation():
            button.click()

    def choose(self, name):
        """Press the row of a list that has this name, and wait for what comes then."""
        row = self.page.locator("button.row-link").get_by_text(name, exact=True)
        with self.page.expect_navigation():
            row.click()

    def button(self, name):
        return self.page.locator(".button").get_by_text(name, exact=True)

    def ready_button(self, name):
        """Return the button once it works: some rest at first."""
        expect(self.button(name)).to_be_enabled(timeout=60_000)
        return self.button(name)

    def leave(self, name, redirect_uri):
        """Press a button that leads back to the client; return what the client is told.

        The request counts: for a scheme of an app there is nothing that could answer it. Only a
        fragment never leaves the browser.
        """
        button = self.ready_button(name)
        with self.page.expect_request(lambda request: request.url.startswith(redirect_uri)) as sent:
            button.click()
        if redirect_uri.startswith("http"):
            self.page.wait_for_url(lambda url: url.startswith(redirect_uri))
        return told(sent.value) or parse(urlsplit(self.page.url).fragment)

    def let_in(self, parameters, user):
        """Go through the whole flow; return what the client is told."""
        self.authorize(parameters)
        if self.path == "sign-in":
            self.sign_in(user)
        return self.leave("Continue", parameters["redirect_uri"])


def told(request):
    """Return the parameters that a request carries to a client."""
    return parse(request.post_data or urlsplit(request.url).query)


def parse(encoded):
    """Return form-encoded parameters as a dict."""
    return dict(parse_qsl(encoded, keep_blank_values=True))


def problems(tab: Tab, axe: str) -> list[str]:
    """Return what axe finds, and whether anything has to be scrolled sideways.

    What rests at first is dimmed, which is no colour to judge.
    """
    tab.page.wait_for_selector("button[aria-disabled]", state="detached")
    tab.page.evaluate(axe)
    listed = [
        f"{violation['id']}: {node['html'][:100]}"
        for violation in tab.page.evaluate(VIOLATIONS)
        for node in violation["nodes"]
    ]
    width = tab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*listed, *(["it scrolls sideways"] if width > 0 else [])]
