"""The authorization request: what is refused, where, and how the answer looks."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import CHALLENGE, MATRIX, NOW, REDIRECT_URI, a_client
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants import authorization_answer, authorization_request
from synapse_nextgen_auth.oauth.grants.authorization import Prompt, ResponseMode
from synapse_nextgen_auth.oauth.grants.authorization_answer import Target
from synapse_nextgen_auth.oauth.grants.authorization_request import (
    MAX_STATE,
    Displayed,
    Parameters,
    Problem,
    Redirected,
)
from synapse_nextgen_auth.secret import urlsafe
from synapse_nextgen_auth.web import forms

ISSUER = "https://matrix.example.com/_synapse/client/auth/"
GOOD = {
    "client_id": "app",
    "redirect_uri": REDIRECT_URI,
    "response_type": "code",
    "scope": MATRIX,
    "state": "s",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
CLIENT = a_client()
APP = a_client(
    application_type="native",
    redirect_uris=("com.example.app:/cb", "http://localhost/cb", "http://[::1]/cb"),
)


def parameters(*, repeated=(), **changes):
    """Return a good request with changes; `None` leaves a parameter out."""
    values = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return Parameters(values, frozenset(repeated))


def read(asked, client=CLIENT, **options):
    """Return the request, or where the refusal goes."""
    try:
        target = authorization_request.find_target(asked, client)
        return authorization_request.read_request(asked, client, target, **options)
    except (Displayed, Redirected) as refusal:
        return refusal


def redirected(asked, client=CLIENT, **options):
    """Return the error that travels to the client, and check where it goes."""
    refusal = read(asked, client, **options)
    assert isinstance(refusal, Redirected), refusal
    assert refusal.target.redirect_uri == asked.get("redirect_uri")
    assert refusal.target.state == asked.get("state")
    return refusal.error


def displayed(asked, client=CLIENT):
    """Return the problem that is shown here."""
    refusal = read(asked, client)
    assert isinstance(refusal, Displayed), refusal
    return refusal


def test_a_good_request_is_read():
    """Every parameter in its place."""
    request = read(
        parameters(
            nonce="n", prompt="consent login", max_age="60", login_hint="mxid:@a:b", ui_locales="fr"
        )
    )

    assert request.target == Target(REDIRECT_URI, ResponseMode.QUERY, "s")
    assert request.scope.text == MATRIX
    assert (request.code_challenge, request.nonce) == (CHALLENGE, "n")
    assert request.prompts == {Prompt.CONSENT, Prompt.LOGIN}
    assert (request.max_age, request.login_hint, request.ui_locales) == (60, "mxid:@a:b", "fr")
    assert not request.is_silent


@pytest.mark.parametrize(
    "client_id", [None, "", "unknown", "x" * 10_000, "<script>", "' OR 1=1", "\u2028"]
)
def test_c011_without_a_client_nothing_is_redirected(client_id):
    """The page names a piece of what was sent, and no more."""
    refusal = displayed(parameters(client_id=client_id), client=None)

    assert refusal.problem is Problem.UNKNOWN_CLIENT
    assert len(refusal.detail) < 300
    assert "\u2028" not in refusal.detail


def test_a_repeated_client_id_is_no_client():
    """Two readers could see two clients."""
    assert "repeated" in displayed(parameters(repeated=["client_id"]), client=None).detail


BAD_URIS = [
    *(None, "", "https://evil.example/cb", "https://app.example.com", "//app.example.com/cb"),
    # C054: not one character may differ.
    *("HTTPS://app.example.com/cb", "https://APP.example.com/cb", "https://app.example.com/CB"),
    *(
        "https://app.example.com:443/cb",
        "https://app.example.com/cb/",
        "https://app.example.com/cb.",
    ),
    *("https://app.example.com/cb?x=1", "https://app.example.com/cb#", "https://app.example.com/c"),
    *("https://app.example.com/cb2", "https://app.example.com@evil.example/cb"),
    *("https://app.example.com\\@evil.example/cb", "https://app.example.com//cb"),
    *("https://app.example.com/%63b", "http://app.example.com/cb", "https://app.example.com./cb"),
    *(" https://app.example.com/cb", "https://app.example.com/cb ", "https://app.example.com/cb\n"),
    "https://app.example.com/cb\x00",
    # C055: paths that somebody might resolve.
    *("/cb/../x", "/cb/..", "/cb/.", "/x/../cb", "/./cb", "/cb%2F..%2Fx", "/cb/..%2Fx"),
    *("/cb/..%252Fx", "/cb%252F..%252Fx", "/cb/;/../../x", "/cb;x", "/cb%0A%0D/../../x", "/cb%00"),
    *("/cb/%2e%2e/x", "/cb/%2e%2e%2fx", "/cb/%252e%252e/x", "/cb/%252e%252e%252fx", "/%2e/cb"),
    *("/cb\\..\\x", "/cb/..\\x", "/cb%5c..%5cx", "/cb/\u2025/x", "/cb/\uff0e\uff0e/x"),
    *("javascript:alert(1)", "data:text/html,x", "com.example.app:/cb", "http://127.0.0.1/cb"),
]


@pytest.mark.parametrize("uri", BAD_URIS)
@pytest.mark.parametrize(
    "also_bad",
    [
        {},
        {"scope": '"'},
        {"response_type": "token"},
        {"response_mode": "fragment"},
        {"response_mode": "web_message"},
        {"code_challenge": None},
        {"request": "x"},
    ],
    ids=["alone", "scope", "response-type", "fragment", "mode", "pkce", "request"],
)
def test_c013_c054_c055_c057_an_unregistered_uri_is_never_redirected_to(uri, also_bad):
    """Whatever else is wrong: the order of checks must not turn us into a redirector."""
    asked = parameters(**{"redirect_uri": uri} | also_bad)
    if uri and uri.startswith("/"):
        asked = parameters(**{"redirect_uri": "https://app.example.com" + uri} | also_bad)

    assert displayed(asked).problem is Problem.BAD_REDIRECT_URI


def test_a_repeated_redirect_uri_is_shown_here():
    """Even when the last one is registered."""
    assert displayed(parameters(repeated=["redirect_uri"])).problem is Problem.BAD_REDIRECT_URI


@pytest.mark.parametrize(
    "uri",
    [
        "com.example.app:/cb",
        "http://localhost/cb",
        "http://localhost:49152/cb",
        "http://[::1]:1/cb",
    ],
)
def test_an_app_is_reached_where_it_listens(uri):
    """On loopback the port is free."""
    assert read(parameters(redirect_uri=uri), APP).target.redirect_uri == uri


@pytest.mark.parametrize(
    ("response_type", "code"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        *(
            (wrong, "unsupported_response_type")
            for wrong in (
                "token",
                "id_token",
                "code token",
                "code id_token",
                "none",
                "CODE",
                "code ",
            )
        ),
    ],
)
def test_c014_only_a_code_is_given_out(response_type, code):
    """Tokens never travel through the browser."""
    assert redirected(parameters(response_type=response_type)).code == code


@pytest.mark.parametrize("mode", ["web_message", "jwt", "query.jwt", "QUERY", "query ", "form"])
def test_c015_an_unknown_response_mode_is_refused_in_the_default_one(mode):
    """Without a code."""
    refusal = read(parameters(response_mode=mode))

    assert refusal.error.code == "invalid_request"
    assert refusal.target.response_mode is ResponseMode.QUERY


def test_c015_a_response_mode_twice_is_refused_in_the_default_one():
    """Neither of the two wins."""
    refusal = read(parameters(response_mode="fragment", repeated=["response_mode"]))

    assert refusal.error.code == "invalid_request"
    assert refusal.target.response_mode is ResponseMode.QUERY


@pytest.mark.parametrize(
    ("uri", "mode", "fine"),
    [
        (REDIRECT_URI, "query", True),
        (REDIRECT_URI, "fragment", True),
        (REDIRECT_URI, "form_post", True),
        (REDIRECT_URI, "", True),
        ("com.example.app:/cb", "fragment", True),
        ("com.example.app:/cb", "form_post", False),
        ("http://localhost:5/cb", "form_post", True),
    ],
)
def test_the_advertised_modes_work(uri, mode, fine):
    """But nothing can be posted to an app's own scheme."""
    client = CLIENT if uri == REDIRECT_URI else APP
    answer = read(parameters(redirect_uri=uri, response_mode=mode), client)

    assert isinstance(answer, Redirected) != fine
    assert answer.target.response_mode.value == ((mode or "query") if fine else "query")


