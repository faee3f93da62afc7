"""Limits of a network hold for all processes together."""

import time

from support.addresses import coming_from, over_ipv4
from support.deployment import PROCESSES, at_once
from support.oauth import API, DEVICE, device_id, web_client
from support.television import METADATA

BURST = 100


def test_c154_a_flood_over_all_processes_is_one_flood(deployment):
    """Each process takes requests at the same time, and together they take what one would."""
    client = deployment.server().client(web_client(**METADATA))
    form = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}"}

    def flood(name):
        url = over_ipv4(deployment.server(name).url("device-authorization"))
        session = coming_from("127.0.0.66")
        return [session.post(url, data=form, timeout=30).status_code for _ in range(BURST)]

    began = time.monotonic()
    found = at_once(*[lambda name=name: flood(name) for name in PROCESSES])
    took = time.monotonic() - began
    statuses = [status for one in found for status in one]
    ((level,),) = deployment.query(
        "SELECT COUNT(*) FROM nextgen_throttle WHERE key LIKE ?", "%127.0.0.66"
    )

    assert set(statuses) == {200, 429}
    assert BURST <= statuses.count(200) <= BURST + 1 + took / 2
    assert all(200 in one for one in found)
    assert level == 1
