"""Finding the templates and compiling them."""

import jinja2
import pytest

from support.catalogues import templates_with
from support.pages import BASE, DIRECTORY
from synapse_nextgen_auth.web.pages.message.samples import MESSAGE
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.templates import Templates, find_directory


def test_the_language_is_the_callers(tmp_path):
    """A page says which language it is in."""
    templates = templates_with(tmp_path, de={})

    assert '<html lang="de" dir="ltr">' in templates.render(MESSAGE, lang="de")


def test_a_missing_directory_names_both_places(tmp_path):
    """An incomplete installation says where it looked."""
    with pytest.raises(FileNotFoundError, match=r"neither in .*one nor .*two"):
        find_directory((tmp_path / "one", tmp_path / "two"))


def test_the_wheels_directory_comes_first(tmp_path):
    """In a wheel the templates inside the package win over a stranger beside it."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "base.html").touch()

    assert find_directory((tmp_path / "one", tmp_path / "two")) == tmp_path / "one"


def copy(tmp_path, without=None):
    """Copy the templates, but for one file."""
    for path in DIRECTORY.rglob("*"):
        target = tmp_path / path.relative_to(DIRECTORY)
        if path.is_file() and path.name != without:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "name",
    # A language is there or not; mails have a test of their own.
    [
        path.name
        for path in DIRECTORY.rglob("*")
        if path.is_file() and path.suffix != ".po" and path.parent.name != "emails"
    ],
    ids=str,
)
def test_a_missing_file_fails_at_start_up(tmp_path, name):
    """Whatever file is missing, it is noticed before the first request."""
    directory = copy(tmp_path, without=name)

    with pytest.raises((jinja2.TemplateNotFound, FileNotFoundError)):
        Templates(BASE, directory=directory)


def test_what_is_installed_later_changes_no_page_of_what_runs(tmp_path):
    """The code of before would render the pages of after."""
    directory = copy(tmp_path)
    templates = Templates(BASE, directory=directory)
    for path in directory.rglob("*.html"):
        path.write_text("{{ of_another_release }}")

    assert "<html" in templates.render(MESSAGE)


def test_a_broken_template_is_found_without_a_reader(tmp_path):
    """A template with a mistake in it is noticed by whoever compiles all of them."""
    directory = copy(tmp_path)
    (directory / "components/notice.html").write_text("{% macro notice( %}")

    with pytest.raises(jinja2.TemplateSyntaxError):
        Templates(BASE, directory=directory).compile()


def test_every_template_compiles():
    """A start compiles none of them: each waits for its first reader."""
    templates = Templates(BASE)

    assert not templates._environment.cache

    templates.compile()

    assert {page.template for page in PAGES} <= {name for _, name in templates._environment.cache}


@pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
def test_the_base_may_end_in_a_slash(base):
    """Both spellings of the base lead to the same address."""
    assert f'href="{BASE}/static/' in Templates(base).render(MESSAGE)
