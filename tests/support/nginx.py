"""A real nginx with locations from our documentation, on a port of its own that speaks TLS."""

import datetime as dt
import ipaddress
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typing_extensions import Self

from support.raw_http import is_listening
from synapse_nextgen_auth.cli.synapse_process import bound_to

# Debian keeps it where only root looks for programs.
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_CONFIG = """
daemon off;
{user}
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{}}
http {{
    log_format told '$request_method $uri $status $upstream_addr';
    access_log access.log told;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    {upstreams}
    server {{
        {listens}
        server_name localhost;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        {locations}
    }}
}}
"""
_UPSTREAM = re.compile(r"^upstream \S+ \{.*?^\}", re.MULTILINE | re.DOTALL)


def program() -> str | None:
    """Return the path of nginx if this machine has one."""
    return shutil.which("nginx", path=_PLACES)


@attrs.define
class Nginx:
    """One nginx whose server section holds the given blocks, in their order."""

    directory: Path
    port: int
    addresses: tuple[str, ...]
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def certificate(self) -> Path:
        """Return the certificate that it shows, for whoever has to trust it."""
        return self.directory / "certificate.pem"

    def serve(self, *blocks: str) -> Self:
        """Start with these blocks; a request that began with others is over."""
        self.stop()
        if not self.certificate.exists():
            write_certificate(self.certificate, self.directory / "key.pem")
        text = "\n".join(blocks)
        hosts = [f"[{one}]" if ":" in one else one for one in self.addresses]
        (self.directory / "nginx.conf").write_text(
            _CONFIG.format(
                user="user root;" if os.geteuid() == 0 else "",
                listens="\n".join(f"listen {host}:{self.port} ssl;" for host in hosts),
                upstreams="\n".join(_UPSTREAM.findall(text)),
                locations=_UPSTREAM.sub("", text),
            )
        )
        self._process = subprocess.Popen(
            [program() or "nginx", "-p", f"{self.directory}/", "-c", "nginx.conf"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=bound_to(os.getpid(), signal.SIGTERM),  # noqa: PLW1509
        )
        self._wait()
        return self

    def stop(self) -> None:
        """Stop it, and forget what it logged."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
        (self.directory / "access.log").unlink(missing_ok=True)

    def told(self, count: int = 1, *, of: str = "") -> list[list[str]]:
        """Return method, path, status and upstream of the requests so far, `count` at least.

        A line is written after its answer, so whoever asks for the last one names its path.
        """
        log = self.directory / "access.log"
        deadline = time.monotonic() + 60
        while True:
            lines = log.read_text().splitlines() if log.exists() else []
            if len(lines) >= count and any(f" {of}" in line for line in lines):
                return [line.split(" ", 3) for line in lines]
            assert time.monotonic() < deadline, lines
            time.sleep(0.02)

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while not all(is_listening(address, self.port) for address in self.addresses):
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = self.directory / "error.log"
                raise RuntimeError(
                    f"nginx did not start: {log.read_text() if log.exists() else ''}"
                )
            time.sleep(0.02)


def write_certificate(certificate: Path, key_file: Path) -> None:
    """Write a certificate for this machine, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::1")]
    now = dt.datetime.now(dt.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    ssl.create_default_context(cafile=certificate)  # it is one that clients can read
