"""An OAuth 2.0 authorization server for Matrix, inside Synapse."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["NextGenAuth", "__version__"]


def __getattr__(name: str) -> Any:
    # The rules of this package can be used without Synapse, so the module is loaded on demand.
    if name == "NextGenAuth":
        from synapse_nextgen_auth import lean  # noqa: PLC0415 (on demand)

        lean.install()
        from synapse_nextgen_auth.module import NextGenAuth  # noqa: PLC0415 (on demand)

        return NextGenAuth
    raise AttributeError(name)
