"""What was needed for a moment is the system's again."""

import ctypes
import subprocess
import sys

import pytest

from support.pages import BASE
from synapse_nextgen_auth.web import heap
from synapse_nextgen_auth.web.pages.message.samples import MESSAGE
from synapse_nextgen_auth.web.templates import Templates

# Each too large for Python's own pools, and too small to have pages of its own.
HOLES = """
from pathlib import Path
from synapse_nextgen_auth.web import heap

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytes(8192) for _ in range(4000)]
last = bytes(8192)
del blocks
before = resident()
heap.give_back()
print(before - resident())
"""


@pytest.fixture(autouse=True)
def looked_for_again():
    """What one test found is not what the next one finds."""
    heap._trim.cache_clear()
    yield
    heap._trim.cache_clear()


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library gives back by itself"
)
def test_what_lies_free_is_given_back():
    """Though something that is still used lies above it."""
    said = subprocess.run([sys.executable, "-c", HOLES], check=True, capture_output=True, text=True)

    assert int(said.stdout) > 20_000_000


def test_a_library_that_cannot_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())

    heap.give_back()

    assert heap._trim() is None


def test_a_page_is_tidied_up_after_once(monkeypatch):
    """Who sees it next finds it compiled."""
    times = []
    monkeypatch.setattr(heap, "give_back", lambda: times.append(1))
    pages = Templates(BASE)

    first = pages.render(MESSAGE)
    compiled = set(pages._environment.cache)
    pages._common.clear()
    again = pages.render(MESSAGE)

    assert (first, compiled) == (again, set(pages._environment.cache))
    assert times == [1]
