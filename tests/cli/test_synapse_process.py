"""What a Synapse that did not start is quoted with."""

import pytest

from synapse_nextgen_auth.cli import synapse_process

REFUSED = "synapse_nextgen_auth does not start:\n * branding.logo: x\n * branding.favicon: y"
MISTAKES = (
    "Error in configuration at 'modules.0.config':\n  synapse_nextgen_auth found these mistakes:"
)
NOISE = "\n".join(f"2026 - root - INFO - line {n}" for n in range(40))


@pytest.mark.parametrize(
    ("log", "quoted"),
    [
        (f"{NOISE}\n2026 - CRITICAL - {REFUSED}\n\n{REFUSED}\n", REFUSED),
        (f"{NOISE}\n{MISTAKES}\n", MISTAKES),
        (NOISE, "\n".join(NOISE.splitlines()[-25:])),
        ("", ""),
    ],
)
def test_the_reason_is_said_once_without_what_came_before(tmp_path, log, quoted):
    """Or, where nobody knows it, the end of the log."""
    file = tmp_path / "homeserver.log"
    file.write_text(log)

    assert synapse_process.why(file) == "\n".join(f"  {line}" for line in quoted.splitlines())
