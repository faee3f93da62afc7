"""A device that polls too fast is told so, whichever processes it meets."""

from support.deployment import PROCESSES
from support.television import Television


def test_c141_polls_are_counted_over_all_processes(deployment):
    """The second comes to a process that has not seen the first."""
    hasty = [Television.begin(deployment.server("main")) for _ in PROCESSES]
    patient = Television.begin(deployment.server("main"))

    first = [
        tv.poll(at=deployment.server(name)).json()["error"]
        for tv, name in zip(hasty, PROCESSES, strict=True)
    ]
    second = [
        tv.poll(at=deployment.server(name)).json()["error"]
        for tv, name in zip(hasty, PROCESSES[1:] + PROCESSES[:1], strict=True)
    ]

    assert first == ["authorization_pending"] * 3
    assert second == ["slow_down"] * 3
    assert patient.poll(at=deployment.server("worker1")).json()["error"] == "authorization_pending"
