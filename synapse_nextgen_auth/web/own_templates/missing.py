"""What a template asks for and is not there, in words of whoever wrote it: what it is, and where.

Jinja says it in Python's. `Worded` fails as Jinja's strict one does; with `noting` a template goes on
without, so that all that is wrong with it is said at once.
"""

import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from jinja2.utils import missing

from synapse_nextgen_auth.web.own_templates.fault import Fault
from synapse_nextgen_auth.web.own_templates.syntax import hint

_ARGUMENT = re.compile(r"parameter '(\w+)' was not provided")
_EXPORT = re.compile(r"the template '(.+)' \(imported on line \d+\) does not export .* '(\w+)'")
_OF_PYTHON = re.compile(r"'(NoneType|int|float|str|bool|list|tuple|dict|function)' object")
_KINDS = {
    "NoneType": "none",
    "int": "a number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "function": "a function",
}
# What may be asked of a value, and done with it.
_ASKED = [f"__{each}__" for each in ("bool", "contains", "lt", "le", "gt", "ge", "eq", "ne")]
_WITH_ANOTHER = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
_DONE = [
    *("__call__", "__getitem__", "__neg__", "__pos__"),
    *(f"__{before}{each}__" for each in _WITH_ANOTHER for before in ("", "r")),
]
_Frame = tuple[str, int, Mapping[str, Any]]


class Worded(StrictUndefined):
    """Fails when it is used, and says what is not there."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return _words(self, list(_frames()))


def noting(found: list[Fault], own: Sequence[Path]) -> type[StrictUndefined]:
    """Return what notes in `found` that it is not there, at a line of `own`, and is nothing then."""

    class Noted(Worded):
        __slots__ = ()

        def _fail_with_undefined_error(self, *_: Any, **__: Any) -> Any:
            frames = list(_frames())
            theirs = [n for n, each in enumerate(frames) if is_in(Path(each[0]), own)]
            frames = frames[theirs[0] :] if theirs else frames
            path, line, _context = frames[0]
            fault = Fault(Path(path), line, _words(self, frames), lets_look=True)
            if fault not in found:
                found.append(fault)
            return self

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return self._fail_with_undefined_error()

        def _nothing(self, *_: Any) -> Any:
            self._fail_with_undefined_error()
            return 0

        def _not_so(self, *_: Any) -> bool:
            self._fail_with_undefined_error()
            return False

        def _none_of_it(self) -> Iterator[Any]:
            self._fail_with_undefined_error()
            return iter(())

        def _no_words(self) -> str:
            self._fail_with_undefined_error()
            return ""

    goes_on: dict[str, Any] = {"__str__": Noted._no_words, "__iter__": Noted._none_of_it}  # noqa: SLF001 (of its own)
    goes_on |= dict.fromkeys(("__len__", "__hash__", "__int__", "__index__"), Noted._nothing)  # noqa: SLF001 (the same)
    goes_on |= dict.fromkeys(_ASKED, Noted._not_so)  # noqa: SLF001 (the same)
    goes_on |= dict.fromkeys(_DONE, Noted._fail_with_undefined_error)  # noqa: SLF001 (the same)
    for name, does in goes_on.items():
        setattr(Noted, name, does)
    return Noted


def place_of(error: Exception, own: Sequence[Path]) -> tuple[Path, int] | None:
    """Return which line of the operator's it is; Jinja's tracebacks name the lines of templates."""
    if isinstance(error, TemplateSyntaxError):
        return Path(error.filename or ""), error.lineno
    lines = [
        (Path(frame.filename), frame.lineno or 0)
        for frame in traceback.extract_tb(error.__traceback__)
        if is_in(Path(frame.filename), own)
    ]
    return lines[-1] if lines else None


def words_of(error: Exception) -> str:
    """Say why a template failed."""
    if isinstance(error, TemplateSyntaxError):
        return error.message or "cannot be read"
    text = str(error)
    if not isinstance(error, TemplateError):
        text = _OF_PYTHON.sub(lambda found: _KINDS[found[1]], text)
    if isinstance(error, KeyError):
        return f"there is no {text} there"
    return text or type(error).__name__


def _words(found: Any, frames: list[_Frame]) -> str:
    """Say what is not there, and what may have been meant."""
    its_hint, of, name = found._undefined_hint, found._undefined_obj, found._undefined_name  # noqa: SLF001
    if its_hint:
        argument, export = _ARGUMENT.fullmatch(its_hint), _EXPORT.match(its_hint)
        if argument:
            return f"the macro is not handed {argument[1]}, which it takes"
        return f"{export[1]} has no {export[2]}" if export else str(its_hint)
    if of is missing:
        known = [each for each in (frames[0][2] if frames else ()) if not each.startswith("_")]
        return f"there is no value {name} here{hint(str(name), sorted(known))}"
    called = _called(str(name), frames) or _kind(of)
    if of is None:
        return f"{called} is none here: ask {{% if {called} %}} before its {name}"
    return f"{called} has no {name}{hint(str(name), sorted(_parts(of)))}"


def is_in(path: Path, own: Sequence[Path]) -> bool:
    """Say whether a file is one of the operator's."""
    return any(path.is_relative_to(each) for each in own)


def _kind(of: object) -> str:
    name = type(of).__name__
    return _KINDS.get(name, "the value")


def _parts(of: object) -> Iterable[str]:
    """Return what a value has."""
    if isinstance(of, Mapping):
        return [str(each) for each in of]
    known = vars(of) if isinstance(of, TemplateModule) else dir(of)
    return [each for each in known if not each.startswith("_")]


def _called(name: str, frames: list[_Frame]) -> str | None:
    """Return what the template calls the value that lacks a part of this name."""
    if not frames:
        return None
    try:
        line = Path(frames[0][0]).read_text("utf-8").split("\n")[frames[0][1] - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return None
    found = re.search(rf"([A-Za-z_][\w.]*)(?:\.{re.escape(name)}\b|\[.{re.escape(name)}.\])", line)
    return found[1] if found else None


def _frames() -> Iterator[_Frame]:
    """Yield the templates that are just being made, the innermost first: file, line, what it knows."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 (only it knows the line of a template)
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None and template.filename:
            line = template.get_corresponding_lineno(frame.f_lineno)
            context = frame.f_locals.get("context")
            yield template.filename, line, context.get_all() if isinstance(context, Context) else {}
        frame = frame.f_back
