"""Refusals: what the client hears is plain ASCII, the same for every cause, and not our log's."""

import ast
import re
from pathlib import Path

import attrs
import pytest

import synapse_nextgen_auth
from synapse_nextgen_auth.oauth import errors
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.device_grants import Poll, refuse_poll

PACKAGE = Path(synapse_nextgen_auth.__file__).parent
# RFC 6749 section 5.2.
ALLOWED = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]*")
# Who makes refusals, and which argument of theirs the client reads.
MAKERS = {
    "OAuthError": 1,
    "invalid": 0,
    "invalid_request": 0,
    "invalid_scope": 0,
    "_invalid_redirect": 0,
}


def calls():
    """Yield every call in the package that makes a refusal: where, and the words for the client."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(getattr(node, "func", None), "id", None)
            if isinstance(node, ast.Call) and name in MAKERS:
                words = [k.value for k in node.keywords if k.arg == "description"]
                words += node.args[MAKERS[name] : MAKERS[name] + 1]
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", words


def texts(words):
    """Return the constant texts in these expressions."""
    return [
        node.value
        for word in words
        for node in ast.walk(word)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def returned_reasons():
    """Yield every text that a function named for a refusal returns: it ends up in a description."""
    for path in sorted((PACKAGE / "oauth").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and "refuse" in function.name:
                for node in ast.walk(function):
                    if isinstance(node, ast.Return) and node.value is not None:
                        yield f"{path.name}:{node.lineno}", texts([node.value])


def test_descriptions_are_ascii_without_quote_and_backslash():
    """Every text in the source; texts of strangers inside them are for the tests of each rule."""
    found = [(where, texts(words)) for where, words in calls()]

    assert len(found) > 40
    for where, constants in [*found, *returned_reasons()]:
        for text in constants:
            assert ALLOWED.fullmatch(text), f"{where}: {text!r}"


def test_c091_clients_are_refused_in_the_same_words():
    """The cause goes to our log."""
    one, other = errors.invalid_client("unknown client"), errors.invalid_client("wrong secret")

    assert (one.code, one.description, one.status) == (other.code, other.description, other.status)
    assert (one.code, one.status) == ("invalid_client", 401)
    assert one.detail not in one.description


def test_grants_are_refused_in_the_same_words():
    """Whether unknown, spent, expired or somebody else's."""
    one, other = errors.invalid_grant("spent"), errors.invalid_grant("reuse", reason="reuse")

    assert (one.code, one.description, one.status) == (other.code, other.description, other.status)
    assert (one.code, one.status) == ("invalid_grant", 400)
    assert refuse_poll(Poll.SPENT) == (one.code, one.description)


def test_c102_a_failure_of_ours_is_no_4xx():
    """A client takes any 4xx on refresh for a logout and forgets its keys."""
    assert errors.unavailable("the database is away").status == 503


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OAuthError("invalid_scope", "told"), "invalid_scope: told"),
        (OAuthError("invalid_scope", "told", detail="for the log"), "invalid_scope: for the log"),
    ],
)
def test_the_log_prefers_the_detail(error, text):
    """One line says what happened."""
    assert str(error) == text


def test_a_refusal_can_be_raised_from_another():
    """Although it is frozen."""
    cause = ValueError("x")
    with pytest.raises(OAuthError) as raised:
        raise errors.invalid_request("told") from cause

    assert raised.value.__cause__ is cause
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        raised.value.code = "other"
