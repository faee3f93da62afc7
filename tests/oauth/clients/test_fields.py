"""Reading the fields of a registration by type."""

import json

import pytest

from synapse_nextgen_auth.oauth.clients.fields import Fields
from synapse_nextgen_auth.oauth.errors import OAuthError


def refused(call):
    """Return the description of the refusal."""
    with pytest.raises(OAuthError) as caught:
        call()
    assert (caught.value.code, caught.value.status) == ("invalid_client_metadata", 400)
    return caught.value.description


@pytest.mark.parametrize("document", [None, [], "text", 5, 1.5, True, [{}]])
def test_c157_only_an_object_is_a_registration(document):
    """JSON null, arrays and strings are refused, not crashed on."""
    assert "JSON object" in refused(lambda: Fields.of(document))


@pytest.mark.parametrize(
    "document",
    [
        {"client_name": "a\x00b"},
        {"unknown": "a\x00b"},
        {"a\x00b": 1},
        {"unknown": [{"deep": ["\x00"]}]},
        {"unknown": {"\x00": 1}},
    ],
)
def test_c213_nul_is_refused_everywhere(document):
    """PostgreSQL refuses to store it, SQLite does not: neither is asked."""
    assert "NUL" in refused(lambda: Fields.of(document))


@pytest.mark.parametrize(
    "text", [r'{"client_name": "\ud800"}', r'{"\udfff": 1}', r'{"x": ["\udc00"]}']
)
def test_c214_half_a_surrogate_pair_is_refused_everywhere(text):
    """Python's JSON takes it and fails much later."""
    assert "surrogate" in refused(lambda: Fields.of(json.loads(text)))


def test_c214_a_whole_surrogate_pair_is_a_character():
    """JSON writes emoji so."""
    assert Fields.of(json.loads(r'{"a": "\ud83d\ude00"}')).text("a") == "\U0001f600"


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_c158_deep_nesting_is_refused(wrap):
    """A thousand and a hundred thousand levels alike."""
    for depth in (17, 1000, 100_000):
        inner = "x"
        for _ in range(depth):
            inner = wrap(inner)

        assert "nested" in refused(lambda document=inner: Fields.of({"unknown": document}))


@pytest.mark.parametrize("value", [5, 1.5, True, [], {}, ["x"]])
def test_c158_a_string_is_a_string(value):
    """And nothing that could be made into one."""
    assert refused(lambda: Fields.of({"a": value}).text("a")) == "a must be a string"


@pytest.mark.parametrize("value", [None, 5, True, "x", {}, [5], ["x", None], [["x"]], [{}]])
def test_c158_an_array_of_strings_is_just_that(value):
    """A bare string is an array of characters to Python, and refused here."""
    assert refused(lambda: Fields.of({"a": value}).texts("a")) == "a must be an array of strings"


def test_absent_fields_are_absent():
    """For a single value null says the same (RFC 7592 section 2.2)."""
    assert Fields.of({}).text("a") is None
    assert Fields.of({"a": None}).text("a") is None
    assert Fields.of({}).texts("a") is None
    assert Fields.of({"a": []}).texts("a") == ()


def test_an_array_has_each_value_once():
    """In the order of first mention."""
    assert Fields.of({"a": ["y", "x", "y"]}).texts("a") == ("y", "x")


def test_a_string_has_at_most_2048_characters():
    """Enough for every URI that works."""
    assert Fields.of({"a": "x" * 2048}).text("a") == "x" * 2048
    assert "2048" in refused(lambda: Fields.of({"a": "x" * 2049}).text("a"))
