"""What the shells complete: every command and option there is, and nothing else."""

import subprocess

import pytest

from synapse_nextgen_auth.cli import completion
from synapse_nextgen_auth.cli.main import _parser, main

SCRIPT = completion.script(_parser(), "bash")


def completed(*words):
    """Return what bash offers for the last of these words."""
    typed = " ".join(f"'{word}'" for word in words)
    ask = (
        f"{SCRIPT}\nCOMP_WORDS=({completion.NAME} {typed}); COMP_CWORD={len(words)};"
        ' _synapse_nextgen_auth; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", ask], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["che"], {"check-config"}),
        (["sess"], {"sessions"}),
        (["-c", "homeserver.yaml", "sessions", ""], {"list", "show", "end", "-h", "--help"}),
        (["sessions", "end", "--d"], {"--device", "--dry-run"}),
        (["sessions", "-c", "x", "end", "--d"], {"--device", "--dry-run"}),
        (["sessions", "list", "--state", ""], {"living", "over", "all"}),
        (["sessions", "list", "--state", "o"], {"over"}),
        (["completion", "z"], {"zsh"}),
        (["events", "list", "--user", "sessions", "--l"], {"--limit", "--lines"}),
        (["nonsense"], set()),
        (["-c", "/et"], {"/etc"}),
        (["check-config", "/et"], {"/etc"}),
    ],
)
def test_bash_offers_what_can_be_typed(typed, offered):
    """Also behind options, whose values are no commands."""
    assert completed(*typed) == offered


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_command_and_option_is_in_every_script(shell, capsys):
    """A new one needs nothing else."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for level in completion._levels(_parser(), ()):
        for word in (*level.commands, *level.options):
            bare = word.text.lstrip("-") if shell == "fish" else word.text
            assert bare in script, word


def test_nothing_of_a_help_text_runs():
    """A quotation mark in one ends no word."""
    assert completion._quoted("it's $(here)") == "'it'\\''s $(here)'"
