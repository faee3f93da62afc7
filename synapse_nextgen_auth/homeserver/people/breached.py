"""Whether a new password leaked elsewhere: a local list and a service, as the operator has them."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from synapse.server import HomeServer

from synapse_nextgen_auth.accounts import breached as rules
from synapse_nextgen_auth.accounts.breached import ListFile, ListKind, PlainList
from synapse_nextgen_auth.homeserver import services
from synapse_nextgen_auth.homeserver.services import Unanswered
from synapse_nextgen_auth.homeserver.threads import in_thread

NEEDS = ()

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A list of passwords is kept in memory, eight bytes for each; one of hashes is searched where it lies.
_LARGEST_PLAIN = 16 * 1024 * 1024  # bytes
_PATIENCE = 3  # seconds
_LARGEST_ANSWER = 1024 * 1024  # bytes; a range has about 40,000, padding included


class CouldNotLook(Exception):
    """Nobody knows whether it leaked."""


class Breached:
    """What is asked about a new password; of a service, with five digits of its hash."""

    def __init__(self, hs: HomeServer, *, file: str | None, service: str | None) -> None:
        self._hs = hs
        self._file = file
        self._service = service
        self._plain: PlainList | None = None

    async def has(self, password: str) -> bool:
        """Say whether it is known elsewhere; raise `CouldNotLook` where one of both did not say."""
        hashes = rules.hashes_of(password)
        failed: list[str] = []
        for where, look in ((self._file, self._in_file), (self._service, self._at_service)):
            try:
                if await look(hashes):
                    return True
            except Unanswered as error:
                failed.append(f"{where}: {error.why}")
            except OSError as error:
                failed.append(f"{where}: {error.strerror}")
        if failed:
            logger.warning("Could not look whether a new password leaked: %s", "; ".join(failed))
            raise CouldNotLook
        return False

    async def _in_file(self, hashes: tuple[str, ...]) -> bool:
        return self._file is not None and await in_thread(self._hs, self._look, hashes)

    def _look(self, hashes: tuple[str, ...]) -> bool:
        path = Path(self._file or "")
        if self._plain is None:
            found = _with(path, lambda file: _any_of(file, hashes))
            if found is not None:
                return found
            with path.open("rb") as lines:
                self._plain = PlainList.of(lines)
        return any(map(self._plain.has, hashes))

    async def _at_service(self, hashes: tuple[str, ...]) -> bool:
        if self._service is None:
            return False
        for hashed in hashes:
            answered = await services.ask(
                self._hs,
                f"{self._service.rstrip('/')}/{hashed[: rules.PREFIX]}",
                # So that the size of an answer tells nobody on the way which one it is.
                headers={"Add-Padding": "true"},
                patience=_PATIENCE,
                largest=_LARGEST_ANSWER,
            )
            if answered.status != 200:
                raise Unanswered(f"it says {answered.status}")
            if rules.is_in_range(answered.body.decode("utf-8", "replace"), hashed):
                return True
        return False


def problem(path: str) -> str | None:
    """Say why this file is no list that can be asked, at the start and not at the first password."""
    try:
        return _with(Path(path), _refuse)
    except (OSError, ValueError) as error:
        return f"it cannot be read: {getattr(error, 'strerror', None) or error}"


def _refuse(file: ListFile) -> str | None:
    kind = file.kind()
    if kind is ListKind.EMPTY:
        return "it is empty"
    if kind is ListKind.NTLM:
        return "it has NTLM hashes; take the one with SHA-1 hashes"
    if kind is ListKind.MIXED:
        return "its first line is no SHA-1 hash, and others are: delete what is none"
    if kind is ListKind.HASHES and not file.is_sorted():
        return "it is not sorted by its hashes: run `LC_ALL=C sort` over it"
    if kind is ListKind.PASSWORDS and file.size > _LARGEST_PLAIN:
        return (
            f"it has {file.size >> 20} MiB of plain passwords, and at most"
            f" {_LARGEST_PLAIN >> 20} are kept in memory; one of SHA-1 hashes may have any size"
        )
    return None


def _any_of(file: ListFile, hashes: tuple[str, ...]) -> bool | None:
    """Say whether a list of hashes has one of these; of another list, nothing."""
    return any(map(file.has, hashes)) if file.kind() is ListKind.HASHES else None


def _with(path: Path, do: Callable[[ListFile], T]) -> T:
    with _opened(path) as file:
        return do(file)


@contextmanager
def _opened(path: Path) -> Iterator[ListFile]:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield ListFile(
            lambda place, size: os.pread(opened, size, place), size=os.fstat(opened).st_size
        )
    finally:
        os.close(opened)
