"""What the proxy does with requests of applications: discovery, CORS, headers, sizes, addresses."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from synapse_nextgen_auth.cli.doctor import address, processes
from synapse_nextgen_auth.cli.doctor.asking import PATIENCE, Answer, Unreachable, ask
from synapse_nextgen_auth.cli.doctor.findings import Finding, problem, unseen, well
from synapse_nextgen_auth.cli.doctor.patient import Patient
from synapse_nextgen_auth.cli.running_server import CannotAsk, Refused, RunningServer, place_of

_ORIGIN = "https://app.element.io"
_FORGED = "203.0.113.77"  # of a network that is nobody's (RFC 5737)
_SIZE = 60_000  # bytes; 64 KiB are taken
_ROUTE = (
    "Send /_matrix/client and /_synapse/client to Synapse, as docs/setup/reverse-proxy.md says."
)


def look(patient: Patient) -> Iterator[Finding]:
    """Ask from outside what applications ask."""
    hindered = address.is_reached(patient)
    if hindered is not None:
        yield hindered
        return
    yield from _discovery(patient)
    yield from _issuer(patient)
    yield from _keys(patient)
    yield from _preflight(patient)
    yield from _large(patient)
    yield from _who_asks(patient)


def _discovery(patient: Patient) -> Iterator[Finding]:
    url = f"{patient.base_url}/_matrix/client/v1/auth_metadata"
    answer = patient.ask(url)
    document = answer.json
    if answer.status != 200 or not isinstance(document, dict):
        yield problem(f"no discovery: {_seen(answer)}", url, _route(answer))
        return
    if document.get("issuer") != patient.endpoints.issuer:
        yield problem(
            f"another server answers here: its issuer is {document.get('issuer')}",
            url,
            "Is an authentication service (MAS), or an old process, still behind this path?",
        )
        return
    yield well("applications discover this server", url)
    yield from _open_to_browsers(answer, url)


def _issuer(patient: Patient) -> Iterator[Finding]:
    url = patient.endpoints.url(".well-known/openid-configuration")
    answer = patient.ask(url)
    if answer.status == 200 and isinstance(answer.json, dict):
        yield well("the issuer tells about itself", url)
        yield from _open_to_browsers(answer, url)
        return
    yield problem(f"the issuer does not answer: {_seen(answer)}", url, _route(answer))


def _keys(patient: Patient) -> Iterator[Finding]:
    """Compare the keys of outside with those of the process: a cache may show old ones."""
    url = patient.endpoints.url("keys")
    outside = _key_ids(patient.ask(url))
    inside = _inside(patient, url)
    if inside is None:
        return
    if outside != _key_ids(inside):
        yield problem(
            "the keys that are shown outside are not those of the server",
            url,
            "A cache in between keeps them too long: it must go by Cache-Control.",
        )
    elif not outside:
        yield problem("there are no keys to check ID tokens with", url)
    else:
        yield well(f"ID tokens can be checked, with {len(outside)} keys", url)


def _key_ids(answer: Answer) -> frozenset[str]:
    document = answer.json
    keys = document.get("keys") if isinstance(document, dict) else None
    return frozenset(str(key.get("kid")) for key in keys or () if isinstance(key, dict))


def _inside(patient: Patient, url: str) -> Answer | None:
    """Return what the first process that listens answers itself."""
    host = url.split("/")[2]
    for place in patient.places:
        try:
            return ask(place.connect, url, name=host)
        except Unreachable:
            continue
    return None


def _preflight(patient: Patient) -> Iterator[Finding]:
    """Ask as a browser does before an application may (CORS protocol)."""
    for name in ("token", "clients/register"):
        url = patient.endpoints.url(name)
        answer = patient.ask(
            url,
            method="OPTIONS",
            headers={
                "Origin": _ORIGIN,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        allowed = (answer.header("Access-Control-Allow-Headers") or "").lower()
        if answer.status not in {200, 204} or answer.header("Access-Control-Allow-Origin") != "*":
            yield problem(
                f"applications in browsers may not ask here: OPTIONS {_seen(answer)}",
                url,
                "Let the proxy pass OPTIONS on, and add no CORS headers of its own.",
            )
        elif "authorization" not in allowed and "*" not in allowed:
            yield problem(
                "applications in browsers may not send Authorization",
                url,
                "Let the proxy add no CORS headers of its own.",
            )
        else:
            yield well("applications in browsers may ask", url)
            yield from _open_to_browsers(answer, url)


def _open_to_browsers(answer: Answer, url: str) -> Iterator[Finding]:
    """Say that a header came twice: browsers take two values for none."""
    values = answer.headers.get("access-control-allow-origin", ())
    if len(values) > 1 or any("," in value for value in values):
        yield problem(
            "Access-Control-Allow-Origin is there twice, which browsers refuse",
            url,
            "Take add_header Access-Control-Allow-Origin out of the proxy: the server sends it.",
        )
    elif values != ("*",):
        yield problem(
            "applications in browsers may not read this: Access-Control-Allow-Origin is missing",
            url,
            "Let the proxy leave the headers of the server as they are.",
        )


def _large(patient: Patient) -> Iterator[Finding]:
    """Send a request as large as one may be, which says nothing."""
    url = patient.endpoints.url("clients/register")
    body = b'{"client_name": "' + b"x" * _SIZE + b'"}'
    answer = patient.ask(
        url, method="POST", headers={"Content-Type": "application/json"}, body=body
    )
    if answer.status == 413 and not isinstance(answer.json, dict):
        yield problem(
            f"the proxy takes no requests of {_SIZE // 1000} kB",
            url,
            "client_max_body_size 64k; in nginx, for /_synapse/client/auth",
        )
    elif answer.status >= 500:
        yield problem(f"a large request ends in {answer.status}", url)


def _who_asks(patient: Patient) -> Iterator[Finding]:
    """Ask the server, through the proxy, whom it takes us for; once with an address that is not ours."""
    url = patient.endpoints.url("")
    plain, forged = (_told(patient, headers) for headers in ({}, {"X-Forwarded-For": _FORGED}))
    if isinstance(plain, Finding) or isinstance(forged, Finding):
        yield plain if isinstance(plain, Finding) else forged  # type: ignore[misc]
        return
    if forged.get("address") == _FORGED:
        yield problem(
            "anybody can pretend to come from any address: the proxy passes X-Forwarded-For on",
            url,
            "Overwrite it: proxy_set_header X-Forwarded-For $remote_addr; in nginx",
        )
    seen = plain.get("address")
    if is_of_the_proxy(seen, ours=_own_address(patient)):
        yield problem(
            f"the server takes everybody for {seen}, the proxy: all share one limit",
            "listeners[].x_forwarded",
            "x_forwarded: true at the listener, and X-Forwarded-For in the proxy",
        )
    elif forged.get("address") != _FORGED:
        yield well(f"the server sees who asks: {seen}", url)


def is_of_the_proxy(seen: str | None, *, ours: str | None) -> bool:
    """Say whether the address that the server sees is not the one that we ask from.

    On the way to an address of the internet ours may be replaced by another one of the internet (NAT);
    one inside of a network is then that of the proxy.
    """
    if seen is None:
        return True
    if ours is None or seen == ours:
        return False
    return ip_address(seen).is_private or ip_address(seen).is_loopback


def _own_address(patient: Patient) -> str | None:
    """Return the address that this machine asks from."""
    url = urlsplit(patient.base_url)
    place = (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
    try:
        with socket.create_connection(place, timeout=PATIENCE) as connection:
            return str(connection.getsockname()[0])
    except OSError:
        return None


def _told(patient: Patient, headers: dict[str, str]) -> dict[str, Any] | Finding:
    url = patient.base_url
    try:
        place = place_of(url, trust=patient.trust, headers=headers)
        return RunningServer((place,), patient.keys).ask("status")
    except (CannotAsk, Refused) as stop:
        what = str(stop).replace("\n", "; ")
        if processes.UNFIT in what:
            return _of_another_secret(patient, url)
        return problem(
            f"a request with an Authorization header does not get through: {what}",
            url,
            "Let the proxy pass POST and the header Authorization on to /_synapse/client/auth.",
        )


def _of_another_secret(patient: Patient, url: str) -> Finding:
    """Say whose secret is another one: that of every process, which is told of each, or outside."""
    inside = (processes.status(patient, place) for place in patient.places)
    if all(isinstance(each, Finding) for each in inside):
        return unseen("not looked at: the secret of the running server is another one", url)
    return problem(
        "another server than this answers here: its secret is another one",
        url,
        "Does the proxy lead to a process that these files do not name, or that was not restarted?",
    )


def _seen(answer: Answer) -> str:
    kind = (answer.header("Content-Type") or "no content type").partition(";")[0]
    return f"{answer.status}, {kind}"


def _route(answer: Answer) -> str:
    """Say who answered, which is where the mistake is."""
    document = answer.json
    if isinstance(document, dict) and document.get("errcode") == "M_UNRECOGNIZED":
        return (
            "Synapse answered and does not know this: is the module in the modules of every process"
            " that this path leads to?"
        )
    return _ROUTE
