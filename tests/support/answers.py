"""What answers must look like, in the words of security.md section 0."""

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


def assert_sent_back(answer, parameters, *errors):
    """Check that the client gets the error, its state untouched and the issuer, and no code."""
    told = sent_back(answer, parameters["redirect_uri"])
    assert told["error"] in errors, told
    assert told.get("state") == parameters.get("state")
    assert told["iss"].endswith("/_synapse/client/auth/")
    assert told.keys() <= {"error", "error_description", "state", "iss"}, told
    return told