@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"client_id", "redirect_uri"}))
def test_a_repeated_parameter_is_refused(name):
    """Each of those we know (RFC 6749 section 3.1)."""
    asked = parameters(repeated=[name])
    error = redirected(asked)

    assert (error.code, name in error.description) == ("invalid_request", True)


def test_c018_unknown_parameters_are_ignored():
    """Even when repeated; RFC 6749 section 3.1."""
    asked = Parameters({**GOOD, "extra": "x", "claims": "{}"}, frozenset({"extra"}))

    assert read(asked) == read(parameters())


@pytest.mark.parametrize(
    "name", ["response_mode", "nonce", "prompt", "max_age", "login_hint", "ui_locales", "request"]
)
def test_c018_an_empty_parameter_is_an_absent_one(name):
    """RFC 6749 section 3.1."""
    assert read(parameters(**{name: ""})) == read(parameters())


@given(st.permutations(list(GOOD.items())), st.permutations(["openid", *MATRIX.split(), "openid"]))
def test_c019_order_does_not_matter(items, tokens):
    """Of parameters, of scope tokens, and a token twice is a token once."""
    asked = forms.parse(urlencode(dict(items) | {"scope": " ".join(tokens)}).encode())

    assert read(asked).scope.effective == {"openid", *MATRIX.split()}


