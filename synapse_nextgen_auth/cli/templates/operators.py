"""Whose templates are looked at: what the configuration says, or the command line."""

import argparse
from pathlib import Path

import attrs

from synapse_nextgen_auth.cli import check_config
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import mail_texts
from synapse_nextgen_auth.web.brand import brand
from synapse_nextgen_auth.web.brand.brand import Brand
from synapse_nextgen_auth.web.mails import Mails
from synapse_nextgen_auth.web.templates import Templates


@frozen
class Operators:
    """What somebody has of their own; `server_name` where the configuration says it."""

    config: Config
    server_name: str | None = None
    brand: Brand | None = None

    @property
    def directory(self) -> Path | None:
        """Where their templates are."""
        return Path(self.config.templates) if self.config.templates is not None else None

    def templates(self, base: str) -> Templates:
        """Read the pages as they are now."""
        return Templates(base, own=self.directory, brand=self.brand)

    def mails(self, pages: Templates) -> Mails:
        """Read the mails as they are now."""
        name = self.server_name or "example.org"
        texts = mail_texts.of(self.config)
        return Mails(texts, pages.languages, server_name=name, brand=self.brand)


def of(asked: argparse.Namespace) -> tuple[Operators, list[str]]:
    """Return what the command line names, and what is wrong with that."""
    files: list[Path] = [*(asked.config_files or ()), *(asked.more_config_files or ())]
    config, name = Config(), None
    problems: list[str] = []
    if files:
        raw, problems = check_config.read_files(files)
        if not problems:
            config, problems = check_config.read_options(raw)
            name = str(raw["server_name"]) if "server_name" in raw else None
    if asked.directory is not None:
        config = attrs.evolve(config, templates=str(asked.directory))
    if config.templates is not None and not Path(config.templates).is_dir():
        problems = [*problems, f"templates: there is no directory {config.templates}"]
    if not config.branding.is_set:
        return Operators(config, name), problems
    branded = brand.read(config.branding, default=config.languages.default)
    return Operators(config, name, branded.brand), [*problems, *branded.problems]
