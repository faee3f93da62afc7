"""What answers must look like, in the words of security.md section 0."""

import html
import re
from urllib.parse import parse_qsl, urlsplit


def assert_refused(answer, *errors, status=400):
    """Check that an endpoint refuses in the words of RFC 6749 section 5.2."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    body = answer.json()
    assert body["error"] in errors, body
    assert body.keys() <= {"error", "error_description"}, body
    assert body.get("error_description", "").isascii()
    assert answer.headers["Content-Type"] == "application/json"
    assert_not_kept(answer)


def assert_not_kept(answer):
    """Check that no cache may keep it."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"


def assert_page(answer, *says, status=400):
    """Check that it is a page that says these words and sends nobody anywhere."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert_not_kept(answer)
    for words in says:
        assert words in answer.text, (words, answer.text)


UNKNOWN_CLIENT = "This application is not known here"
BAD_REDIRECT_URI = "The way back does not match"
EXPIRED = "This took too long"
OTHER_BROWSER = "This was started in another browser"
ALREADY_DONE = "This is already done"
OUT_OF_DATE = "That page was out of date"


def sent_back(answer, to):
    """Return what a redirect carries back to the client's redirect URI."""
    assert answer.status_code == 303, (answer.status_code, answer.text)
    location = answer.headers["Location"]
    assert location.startswith(to), location
    parts = urlsplit(location)
    return dict(
        parse_qsl(parts.fragment or parts.query, keep_blank_values=True, strict_parsing=True)
    )


def offered(answer, to):
    """Return what the way back carries that a page offers, by a link or by a form."""
    assert_page(answer, "Go on only if you know")
    ways = re.findall(r'<a class="button[^"]*" href="([^"]*)"', answer.text)
    ways += re.findall(r'<form method="post" action="([^"]*)"', answer.text)
    (way,) = [html.unescape(way) for way in ways]
    assert way.startswith(to), way
    parts = urlsplit(way)
    if "<form" not in answer.text:
        return dict(
            parse_qsl(parts.fragment or parts.query, keep_blank_values=True, strict_parsing=True)
        )
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', answer.text)
    return {name: html.unescape(value) for name, value in fields}


def assert_offered(answer, parameters, *errors):
    """Check that a page says the error, and offers the way back with the very answer."""
    return _assert_tells(offered(answer, parameters["redirect_uri"]), parameters, *errors)


def assert_refused_somehow(answer, parameters, *errors):
    """Check the answer, whether it is sent back or, as long as nobody is signed in, offered."""
    if answer.status_code == 400:
        return assert_offered(answer, parameters, *errors)
    return assert_sent_back(answer, parameters, *errors)


def assert_sent_back(answer, parameters, *errors):
    """Check that the client gets the error, its state untouched and the issuer, and no code."""
    return _assert_tells(sent_back(answer, parameters["redirect_uri"]), parameters, *errors)


def _assert_tells(told, parameters, *errors):
    assert told["error"] in errors, told
    assert told.get("state") == parameters.get("state")
    assert told["iss"].endswith("/_synapse/client/auth/")
    assert told.keys() <= {"error", "error_description", "state", "iss"}, told
    return told
