"""An installation that is not whole: the start says so, and not the first who signs in."""

import pytest

import synapse_nextgen_auth
from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.startup import installation, selfcheck

NAME, VERSION = "synapse_nextgen_auth", synapse_nextgen_auth.__version__
RULE = "def is_right(code):\n    return len(code) == 6\n\n\nMANY = (\n    1,\n    2,\n)\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return the folder of a package that was installed from a wheel, which is ours for a moment."""
    folder = tmp_path / NAME
    (folder / "flows_of_a_test").mkdir(parents=True)
    files = {"flows_of_a_test/rule.py": RULE, "flows_of_a_test/__init__.py": "", "cli/x.py": "1"}
    files |= {"style.css": "p {}"}
    for name, text in files.items():
        if not name.startswith("cli/"):  # as in an image without the command
            (folder / name).write_text(text)
    lines = [f"{NAME}/{name},sha256=abc,{len(text)}" for name, text in files.items()]
    about = tmp_path / f"{NAME}-{VERSION}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n")
    (about / "RECORD").write_text("\n".join([*lines, f"{NAME}-{VERSION}.dist-info/RECORD,,", ""]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(installation, "_FOLDER", folder)
    monkeypatch.setattr(late, "_FOLDER", folder)
    return folder


@pytest.fixture
def rule(installed):
    return installed / "flows_of_a_test/rule.py"


def test_what_is_as_it_was_installed_is_well(installed):
    assert installation.problems() == []
    assert installation.warnings() == []


def test_a_missing_file_is_named(rule):
    rule.unlink()

    assert installation.problems() == [f"{rule} is missing. Install synapse_nextgen_auth again."]


@pytest.mark.parametrize("end", [0, 12, len(RULE) // 2, len(RULE) - 4])
def test_a_file_that_was_cut_short_is_named(rule, end):
    """By a full disk, or one that lost power: then it is often empty."""
    rule.write_text(RULE[:end])

    assert installation.problems() == [
        f"{rule} is not whole, with {end} bytes of {len(RULE)}. Install synapse_nextgen_auth again."
    ]


def test_what_an_operator_changed_is_theirs(installed, rule):
    """The start says that it is another file, and does start."""
    rule.write_text(RULE.replace("6", "10"))
    (installed / "style.css").write_text("p { color: red }")
    changed = f"{NAME}/flows_of_a_test/rule.py, {NAME}/style.css"

    assert installation.problems() == []
    assert [text for text in selfcheck.warnings() if "installed" in text] == [
        f"Not as they were installed, by their size: {changed}."
    ]


@pytest.mark.parametrize("what", ["nothing", "another release", "another folder"])
def test_the_list_of_another_installation_says_nothing(installed, rule, monkeypatch, what):
    """As in a checkout beside one, or where an upgrade left its predecessor's list behind."""
    about = next(installed.parent.glob("*.dist-info"))
    rule.unlink()
    if what == "nothing":
        (about / "RECORD").unlink()
    elif what == "another release":
        text = (about / "METADATA").read_text()
        (about / "METADATA").write_text(text.replace(f"Version: {VERSION}", "Version: 0.0.1"))
    else:
        monkeypatch.setattr(installation, "_FOLDER", installed.parent)

    assert installation.problems() == []
