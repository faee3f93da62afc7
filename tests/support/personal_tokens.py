"""Personal tokens, made on the page by a browser."""

import html
import re

from support.oauth import Browser

# One without a device that reads.
A_TOKEN = {
    "name": "Dashboard",
    "may_read": "on",
    "device": "none",
    "lifetime": str(30 * 24 * 3600),
}
# One that has the whole account, and a device.
A_BOT = {**A_TOKEN, "name": "Bot", "may_whole": "on", "device": "new"}


def make_token(browser: Browser, *, at="account-token-add", **fields):
    """Make a personal token and return it; `at` is the page, which may be that of another one."""
    browser.get(browser.server.url(at))
    page = browser.submit(decision="make", **(A_TOKEN | fields))
    found = re.search(r"<textarea[^>]*>(ngp_[^<]+)</textarea>", page.text)
    assert found, (page.status_code, page.text)
    return found[1]


def token_links(browser: Browser):
    """Return where each token on the account's page can be renewed, the newest first."""
    page = browser.get(browser.server.url("account-tokens"))
    return re.findall(r"account-token-add\?id=[0-9a-f]{32}", html.unescape(page.text))
