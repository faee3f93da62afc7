"""The address of the server as clients find it: by its name, by DNS, over TLS."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from synapse_nextgen_auth.cli.doctor.asking import PATIENCE, Unreachable, unreachable
from synapse_nextgen_auth.cli.doctor.findings import Finding, doubt, problem, unseen, well
from synapse_nextgen_auth.cli.doctor.patient import Patient

_SOON = 14  # days
_MAS = ("org.matrix.msc2965.authentication", "m.authentication")


def look(patient: Patient) -> Iterator[Finding]:
    """Look up the name, connect, and read what the name says."""
    yield from _reach(patient)
    yield from _well_known(patient)


def _reach(patient: Patient) -> Iterator[Finding]:
    url = urlsplit(patient.base_url)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        reason = unreachable(error, host)
        yield problem(f"public_baseurl: {reason.what}", patient.base_url, reason.fix)
        return
    addresses = sorted({str(entry[4][0]) for entry in found})
    yield well(f"{host} is {', '.join(addresses)}")
    for address in addresses:
        yield from _connect(patient, address, port)


def _connect(patient: Patient, address: str, port: int) -> Iterator[Finding]:
    """Try one address: of several one may be wrong, and some people get that one."""
    url = urlsplit(patient.base_url)
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        with socket.create_connection((address, port), timeout=PATIENCE) as plain:
            if url.scheme != "https":
                yield well("it is reached", where)
                return
            context = ssl.create_default_context(cafile=patient.trust)
            with context.wrap_socket(plain, server_hostname=url.hostname) as secured:
                yield _certificate(secured.getpeercert() or {}, where)
    except (OSError, ValueError) as error:
        reason = unreachable(error, str(url.hostname))
        yield problem(f"{patient.base_url}: {reason.what}", where, reason.fix)


def _certificate(certificate: dict[str, Any], where: str) -> Finding:
    ends = dt.datetime.fromtimestamp(
        ssl.cert_time_to_seconds(certificate["notAfter"]), dt.timezone.utc
    )
    left = (ends - dt.datetime.now(dt.timezone.utc)).days
    if left < _SOON:
        return doubt(
            f"the certificate ends on {ends:%Y-%m-%d}", where, "Does whatever renews it still run?"
        )
    return well(f"its certificate is good until {ends:%Y-%m-%d}", where)


def _well_known(patient: Patient) -> Iterator[Finding]:
    """Read what clients read first that know the name of the server alone (CS API, server discovery)."""
    if patient.is_here and patient.well_known_url is None:
        yield well(
            "no well-known document is needed: it is a server for this machine alone",
            patient.base_url,
        )
        return
    url = patient.well_known_url or f"https://{patient.server_name}/.well-known/matrix/client"
    line = f'{{"m.homeserver": {{"base_url": "{patient.base_url}"}}}}'
    same_host = patient.server_name == urlsplit(patient.base_url).netloc
    try:
        answer = patient.ask(url)
    except Unreachable as stop:
        grade = doubt if same_host else problem
        yield grade(
            f"clients that know the name alone find nothing: {stop.what}",
            url,
            f"Serve there: {line}",
        )
        return
    if answer.status == 404 and same_host:
        yield well(
            "there is no well-known document, and none is needed: the names are the same", url
        )
        return
    if answer.status != 200:
        yield problem(f"it answers {answer.status}", url, f"Serve there, with status 200: {line}")
        return
    document = answer.json
    if not isinstance(document, dict):
        yield problem("it is no JSON", url, f"Serve there: {line}")
        return
    yield from _homeserver(patient, document, url, line)
    if answer.header("Access-Control-Allow-Origin") != "*":
        yield problem(
            "clients in browsers may not read it",
            url,
            "Add the header Access-Control-Allow-Origin: *",
        )
    for name in _MAS:
        told = document.get(name)
        issuer = told.get("issuer") if isinstance(told, dict) else None
        if issuer and issuer.rstrip("/") != patient.endpoints.issuer.rstrip("/"):
            yield problem(
                f"{name} sends clients to another server: {issuer}",
                url,
                f"Take {name} out: clients ask the homeserver itself.",
            )


def _homeserver(
    patient: Patient, document: dict[str, Any], url: str, line: str
) -> Iterator[Finding]:
    told = document.get("m.homeserver")
    base = told.get("base_url") if isinstance(told, dict) else None
    if not isinstance(base, str):
        yield problem("m.homeserver.base_url is missing", url, f"Serve there: {line}")
    elif base.rstrip("/") != patient.base_url:
        yield problem(
            f"it says {base}, and public_baseurl is {patient.base_url}",
            url,
            f"Write the same in both: {line}",
        )
    else:
        yield well("clients find the server by its name", url)


def is_reached(patient: Patient) -> Finding | None:
    """Return why nothing behind this address can be looked at, or `None`."""
    try:
        patient.ask(f"{patient.base_url}/_matrix/client/versions")
    except Unreachable as stop:
        return unseen(f"not looked at: {stop.what}", patient.base_url)
    return None
