"""Our tables: whether what a release does to them while the server runs is done."""

from collections.abc import Iterator

from synapse_nextgen_auth.cli import database_check
from synapse_nextgen_auth.cli.doctor.findings import Finding, doubt, problem, unseen, well
from synapse_nextgen_auth.cli.doctor.patient import Patient


def look(patient: Patient) -> Iterator[Finding]:
    """Compare the steps that were done with those of this release; nothing is written."""
    found = database_check.look(patient.hs_config)
    if found.problems or not found.is_there:
        # The configuration's own look says why.
        yield unseen("not looked at: the database cannot be used")
        return
    if found.version is None:
        yield problem(
            "our tables are not there", fix="Restart Synapse with the module: it makes them."
        )
        return
    if not found.left:
        yield well(f"the tables are those of this release, version {found.version}")
        return
    steps = (
        "1 step of the tables is" if found.left == 1 else f"{found.left} steps of the tables are"
    )
    yield doubt(
        f"{steps} not done yet",
        "database",
        "Restart the main process if the package was upgraded since it started. Indexes and new columns"
        " are filled while it runs: look again later.",
    )
