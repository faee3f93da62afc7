"""`templates check`: what is wrong with the operator's templates, found with every page there is."""

import traceback
from collections.abc import Iterator
from pathlib import Path

import attrs
from jinja2 import TemplateSyntaxError, meta

from synapse_nextgen_auth.cli.templates import samples
from synapse_nextgen_auth.cli.templates.looks import Looks, looks_of
from synapse_nextgen_auth.cli.templates.operators import Operators
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import mails
from synapse_nextgen_auth.web.own_templates import faults
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.templates import Templates
from synapse_nextgen_auth.web.translations import ENGLISH

_BASE = "/_synapse/client/auth"
_STATIC = f"{_BASE}/static/"


def run(whose: Operators) -> int:
    """Print all that is wrong, or how much was looked at; return the exit code."""
    found = list(problems(whose))
    for text in found:
        print(f"* {text}")
    if found:
        return 1
    if whose.directory is None and whose.config.mail.templates is None:
        print("OK: there are no templates of yours (option templates)")
        return 0
    pages, languages = samples.pages(), Templates(_BASE).languages.tags
    states = sum(len(each) for each in pages.values())
    print(
        f"OK: {len(pages)} pages in {states} states, in {len(languages)} languages, and every mail"
    )
    return 0


def problems(whose: Operators) -> Iterator[str]:
    """Yield what is wrong with them, each once, the files before what they make."""
    yield from mails.problems(whose.config)
    if whose.directory is None:
        return
    in_files = faults.problems(whose.config)
    yield from in_files
    if in_files:
        return  # all that follows is of these
    yield from _made(whose, whose.directory)


def _made(whose: Operators, own: Path) -> Iterator[str]:
    ours, theirs = Templates(_BASE), whose.templates(_BASE)
    touched = _Touched(theirs, own)
    for template, states in samples.pages().items():
        if not touched.by(template):
            continue
        found: dict[str, list[str]] = {}
        for state, page in states.items():
            for text in _wrong_with(page, ours, theirs, own):
                found.setdefault(text, []).append(state)
        for text, where in found.items():
            more = f" and {len(where) - 1} more" if len(where) > 1 else ""
            yield f"{template}: {text} (state “{where[0]}”{more})"


def _wrong_with(page: PageContent, ours: Templates, theirs: Templates, own: Path) -> Iterator[str]:
    for tag in theirs.languages.tags:
        try:
            html = theirs.render_own(page, lang=tag)
        except Exception as error:  # noqa: BLE001 (a template fails in whatever way)
            yield f"{_line_of(error, own)}: {error}"
            return
        if tag == ENGLISH:
            mine = _looks(html, page)
            yield from dict.fromkeys(mine.faults)
            yield from _missing(mine, _looks(ours.render(page), page))


def _looks(html: str, page: PageContent) -> Looks:
    return looks_of(html, static=_STATIC, loads=samples.scripts_of(page))


def _missing(mine: Looks, ours: Looks) -> Iterator[str]:
    """Say what a form of ours sends that this one does not: nobody would get on."""
    there = {name for name, _ in mine.fields}
    for name, value in sorted(ours.fields - mine.fields, key=lambda each: each[0]):
        if name not in there:
            yield f"the form has no field {name}"
        elif value is not None:
            yield f"the form has another value in its hidden field {name}"
    for name, value in sorted(ours.choices - mine.choices):
        yield f"there is no button of the name {name} and value {value}"
    for name in sorted(ours.scripts - mine.scripts):
        yield f"the script {name} is not loaded"


def _line_of(error: Exception, own: Path) -> str:
    """Return which line of the operator's it is; Jinja's tracebacks name the lines of templates."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename}: line {error.lineno}"
    lines = [
        f"{frame.filename}: line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(own)
    ]
    return lines[-1] if lines else str(own)


@frozen
class _Touched:
    """Knows which pages are made of a file of the operator's."""

    templates: Templates
    own: Path
    _known: dict[str, bool] = attrs.field(factory=dict)

    def by(self, name: str) -> bool:
        """Say whether this template, or one that it names, is theirs."""
        if name not in self._known:
            self._known[name] = False  # of what names itself
            environment = self.templates.reader()
            assert environment.loader is not None  # noqa: S101 (ours has one)
            source, path, _ = environment.loader.get_source(environment, name)
            is_own = path is not None and Path(path).is_relative_to(self.own)
            references = meta.find_referenced_templates(environment.parse(source, name))
            self._known[name] = is_own or any(each is None or self.by(each) for each in references)
        return self._known[name]