@pytest.mark.parametrize(
    "prompt",
    [
        "none login",
        "none consent",
        "none create",
        "none none login",
        "foo",
        "login foo",
        " ",
        "LOGIN",
        "login  none",
    ],
)
def test_c022_a_bad_prompt_is_refused(prompt):
    """`none` goes with no other, and we know three (OIDC Core section 3.1.2.1)."""
    assert redirected(parameters(prompt=prompt)).code == "invalid_request"


@pytest.mark.parametrize(
    ("prompt", "silent"),
    [(None, False), ("none", True), ("login", False), ("consent", False), ("login consent", False)],
)
def test_only_prompt_none_is_silent(prompt, silent):
    """No page is shown then."""
    assert read(parameters(prompt=prompt)).is_silent is silent


@pytest.mark.parametrize(
    "max_age", ["-1", "abc", "1e9", "1.5", " 1", "1\n", "+1", "0x1", "\u0661", "1" * 10, "9" * 5000]
)
def test_c025_a_bad_max_age_is_refused(max_age):
    """Python raises on integers of more than 4300 digits; nobody gets that far."""
    error = redirected(parameters(max_age=max_age))

    assert (error.code, "max_age" in error.description) == ("invalid_request", True)


@pytest.mark.parametrize(
    ("changes", "login_after"),
    [
        ({}, None),
        ({"prompt": "consent"}, None),
        ({"prompt": "login"}, NOW + 1),
        ({"max_age": "0"}, NOW + 1),
        ({"max_age": "60"}, NOW - 60),
        ({"max_age": "999999999"}, NOW - 999_999_999),
        ({"max_age": "60", "prompt": "login"}, NOW + 1),
    ],
)
def test_c025_since_when_the_person_must_have_signed_in(changes, login_after):
    """A fresh sign-in is one that is still to come."""
    assert read(parameters(**changes)).login_after(NOW) == login_after


states = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200)


@given(states, st.sampled_from(ResponseMode))
def test_c026_the_state_comes_back_octet_for_octet(state, mode):
    """With success and with failure, in every mode."""
    asked = forms.parse(urlencode({**GOOD, "state": state, "response_mode": mode.value}).encode())
    target = read(asked).target

    for answer in (
        authorization_answer.success(target, code="c", issuer=ISSUER),
        authorization_answer.failure(target, OAuthError("access_denied", "No"), issuer=ISSUER),
    ):
        assert dict(answer.fields)["state"] == state
        assert dict(pairs(answer))["state"] == state
        assert answer.location.isascii()


def pairs(answer):
    """Read an answer as a client does."""
    parts = urlsplit(answer.location)
    text = parts.fragment if answer.response_mode is ResponseMode.FRAGMENT else parts.query
    return parse_qsl(text, keep_blank_values=True, strict_parsing=True)


