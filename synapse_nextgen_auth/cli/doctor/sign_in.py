"""One real sign-in, with an account that is there for it alone: code, tokens, every process, the end."""

import base64
import hashlib
import http
import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from synapse_nextgen_auth.cli.doctor.asking import Answer, Unreachable, ask
from synapse_nextgen_auth.cli.doctor.browser import Browser, form_of
from synapse_nextgen_auth.cli.doctor.findings import Finding, doubt, problem, unseen, well
from synapse_nextgen_auth.cli.doctor.patient import Patient
from synapse_nextgen_auth.cli.running_server import CannotAsk, Refused, RunningServer

_CALLBACK = "http://127.0.0.1/callback"
_WHOAMI = "/_matrix/client/v3/account/whoami"
_FACTOR_PAGES = ("factor", "factor-enrol")
_CLIENT = {
    "client_name": "synapse-nextgen-auth doctor",
    "application_type": "native",
    "redirect_uris": [_CALLBACK],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
}


class _Stopped(Exception):
    """It does not go on from here; what was found is the reason."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


def look(patient: Patient) -> Iterator[Finding]:
    """Sign in, use the tokens at every process, and end the session."""
    server = RunningServer(patient.places, patient.keys)
    try:
        account = server.ask("doctor begin")
    except (CannotAsk, Refused) as stop:
        yield unseen(f"nobody signed in: {stop}".replace("\n", "; "))
        return
    try:
        yield from _sign_in(patient, account)
    except KeyboardInterrupt:
        yield unseen("somebody stopped it half-way")
    except _Stopped as stop:
        yield stop.finding
    except Unreachable as stop:
        yield problem(stop.what, patient.base_url, stop.fix)
    finally:
        left = _ended(server)
    if left is not None:
        yield left


def _ended(server: RunningServer) -> Finding | None:
    """Close the account; return what to do where the server does not."""
    try:
        server.ask("doctor end")
    except (CannotAsk, Refused) as stop:
        return problem(
            f"the account that signed in is left open: {stop}".replace("\n", "; "),
            fix="Once the server answers: synapse-nextgen-auth doctor -c … --close",
        )
    return None


def _sign_in(patient: Patient, account: dict[str, Any]) -> Iterator[Finding]:
    if not patient.config.client_registration.enabled:
        yield from _only_the_page(patient, account)
        return
    client_id = _registered(patient)
    yield well("an application registers")
    verifier = secrets.token_urlsafe(48)
    browser = Browser(patient)
    page = browser.get(f"{patient.endpoints.url('authorize')}?{_request(client_id, verifier)}")
    page = _typed(browser, page, account)
    yield well(f"{account['user_id']} signs in on the page", patient.endpoints.url("sign-in"))
    code = _agreed(browser, page)
    tokens = _token(
        patient,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": _CALLBACK,
            "client_id": client_id,
            "code_verifier": verifier,
        },
    )
    yield well("the application gets tokens", patient.endpoints.url("token"))
    yield from _used(patient, tokens["access_token"])
    renewal = {"grant_type": "refresh_token", "client_id": client_id}
    renewed = _token(patient, renewal | {"refresh_token": tokens["refresh_token"]})
    yield well("it renews them")
    _post(patient, "revoke", {"token": renewed["access_token"], "client_id": client_id})
    yield from _is_over(patient, renewed["access_token"])


def _only_the_page(patient: Patient, account: dict[str, Any]) -> Iterator[Finding]:
    """Sign in without an application, where none may register."""
    browser = Browser(patient)
    _typed(browser, browser.get(patient.endpoints.url("sign-in")), account)
    yield well(f"{account['user_id']} signs in on the page", patient.endpoints.url("sign-in"))
    yield unseen("no tokens were asked for: client_registration.enabled is false")


def _registered(patient: Patient) -> str:
    url = patient.endpoints.url("clients/register")
    body = json.dumps({**_CLIENT, "client_uri": "http://127.0.0.1/"}).encode()
    answer = patient.ask(
        url, method="POST", headers={"Content-Type": "application/json"}, body=body
    )
    told = answer.json
    if answer.status != http.HTTPStatus.CREATED or not isinstance(told, dict):
        raise _Stopped(_refused("no application can register", answer, url))
    return str(told["client_id"])


def _request(client_id: str, verifier: str) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    device = f"DOCTOR{secrets.token_hex(4).upper()}"
    return urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": _CALLBACK,
            "scope": f"urn:matrix:client:api:* urn:matrix:client:device:{device}",
            "state": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
    )


def _typed(browser: Browser, page: Answer, account: dict[str, Any]) -> Answer:
    """Type name and password; return the page after them."""
    form = form_of(page.text)
    if page.status != 200 or form is None or "password" not in form.asks:
        what = f"the sign-in page asks for no password ({page.status}): nobody signed in"
        raise _Stopped(unseen(what, browser.url))
    after = browser.submit(
        form, identifier=account["user_id"], password=account["password"], decision="sign-in"
    )
    if _name(browser) == "sign-in":
        raise _Stopped(
            problem(
                f"the page lets nobody in ({after.status}), with the right password",
                browser.url,
                "Does the cookie come back? Is another module asked for passwords? See the log.",
            )
        )
    return after


def _agreed(browser: Browser, page: Answer) -> str:
    """Agree on the page that asks; return the code."""
    if page.header("Location") is None:
        form = form_of(page.text)
        if _name(browser) in _FACTOR_PAGES:
            raise _Stopped(
                doubt(
                    "it signs in as far as the second factor, which this server asks for: tokens were"
                    " not looked at",
                    browser.url,
                    "To have them looked at, leave the account out of the rule in factors"
                    " (docs/setup/second-factors.md).",
                )
            )
        if _name(browser) != "consent" or form is None:
            raise _Stopped(
                unseen(f"the sign-in goes on to another page, {_name(browser)}", browser.url)
            )
        page = browser.submit(form, decision="approve")
    query = parse_qs(urlsplit(page.header("Location") or "").query)
    if "code" not in query:
        told = query.get("error_description", query.get("error", [f"{page.status}"]))[0]
        raise _Stopped(problem(f"the application gets no code: {told}", browser.url))
    return query["code"][0]


def _name(browser: Browser) -> str:
    return urlsplit(browser.url).path.rpartition("/")[2]


def _post(patient: Patient, name: str, form: dict[str, str]) -> Answer:
    return patient.ask(
        patient.endpoints.url(name),
        method="POST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )


def _token(patient: Patient, form: dict[str, str]) -> dict[str, Any]:
    answer = _post(patient, "token", form)
    told = answer.json
    if answer.status != 200 or not isinstance(told, dict):
        raise _Stopped(
            _refused("the application gets no tokens", answer, patient.endpoints.url("token"))
        )
    return told


def _refused(what: str, answer: Answer, url: str) -> Finding:
    told = answer.json
    reason = told.get("error_description") if isinstance(told, dict) else None
    return problem(
        f"{what}: {answer.status} {reason or ''}".rstrip(), url, "See the log of the server."
    )


def _used(patient: Patient, access_token: str) -> Iterator[Finding]:
    """Show a token outside, and to each process by itself."""
    headers = {"Authorization": f"Bearer {access_token}"}
    url = f"{patient.base_url}{_WHOAMI}"
    answer = patient.ask(url, headers=headers)
    if answer.status != 200:
        yield _refused("the Matrix API does not take the token", answer, url)
    else:
        yield well("the Matrix API takes them", url)
    for place in patient.places:
        try:
            answer = ask(place.connect, url, headers=headers, name=urlsplit(url).netloc)
        except Unreachable:
            continue  # said already, of the processes
        if answer.status != 200:
            yield problem(
                f"this process does not take the token: {answer.status}",
                place.name,
                "Does it have the same modules and the same secrets, and was it restarted since?",
            )


def _is_over(patient: Patient, access_token: str) -> Iterator[Finding]:
    """See that a token is good nowhere any more."""
    headers = {"Authorization": f"Bearer {access_token}"}
    url, still = f"{patient.base_url}{_WHOAMI}", []
    for place in patient.places:
        try:
            answer = ask(place.connect, url, headers=headers, name=urlsplit(url).netloc)
        except Unreachable:
            continue
        if answer.status == 200:
            still.append(place.name)
    if still:
        yield problem(
            f"a revoked token is still good at {', '.join(still)}",
            fix="Do the processes hear each other (redis, and the replication listener)?",
        )
    else:
        yield well("once it is signed out, its tokens are good nowhere")
