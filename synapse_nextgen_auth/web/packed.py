"""Texts that hardly anybody ever asks for, packed in a file without a name that goes with the process.

Memory is for what is used.
"""

import logging
import os
import tempfile
import weakref
import zlib
from contextlib import suppress
from threading import Lock
from typing import IO

logger = logging.getLogger(__name__)

_LENGTH_BITS = 32
_IS_PACKED = 1


class Packed:
    """What was put there, by the number that it got; without a file it stays in memory."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0
        self._in_memory: dict[int, bytes] = {}
        self._writing = Lock()

    def add(self, text: bytes, *, pack: bool = True) -> int:
        """Keep a text; to pack one takes a while, and whoever starts a server waits."""
        kept = zlib.compress(text) if pack else text
        with self._writing:
            where = self._end
            number = where << _LENGTH_BITS | len(kept) << 1 | pack
            self._end += len(kept)
            if not self._is_written(kept, where):
                self._in_memory[number] = kept
        return number

    def get(self, number: int) -> bytes:
        """Return a text that was kept."""
        kept = self._in_memory.get(number)
        if kept is None:
            assert self._file is not None  # noqa: S101 (it was written there)
            length = (number & (1 << _LENGTH_BITS) - 1) >> 1
            kept = os.pread(self._file.fileno(), length, number >> _LENGTH_BITS)
        return zlib.decompress(kept) if number & _IS_PACKED else kept

    def _is_written(self, kept: bytes, where: int) -> bool:
        """Write it, unless that went wrong once: then memory is what is left."""
        if self._in_memory:
            return False
        try:
            if self._file is None:
                # Open as long as this one lives.
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                weakref.finalize(self, _close, self._file)
            if os.pwrite(self._file.fileno(), kept, where) == len(kept):
                return True
            error = OSError("there is no room left")
        except OSError as failed:
            error = failed
        logger.info("Kept texts in memory, for want of a file: %s", error)
        return False


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # of what the disk had no room for
        file.close()


PACKED = Packed()
