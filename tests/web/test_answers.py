"""Answers: nobody keeps them, nobody frames them, and forms end up where they should."""

import json

import pytest

from support.records import REDIRECT_URI
from synapse_nextgen_auth.oauth.errors import OAuthError, unavailable
from synapse_nextgen_auth.oauth.grants import authorization_answer
from synapse_nextgen_auth.oauth.grants.authorization import ResponseMode
from synapse_nextgen_auth.oauth.grants.authorization_answer import Target
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.loads import Loads


def headers(outgoing):
    """Return the headers; none is there twice."""
    found = dict(outgoing.headers)
    assert len(found) == len(outgoing.headers)
    return found


def policy(outgoing):
    """Return the directives of the Content-Security-Policy."""
    parts = headers(outgoing)["Content-Security-Policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


def form_targets(goes_to, **options):
    """Return where forms of a page may end up."""
    return policy(answers.page(200, "", goes_to=goes_to, **options))["form-action"]


PAGES = [
    answers.page(200, "x"),
    answers.page(400, "x"),
    answers.page(200, "x", goes_to=REDIRECT_URI),
    answers.page(200, "x", goes_to="com.example.app:/cb", keeps_opener=True),
    answers.redirect("sign-in"),
    answers.to_client(authorization_answer.success(Target(REDIRECT_URI), code="c", issuer="i")),
]


@pytest.mark.parametrize("outgoing", PAGES)
def test_c177_c201_c203_every_page_is_locked_down(outgoing):
    """Not framed, not cached, not sniffed, no referrer, no inline script, no foreign anything."""
    found, directives = headers(outgoing), policy(outgoing)

    assert found["X-Frame-Options"] == "DENY"
    assert found["Cache-Control"] == "no-store"
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Referrer-Policy"] == "no-referrer"
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(directives)
    assert "*" not in str(directives)


def test_c201_a_page_uses_its_own_files_only():
    """Style, script and pictures."""
    assert policy(PAGES[0]) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_c201_what_one_page_needs_loosens_no_other():
    """A captcha's service stands in the policy of its own page, beside what every page has."""
    loads = Loads(scripts=("https://s.example",), frames=("https://f.example",), tells_origin=True)
    found = answers.page(200, "", loads=loads)

    assert policy(found) == policy(PAGES[0]) | {
        "script-src": "'self' https://s.example",
        "frame-src": "https://f.example",
    }
    assert headers(found)["Referrer-Policy"] == "strict-origin"
    assert headers(found) | {
        name: headers(PAGES[0])[name] for name in ("Content-Security-Policy", "Referrer-Policy")
    } == headers(PAGES[0])


@pytest.mark.parametrize(
    ("goes_to", "targets"),
    [
        (None, "'self'"),
        ("https://app.example.com/cb", "'self' https://app.example.com"),
        ("https://app.example.com:8443/cb?x=1", "'self' https://app.example.com:8443"),
        ("https://APP.example.com/", "'self' https://app.example.com"),
        ("https://app.example.com/?x=[1]", "'self' https://app.example.com"),
        ("http://localhost:49152/cb", "'self' http://localhost:49152"),
        ("http://127.0.0.1/cb", "'self' http://127.0.0.1"),
        ("http://[::1]:49152/cb", "'self' http:"),
        ("com.example.app:/cb", "'self' com.example.app:"),
        ("com.example.app:cb", "'self' com.example.app:"),
        ("not a uri", "'self'"),
        ("https://evil.example;script-src *", "'self'"),
        ("https://evil.example/\r\nX: y", "'self'"),
    ],
)
def test_c202_a_form_may_end_up_at_the_client_and_nowhere_else(goes_to, targets):
    """Browsers apply the directive to the redirect after the post, too."""
    assert form_targets(goes_to) == targets


@pytest.mark.parametrize(
    ("goes_to", "targets"),
    [
        ("https://app.example.com/cb", "'self' https:"),
        ("http://localhost:1/cb", "'self' http:"),
        (None, "'self'"),
    ],
)
def test_c202_a_client_with_a_server_may_send_people_on(goes_to, targets):
    """By the same scheme."""
    assert form_targets(goes_to, goes_further=True) == targets


def test_c178_the_opener_is_cut_off_unless_it_waits_for_an_answer():
    """Another site's window gets no handle on ours."""
    opener = "Cross-Origin-Opener-Policy"

    assert headers(answers.page(200, ""))[opener] == "same-origin"
    assert headers(answers.page(200, "", keeps_opener=True))[opener] == "unsafe-none"


def test_c033_a_redirect_never_repeats_the_form():
    """303, so that no password travels on; an address that is not ASCII never gets here."""
    outgoing = answers.redirect("https://app.example.com/cb?code=c")

    assert (outgoing.status, outgoing.body) == (303, b"")
    assert headers(outgoing)["Location"] == "https://app.example.com/cb?code=c"
    with pytest.raises(UnicodeEncodeError):
        answers.redirect("https://b\u00fccher.example/")


@pytest.mark.parametrize("mode", [ResponseMode.QUERY, ResponseMode.FRAGMENT])
def test_an_answer_travels_by_redirect(mode):
    """To the registered address, with what we add escaped."""
    answer = authorization_answer.success(
        Target(REDIRECT_URI, mode, "s&t\r\nX: y"), code="c", issuer="https://i/"
    )
    location = headers(answers.to_client(answer))["Location"]

    separator = "?" if mode is ResponseMode.QUERY else "#"
    fields = "code=c&iss=https%3A%2F%2Fi%2F&state=s%26t%0D%0AX%3A%20y"
    end = "#" if mode is ResponseMode.QUERY else ""
    assert location == f"{REDIRECT_URI}{separator}{fields}{end}"


@pytest.mark.parametrize(
    ("refusal", "status", "body"),
    [
        (
            OAuthError("invalid_grant", "No good", detail="secret reason", reason="reuse"),
            400,
            {"error": "invalid_grant", "error_description": "No good"},
        ),
        (OAuthError("invalid_client", status=401), 401, {"error": "invalid_client"}),
        (
            unavailable("the database is away"),
            503,
            {"error": "temporarily_unavailable", "error_description": "Try again in a moment"},
        ),
    ],
)
def test_a_refusal_is_json_that_nobody_keeps(refusal, status, body):
    """RFC 6749 section 5.2; what is for our log stays here."""
    outgoing = answers.error(refusal, ("X-More", "1"))
    found = headers(outgoing)

    assert (outgoing.status, json.loads(outgoing.body)) == (status, body)
    assert (found["Cache-Control"], found["Pragma"]) == ("no-store", "no-cache")
    assert found["Content-Type"] == "application/json"
    assert found["X-More"] == "1"
    assert ("Retry-After" in found) == (status == 503)


def test_c009_a_document_may_be_kept_for_a_while():
    """By everybody, for an hour at most, and without a cookie."""
    found = headers(answers.document(b"{}"))

    assert found["Cache-Control"].startswith("public, max-age=600,")
    assert "Set-Cookie" not in found
    assert "Pragma" not in found
