"""`templates check`: what is wrong with the operator's templates, found with every page there is."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from synapse_nextgen_auth.cli.templates import samples
from synapse_nextgen_auth.cli.templates.looks import Looks, looks_of
from synapse_nextgen_auth.cli.templates.operators import Operators
from synapse_nextgen_auth.cli.templates.touched import Touched
from synapse_nextgen_auth.web.own_templates import faults, mail_faults, missing, static_faults
from synapse_nextgen_auth.web.own_templates.fault import Fault
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.templates import Templates
from synapse_nextgen_auth.web.translations import ENGLISH

_BASE = "/_synapse/client/auth"
_STATIC = f"{_BASE}/static/"
_PAGE = Path("page")  # what is wrong with what is made, in whichever file


def run(whose: Operators) -> int:
    """Print all that is wrong, or how much was looked at; return the exit code."""
    looked = Looked()
    found = list(problems(whose, looked))
    for text in found:
        print(f"* {text}")
    if found:
        return 1
    if whose.directory is None and whose.config.mail.templates is None:
        print("OK: there are no templates of yours (option templates)")
        return 0
    print(f"OK: {looked}")
    return 0


@attrs.define
class Looked:
    """How much was looked at."""

    pages: int = 0
    states: int = 0
    tags: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Return it in words."""
        if not self.pages:
            return "every mail; no page is made of templates of yours"
        pages = "1 page" if self.pages == 1 else f"{self.pages} pages"
        return (
            f"every mail, and {pages} made of templates of yours, in {self.states} states and in"
            f" {len(self.tags)} languages: in others nothing of yours comes out otherwise"
        )


def problems(whose: Operators, looked: Looked | None = None) -> Iterator[str]:
    """Yield what is wrong with them, each once, the files before what they make."""
    yield from mail_faults.problems(whose.config)
    if whose.directory is None:
        return
    yield from faults.problems(whose.config)
    yield from static_faults.unclosed(whose.directory)
    try:
        known = list(faults.found_in(whose.directory))
    except (OSError, ValueError):
        return  # which is said
    yield from _made(whose, whose.directory, known, looked or Looked())


def _made(whose: Operators, own: Path, known: list[Fault], looked: Looked) -> Iterator[str]:
    ours, theirs = Templates(_BASE), whose.templates(_BASE)
    pages = _Pages(ours, theirs, own)
    touched = Touched(theirs.reader(), own)
    # Of what cannot be made all that follows is of that.
    broken = {each.path for each in known if not each.lets_look}
    for template, states in samples.pages().items():
        files = touched.by(template)
        if not files or files & broken:
            continue
        tags = touched.languages(files, theirs.languages.tags)
        looked.pages, looked.states = looked.pages + 1, looked.states + len(states)
        looked.tags |= frozenset(tags)
        found: dict[str, list[str]] = {}
        for state, page in states.items():
            for fault in pages.wrong_with(page, tags):
                if not any(fault.says_the_same(each) for each in known):
                    found.setdefault(str(fault).removeprefix(f"{_PAGE}: "), []).append(state)
        for text, where in found.items():
            more = f" and {len(where) - 1} more" if len(where) > 1 else ""
            yield f"{template}: {text} (state “{where[0]}”{more})"


class _Pages:
    """Makes pages of both, and compares them."""

    def __init__(self, ours: Templates, theirs: Templates, own: Path) -> None:
        self._ours = ours
        self._theirs = theirs
        self._own = own
        self._absent: list[Fault] = []
        theirs.reader().undefined = missing.noting(self._absent, [own])

    def wrong_with(self, page: PageContent, tags: tuple[str, ...]) -> Iterator[Fault]:
        """Yield what is wrong with a page: what it lacks, what fails, and what it looks like."""
        for tag in tags:
            self._absent.clear()
            try:
                html = self._theirs.render_own(page, lang=tag)
            except Exception as error:  # noqa: BLE001 (a template fails in whatever way)
                yield from self._absent
                why = self._why(error)
                if why.line not in {each.line for each in self._absent}:  # else it fails of that
                    yield why
                return
            yield from self._absent
            if tag == ENGLISH:
                yield from (Fault(_PAGE, 0, text) for text in self._seen_in(html, page))

    def _seen_in(self, html: str, page: PageContent) -> Iterator[str]:
        ours = self._ours.render(page)
        if html != ours:
            mine = _looks(html, page)
            yield from dict.fromkeys(mine.faults)
            yield from _missing(mine, _looks(ours, page))

    def _why(self, error: Exception) -> Fault:
        path, line = missing.place_of(error, [self._own]) or (self._own, 0)
        return Fault(path, line, missing.words_of(error))


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
