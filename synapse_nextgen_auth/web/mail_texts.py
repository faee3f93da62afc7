"""The texts of mails, read at the start; `mails.py`, which the first mail imports, makes mails of them.

What is installed later, or written by an operator, is for the next start, which looks at it first.
"""

from pathlib import Path

from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.web.pages.names import MAILS
from synapse_nextgen_auth.web.sources import MAILS as FOLDER
from synapse_nextgen_auth.web.sources import Sources
from synapse_nextgen_auth.web.templates import look_for, shipped


def of(config: Config) -> Sources:
    """Read all of them; an operator's own come before ours, of which none may be missing."""
    directory = shipped() / "emails"
    look_for(directory, MAILS)
    return Sources([*own(config), directory], folder=FOLDER)


def own(config: Config) -> list[Path]:
    """Return where mails of the operator's are; `mail.templates` comes before `templates`."""
    found = [Path(config.mail.templates)] if config.mail.templates else []
    mails = Path(config.templates) / "emails" if config.templates else None
    return [*found, mails] if mails and mails.is_dir() else found
