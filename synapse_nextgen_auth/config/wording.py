"""Texts of the operator's for people: one for everybody, or one for each of some languages."""

from collections.abc import Callable, Mapping

from synapse_nextgen_auth.config.problems import Problems, join, shown
from synapse_nextgen_auth.oauth import languages
from synapse_nextgen_auth.oauth.languages import Wording


def wording(
    raw: object,
    path: str,
    problems: Problems,
    *,
    read: Callable[[object, str, Problems], str | None],
) -> Wording | None:
    """Read a text, or texts by their languages, each by `read`; the first is for everybody else."""
    if not isinstance(raw, Mapping):
        text = read(raw, path, problems)
        return Wording((("", text),)) if text else None
    if not raw:
        problems.say(path, "expected a text in one language at least")
        return None
    found: list[tuple[str, str]] = []
    known: dict[str, object] = {}
    for tag, said in raw.items():
        here = join(path, tag)
        if not isinstance(tag, str) or not languages.is_tag(tag):
            problems.say(here, f"{shown(tag)} is not the tag of a language, {_hint(tag)}")
        first = known.setdefault(str(tag).lower(), tag)
        if first is not tag:
            problems.say(here, f"is the same language as {first}: leave one of them out")
        text = read(said, here, problems)
        if text:
            found.append((str(tag), text))
    return Wording(tuple(found)) if len(found) == len(raw) else None


def _hint(tag: object) -> str:
    meant = str(tag).replace("_", "-")
    return f"did you mean {meant}?" if languages.is_tag(meant) else "such as en or pt-BR"
