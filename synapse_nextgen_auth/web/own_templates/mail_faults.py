"""What is wrong with templates of mails of an operator's: read, and each mail written with them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from synapse_nextgen_auth.accounts.mail.letters import MAILS, SAMPLES, Letter, Mail
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.config.problems import likely
from synapse_nextgen_auth.web import mail_texts
from synapse_nextgen_auth.web.mails import ASKED, FOOT, BlockMissing, Mails
from synapse_nextgen_auth.web.own_templates import missing, names
from synapse_nextgen_auth.web.own_templates.fault import Fault
from synapse_nextgen_auth.web.own_templates.looker import Looker
from synapse_nextgen_auth.web.sources import MAILS as FOLDER
from synapse_nextgen_auth.web.templates import shipped
from synapse_nextgen_auth.web.translations import ENGLISH, Languages

_NAMES = [*(f"{name}.html" for name in (*MAILS, FOOT, ASKED)), "kit.html", "kit.txt"]
_SUFFIXES = frozenset({".html", ".txt"})


def problems(config: Config) -> list[str]:
    """Return what is wrong with an operator's templates, each with its path.

    Every mail is written with what it may say, so that nobody waits for one that cannot be written.
    """
    own = mail_texts.own(config)
    found: list[str] = []
    read: list[Fault] = []
    looker = Looker(*own, folder=FOLDER)
    for each in own:
        try:
            for path in sorted(each.iterdir()):
                if path.suffix not in _SUFFIXES or path.is_dir():
                    continue
                if path.name not in _NAMES:
                    found.append(f"{path}: no template of a mail is called that{_meant(path.name)}")
                else:
                    read += looker.look(path)
        except (OSError, ValueError) as error:  # a name with a NUL is no name of a directory
            why = getattr(error, "strerror", None) or error
            return [f"mail.templates: cannot read the directory {each}: {why}"]
    if own:
        names.forget()
        read += _more(read, _failing(config, own), own)
    return list(dict.fromkeys((*found, *map(str, read))))


def _meant(name: str) -> str:
    near = likely(name, _NAMES)
    return f"; did you mean {near}?" if near else f". There are: {', '.join(_NAMES)}"


def _more(read: Sequence[Fault], written: Iterable[Fault], own: Sequence[Path]) -> list[Fault]:
    """Return what was not known before mails were written; of what cannot be read, all of it follows."""
    broken = {each.path for each in read if not each.lets_look}
    return [
        each
        for each in written
        if each.path not in broken
        and (not broken or missing.is_in(each.path, own))
        and not any(each.says_the_same(other) for other in read)
    ]


def _failing(config: Config, own: Sequence[Path]) -> Iterator[Fault]:
    languages = Languages(shipped() / "languages")
    mails = Mails.of(config, languages, server_name="example.com")
    absent: list[Fault] = []
    mails.let_absent_be(missing.noting(absent, own))
    # What an operator writes is the same in every language, but for where it asks for one: those that
    # most will ask for, and one that runs the other way. A start does not wait for thirty.
    tried = sorted({ENGLISH, config.languages.default, "ar"} & set(languages.tags))
    for sample in SAMPLES:
        for tag in tried:
            before = len(absent)
            try:
                mails.write(Letter("anna@example.com", tag, sample))
            except Exception as error:  # noqa: BLE001 (a template fails in whatever way)
                if len(absent) == before:  # else it fails of what is not there
                    yield _why(error, own, sample)
    yield from absent


def _why(error: Exception, own: Sequence[Path], sample: Mail) -> Fault:
    """Say which line of an operator's templates cannot be used, and why."""
    if isinstance(error, BlockMissing):
        return Fault(Path(error.path), 0, f"there is no block {error.block}")
    place = missing.place_of(error, own)
    if place is not None:
        return Fault(*place, missing.words_of(error))
    text = f"{sample.template} cannot be written with it: {missing.words_of(error)}"
    return Fault(own[0], 0, text)