@pytest.mark.parametrize(
    "state", ["a b", "a+b", "a%2Bb", "&=;#?/", "\"'<>\\", "\U0001f600", "s" * 2000]
)
def test_c026_states_that_others_trip_over(state):
    """Spaces, plus, percent, quotes, emoji, two kilobytes."""
    target = read(parameters(state=state)).target

    assert ("state", state) in pairs(authorization_answer.success(target, code="c", issuer=ISSUER))


def test_c026_without_a_state_there_is_none():
    """Absent in, absent out; empty in is absent too."""
    for absent in (None, ""):
        target = read(parameters(state=absent)).target
        answer = authorization_answer.success(target, code="c", issuer=ISSUER)
        assert [name for name, _ in pairs(answer)] == ["code", "iss"]


@pytest.mark.parametrize(("length", "fine"), [(MAX_STATE, True), (MAX_STATE + 1, False)])
def test_c026_a_state_is_never_cut(length, fine):
    """Too long is an error, and the error carries all of it."""
    answer = read(parameters(state="s" * length))

    assert isinstance(answer, Redirected) != fine
    assert answer.target.state == "s" * length


@pytest.mark.parametrize(
    "scope",
    [
        *(None, "", " ", '"', "openid\\", "openid\n", "openid\t email", "\u00e9", "openid  email"),
        *(
            " openid",
            "openid ",
            "unknown",
            MATRIX.split()[0],
            "urn:matrix:client:device:" + "A" * 10,
        ),
        MATRIX + " urn:matrix:client:device:SECOND_DEVICE",
    ],
)
def test_c027_a_bad_scope_is_refused(scope):
    """Grammar, nothing usable, or no single device."""
    assert redirected(parameters(scope=scope)).code == "invalid_scope"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": ""},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge": CHALLENGE[:-1]},
        {"code_challenge": CHALLENGE + "A"},
        {"code_challenge": CHALLENGE[:-1] + "="},
        {"code_challenge": CHALLENGE[:-1] + "+"},
        {"code_challenge": CHALLENGE[:-1] + "\n"},
        {"code_challenge": None, "code_challenge_method": None},
    ],
)
def test_c061_c062_pkce_is_required(changes):
    """From public and confidential clients alike."""
    confidential = a_client(auth_method=AuthMethod.SECRET_BASIC)

    assert redirected(parameters(**changes)).code == "invalid_request"
    assert redirected(parameters(**changes), confidential).code == "invalid_request"


@pytest.mark.parametrize(
    ("method", "scope", "exempt", "fine"),
    [
        (AuthMethod.SECRET_BASIC, "openid", True, True),
        (AuthMethod.PRIVATE_KEY_JWT, "openid", True, True),
        (AuthMethod.SECRET_BASIC, "openid", False, False),
        (AuthMethod.NONE, "openid", True, False),
        (AuthMethod.SECRET_BASIC, MATRIX, True, False),
    ],
)
def test_pkce_may_be_left_out_only_where_the_operator_says_so(method, scope, exempt, fine):
    """By a client that proves itself, and never for the Matrix API."""
    asked = parameters(scope=scope, code_challenge=None, code_challenge_method=None)

    answer = read(asked, a_client(auth_method=method), pkce_optional=exempt)

    assert isinstance(answer, Redirected) != fine


def test_an_exempt_client_that_does_pkce_does_it_right():
    """A bad challenge is no missing one."""
    asked = parameters(scope="openid", code_challenge_method="plain")
    client = a_client(auth_method=AuthMethod.SECRET_BASIC)

    assert redirected(asked, client, pkce_optional=True).code == "invalid_request"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ],
)
def test_requests_by_reference_are_refused(name, code):
    """Never ignored: they would say something else than the URL (OIDC Core section 3.1.2.6)."""
    assert redirected(parameters(**{name: "https://evil.example/request.jwt"})).code == code


def test_a_client_without_the_code_grant_gets_none():
    """It registered for something else."""
    device = a_client(grant_types=("urn:ietf:params:oauth:grant-type:device_code",))

    assert redirected(parameters(), device).code == "unauthorized_client"


