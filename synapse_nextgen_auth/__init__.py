"""An OAuth 2.0 authorization server for Matrix, inside Synapse."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["NextGenAuth", "__version__"]


def __getattr__(name: str) -> Any:
    # The rules of this package can be used without Synapse, so the module is loaded on demand.
    if name == "NextGenAuth":
        try:
            from synapse_nextgen_auth.module import NextGenAuth  # noqa: PLC0415 (may be missing)
        except ImportError as error:
            raise _explained(error) from error
        return NextGenAuth
    raise AttributeError(name)


def _explained(error: ImportError) -> Exception:
    """Return what to tell the operator of a Synapse that lacks what we import."""
    from synapse_nextgen_auth.homeserver import internals, refusal  # noqa: PLC0415 (only now)

    try:
        from synapse.config._base import ConfigError  # noqa: PLC0415 (may be missing)
    except ImportError:
        return error  # no Synapse at all, or none that we can ask anything
    problems = internals.problems()
    if not problems:
        return error
    message = str(refusal.StartRefused(problems))
    refusal.exit_if_worker(message)
    return ConfigError(message)
