"""What the proxy does with our pages: the headers that protect people, cookies, caches, static files."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from synapse_nextgen_auth.cli.doctor import address
from synapse_nextgen_auth.cli.doctor.asking import Answer, Unreachable, ask
from synapse_nextgen_auth.cli.doctor.findings import Finding, problem, unseen, well
from synapse_nextgen_auth.cli.doctor.patient import Patient

# What a page of ours must arrive with, as the server sends it.
_GUARDS = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Cache-Control",
)
_STATIC = re.compile(r'(?:href|src|srcset)="([^"]*/static/[^"]+)"')
_LEAVE = "Let the proxy leave the headers of the server as they are."


def look(patient: Patient) -> Iterator[Finding]:
    """Open the sign-in page as a browser does, twice."""
    url = patient.endpoints.url("sign-in")
    hindered = address.is_reached(patient)
    if hindered is not None:
        yield hindered
        return
    outside, inside = patient.ask(url), _inside(patient, url)
    if outside.status != 200 or "text/html" not in (outside.header("Content-Type") or ""):
        yield problem(
            f"there is no sign-in page: {outside.status}",
            url,
            "Send /_synapse/client/auth to Synapse, with the path as it is.",
        )
        return
    yield well("the sign-in page opens", url)
    if inside is not None:
        yield from _guards(outside, inside, url)
    yield from _cookies(patient, outside, url)
    yield from _static(patient, outside, url)


def _inside(patient: Patient, url: str) -> Answer | None:
    for place in patient.places:
        try:
            return ask(place.connect, url, name=urlsplit(url).netloc)
        except Unreachable:
            continue
    return None


def _guards(outside: Answer, inside: Answer, url: str) -> Iterator[Finding]:
    """Compare the headers with those that the server sent."""
    changed = []
    for name in _GUARDS:
        sent, came = (each.headers.get(name.lower(), ()) for each in (inside, outside))
        if [_without_nonce(text) for text in sent] != [_without_nonce(text) for text in came]:
            changed.append(name)
            yield problem(
                f"the header {name} arrives as {' and '.join(came) or 'nothing'},"
                f" and the server sent {' and '.join(sent) or 'none'}",
                url,
                f"Take {name} out of the proxy (add_header, Header set, header), or of a filter there.",
            )
    if not changed:
        yield well("its headers arrive as the server sends them", url)


def _without_nonce(text: str) -> str:
    return re.sub(r"'nonce-[^']*'", "'nonce'", text)


def _cookies(patient: Patient, first: Answer, url: str) -> Iterator[Finding]:
    """Show the cookie that came: whoever has one is given no other."""
    given = first.headers.get("set-cookie", ())
    if not given:
        yield problem("the cookie of the page does not arrive: nobody can sign in", url, _LEAVE)
        return
    if patient.base_url.startswith("https:"):
        weak = [text.partition("=")[0] for text in given if not _is_kept_apart(text)]
        if weak:
            yield problem(
                f"the cookie {weak[0]} was changed on its way",
                url,
                "Take proxy_cookie_domain, proxy_cookie_path and proxy_cookie_flags out of the proxy.",
            )
    again = patient.ask(url)
    if again.headers.get("set-cookie") == given or (again.header("Age") or "0") != "0":
        yield problem(
            "a cache in between hands the same page, and cookie, to everybody",
            url,
            "Cache nothing below /_synapse/client/auth that has Cache-Control: no-store.",
        )
        return
    shown = "; ".join(text.partition(";")[0] for text in given)
    known = patient.ask(url, headers={"Cookie": shown})
    if known.headers.get("set-cookie"):
        yield problem(
            "the cookie of the page does not come back to the server: nobody can sign in",
            url,
            "Let the proxy pass the header Cookie on to /_synapse/client/auth.",
        )
    else:
        yield well("its cookie arrives and comes back", url)


def _is_kept_apart(cookie: str) -> bool:
    """Say whether a browser sends a cookie to this host alone, and over TLS (RFC 6265bis, `__Host-`)."""
    told = cookie.lower()
    return told.startswith("__host-") and "secure" in told and "domain=" not in told


def _static(patient: Patient, page: Answer, url: str) -> Iterator[Finding]:
    """Fetch what the page loads."""
    for path in dict.fromkeys(_STATIC.findall(page.text)):
        target = urljoin(url, path)
        if urlsplit(target).netloc != urlsplit(url).netloc:
            yield problem(f"the page loads from another host: {target}", url)
            continue
        try:
            answer = patient.ask(target)
        except Unreachable as stop:
            yield unseen(f"not looked at: {stop.what}", target)
            continue
        if answer.status != 200:
            yield problem(
                f"a file of the page is not there: {answer.status}",
                target,
                "Does a rule for static files or suffixes come before the one for /_synapse/client?",
            )
