"""No session ends in silence: what the rows did, a flow says, and whoever runs it tells all workers."""

import ast
import re
from pathlib import Path

import pytest

import synapse_nextgen_auth
from support.records import NOW, a_session
from synapse_nextgen_auth.flows.outcome import Outcome, Unsaid, outcome_of
from synapse_nextgen_auth.oauth.errors import invalid_grant
from synapse_nextgen_auth.oauth.sessions import End
from synapse_nextgen_auth.store import sessions, strays

ID = a_session().session_id
PACKAGE = Path(synapse_nextgen_auth.__file__).parent
# What memory never relies on (`homeserver/live.py`): each refresh and each use writes it.
NOT_REMEMBERED = {
    "generation",
    "rotated_at",
    "confirmed_generation",
    "last_active_at",
    "active_day",
}


def modules(folder):
    """Return the syntax of each file of a folder of the package, by its name."""
    return {
        path.stem: ast.parse(path.read_text("utf-8"))
        for path in sorted((PACKAGE / folder).rglob("*.py"))
    }


def functions(tree):
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def texts(function):
    """Return the texts of a function, f-strings with a mark for each value."""
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def changed_columns(function):
    """Return which columns of sessions a function of the rows writes; `?` for those it computes."""
    for text in texts(function):
        found = re.search(r"UPDATE nextgen_sessions SET (.*?)( WHERE | FROM |$)", text, re.DOTALL)
        if found:
            yield from re.findall(r"(\w+|\?) = |^(\?)$", found[1])


def notes(function):
    """Say whether a function of the rows tells the transaction whose session it was."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"ended", "changed"}
        for node in ast.walk(function)
    )


def test_rows_note_each_session_that_they_change():
    """But for what no process remembers of a session."""
    found = {}
    for name, tree in modules("store").items():
        for function in functions(tree):
            columns = {one or other for one, other in changed_columns(function)}
            if columns - NOT_REMEMBERED:
                found[f"{name}.{function.name}"] = notes(function)

    assert len(found) >= 4, found
    assert all(found.values()), found


def test_only_sweeping_deletes_sessions():
    """What it deletes ended long ago; whatever else did so would have to note them."""
    deleting = {
        f"{name}.{function.name}"
        for name, tree in modules("store").items()
        for function in functions(tree)
        if any("DELETE FROM nextgen_sessions" in text for text in texts(function))
    }

    assert all(name.startswith("sweep.") for name in deleting)
    assert any("DELETE FROM" in text for text in map(ast.unparse, modules("store").values()))


def test_rows_note_each_client_that_they_delete():
    """Or processes would go on with an application that is not registered any more."""
    found = {
        f"{name}.{function.name}": "txn.gone" in ast.unparse(function)
        for name, tree in modules("store").items()
        for function in functions(tree)
        if any("DELETE FROM nextgen_clients" in text for text in texts(function))
    }

    assert found == {"unused_clients.remove_unused": True}


def called(function):
    """Return what a function calls, as `module.name` or `name`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def ends_sessions():
    """Return each function of the flows that reaches rows which note a session, with its syntax."""
    noting = {
        f"{name}.{function.name}"
        for name, tree in modules("store").items()
        for function in functions(tree)
        if notes(function)
    }
    flows = {
        (name, function.name): (function, tree)
        for name, tree in modules("flows").items()
        for function in functions(tree)
    }
    found = {}
    while True:
        more = {
            key: function
            for key, (function, tree) in flows.items()
            if key not in found
            and any(
                call in noting or target(key[0], tree, call) in found for call in called(function)
            )
        }
        if not more:
            return found
        found |= more


def target(module, tree, call):
    """Return (module, function) of the flow that a call in a module means."""
    if "." in call:
        return tuple(call.split(".", 1))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and call in {alias.name for alias in node.names}:
            return (node.module or "").rpartition(".")[2], call
    return module, call


def flows_named(tree):
    """Return (module, function) of each flow that a file of the edges names."""
    imported = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield imported.get(node.value.id, node.value.id), node.attr


def test_whatever_may_end_a_session_returns_an_outcome():
    """Or it is a part of other flows, and no edge runs it."""
    found = ends_sessions()
    assert len(found) > 15, sorted(found)
    parts = {
        key
        for key, function in found.items()
        if not ast.unparse(function.returns or ast.Constant(None)).startswith("Outcome[")
    }
    run = {
        call
        for folder in ("homeserver", "web")
        for tree in modules(folder).values()
        for call in flows_named(tree)
    }

    assert run & set(found) - parts
    assert not parts & run


def test_a_flow_that_keeps_silent_about_a_session_is_refused(tables):
    """Whatever it wrote is undone: better an error than a worker that lets it in."""
    tables.run(sessions.add, a_session())

    def silent(txn):
        sessions.end(txn, ID, why=End.LOGOUT, now=NOW)
        return outcome_of(txn, "done")

    with pytest.raises(Unsaid, match=ID):
        tables.run(silent)
    assert tables.run(sessions.get, ID).ended_at is None


@pytest.mark.parametrize(
    "said", [Outcome(None, (ID,)), Outcome(invalid_grant("no"), changed=(ID,))], ids=repr
)
def test_saying_it_in_either_way_will_do(tables, said):
    """What never began for anybody is changed and not ended."""
    tables.run(sessions.add, a_session())
    with tables.begin() as txn:
        sessions.end(txn, ID, why=End.FAILED, now=NOW)

        assert outcome_of(txn, said) is said


@pytest.mark.parametrize(
    "change",
    [
        lambda txn: sessions.move(txn, ID, address="192.0.2.1"),
        lambda txn: strays.set_right(txn, [ID], now=NOW),
        lambda txn: strays.blank_addresses(txn, [ID]),
    ],
    ids=["moved", "set right", "address forgotten"],
)
def test_a_change_that_others_remember_has_to_be_said_too(tables, change):
    """Else a process would go on with what it knows of the session."""
    tables.run(sessions.add, a_session())
    with tables.begin() as txn:
        change(txn)
        with pytest.raises(Unsaid):
            outcome_of(txn, None)


def test_what_ended_before_need_not_be_said(tables):
    """The second one to end a session changed nothing."""
    tables.run(sessions.add, a_session(ended_at=NOW, end_reason="logout"))
    with tables.begin() as txn:
        assert not sessions.end(txn, ID, why=End.LOGOUT, now=NOW)

        assert outcome_of(txn, "value") == Outcome("value")