@pytest.mark.parametrize("name", ["nonce", "scope", "prompt", "max_age", "response_type"])
def test_oversized_parameters_are_refused(name):
    """Two kilobytes are enough for each."""
    assert redirected(parameters(**{name: "x" * 2049})).code == "invalid_request"


def test_c031_success_and_failure_name_the_issuer():
    """RFC 9207: so that no other server's answer is taken for ours."""
    target = Target(REDIRECT_URI, ResponseMode.QUERY, "s")

    success = authorization_answer.success(target, code="c", issuer=ISSUER)
    failure = authorization_answer.failure(target, OAuthError("access_denied", "No"), issuer=ISSUER)

    assert pairs(success) == [("code", "c"), ("iss", ISSUER), ("state", "s")]
    assert pairs(failure) == [
        ("error", "access_denied"),
        ("error_description", "No"),
        ("iss", ISSUER),
        ("state", "s"),
    ]


def test_an_error_without_a_description_has_none():
    """Not an empty one; and what is for our log stays here."""
    error = OAuthError("server_error", detail="for our log")

    answer = authorization_answer.failure(Target(REDIRECT_URI), error, issuer=ISSUER)

    assert [name for name, _ in pairs(answer)] == ["error", "iss"]


@pytest.mark.parametrize(
    ("uri", "mode", "start"),
    [
        ("https://a.example/cb", "query", "https://a.example/cb?code="),
        ("https://a.example", "query", "https://a.example?code="),
        (
            "https://a.example/?foo=bar%20foo+baz",
            "query",
            "https://a.example/?foo=bar%20foo+baz&code=",
        ),
        ("https://a.example/cb?", "query", "https://a.example/cb?code="),
        ("https://a.example/cb?x&", "query", "https://a.example/cb?x&code="),
        ("https://a.example/cb?z=1&a=2", "query", "https://a.example/cb?z=1&a=2&code="),
        ("https://a.example/cb?x=1", "fragment", "https://a.example/cb?x=1#code="),
        ("com.example.app:/cb", "query", "com.example.app:/cb?code="),
        ("com.example.app:cb", "fragment", "com.example.app:cb#code="),
    ],
)
def test_c053_c059_the_registered_part_stays_byte_for_byte(uri, mode, start):
    """Nothing is decoded, sorted or joined anew."""
    answer = authorization_answer.success(Target(uri, ResponseMode(mode)), code="c", issuer=ISSUER)

    assert answer.location.startswith(start)


@pytest.mark.parametrize(
    ("uri", "mode", "hashes"),
    [
        ("https://a.example/cb", "query", 1),
        ("HTTPS://a.example/cb?x=1", "query", 1),
        ("http://127.0.0.1:1234/cb", "query", 1),
        ("https://a.example/cb", "fragment", 0),
        ("com.example.app:/cb", "query", 0),
        ("com.example.http:/cb", "query", 0),
        ("com.example.app:/cb", "fragment", 0),
    ],
)
@pytest.mark.parametrize("is_success", [True, False])
def test_no_older_fragment_gets_through(uri, mode, hashes, is_success):
    """A web page gets an empty fragment of ours, so that a browser adds none; an app gets none."""
    target = Target(uri, ResponseMode(mode), "a#b")
    answer = (
        authorization_answer.success(target, code="c", issuer=ISSUER)
        if is_success
        else authorization_answer.failure(target, OAuthError("invalid_scope", "no"), issuer=ISSUER)
    )

    assert answer.location.endswith("state=a%23b" + "#" * hashes)


def request_object(claims, *, header='{"alg":"none"}', signature=""):
    """Return a request object, signed or not."""
    encoded = [urlsafe(part.encode()) for part in (header, claims)]
    return ".".join([*encoded, signature])


