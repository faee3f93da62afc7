"""Which Synapse we start on, and what the operator is told of versions."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from synapse_nextgen_auth.homeserver.matrix import discovery
from synapse_nextgen_auth.homeserver.startup import internals, known_faults
from synapse_nextgen_auth.homeserver.startup.needed import Needed

pytestmark = pytest.mark.every_release


@pytest.mark.parametrize(
    ("version", "is_refused", "is_warned_about"),
    [
        ("1.99.0", True, False),
        ("1.142.1", True, False),
        ("0.33.9", True, False),
        ("1.143.0rc1", False, False),
        ("1.143.0", False, False),
        ("1.150.0 (b=release-v1.150,abcdef)", False, False),
        (f"1.{internals.NEWEST_KNOWN[1]}.99", False, False),
        (f"1.{internals.NEWEST_KNOWN[1] + 1}.0rc1", False, True),
        ("1.999.0", False, True),
        ("2.0.0", False, True),
        ("somebody's own build", False, True),
    ],
)
def test_what_is_said_of_a_release(version, is_refused, is_warned_about):
    """Older than the oldest is refused, newer than the newest is told, all between are quiet."""
    assert bool(internals.too_old(version)) == is_refused
    assert bool(internals.too_new(version)) == is_warned_about
    for text in (internals.too_old(version), internals.too_new(version)):
        assert text is None or f"Synapse {version} is" in text


def test_this_synapse_is_one_that_is_known():
    """Who runs the tests on a newer one has something to write down: NEWEST_KNOWN."""
    assert internals.too_old(internals.running()) is None
    assert internals.too_new(internals.running()) is None


def test_a_synapse_that_is_too_old_is_told_nothing_else(monkeypatch):
    """What it lacks besides is of no use to anybody."""
    monkeypatch.setattr(internals, "running", lambda: "1.100.0")
    monkeypatch.setattr(discovery, "NEEDS", (Needed("synapse.gone", "Anything"),))

    (problem,) = internals.problems()

    assert problem.startswith("Synapse 1.100.0 is too old")


@pytest.mark.parametrize("fault", known_faults.FAULTS, ids=lambda fault: fault.name)
def test_c211_c389_a_package_with_a_known_fault_is_told(fault):
    """By name, version and fault, and with the command that mends it; nothing is refused."""
    have = {fault.package: "0.0.1"}

    (text,) = known_faults.warnings(lambda name: have.get(name, "9999"))

    assert text.startswith(f"{fault.package} 0.0.1 has a known fault, {fault.name}")
    assert text.endswith(f"pip install '{fault.package}>={fault.mended_in}'")


@pytest.mark.parametrize(
    ("have", "is_told"),
    [
        ("24.3.0", True),
        ("24.7.0rc1", True),
        ("24.7.0", False),
        ("24.11", False),
        ("25.5+us", False),
    ],
)
def test_c211_from_which_version_on(have, is_told):
    """The version in which it was mended, as versions are ordered."""
    found = known_faults.warnings(lambda name: have if name == "twisted" else "9999")

    assert len(found) == is_told


def test_what_pip_does_not_know_is_not_told():
    """A distribution's package, or somebody's own build."""

    def unknown(name):
        raise PackageNotFoundError(name)

    assert known_faults.warnings(unknown) == []
    assert known_faults.warnings(lambda _name: "built-by-hand") == []


def test_no_package_of_these_tests_has_a_known_fault():
    """The versions that are tested are good ones; what fails here is to be upgraded."""
    assert known_faults.warnings() == []


LOST = "from synapse.rest.client import capabilities; del capabilities.CapabilitiesRestServlet"
TOLD = (
    "synapse_nextgen_auth does not start:\n"
    " * synapse.rest.client.capabilities.CapabilitiesRestServlet.on_GET is missing in Synapse"
)


def run(*lines):
    """Run lines of Python in a process of their own; return exit code and output."""
    command = [sys.executable, "-c", "\n".join(("import sys", *lines))]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


def test_a_synapse_that_lost_what_we_import_is_told_in_a_sentence():
    """Before anything of ours that relies on it is imported."""
    code, said = run(
        LOST,
        "from synapse_nextgen_auth import NextGenAuth",
        "from synapse_nextgen_auth.homeserver.startup.refusal import StartRefused",
        "try: NextGenAuth(NextGenAuth.parse_config({}), None)",
        "except StartRefused as error: print(error)",
        "assert 'synapse_nextgen_auth.assembly' not in sys.modules",
    )

    assert code == 0, said
    assert said.startswith(TOLD)


def test_what_is_switched_off_rests_without_a_part_of_ours():
    """An emergency switch needs nothing: clients still hear a soft logout, and Synapse starts."""
    lost = "synapse_nextgen_auth.homeserver.outbox"
    code, said = run(
        "import logging",
        "from types import SimpleNamespace",
        "from synapse.api.auth.internal import InternalAuth",
        "logging.basicConfig()",
        f"sys.modules[{lost!r}] = None",
        "from synapse_nextgen_auth import NextGenAuth",
        "auth = object.__new__(InternalAuth)",
        "api = SimpleNamespace(_hs=SimpleNamespace(get_auth=lambda: auth))",
        "NextGenAuth(NextGenAuth.parse_config({'enabled': False}), api)",
        "print(type(auth).__name__)",
    )

    assert code == 0, said
    assert "SoftAuth" in said
    assert "The endpoints of this module tell nobody to wait: what outbox is made from" in said


def test_what_is_switched_off_loads_without_a_library_of_ours():
    """What rests says which one went away: whoever has such a password needs it."""
    code, said = run(
        "sys.modules['argon2'] = None",
        "from synapse_nextgen_auth.assembly.start import rest",
        "from synapse_nextgen_auth.homeserver.startup import selfcheck",
        "print(selfcheck.packages_missing())",
    )

    assert code == 0, said
    assert "The package argon2-cffi is not installed." in said


@pytest.mark.parametrize("command", ["check-config", "create-tables"])
def test_the_commands_tell_the_same(command):
    """Before anything is restarted."""
    code, said = run(
        LOST,
        "from synapse_nextgen_auth.cli.main import main",
        f"sys.exit(main([{command!r}, 'homeserver.yaml']))",
    )

    assert code == 1
    assert said.startswith(TOLD)
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["demo", "check-config homeserver.yaml", "create-tables x"])
def test_where_no_synapse_is_the_command_says_so(command):
    """The package installs without one, so that it moves none."""
    code, said = run(
        "from synapse_nextgen_auth.cli import main",
        "main.find_spec = lambda name: None",
        f"sys.exit(main.main({command.split()!r}))",
    )

    assert code == 1
    assert "there is no Synapse in this Python environment" in said
    assert "Traceback" not in said
