"""Catalogues of translations, made up for a test, and the script that keeps those that are shipped."""

import importlib.util

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from support.pages import DIRECTORY, unused_templates
from synapse_nextgen_auth.web.translations import Languages


def _script():
    path = DIRECTORY.parent / "docs" / "update_languages.py"
    spec = importlib.util.spec_from_file_location("update_languages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


update_languages = _script()
NAME = "Lingua"  # what a language of a test calls itself


def write(path, messages, *, locale):
    """Write a catalogue that says this; a message is its English text, or (context, text)."""
    catalog = Catalog(locale=locale, header_comment=f"# {NAME}")
    for message, text in messages.items():
        catalog.add(message, text)
    with path.open("wb") as file:
        write_po(file, catalog)


def copied(directory):
    """Copy the templates, without their catalogues."""
    for path in DIRECTORY.rglob("*"):
        target = directory / path.relative_to(DIRECTORY)
        if path.is_file() and path.parent.name != "languages":
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (directory / "languages").mkdir()
    return directory


def templates_with(directory, **languages):
    """Return the templates with these languages beside English, each by what it says."""
    directory /= "languages"
    directory.mkdir()
    for name, messages in languages.items():
        write(directory / f"{name.replace('_', '-')}.po", messages, locale=name)
    # One environment and one compiled template serve every language.
    templates = unused_templates()
    templates.languages = Languages(directory)
    return templates
