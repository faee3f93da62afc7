"""The digits of a language: as the CLDR has them."""

import unicodedata

from babel import Locale, UnknownLocaleError
from babel.localedata import locale_identifiers

from synapse_nextgen_auth.web import digits


def test_they_are_those_of_the_cldr():
    """For every language that Babel knows, ours or not: a catalogue may be added by anyone."""
    wrong = {}
    for name in locale_identifiers():
        try:
            system = Locale.parse(name).default_numbering_system
        except UnknownLocaleError:
            continue
        written = digits.written("0123456789", name)
        assert [unicodedata.decimal(each) for each in written] == list(range(10)), name
        if (written == "0123456789") != (system == "latn"):
            wrong[name] = system

    assert wrong == {}
