"""A device that polls too fast is told so by every process; a patient one never is."""

import time

from support.deployment import PROCESSES, HoppingBrowser
from support.television import Television, let_in
from support.waiting import busy


def polls(deployment, tv, *names):
    """Poll once at each of these processes, one after the other; return the errors."""
    return [tv.poll(at=deployment.server(name)).json().get("error") for name in names]


def interval(deployment, tv):
    """Return the interval that the device has to keep by now."""
    ((seconds,),) = deployment.query(
        "SELECT poll_interval FROM nextgen_device_grants WHERE client_id = ? AND device_id = ?",
        tv.client.id,
        tv.device_id,
    )
    return seconds


def test_c141_every_process_notices_haste(deployment):
    """Each counts the polls that it answers, and takes nobody else's for them."""
    hasty = [Television.begin(deployment.server("main")) for _ in PROCESSES]
    patient = Television.begin(deployment.server("main"))

    said = [polls(deployment, tv, at, at) for tv, at in zip(hasty, PROCESSES, strict=True)]

    assert said == [["authorization_pending", "slow_down"]] * 3
    assert polls(deployment, patient, *PROCESSES) == ["authorization_pending"] * 3
    assert interval(deployment, patient) == 5


def test_c141_the_longer_interval_holds_everywhere(deployment):
    """Every hasty poll adds five seconds, wherever it arrives; keeping to them adds none."""
    tv, patient = (Television.begin(deployment.server("worker1")) for _ in range(2))

    hasty = polls(deployment, tv, "main", "main", "worker1")
    first = polls(deployment, patient, "main")
    time.sleep(5)
    second = polls(deployment, patient, "worker1")
    still = polls(deployment, tv, "worker2")

    assert hasty == ["authorization_pending", "slow_down", "slow_down"]
    assert still == ["slow_down"]
    assert interval(deployment, tv) == 20
    assert first == second == ["authorization_pending"]
    assert interval(deployment, patient) == 5


def test_c357_devices_sign_in_while_redis_says_nothing(deployment):
    """No poll asks it, and haste is noticed as ever."""
    user, tv = deployment.new_user(), Television.begin(deployment.server("main"))

    with deployment.redis.asleep():
        began = time.monotonic()
        alone = polls(deployment, tv, "main", "main")
        took = time.monotonic() - began
        let_in(HoppingBrowser(deployment, "worker1"), tv, user)
        tokens = tv.poll(at=deployment.server("worker2")).json()

    assert alone == ["authorization_pending", "slow_down"]
    assert took < 5 * busy()
    assert deployment.server("main").whoami(tokens["access_token"]).status_code == 200
