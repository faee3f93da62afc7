"""A server's code without what only people read runs as before, and says on which line it is."""

import dis
import gc
import subprocess
import sys
import traceback
import weakref
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

import pytest

from synapse_nextgen_auth import lean

PACKAGE = Path(lean.__file__).parent


def all_code():
    """Yield the code of each file of ours."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(("synapse_nextgen_auth", *path.relative_to(PACKAGE).with_suffix("").parts))
        yield SourceFileLoader(name, str(path)).get_code(name)


def inside(code):
    """Return a code and all that is in it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from inside(each)


def lines(code):
    return [line for _, end, line in code.co_lines() for _ in range(end)]


def is_the_same_but_for_words(before, after):
    assert before.co_code == after.co_code
    assert before.co_names == after.co_names
    assert len(before.co_consts) == len(after.co_consts)
    for number, (was, is_now) in enumerate(zip(before.co_consts, after.co_consts, strict=True)):
        if isinstance(was, CodeType) or was is is_now:
            continue
        # A docstring, which no instruction loads.
        assert (number, type(was), is_now) == (0, str, None)
        assert before.co_name != "<module>"
        loads = [each.arg for each in dis.get_instructions(before) if "CONST" in each.opname]
        assert 0 not in loads, before


def test_nothing_that_runs_is_another_thing_without_words():
    """In each file of ours: no docstring is a value that something uses."""
    kept = gone = 0
    for code in all_code():
        for before, after in zip(inside(code), inside(lean.without_words(code)), strict=True):
            is_the_same_but_for_words(before, after)
            kept += 1
            gone += before.co_consts != after.co_consts

    assert kept > 5000
    assert gone > 2000


@pytest.mark.skipif(sys.version_info < (3, 11), reason="has no columns")
def test_every_instruction_stays_on_its_line_without_columns():
    """And what says so takes a quarter."""
    long = before_that = 0
    for code in all_code():
        for before, after in zip(inside(code), inside(lean.without_columns(code)), strict=True):
            assert before.co_code == after.co_code
            assert [one[0] for one in before.co_positions()] == [
                one[0] for one in after.co_positions()
            ]
            assert {one[2:] for one in after.co_positions()} <= {(None, None)}
            before_that, long = (
                before_that + len(before.co_linetable),
                long + len(after.co_linetable),
            )

    assert long < before_that / 3


@pytest.mark.parametrize("gap", [0, 1, 31, 32, 63, 64, 2047, 2048, 100_000])
def test_lines_far_apart_and_backwards(gap):
    """A call that goes over lines comes back to its first one."""
    text = f"def far(x):\n{chr(10) * gap}    return x(\n{chr(10) * gap}      1 / x)\n"
    code = compile(text, "far.py", "exec")
    namespace = {}
    exec(lean.without_columns(lean.without_words(code)), namespace)

    with pytest.raises(ZeroDivisionError) as caught:
        namespace["far"](0)

    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 2 * gap + 3


def test_of_a_text_that_is_a_value_nothing_is_dropped():
    """Only what Python itself takes for a docstring."""
    text = """
def told():
    "Told."
    return "told"
def untold():
    return "value"
short = lambda: "value"
def makes():
    return list("value" for _ in "ab"), ["value" for _ in "a"]
class Kind:
    "A kind."
    text = "value"
    def method(self, given="value"):
        return given
"""
    namespace = {}
    exec(lean.without_columns(lean.without_words(compile(text, "x.py", "exec"))), namespace)
    made = namespace["Kind"]()

    assert namespace["told"].__doc__ is None
    assert namespace["told"]() == "told"
    assert [namespace["untold"](), namespace["short"](), made.text, made.method()] == ["value"] * 4
    assert namespace["makes"]() == (["value", "value"], ["value"])


def test_a_server_has_no_words_and_all_the_rest():
    """Of each file of ours that a start imports, and of what is imported later; asserts stay."""
    look = """
import gc, sys
import synapse.app.homeserver
from types import FunctionType
import synapse_nextgen_auth
synapse_nextgen_auth.NextGenAuth
import synapse_nextgen_auth.assembly.start
from synapse_nextgen_auth import late, lean
lean.start_is_over()
late.imported("web.pages.sign_in.sign_in")

ours = lambda thing: (getattr(thing, "__module__", None) or "").startswith("synapse_nextgen_auth")
early = {"synapse_nextgen_auth", "synapse_nextgen_auth.lean"}
functions = [
    each for each in gc.get_objects()
    if isinstance(each, FunctionType) and ours(each) and each.__module__ not in early
    and "synapse_nextgen_auth" in each.__code__.co_filename and each.__code__.co_filename.endswith(".py")
]
assert len(functions) > 1500, len(functions)
told = [each.__qualname__ for each in functions if each.__doc__]
assert not told, told
annotated = [each.__qualname__ for each in functions if each.__annotations__]
assert len(annotated) < 60, annotated
page = sys.modules["synapse_nextgen_auth.web.pages.sign_in.sign_in"]
assert page.__doc__ is None
columns = {one[2] for each in vars(page).values() if isinstance(each, FunctionType)
           and each.__module__ == page.__name__ for one in each.__code__.co_positions()}
assert sys.version_info < (3, 11) or columns == {None}, columns
from synapse_nextgen_auth.oauth.sessions import Session
assert Session.__doc__ is None
try:
    Session.under(None, 1)
except AttributeError as error:
    line = error.__traceback__.tb_next.tb_lineno
text = open(sys.modules["synapse_nextgen_auth.oauth.sessions"].__file__).read().splitlines()
assert "part = self.granted.under(mask)" in text[line - 1], text[line - 1]
print("as it should be")
"""
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", look], check=False, capture_output=True, text=True
    )

    assert said.stdout == "as it should be\n", said.stderr


class Cycle:
    """Garbage that only a look finds."""

    def __init__(self):
        self.itself = self


@pytest.mark.parametrize(("count", "is_gone"), [(lean._MUCH * 2, True), (10, False)])
def test_much_garbage_is_looked_for_at_once_and_a_little_is_left(count, is_gone):
    """As in a server, where nothing else looks for it."""
    gc.collect()
    gc.disable()
    try:
        first = weakref.ref(Cycle())
        for _ in range(count):
            Cycle()
        lean.sweep()
        assert (first() is None) is is_gone
    finally:
        gc.enable()


def test_a_python_that_nobody_looked_at_keeps_all_of_its_code(monkeypatch):
    """Its tables of lines may be of another kind, and its first constant another thing."""
    monkeypatch.setattr(lean, "_KNOWN", False)
    code = compile("def f():\n    'word'\n    return 1\n", "x.py", "exec")

    assert lean.without_words(code) is code
    assert lean.without_columns(code) is code


def test_a_file_is_found_without_a_list_of_its_folder():
    """Python would list each folder that it imports from, and keep that."""
    script = (
        "import sys; from synapse_nextgen_auth import lean; lean.install();"
        "import synapse_nextgen_auth.oauth.scopes.grammar as made;"
        "assert made.__file__ and made.__spec__.origin == made.__file__;"
        "assert made.parse.__code__.co_filename is made.__spec__.loader.path;"
        "assert not hasattr(made, '__cached__');"
        # Packages are found as ever: their folders are asked for, and those below them are not.
        "assert not [each for each in sys.path_importer_cache if each.endswith('oauth/scopes')]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
