"""Synapse's own metrics, read from its listener as Prometheus does."""

import re

import requests
from prometheus_client.parser import text_string_to_metric_families

from support.waiting import eventually

_OURS = re.compile(r"(# \w+ )?synapse_nextgen_auth_")


def listening(homeserver):
    """Return the settings that let this homeserver show its metrics at `/_synapse/metrics`."""
    client, *others = homeserver.settings()["listeners"]
    shown = {**client, "resources": [{"names": ["client", "metrics"], "compress": False}]}
    return {"enable_metrics": True, "listeners": [shown, *others]}


def _ask(homeserver):
    return requests.get(f"{homeserver.base_url}/_synapse/metrics", timeout=30)


def _good(homeserver):
    answer = _ask(homeserver)
    return answer if answer.status_code == 200 else None


def text(homeserver):
    """Return what Prometheus would read."""
    # Synapse answers 500 where it begins something at the very moment that it counts.
    answer = eventually(lambda: _good(homeserver)) or _ask(homeserver)
    assert answer.status_code == 200, answer.text
    return answer.text


def families(homeserver):
    """Return our families by name."""
    # Of thirty times as many lines, which would be parsed again at each look.
    lines = text(homeserver).splitlines(keepends=True)
    ours = "".join(line for line in lines if _OURS.match(line))
    return {one.name: one for one in text_string_to_metric_families(ours)}


def series(homeserver):
    """Return every series of ours by name and labels, but for the gauge that one process sets."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}"
        for family in families(homeserver).values()
        for sample in family.samples
        if family.type != "gauge"
    }


def value(homeserver, name, **labels):
    """Return the value of one of our series, 0 if it is not there yet."""
    wanted = {**labels, "server_name": homeserver.server_name}
    full = f"synapse_nextgen_auth_{name}"
    samples = (sample for family in families(homeserver).values() for sample in family.samples)
    return next(
        (s.value for s in samples if s.name == full and s.labels == wanted),
        0,
    )
