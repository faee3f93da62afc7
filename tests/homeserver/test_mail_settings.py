"""Synapse's settings of addresses and mails, on the pages that ask for them."""

import base64
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from support.oauth import Browser, Server
from support.smtp import MailServer
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only]

PASSWORD = "seven brave otters juggle"
FOOT = "{% block body %}Ask Eve.{% endblock %}"


@pytest.fixture(scope="module")
def post_office():
    """Yield a mail server that wants a name and a password."""
    server = MailServer(user="synapse", password="the password of the mail server").start()
    yield server
    server.stop()


def pages_of_their_own(directory):
    """Write templates of an operator's: a style sheet, and a page that cannot be made."""
    own = directory / "pages-of-their-own"
    for name, content in {
        "static/meadow.svg": "<svg/>",
        "static/extra.css": "body { background: url(meadow.svg) }",
        "pages/message.html": '{% extends "shipped/pages/message.html" %}'
        "{% block title %}{{ server_name.of.another.release }}{% endblock %}",
    }.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(content)
    return own


@pytest.fixture(scope="module")
def strict_homeserver(tmp_path_factory, make_database, post_office):
    """Yield a homeserver where an address is optional, few are allowed, and few mails are sent."""
    directory = tmp_path_factory.mktemp("homeserver-strict-mails")
    foot = directory / "mails/foot.html"
    foot.parent.mkdir()
    foot.write_text(FOOT)
    config = {
        "email": post_office.settings(validation_token_lifetime="2m"),
        "enable_registration": True,
        "enable_registration_without_verification": True,
        "allowed_local_3pids": [{"medium": "email", "pattern": r"^[^@]+@allowed\.example$"}],
        "rc_3pid_validation": {"per_second": 0.001, "burst_count": 3},
        "request_token_inhibit_3pid_errors": False,
        "enable_media_repo": False,
    }
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={
            "mail": {"templates": str(foot.parent)},
            "templates": str(pages_of_their_own(directory)),
        },
        config=config,
    )
    with homeserver:
        foot.write_text("{% block body %}{{ of_another_release")
        yield homeserver


@pytest.fixture
def browser(strict_homeserver):
    return Browser(Server(strict_homeserver.base_url))


def begin(browser, name):
    browser.get(browser.server.url("register"))
    page = browser.submit(username=name, password=PASSWORD, display_name="", decision="create")
    assert "/register-email?" in page.url
    return page


def test_an_address_that_nobody_has_to_give_is_skipped(strict_homeserver, browser):
    """The account is there without one."""
    page = begin(browser, "skipper")
    assert "Go on without an address" in page.text
    browser.submit(decision="skip")

    assert strict_homeserver.query("SELECT COUNT(*) FROM users WHERE name LIKE '@skipper:%'") == [
        (1,)
    ]
    assert strict_homeserver.query(
        "SELECT COUNT(*) FROM user_threepids WHERE user_id LIKE '@skipper:%'"
    ) == [(0,)]


def test_what_the_operator_does_not_allow_is_refused(post_office, browser):
    """`allowed_local_3pids`; the page says that this server does not take it, and nothing is sent."""
    begin(browser, "outsider")
    page = browser.submit(email="anna@elsewhere.example", decision="send")

    assert page.status_code == 400
    assert "This server does not take that address." in page.text
    assert post_office.none_to("anna@elsewhere.example")


