"""Forms and JSON: one way to read them, and nothing ambiguous gets through."""

import json
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.authorization_request import Parameters
from synapse_nextgen_auth.web import forms

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def attempt(read, raw):
    """Return what was read, or the refusal."""
    try:
        return read(raw)
    except OAuthError as error:
        return error


@given(st.dictionaries(texts, texts, max_size=20))
def test_what_a_browser_sends_is_what_we_read(fields):
    """Any name, any value, in UTF-8."""
    read = forms.parse(urlencode(fields).encode())

    assert read == Parameters(fields)


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&&b=2&", {"a": "1", "b": "2"}),
        (b"a", {"a": ""}),
        (b"a=", {"a": ""}),
        (b"=x", {"": "x"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a=x+y%2Bz", {"a": "x y+z"}),
        (b"%61=%C3%A9", {"a": "\u00e9"}),
        ("a=\u00e9".encode(), {"a": "\u00e9"}),
        (b"a=%zz%", {"a": "%zz%"}),
        (b"a=%EF%BB%BF", {"a": "\ufeff"}),
        (b"a=%0a%0d%09", {"a": "\n\r\t"}),
    ],
)
def test_a_form(raw, values):
    """As the URL standard reads it."""
    assert forms.parse(raw) == Parameters(values)


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (
            b"redirect_uri=https://good.example;redirect_uri=https://evil.example",
            {"redirect_uri": "https://good.example;redirect_uri=https://evil.example"},
        ),
        (b"scope=a;client_id=b", {"scope": "a;client_id=b"}),
        (b"a=1;b=2&c=3", {"a": "1;b=2", "c": "3"}),
        (b"a=1%26b=2", {"a": "1&b=2"}),
        (b"a=1%3Bb=2", {"a": "1;b=2"}),
        (b"a%3D1=2", {"a=1": "2"}),
    ],
)
def test_c017_only_an_ampersand_separates(raw, values):
    """A semicolon is a character like any other; decoding comes after splitting."""
    assert forms.parse(raw) == Parameters(values)


@pytest.mark.parametrize(
    ("raw", "repeated"),
    [
        (b"a=1&a=2", {"a"}),
        (b"a=1&a=1", {"a"}),
        (b"a=&a=1", {"a"}),
        (b"a&a", {"a"}),
        (b"a=1&%61=2", {"a"}),
        (b"a=1&b=2&a=3&b=4", {"a", "b"}),
        (b"a=1&A=2", set()),
    ],
)
def test_c090_a_repeated_parameter_is_noticed(raw, repeated):
    """However it is spelled; in a form it is refused, and the log hears which."""
    parameters = forms.parse(raw)

    assert parameters.repeated == repeated
    assert all(parameters.get(name) is None for name in repeated)
    if repeated:
        refusal = attempt(forms.once, parameters)
        assert (refusal.code, refusal.description) == ("invalid_request", "a parameter is repeated")
        assert "'a'" in refusal.detail


def test_c018_an_empty_parameter_is_an_absent_one():
    """In a form as in a query (RFC 6749 section 3.1)."""
    parameters = forms.parse(b"a=&b=1")

    assert forms.once(parameters) == {"b": "1"}
    assert parameters.get("a") is None


@pytest.mark.parametrize("raw", [b"a=%00", b"a=x%00y", b"a=x\0", b"%00=a", b"\0", b"a\0b=1"])
def test_c213_a_nul_is_refused(raw):
    """PostgreSQL would, later and less politely."""
    assert "NUL" in attempt(forms.parse, raw).description


@pytest.mark.parametrize(
    "raw",
    [
        *(b"a=%ff", b"a=\xff", b"a=%c0%ae", b"a=%e2%82", b"a=%ed%a0%80", b"a=%f4%90%80%80"),
        *(b"%ff=a", "a=\u00e9".encode("latin-1"), "a=b".encode("utf-16")),
    ],
)
def test_c215_what_is_not_utf_8_is_refused(raw):
    """Overlong forms, halves of characters, surrogates, other encodings."""
    assert isinstance(attempt(forms.parse, raw), OAuthError)


def test_there_is_a_limit_to_parameters():
    """An honest request has a dozen."""
    assert len(forms.parse(b"&".join(b"%d=1" % n for n in range(200))).values) == 200
    assert (
        "too many" in attempt(forms.parse, b"&".join(b"%d=1" % n for n in range(201))).description
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(raw):
    """Read or refused; what is read is what other readers see that split at ampersands only."""
    read = attempt(forms.parse, raw)

    if isinstance(read, Parameters):
        theirs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        names = [name.encode("latin-1").decode() for name, _ in theirs]
        assert set(names) == set(read.values)
        assert {name for name in names if names.count(name) > 1} == read.repeated


leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10)
json_values = st.recursive(
    leaves | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(json_values)
def test_a_json_document_is_read(value):
    """Whatever JSON it is; the next reader checks its shape."""
    assert forms.parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b" ", b"{", b"{'a': 1}", b'{"a": 1,}', b"not json", b"[1", b'"a', b"nul", b"\xff"),
        *(b"NaN", b"Infinity", b"-Infinity", b'{"a": NaN}', b"1" * 5000, b"{}{}", b"{} x"),
        *(
            "{}".encode("utf-16"),
            b"\xef\xbb\xbf{}",
            b'{"a": "\xed\xa0\x80"}',
            b'{"a": "\n"}',
            b"\0",
        ),
        *(b"[" * 100_000, b'{"a":' * 50_000, b"[" * 100_000 + b"]" * 100_000),
    ],
)
def test_c157_what_is_no_json_is_refused(raw):
    """In one sentence, without a piece of it: it may hold a password (C225)."""
    refusal = attempt(forms.parse_json, raw)

    assert refusal.description == "The body must be a JSON document in UTF-8"
    assert refusal.detail == ""
    assert refusal.__cause__ is None
    assert refusal.__suppress_context__


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"x": {"redirect_uris": [], "redirect_uris": []}}',
        b'[{"b": 1, "a": 1, "b": 2}]',
    ],
)
def test_c217_a_name_twice_in_one_object_is_refused(raw):
    """Two readers could see two values."""
    assert attempt(forms.parse_json, raw).code == "invalid_client_metadata"


@given(st.binary(max_size=100))
def test_any_json_bytes_are_answered(raw):
    """Read or refused, with a 400."""
    read = attempt(forms.parse_json, raw)

    assert not isinstance(read, OAuthError) or read.status == 400
