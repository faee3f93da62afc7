"""`check-config` in tests that ask it many times: it compiles every template, and they stay the same."""

import functools

import pytest

from synapse_nextgen_auth.cli import check_config
from synapse_nextgen_auth.web import mail_texts, templates

_look_at = check_config._page_problems


@functools.cache
def _found(*_directories):
    return tuple(_look_at())


@pytest.fixture(autouse=True, scope="module")
def templates_are_compiled_once():
    """Look at the templates of a directory once a session; a file that imports this has it."""
    with pytest.MonkeyPatch.context() as patched:
        found = lambda: _found(templates.shipped(), mail_texts.shipped())  # noqa: E731
        patched.setattr(check_config, "_page_problems", found)
        yield