def test_mails_are_limited_as_synapse_limits_them(strict_homeserver, post_office, browser):
    """`rc_3pid_validation`, and the life of a code is no longer than that of Synapse's links."""
    begin(browser, "writer")
    page = browser.submit(email="one@allowed.example", decision="send")
    assert "It is good for 2 minutes." in page.text
    mail = post_office.last_to("one@allowed.example")
    assert "2 minutes" in mail.text
    # As the operator's own template was at the start; what stands there now is for the next one.
    assert "Ask Eve." in mail.text
    for name in ("two", "three"):
        browser.get(page.url.replace("register-email-code", "register-email"))
        browser.submit(email=f"{name}@allowed.example", decision="send")
    browser.get(page.url.replace("register-email-code", "register-email"))
    refused = browser.submit(email="four@allowed.example", decision="send")

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 1
    assert "Too many mails were asked for" in refused.text
    # What Synapse's own endpoint sends counts together with ours.
    answer = browser.http.post(
        f"{strict_homeserver.base_url}/_matrix/client/v3/register/email/requestToken",
        json={"client_secret": "abcdef", "email": "five@allowed.example", "send_attempt": 1},
        timeout=30,
    )
    assert answer.status_code == 429
    assert post_office.none_to("four@allowed.example")


def test_c207_nothing_in_a_mail_is_from_the_host_of_a_request(strict_homeserver, post_office):
    """Its addresses are of the configuration, or there is none."""
    mails = list(post_office.mails)

    assert mails
    for mail in mails:
        for said in (mail.text, mail.html):
            assert not re.search(r"https?://(?!www\.w3\.org)", said)


def test_a_process_without_the_media_repository_shows_profiles(strict_homeserver):
    """Another one may have it: Synapse reads no limits of pictures here."""
    server = Server(strict_homeserver.base_url)
    browser = Browser.of(server, strict_homeserver.new_user())

    assert browser.get(server.url("account-profile")).status_code == 200


def test_what_the_mail_server_says_of_our_password_is_in_no_log(
    strict_homeserver, post_office, browser
):
    """What Twisted raises has the whole conversation in it. The mail comes once it is set right."""
    begin(browser, "guest")
    right, post_office.password = post_office.password, "another"
    homeserver = strict_homeserver
    homeserver.config["rc_3pid_validation"] = {"per_second": 10, "burst_count": 30}
    Path(homeserver.module["mail"]["templates"], "foot.html").write_text(FOOT)
    homeserver.restart()
    browser.submit(email="late@allowed.example", decision="send")
    assert eventually(lambda: "Could not do send_mail" in homeserver.log_text())
    post_office.password = right
    mail = post_office.last_to("late@allowed.example")
    log = homeserver.log_text()

    assert "The mail server answered 535" in log
    assert right not in log
    assert base64.b64encode(right.encode()).decode() not in log
    assert base64.b64encode(f"\0synapse\0{right}".encode()).decode() not in log
    assert mail.code not in log


def test_c201_pages_have_the_operators_own_style_sheet(strict_homeserver):
    """It and its picture are served as ours are, and nothing more is allowed for them."""
    server = Server(strict_homeserver.base_url)
    page = requests.get(server.url("sign-in"), timeout=30)
    sheets = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
    sheet = requests.get(urljoin(page.url, sheets[1]), timeout=30)
    picture = requests.get(
        urljoin(page.url, re.findall(r'url\("([^"]+)"\)', sheet.text)[0]), timeout=30
    )

    assert [each.rpartition("/")[2] for each in sheets] == ["style.css", "extra.css"]
    assert "style-src 'self';" in page.headers["Content-Security-Policy"]
    assert "img-src 'self' data:;" in page.headers["Content-Security-Policy"]
    assert sheet.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (picture.text, picture.headers["Content-Type"]) == ("<svg/>", "image/svg+xml")
    # Opened by itself, a picture of an operator's only draws.
    assert picture.headers["Content-Security-Policy"].endswith("; sandbox")


def test_whoever_meets_a_template_that_fails_gets_our_page(strict_homeserver):
    """It starts with it, as nobody can know before; the log says so once."""
    server = Server(strict_homeserver.base_url)
    for _ in range(2):
        missing = requests.get(server.url("nothing-here"), timeout=30)
        assert missing.status_code == 404
        assert "<h1" in missing.text

    logged = strict_homeserver.log_text()
    assert logged.count("Could not make the page pages/message.html with your templates") == 1
    assert "pages-of-their-own/pages/message.html" in logged
