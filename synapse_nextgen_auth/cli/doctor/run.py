"""The command: look at everything in order, say what was found, and how bad it is."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from synapse_nextgen_auth.assembly.issuer import keyring
from synapse_nextgen_auth.cli import check_config
from synapse_nextgen_auth.cli.doctor import (
    address,
    captcha,
    configuration,
    front,
    others,
    pages,
    processes,
    sign_in,
    tables,
)
from synapse_nextgen_auth.cli.doctor.asking import Unreachable
from synapse_nextgen_auth.cli.doctor.findings import Check, Finding, exit_code, problem, unseen
from synapse_nextgen_auth.cli.doctor.patient import Patient
from synapse_nextgen_auth.cli.running_server import CannotAsk, Refused, RunningServer, places_of

CHECKS = (
    Check("processes", processes.look),
    Check("address", address.look),
    Check("applications", front.look),
    Check("pages", pages.look),
    Check("mail", others.look_at_mail),
    Check("providers", others.look_at_providers),
    Check("services", others.look_at_services),
    Check("captcha", captcha.look),
    Check("tables", tables.look),
    Check("sign-in", sign_in.look),
)
_NO_FILES = (
    "Name the configuration of the server, as Synapse is started with it:"
    " synapse-nextgen-auth doctor -c /etc/matrix-synapse/homeserver.yaml"
)


def run(asked: argparse.Namespace) -> int:
    """Look, print, and return the exit code."""
    files = [*(asked.config_files or ()), *(asked.more_config_files or ())]
    if not files:
        print(_NO_FILES, file=sys.stderr)
        return 1
    if asked.close:
        return _close(files)
    _stop_on_signals()
    found = []
    try:
        for name, findings in examine(
            files, trust=asked.trust, well_known_url=asked.well_known, signs_in=not asked.no_sign_in
        ):
            found.append((name, findings))
            if not asked.json:
                print("\n".join(_told(name, findings)), flush=True)
    except KeyboardInterrupt:
        found.append(("doctor", [unseen("somebody stopped it half-way")]))
    if asked.json:
        print(json.dumps([each.document(name) for name, some in found for each in some]))
    return exit_code(found)


def _stop_on_signals() -> None:
    """Let the first signal end it, and what it began; another one would leave that open."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _close(files: Sequence[Path]) -> int:
    try:
        answer = RunningServer.of(files).ask("doctor end")
    except (CannotAsk, Refused) as stop:
        print(f"* {stop}", file=sys.stderr)
        return 1
    print(f"{answer['user_id']} is closed.")
    return 0


def examine(
    files: Sequence[Path],
    *,
    trust: str | None = None,
    well_known_url: str | None = None,
    signs_in: bool = True,
) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what each check found; of a server whose files cannot be read, that alone."""
    looked = check_config.look(files, look_into_database=True)
    yield "configuration", list(configuration.findings(looked))
    if looked.hs_config is None or not looked.config.enabled:
        what = (
            "the module is switched off"
            if looked.hs_config
            else "there is no configuration to go by"
        )
        yield "server", [unseen(f"not looked at: {what}")]
        return
    try:
        places = places_of(files, looked.hs_config)
    except CannotAsk as stop:
        yield "server", [problem(sentence) for sentence in stop.sentences]
        return
    patient = Patient(
        files=files,
        looked=looked,
        hs_config=looked.hs_config,
        places=places,
        keys=keyring(looked.config, looked.hs_config),
        trust=trust,
        well_known_url=well_known_url,
    )
    for check in CHECKS:
        if check.look is not sign_in.look or signs_in:
            yield check.name, _looked(check, patient)


def _looked(check: Check, patient: Patient) -> list[Finding]:
    """Return what a check found, up to where nobody answered any more."""
    found: list[Finding] = []
    try:
        found.extend(check.look(patient))
    except Unreachable as stop:
        found.append(problem(stop.what, patient.base_url, stop.fix))
    return found


def _told(name: str, findings: Sequence[Finding]) -> Iterator[str]:
    yield name
    for finding in findings:
        yield from finding.lines()
