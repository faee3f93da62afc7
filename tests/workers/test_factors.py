"""Second factors on several processes: a code counts once, and guesses are counted on all of them."""

import re
import time

from pyotp import TOTP

from support.deployment import PROCESSES, at_once
from support.oauth import Browser

SECRET = re.compile(r'<bdi class="code">((?:[A-Z2-7]{4} ?){8})</bdi>')
CODE = re.compile(r'<bdi class="code">([A-Z2-9]{5}-[A-Z2-9]{5})</bdi>')


def with_an_app(deployment):
    """Return an account with an authenticator app, that, and its recovery codes."""
    user = deployment.new_user()
    browser = Browser.of(deployment.server(), user)
    browser.get(browser.server.url("account-factor-add"))
    page = browser.submit(name="Phone", decision="begin")
    totp = TOTP(SECRET.search(page.text)[1].replace(" ", ""))
    # The one before: the present one and the next are for the test.
    page = browser.submit(code=shown(totp, -1), decision="confirm")
    return user, totp, CODE.findall(page.text)


def shown(totp, ahead=0):
    return totp.generate_otp(int(time.time()) // 30 + ahead)


def wrong(totp):
    near = {shown(totp, ahead) for ahead in range(-4, 5)}
    return next(each for each in map("{:06}".format, range(100)) if each not in near)


def typed_everywhere(deployment, user, count, by=""):
    """Return browsers that typed the password, on one process after the other."""
    browsers = []
    for number in range(count):
        browser = Browser(deployment.server(PROCESSES[number % len(PROCESSES)]))
        browser.get(browser.server.url("sign-in"))
        browser.sign_in(user.localpart, user.password)
        if by:
            browser.get(f"{browser.page.url}&by={by}")
        assert "/factor?" in browser.page.url
        browsers.append(browser)
    return browsers


def are_signed_in(browsers):
    """Return how many of them are."""
    pages = [
        browser.http.get(
            browser.server.url("account-profile"), allow_redirects=False, timeout=30
        ).status_code
        for browser in browsers
    ]
    return pages.count(200)


def enter(browsers, code):
    return at_once(*(lambda b=b: b.submit(code=code, decision="check") for b in browsers))


def test_c289_of_three_processes_one_takes_a_code(deployment):
    """Typed at the same moment in four browsers it lets one in; a moment later it lets in none.

    Four, as whoever is late is counted as one who guesses: after five nobody is looked at for a while.
    """
    user, totp, _ = with_an_app(deployment)
    browsers = typed_everywhere(deployment, user, 4)
    code = shown(totp)
    enter(browsers, code)
    at_once_ = are_signed_in(browsers)
    late = typed_everywhere(deployment, user, 1)
    answers = enter(late, code)

    assert at_once_ == 1
    assert are_signed_in(late) == 0
    assert [answer.status_code for answer in answers] == [403]


def test_c289_of_three_processes_one_takes_a_recovery_code(deployment):
    user, _, codes = with_an_app(deployment)
    browsers = typed_everywhere(deployment, user, 6, by="recovery-code")
    enter(browsers, codes[0])

    assert are_signed_in(browsers) == 1
    assert deployment.query(
        "SELECT COUNT(*) FROM nextgen_recovery_codes WHERE user_id = ? AND used_at IS NOT NULL",
        user.user_id,
    ) == [(1,)]


def test_c291_guesses_are_counted_over_all_processes(deployment):
    """Of twelve at once, in as many attempts, five are looked at; then the right one is not."""
    user, totp, codes = with_an_app(deployment)
    browsers = typed_everywhere(deployment, user, 12)
    answers = [answer.status_code for answer in enter(browsers, wrong(totp))]
    right = enter(typed_everywhere(deployment, user, 1), shown(totp))
    other = typed_everywhere(deployment, user, 1, by="recovery-code")
    enter(other, codes[0])

    assert sorted(answers) == [403] * 5 + [429] * 7
    assert [answer.status_code for answer in right] == [429]
    assert are_signed_in(other) == 1
