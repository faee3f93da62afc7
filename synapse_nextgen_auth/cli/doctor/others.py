"""Whom the server itself talks to: the mail server, identity providers, services."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from synapse_nextgen_auth.cli.doctor.asking import PATIENCE, Unreachable, ask, to_host
from synapse_nextgen_auth.cli.doctor.findings import Finding, doubt, problem, well
from synapse_nextgen_auth.cli.doctor.patient import Patient

_OTHERS = "Does it run, is its address right here, and does a firewall let this machine out to it?"
_DISCOVERY = ".well-known/openid-configuration"


def look_at_mail(patient: Patient) -> Iterator[Finding]:
    """Say hello to the mail server as Synapse does, and send nothing."""
    email = patient.hs_config.email
    if not email.can_verify_email:
        yield doubt(
            "no mail server: nobody who forgot a password gets back in without you",
            "email",
            "Set email.smtp_host and email.notif_from.",
        )
        return
    where = f"{email.email_smtp_host}:{email.email_smtp_port}"
    try:
        yield from _greet(email, where)
    except smtplib.SMTPAuthenticationError as error:
        yield problem(
            f"it refuses the user and the password ({error.smtp_code})",
            where,
            "Correct email.smtp_user and email.smtp_pass.",
        )
    except smtplib.SMTPException as error:
        yield problem(f"it does not take mails from us: {type(error).__name__}", where)
    except ssl.SSLError as error:
        yield problem(
            f"TLS with it fails: {getattr(error, 'verify_message', '') or error.reason or error}",
            where,
            "Is this the port for the kind of TLS that is set (email.force_tls, email.enable_tls)?",
        )
    except OSError as error:
        yield problem(
            f"it does not answer: {error.strerror or error}",
            where,
            "Correct email.smtp_host and email.smtp_port; does a firewall let this machine out?",
        )


def _greet(email: Any, where: str) -> Iterator[Finding]:
    host, port = email.email_smtp_host, email.email_smtp_port
    context = ssl.create_default_context()
    if email.force_tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE)
    with server:
        server.ehlo_or_helo_if_needed()
        offers = server.has_extn("starttls")
        if not email.force_tls and email.require_transport_security and not offers:
            yield problem(
                "it offers no TLS, and email.require_transport_security wants it",
                where,
                "Use a port with TLS.",
            )
            return
        if not email.force_tls and email.enable_smtp_tls and offers:
            server.starttls(context=context)
            server.ehlo()
        if email.email_smtp_user is not None:
            server.login(email.email_smtp_user, email.email_smtp_pass or "")
        yield well("the mail server takes us", where)
        if not (email.force_tls or (email.enable_smtp_tls and offers)) and not _is_here(host):
            yield doubt(
                "mails, with codes and links in them, leave this machine without TLS",
                where,
                "Set email.require_transport_security: true, and a port that offers it.",
            )


def _is_here(host: str) -> bool:
    try:
        return all(
            str(entry[4][0]).startswith(("127.", "::1")) for entry in socket.getaddrinfo(host, None)
        )
    except OSError:
        return False


def look_at_providers(patient: Patient) -> Iterator[Finding]:
    """Ask each identity provider what Synapse asks it at the first sign-in."""
    cas = patient.hs_config.cas
    if not patient.hs_config.oidc.oidc_providers and not cas.cas_enabled:
        yield well("none is in the configuration")
    for provider in patient.hs_config.oidc.oidc_providers:
        name = f"oidc_providers {provider.idp_id}"
        if not provider.discover:
            yield well("it is written out in the configuration, and not asked", name)
            continue
        yield from _provider(provider.issuer, name)
    if cas.cas_enabled:
        yield from _service(str(cas.cas_server_url), "cas_config.server_url")


def _provider(issuer: str, name: str) -> Iterator[Finding]:
    url = issuer.rstrip("/") + "/" + _DISCOVERY
    try:
        answer = ask(to_host(url), url)
    except Unreachable as stop:
        yield problem(f"the provider is not reached: {stop.what}", f"{name}.issuer", _OTHERS)
        return
    document = answer.json
    if answer.status != 200 or not isinstance(document, dict):
        yield problem(
            f"the provider does not tell about itself: {answer.status} at {url}",
            f"{name}.issuer",
            "Copy the issuer from the provider; of Keycloak it has /realms/ and the realm.",
        )
    elif document.get("issuer") != issuer:
        yield problem(
            f"the provider calls itself {document.get('issuer')}",
            f"{name}.issuer",
            f'issuer: "{document.get("issuer")}"',
        )
    else:
        yield well("the provider tells about itself", f"{name}: {issuer}")


def look_at_services(patient: Patient) -> Iterator[Finding]:
    """Reach the services that options of ours name."""
    config = patient.config
    if config.passwords.breached_service:
        yield from _service(config.passwords.breached_service, "passwords.breached_service")
    else:
        yield well("no option names one")


def _service(url: str, name: str) -> Iterator[Finding]:
    try:
        ask(to_host(url), f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/")
    except Unreachable as stop:
        yield problem(f"it is not reached: {stop.what}", name, _OTHERS)
    else:
        yield well("it is reached", f"{name}: {url}")
