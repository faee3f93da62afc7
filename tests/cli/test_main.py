"""The command line: what it answers before anything is started."""

import builtins
import os
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_nextgen_auth import __version__
from synapse_nextgen_auth.cli.database_url import DatabaseUrlError, database_section
from synapse_nextgen_auth.cli.main import main


def test_version_names_both_versions(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"synapse-nextgen-auth {__version__} (Synapse 1.")


def test_no_command_prints_the_help(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert "check-config" in printed
    assert "demo" in printed
    assert "- module: synapse_nextgen_auth.NextGenAuth" in printed


@pytest.mark.parametrize("command", ["demo", "check-config", "create-tables"])
def test_each_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 8


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check-config", "nowhere.yaml"], ["status", "--help"]], ids=" ".join
)
def test_a_reader_that_had_enough_is_no_mistake(arguments):
    """As `head` is; nothing is said of it."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "synapse_nextgen_auth.cli.main", *arguments]

    with os.fdopen(writes, "wb") as output:
        ended = subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )

    assert ended.stderr == ""


@pytest.mark.parametrize("port", ["http", "-1", "65536", "8o8", "٨"])
def test_a_port_is_a_number(port, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["demo", f"--port={port}"])

    assert ended.value.code == 2
    assert "is not a port: give a number up to 65535" in capsys.readouterr().err


def test_a_missing_postgresql_driver_names_the_extra(monkeypatch):
    real_import = builtins.__import__

    def without_psycopg2(name, *rest):
        if name.startswith("psycopg2"):
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_psycopg2)
    with pytest.raises(DatabaseUrlError, match=r"pip install 'synapse-nextgen-auth\[postgres\]'"):
        database_section("postgresql://localhost/x", directory=Path("/nowhere"))
