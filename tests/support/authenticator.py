"""An authenticator app, and setting one up on the pages of an account."""

import re
import time

from pyotp import TOTP

SECRET = re.compile(r'<bdi class="code">((?:[A-Z2-7]{4} ?){8})</bdi>')
CODE = re.compile(r'<bdi class="code">([A-Z2-9]{5}-[A-Z2-9]{5})</bdi>')


class App:
    """An authenticator app that shows each code once, as if its owner waited for the next."""

    def __init__(self, secret):
        self.totp = TOTP(secret)
        self.step = 0

    @classmethod
    def on(cls, page):
        """Read the secret off a page."""
        return cls(SECRET.search(page.text)[1].replace(" ", ""))

    def shows(self):
        """Return the next code that the server takes: those of three steps are good at a time."""
        present = int(time.time()) // 30
        self.step = max(present - 1, self.step + 1)
        assert self.step <= present + 1, "the test typed more codes than there were steps"
        return self.totp.generate_otp(self.step)

    def wrong(self):
        present = int(time.time()) // 30
        near = {self.totp.generate_otp(present + off) for off in range(-3, 4)}
        return next(each for each in map("{:06}".format, range(100)) if each not in near)


def add_app(browser, name="Phone"):
    """Set up an app on the pages of the account; return it and the recovery codes that came."""
    browser.get(browser.server.url("account-factor-add"))
    page = browser.submit(name=name, decision="begin")
    app = App.on(page)
    page = browser.submit(code=app.shows(), decision="confirm")
    assert page.status_code == 200, page.text
    return app, CODE.findall(page.text)
