"""Packages with known faults that matter here: the operator is told, and nothing is moved (C211, C389).

A requirement of ours with such a floor would let pip change what Synapse was installed with. So the
start and `check-config` say it instead.
"""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from packaging.version import InvalidVersion, Version

from synapse_nextgen_auth.records import frozen


@frozen
class Fault:
    """What was mended in a package that we rely on."""

    package: str
    mended_in: str
    name: str

    def warning(self, have: str) -> str | None:
        """Say that this version has the fault and what to do, `None` if it has not."""
        try:
            if Version(have) >= Version(self.mended_in):
                return None
        except InvalidVersion:
            return None  # a build of somebody's own, who knows what is in it
        return (
            f"{self.package} {have} has a known fault, {self.name}. Upgrade Synapse,"
            f" or only this in its environment: pip install '{self.package}>={self.mended_in}'"
        )


FAULTS = (
    Fault("cryptography", "44.0.1", "CVE-2024-12797"),  # of the OpenSSL inside
    Fault("idna", "3.7", "CVE-2024-3651"),  # a long name takes minutes
    Fault("jinja2", "3.1.6", "CVE-2025-27516"),  # a way out of the sandbox
    Fault("pyjwt", "2.12.0", "CVE-2026-32597"),  # critical headers are ignored
    Fault("pyyaml", "5.4", "CVE-2020-14343"),  # a file may run code
    Fault("twisted", "24.7.0", "CVE-2024-41671"),  # pipelined requests get mixed up
)


def warnings(version_of: Callable[[str], str] = installed) -> list[str]:
    """Return what to say about the packages in this environment."""
    return [text for fault in FAULTS if (text := _warning(fault, version_of))]


def _warning(fault: Fault, version_of: Callable[[str], str]) -> str | None:
    try:
        return fault.warning(version_of(fault.package))
    except PackageNotFoundError:
        return None  # installed by other means than pip
