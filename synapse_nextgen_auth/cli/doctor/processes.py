"""Each process that listens, by itself: whether it runs this module, this release, with this secret."""

import time
from collections.abc import Iterator
from typing import Any

from synapse_nextgen_auth import __version__
from synapse_nextgen_auth.cli.doctor.findings import Finding, doubt, problem, well
from synapse_nextgen_auth.cli.doctor.patient import Patient
from synapse_nextgen_auth.cli.running_server import CannotAsk, Place, Refused, RunningServer

# Seconds by which clocks may differ: workers trust each other's times.
_APART = 60
UNFIT = "does not fit the secret"
_NO_ANSWER = "Is it running, and was it restarted since the module was added or upgraded?"
_OTHER_FILES = (
    "Name the files that this process was started with; if they changed since, or secret or"
    " macaroon_secret_key did, restart it."
)


def look(patient: Patient) -> Iterator[Finding]:
    """Ask every listener of the configuration."""
    seen: dict[str, dict[str, Any]] = {}
    for place in patient.places:
        found = status(patient, place)
        if isinstance(found, Finding):
            yield found
            continue
        if found["process"] not in seen:
            seen[found["process"]] = found
            yield from _process(patient, place, found)
    yield from _together(seen)


def status(patient: Patient, place: Place) -> dict[str, Any] | Finding:
    """Return what the process behind a listener says of itself, or why it says nothing."""
    began = time.time()
    try:
        found = RunningServer((place,), patient.keys).ask("status")
    except (CannotAsk, Refused) as stop:
        # Of the commands that have it, --url is not one of ours.
        said = [each for each in str(stop).splitlines() if "--url" not in each]
        what = "; ".join(said).replace("\n", "; ")
        return problem(what, place.name, _OTHER_FILES if UNFIT in what else _NO_ANSWER)
    return {**found, "asked_at": (began + time.time()) / 2}


def _process(patient: Patient, place: Place, found: dict[str, Any]) -> Iterator[Finding]:
    where = f"{place.name}, process {found['process']}"
    if found["version"] != __version__:
        yield problem(
            f"it runs synapse-nextgen-auth {found['version']}, this command is {__version__}",
            where,
            "Restart it, or run the command of the environment that it runs in.",
        )
    if found["issuer"] != patient.endpoints.issuer:
        yield problem(
            f"it is {found['issuer']}, and these files say {patient.endpoints.issuer}",
            where,
            "Restart it: public_baseurl changed since it started.",
        )
    if found["server_name"] != patient.server_name:
        yield problem(f"it is {found['server_name']}, not {patient.server_name}", where)
    if found.get("draining"):
        yield doubt(
            "it takes no new sign-ins", where, "Take `drain: true` out to let people sign in again."
        )
    off = found.get("now", found["asked_at"]) - found["asked_at"]
    if abs(off) > _APART:
        yield problem(
            f"its clock differs from this machine's by {abs(off):.0f} seconds",
            where,
            "Let both take their time from NTP (timedatectl status).",
        )
    else:
        releases = f"synapse-nextgen-auth {found['version']}, Synapse {found['synapse']}"
        yield well(f"it answers: {releases}", where)


def _together(seen: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """Compare the processes with each other."""
    for name, what in (("version", "releases of the module"), ("synapse", "releases of Synapse")):
        told = {found[name] for found in seen.values()}
        if len(told) > 1:
            by = ", ".join(f"{process} {found[name]}" for process, found in sorted(seen.items()))
            yield problem(
                f"the processes run different {what}: {by}",
                fix="Upgrade and restart them together (docs/setup/workers.md).",
            )
    clocks = [found["now"] - found["asked_at"] for found in seen.values() if "now" in found]
    if clocks and max(clocks) - min(clocks) > _APART:
        yield problem(
            f"the clocks of the processes differ by {max(clocks) - min(clocks):.0f} seconds",
            fix="Tokens that one of them makes are no good at the other: let all take their time from"
            " NTP.",
        )
