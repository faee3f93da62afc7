"""Every sentence that the code can say to an operator, a client or a person, found in its syntax."""

import ast
import re
from functools import cache
from pathlib import Path

from support.markdown import ROOT

PACKAGE = ROOT / "synapse_nextgen_auth"
# What speaks to operators: every text of these that is more than a word or two.
_FOR_OPERATORS = ("cli", "config", "homeserver", "module.py", "assembly", "store/migrations.py")
_FOR_OPERATORS += ("oauth/clients/configured.py", "web/templates.py", "web/own_templates")
# Help, settings in effect and what the demo prints when all is well: no errors.
_NO_ERRORS = (
    "cli/main.py",
    "cli/server_arguments.py",
    "cli/list_arguments.py",
    "cli/completion.py",
    "cli/demo_words.py",
    "cli/settings_words.py",
    "cli/templates/arguments.py",
    "cli/templates/listed.py",
    "cli/templates/preview.py",
    "cli/templates/preview_index.py",
    "cli/homeserver_yaml.py",
)
# Findings, each of which says itself what to change.
_EXPLAINED = "cli/doctor/"
# Calls whose texts explain something and complain of nothing.
_EXPLAIN = {"option", "Counter", "Gauge", "Histogram", "compile", "match", "sub", "get_logger"}
# Refusals whose one text goes to our log, and those whose first text goes to the client.
_LOGGED = {"invalid_client", "invalid_grant", "unavailable"}
_TOLD = {"invalid_request", "invalid_scope", "insufficient_scope", "invalid", "_invalid_redirect"}
_TOLD |= {"OAuthError", "SynapseError", "AuthError", "NotFoundError"}


def text_of(node):
    """Return a text as the pages spell it, `…` where a value goes in; `None` for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[sdr]", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left), text_of(node.right)
        return None if left is right is None else f"{left or '…'}{right or '…'}"
    return None


def texts_in(node):
    """Yield the texts of an expression, each as a whole; those of tests and names are none."""
    text = text_of(node)
    if text is not None:
        yield text
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
    elif isinstance(node, ast.Call):
        if _name(node) not in _EXPLAIN and not _is_logger(node):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                yield from texts_in(argument)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from texts_in(value)
    elif not isinstance(node, ast.Compare | ast.Subscript):
        for child in ast.iter_child_nodes(node):
            yield from texts_in(child)


def _name(call):
    function = call.func
    return getattr(function, "attr", getattr(function, "id", ""))


def _is_logger(call):
    owner = getattr(call.func, "value", None)
    return isinstance(owner, ast.Name) and owner.id == "logger"


def _trees(*places):
    for place in places:
        path = PACKAGE / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield file.relative_to(PACKAGE).as_posix(), _tree(file)


@cache
def _tree(file):
    return ast.parse(file.read_text("utf-8"))


def _statements(tree):
    """Yield the simple statements and expressions of a module that are no docstrings."""
    explained = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in _REFERENCE
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in explained:
            continue
        is_said = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        if is_said or isinstance(node, _SAYING):
            yield node


# What an option takes stands in the reference and complains of nothing.
_REFERENCE = {"takes"}
_SAYING = (ast.Return, ast.Raise, ast.Assign, ast.AugAssign, ast.AnnAssign)


def _is_sentence(text):
    words = re.findall(r"[A-Za-z]+", text)
    return len(words) > 2 and " " in text.strip() and words[0] not in _SQL | _HEADERS


_SQL = {"CREATE", "INSERT", "SELECT", "SET", "UPDATE", "DELETE"}
_HEADERS = {"ETag", "no", "text"}  # values of headers and content types


@cache
def for_operators():
    """Return what can go wrong at start-up, in a configuration or on the command line."""
    found = set()
    for place, tree in _trees(*_FOR_OPERATORS):
        if place not in _NO_ERRORS and not place.startswith(_EXPLAINED):
            for statement in _statements(tree):
                found |= {text.strip() for text in texts_in(statement) if _is_sentence(text)}
    return found


def _calls(names, *places):
    for _, tree in _trees(*places):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node) in names:
                yield node


def _has_words(text):
    return len(re.findall(r"[a-z]+", text.replace("_", ""))) > 1 and text != "redirect_uris …: …"


@cache
def for_clients():
    """Return the descriptions of errors that clients read, and what a rule finds wrong with a value."""
    found = set()
    for call in _calls(_TOLD, "oauth", "flows", "web", "homeserver"):
        for argument in call.args:
            found |= {text for text in texts_in(argument) if _has_words(text)}
    for _, tree in _trees("oauth"):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and _may_be_text(node.returns):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return) and inner.value is not None:
                        found |= {text for text in texts_in(inner.value) if _has_words(text)}
    return found


def _may_be_text(annotation):
    return annotation is not None and ast.unparse(annotation) == "str | None"


@cache
def for_the_log():
    """Return the reasons that stand in the line of a refused request and are told to nobody."""
    found = set()
    for call in _calls(_LOGGED, "oauth", "flows", "web", "homeserver"):
        for argument in call.args[:1]:
            found |= {text for text in texts_in(argument) if _has_words(text)}
    return found


@cache
def headings():
    """Return what stands at the top of the pages that say why something does not go on."""
    page = Path(ROOT / "templates/pages/message.html").read_text("utf-8")
    return set(re.findall(r'^  "\w+": \("\w+", "\w+",\n    N_\("([^"]+)"\),', page, re.MULTILINE))
