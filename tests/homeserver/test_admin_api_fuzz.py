"""Whatever is sent by what the document of the admin API says, or nearly: it is answered as described.

Never with a failure of ours; a look changes nothing, and the administrator who asks is let be.
"""

import string

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.admin_api import ROOT, AdminApi, scope
from support.oauth import Server

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

METHODS = ("get", "post", "put", "delete")
ULIDS = st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("%_!:@/\\'\"{}[]&?#"),
    max_size=40,
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.fixture(scope="module")
def admin(homeserver):
    return homeserver.new_user(admin=True)


@pytest.fixture(scope="module")
def api(homeserver, admin):
    server = Server(homeserver.base_url)
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    found = AdminApi.of(server, tokens["access_token"])
    found.get(f"users/by-username/{homeserver.new_user().localpart}")
    return found


@pytest.fixture(scope="module")
def known(homeserver, api, admin):
    """Return ids that stand for something, so that not all is 404; none is of who asks."""
    api.do("POST", "user-registration-tokens", {}, status=201)
    rows = homeserver.query(
        "SELECT ulid FROM nextgen_ulids WHERE item_key <> ? ORDER BY ulid", admin.user_id
    )
    return [row[0] for row in rows][:20]


def values(schema, document, known):
    """Return a strategy for what a schema describes."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema or "oneOf" in schema:
        return st.one_of(
            *(values(each, document, known) for each in schema.get("anyOf") or schema["oneOf"])
        )
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return st.one_of(*(of_kind(kind, schema, document, known) for kind in kinds))


def of_kind(kind, schema, document, known):
    if kind == "null":
        return st.none()
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(schema.get("minimum", -5), min(schema.get("maximum", 10**6), 2**31))
    if kind == "array":
        return st.lists(values(schema["items"], document, known), max_size=3)
    if kind == "object":
        members = {
            name: values(each, document, known)
            for name, each in schema.get("properties", {}).items()
        }
        needed = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {name: each for name, each in members.items() if name in needed},
            optional={name: each for name, each in members.items() if name not in needed},
        )
    if kind == "string" and "pattern" in schema:
        return st.sampled_from(known) | ULIDS
    if kind == "string" and schema.get("format") == "date-time":
        return st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    if kind == "string":
        return st.text(alphabet=string.ascii_lowercase + string.digits, max_size=12) | TEXTS
    return ODD


def written(value):
    return ("true" if value else "false") if isinstance(value, bool) else value


@st.composite
def calls(draw, document, known):
    """Draw an operation, and a request for it in which something may be wrong."""
    every = [
        (method, path, item[method])
        for path, item in sorted(document["paths"].items())
        for method in METHODS
        if method in item
    ]
    method, path, operation = draw(st.sampled_from(every))
    query = []
    for parameter in operation["parameters"]:
        strategy = values(parameter["schema"], document, known)
        if parameter["in"] == "path":
            value = str(draw(strategy if draw(st.integers(0, 9)) else TEXTS))
            path = path.replace(f"{{{parameter['name']}}}", escaped(value) or "x")
        elif draw(st.booleans()):
            found = draw(strategy if draw(st.integers(0, 9)) else ODD)
            each = found if isinstance(found, list) else [found]
            query += [(parameter["name"], written(one)) for one in each if one is not None]
    body = None
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = draw(values(schema, document, known) if draw(st.integers(0, 9)) else ODD)
    if operation["operationId"] == "endSessions" and isinstance(body, dict) and body.get("all"):
        body["dry_run"] = True  # the sessions of other tests go on
    return method.upper(), path, operation, query, body


def escaped(text):
    """Return a text as one segment of a path that no client rewrites."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_is_sent_is_answered_as_the_document_says(api, known, data):
    """Each answer is one of those that stand there, with a body that fits."""
    method, path, operation, query, body = data.draw(calls(api.document.text, known))
    options = {} if body is None else {"json": body}
    answer = api.server.api(
        method, f"/_synapse/client/auth{path}", api.token, params=query, **options
    )

    api.document.check(operation, answer)
    assert answer.status_code < 500, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert api.get("version"), "whoever asks is still let in"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    raw=st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode()),
    path=st.sampled_from(["users", "users/x/set-admin", "policy-data", "user-emails"]),
    content_type=st.sampled_from(["application/json", "text/plain", ""]),
)
def test_bytes_that_are_no_json_are_refused(api, raw, path, content_type):
    """Whatever their type is said to be."""
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": content_type}
    answer = requests.post(api.server.url(ROOT + path), headers=headers, data=raw, timeout=30)

    assert 400 <= answer.status_code < 500
    assert answer.json()["errors"][0]["title"]
