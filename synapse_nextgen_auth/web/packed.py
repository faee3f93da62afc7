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


class Packed:
    """What was put there, by the number that it got; without a file it stays in memory."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0
        self._in_memory: dict[int, bytes] = {}
        self._writing = Lock()

    def add(self, text: bytes) -> int:
        """Keep a text."""
        packed = zlib.compress(text)
        with self._writing:
            number = self._end << _LENGTH_BITS | len(packed)
            self._end += len(packed)
            if not self._is_written(packed, number >> _LENGTH_BITS):
                self._in_memory[number] = packed
        return number

    def get(self, number: int) -> bytes:
        """Return a text that was kept."""
        packed = self._in_memory.get(number)
        if packed is None:
            assert self._file is not None  # noqa: S101 (it was written there)
            length = number & (1 << _LENGTH_BITS) - 1
            packed = os.pread(self._file.fileno(), length, number >> _LENGTH_BITS)
        return zlib.decompress(packed)

    def _is_written(self, packed: bytes, where: int) -> bool:
        """Write it, unless that went wrong once: then memory is what is left."""
        if self._in_memory:
            return False
        try:
            if self._file is None:
                # Open as long as this one lives.
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                weakref.finalize(self, _close, self._file)
            if os.pwrite(self._file.fileno(), packed, where) == len(packed):
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