@pytest.mark.parametrize(
    ("request_object", "response_mode", "used"),
    [
        (request_object('{"response_mode":"form_post"}'), None, "form_post"),
        (request_object('{"response_mode":"form_post"}'), "query", "form_post"),
        (request_object('{"response_mode":"fragment"}', signature="c2ln"), None, "fragment"),
        (request_object("{}"), "form_post", "form_post"),
        (request_object('{"response_mode":"jwt"}'), None, "query"),
        (request_object('{"response_mode":"jwt"}'), "fragment", "fragment"),
        (request_object('{"response_mode":["form_post"]}'), None, "query"),
        (request_object('{"response_mode":7}'), None, "query"),
        (request_object('["response_mode"]'), None, "query"),
        (request_object("[" * 5000), None, "query"),
        ("a.b", None, "query"),
        ("..", None, "query"),
        ("a.\U0001f600.c", None, "query"),
        ("a.b.c.d.e", None, "query"),
    ],
)
def test_a_request_object_is_refused_where_its_client_listens(request_object, response_mode, used):
    """It is read for its `response_mode`, and for nothing else."""
    values = {**GOOD, "request": request_object}
    if response_mode:
        values["response_mode"] = response_mode

    answer = read(Parameters(values))

    assert isinstance(answer, Redirected)
    assert answer.error.code == "request_not_supported"
    assert answer.target.response_mode == used
    assert answer.target.state == GOOD.get("state")


def test_a_request_object_chooses_no_mode_that_does_not_work():
    """Nothing can be posted to an app's own scheme, whoever asks."""
    uri = "com.example.app:/cb"
    client = attrs.evolve(CLIENT, redirect_uris=(uri,))
    form_post = request_object('{"response_mode":"form_post"}')

    answer = read(Parameters({**GOOD, "redirect_uri": uri, "request": form_post}), client)

    assert answer.target.response_mode == "query"


def test_a_request_object_says_nothing_else():
    """Not where the answer goes, nor with which state."""
    claims = '{"redirect_uri":"https://evil.example/","state":"evil","response_mode":"fragment"}'

    answer = read(Parameters({**GOOD, "request": request_object(claims)}))

    assert answer.target.redirect_uri == REDIRECT_URI
    assert answer.target.state == GOOD.get("state")


def test_a_form_has_the_fields_unencoded():
    """The page escapes them; the browser encodes them."""
    target = Target(REDIRECT_URI, ResponseMode.FORM_POST, "a&b <")

    answer = authorization_answer.success(target, code="c", issuer=ISSUER)

    assert (answer.redirect_uri, answer.response_mode) == (REDIRECT_URI, ResponseMode.FORM_POST)
    assert answer.fields == (("code", "c"), ("iss", ISSUER), ("state", "a&b <"))


junk = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
names = st.sampled_from(
    [*GOOD, "response_mode", "nonce", "prompt", "max_age", "login_hint", "ui_locales", "request"]
)


@given(st.dictionaries(names, junk), st.frozensets(names), st.booleans())
def test_any_request_is_answered(values, repeated, is_known):
    """A request, a page here, or an error that may stand in an answer; nothing else raises."""
    asked = Parameters({**GOOD, **values}, repeated)

    answer = read(asked, CLIENT if is_known else None)

    if isinstance(answer, Redirected):
        assert answer.target.redirect_uri == REDIRECT_URI
        answer = authorization_answer.failure(answer.target, answer.error, issuer=ISSUER)
        description = dict(answer.fields)["error_description"]
        assert description.isascii()
        assert not set(description) & {'"', "\\"}
        assert description.isprintable()


@pytest.mark.parametrize(
    "beginning", ["urn:matrix:client:", "urn:matrix:org.matrix.msc2967.client:"]
)
def test_a_tool_for_administrators_need_not_name_a_device(beginning):
    """Element Admin asks so; each sign-in has a device of its own, spelled as the rest is (C305)."""
    asked = f"{beginning}api:* urn:mas:admin urn:synapse:admin:*"
    first, again, other = (
        read(parameters(scope=asked, state=state)).scope for state in ("s", "s", "t")
    )

    assert first.text.startswith(f"{asked} {beginning}device:ADMIN")
    assert first == again
    assert first.device_id != other.device_id
    named = f"{asked} {beginning}device:MYOWNDEVICE"
    assert read(parameters(scope=named)).scope.text == named


def test_c305_nobody_else_goes_without_a_device():
    """Neither an ordinary application, nor one for Synapse's own admin API."""
    for asked in ("urn:matrix:client:api:*", "urn:matrix:client:api:* urn:synapse:admin:*"):
        assert redirected(parameters(scope=asked)).code == "invalid_scope"
    assert read(parameters(scope="urn:mas:admin")).scope.device_id is None
