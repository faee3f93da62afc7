"""Real providers on loopback: OpenID Connect (panva's oidc-provider), SAML (Auth0's samlp) and CAS.

Each is software that nobody here wrote. Every name is a person there, whatever the password.
"""

import contextlib
import datetime as dt
import json
import select
import subprocess
import sys
import time
from pathlib import Path

import attrs
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.node import NODE, Node
from support.ports import free_port
from synapse_nextgen_auth.cli import loopback

CLIENT_ID, CLIENT_SECRET = "synapse", "only-tests-know-this-one"
PASSWORD = "whatever"
TESTS = Path(__file__).parents[2]


@attrs.frozen
class Provider:
    """A running provider: where it is, and what stands of it in homeserver.yaml."""

    url: str
    config: dict = attrs.field(repr=False)


@attrs.frozen
class Providers:
    """One of each kind, for one homeserver."""

    openid: Provider
    saml: Provider
    cas: Provider

    @classmethod
    @contextlib.contextmanager
    def run(cls, directory, node_modules, base_url):
        """Run all three, and end them."""
        with (
            openid(directory, node_modules, base_url) as first,
            saml(directory, node_modules, base_url) as second,
            cas(directory) as third,
        ):
            yield cls(first, second, third)

    @property
    def config(self):
        """Return what stands in homeserver.yaml."""
        return self.openid.config | self.saml.config | self.cas.config


@contextlib.contextmanager
def openid(directory, node_modules, base_url, *, port=None, **options):
    """Run the OpenID provider for the homeserver at `base_url`."""
    port = port or _port()
    issuer = f"http://localhost:{port}"
    told = {
        "issuer": issuer,
        "port": port,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [f"{base_url}/_synapse/client/oidc/callback"],
        "backchannel_logout_uri": f"{base_url}/_synapse/client/oidc/backchannel_logout",
    }
    with _node(directory, node_modules, "openid_provider.js", told):
        # The same provider twice: the second time Synapse knows no name for whoever comes from there.
        picks = openid_entry(
            issuer,
            idp_id="picks",
            idp_name="The Works, by choice",
            user_mapping_provider={
                "config": {
                    "display_name_template": "{{ user.name }}",
                    "email_template": "{{ user.email }}",
                }
            },
        )
        yield Provider(issuer, {"oidc_providers": [openid_entry(issuer, **options), picks]})


def openid_entry(issuer, **options):
    """Return what stands in `oidc_providers` of a provider."""
    return {
        "idp_id": "works",
        "idp_name": "The Works",
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scopes": ["openid", "profile", "email"],
        # It speaks http here.
        "skip_verification": True,
        "backchannel_logout_enabled": True,
        "user_mapping_provider": {
            "config": {
                "localpart_template": "{{ user.sub }}",
                "display_name_template": "{{ user.name }}",
            }
        },
        **options,
    }


def lend_support(directory):
    """Let the Synapse that runs in this directory find modules of `support`, as `support.mappers`."""
    (directory / "support").symlink_to(TESTS / "support")


@contextlib.contextmanager
def saml(directory, node_modules, base_url, **options):
    """Run the SAML provider for the homeserver at `base_url`."""
    port = _port()
    issuer = f"http://localhost:{port}"
    certificate, key = _certificate()
    told = {
        "issuer": issuer,
        "port": port,
        "certificate": certificate,
        "key": key,
        "answers_go_to": f"{base_url}/_synapse/client/saml2/authn_response",
    }
    metadata = directory / "saml-provider.xml"
    metadata.write_text(_saml_metadata(issuer, certificate))
    section = {
        "sp_config": {"metadata": {"local": [str(metadata)]}, "allow_unknown_attributes": True},
        "user_mapping_provider": {"config": {"mxid_source_attribute": "uid"}},
        # Or whoever is called like somebody here would be that one.
        "grandfathered_mxid_source_attribute": "",
        **options,
    }
    with _node(directory, node_modules, "saml_provider.js", told):
        yield Provider(issuer, {"saml2_config": section})


@contextlib.contextmanager
def cas(directory, **options):
    """Run the CAS server."""
    port = _port()
    url = f"http://localhost:{port}"
    told = json.dumps({"directory": str(directory), "port": port})
    # As a module of the tests: it is given by name what stands beside it.
    command = [sys.executable, "-m", "support.providers.cas_site", told]
    with _process(command, directory / "cas.log", cwd=TESTS) as process:
        _until_answers(process, f"{url}/login", directory / "cas.log")
        section = {"enabled": True, "server_url": url, "displayname_attribute": "name", **options}
        yield Provider(url, {"cas_config": section})


@contextlib.contextmanager
def _node(directory, node_modules, script, told):
    place = directory / script.partition(".")[0]
    place.mkdir()
    at = Node.at(place, node_modules).directory
    with _process([str(NODE), script, json.dumps(told)], place / "log", cwd=at) as process:
        ready = select.select([process.stdout], [], [], 60)[0] and process.stdout.readline()
        assert ready, f"it did not start: {(place / 'log').read_text()[-4000:]}"
        yield


@contextlib.contextmanager
def _process(command, log, **options):
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, **options) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _until_answers(process, url, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            requests.get(url, timeout=30)
            return
        time.sleep(0.1)
    raise AssertionError(f"it did not start: {log.read_text()[-4000:]}")


def _port():
    return free_port(loopback.addresses())


def _certificate():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider.test")])
    now = dt.datetime.now(dt.timezone.utc)
    day = dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .sign(key, hashes.SHA256())
    )
    encodings = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(*encodings, serialization.NoEncryption()).decode()
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), secret


def _saml_metadata(issuer, certificate):
    body = "".join(certificate.splitlines()[1:-1])
    return f"""<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}">
  <IDPSSODescriptor WantAuthnRequestsSigned="false"
      protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing">
      <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#">
        <X509Data><X509Certificate>{body}</X509Certificate></X509Data>
      </KeyInfo>
    </KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
        Location="{issuer}/saml"/>
  </IDPSSODescriptor>
</EntityDescriptor>
"""
