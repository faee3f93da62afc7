"""A start that is refused: what the operator reads last, with no traceback above it.

Synapse prints the traceback of whatever a module raises and ends the process; a worker prints of a
mistake in a module's options no more than that there is one. Where Synapse is about to end the
process anyway, we end it in its place, with our own words.
"""

import logging
import os
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed("synapse.app._base", "register_start", ("hs", "cb")),
    Needed("synapse.app.generic_worker", "load_config", ("argv_options",)),
)

logger = logging.getLogger(__name__)

# Whose handler of errors ends the process: (module, function).
_STARTING = ("synapse.app._base", "wrapper")  # of register_start
_WORKER_READING = ("synapse.app.generic_worker", "load_config")


class StartRefused(Exception):
    """The module does not start; the message says why and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.lines = "\n".join(f" * {problem}" for problem in problems)
        super().__init__(f"synapse_nextgen_auth does not start:\n{self.lines}")


def refuse_start(problems: list[str]) -> NoReturn:
    """End this process as Synapse would, or raise `StartRefused` where somebody else handles it."""
    refused = StartRefused(problems)
    if not _is_called_by(*_STARTING):
        raise refused
    logger.critical("synapse_nextgen_auth does not start:\n%s", refused.lines)
    logging.shutdown()
    # The real one: Synapse has put its log in the place of the other by now.
    print(f"\n{refused}", file=sys.__stderr__, flush=True)
    os._exit(1)  # what Synapse does; sys.exit would only unwind into the reactor


def config_error(message: str) -> Exception:
    """Return what Synapse shows to the operator when it is raised while options are read.

    A worker that reads them would print that there is a mistake, not which: it ends here.
    """
    from synapse.config._base import ConfigError  # noqa: PLC0415 (Synapse is looked at later)

    if _is_called_by(*_WORKER_READING):
        raise SystemExit(f"\n{message}")
    return ConfigError(message)


def _is_called_by(module: str, function: str) -> bool:
    return any(
        getattr(frame.f_globals.get("__spec__"), "name", None) == module
        and frame.f_code.co_name == function
        for frame in _callers()
    )


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - as the inspect module does
    while frame is not None:
        yield frame
        frame = frame.f_back
