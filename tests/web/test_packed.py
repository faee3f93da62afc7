"""Texts that are kept outside of memory come back as they were, packed or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.web import packed


@given(st.lists(st.tuples(st.binary(max_size=300), st.booleans()), max_size=8))
def test_what_was_kept_comes_back(texts):
    """Of any length, one behind the other, in a file."""
    kept = packed.Packed()
    numbers = [kept.add(text, pack=pack) for text, pack in texts]

    assert [kept.get(number) for number in numbers] == [text for text, _ in texts]
    assert not kept._in_memory


@pytest.mark.parametrize("pack", [True, False])
def test_without_a_file_it_stays_in_memory(monkeypatch, pack):
    """As where no directory for such files can be written to."""

    def refuse(**_options):
        raise OSError("no room")

    monkeypatch.setattr(packed.tempfile, "TemporaryFile", refuse)
    kept = packed.Packed()
    numbers = [kept.add(text, pack=pack) for text in (b"one", b"", b"two" * 100)]

    assert [kept.get(number) for number in numbers] == [b"one", b"", b"two" * 100]
