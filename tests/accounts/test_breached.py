"""Looking for a password in a list of leaked ones, and in the range of a service."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.breached import (
    ListFile,
    ListKind,
    PlainList,
    hashes_of,
    is_in_range,
)


def sha1(password):
    return hashlib.sha1(password.encode("utf-8", "surrogatepass")).hexdigest().upper()


def listed(text):
    return ListFile(lambda place, size: text[place : place + size], len(text))


HASHES = st.text("0123456789ABCDEF", min_size=40, max_size=40)


@given(
    known=st.sets(HASHES | st.integers(0, 5000).map(str).map(sha1), min_size=1, max_size=400),
    wanted=st.integers(0, 5000).map(str).map(sha1),
    end=st.sampled_from(["\n", "\r\n"]),
    counted=st.booleans(),
    lower=st.booleans(),
    closed=st.booleans(),
)
def test_a_list_has_what_is_in_it_and_nothing_else(known, wanted, end, counted, lower, closed):
    """By halves as by reading all of it; however lines end, and the last one too."""
    lines = [
        line + (f":{len(line) ** (n % 9)}" if counted else "")
        for n, line in enumerate(sorted(known))
    ]
    text = end.join(lines) + (end if closed else "")
    file = listed((text.lower() if lower else text).encode())

    assert file.kind() is ListKind.HASHES
    assert file.is_sorted()
    assert all(map(file.has, known))
    assert file.has(wanted) == (wanted in known)


@pytest.mark.parametrize("gap", [b"\n", b"\r\n\r\n", b"# more of them\n"])
def test_lines_that_are_none_are_in_nobodys_way(gap):
    """Wherever they stand between hashes."""
    known = [b"%040X" % (n << 140) for n in range(1000)]
    lines = b"\n".join(known[:500]) + b"\n" + gap + b"\n".join(known[500:])
    file = listed(b"\xef\xbb\xbf" + lines)

    assert file.kind() is ListKind.HASHES
    assert file.is_sorted()
    assert all(file.has(each.decode()) for each in known)


def test_hashes_with_something_before_them_are_no_passwords():
    """Nothing would ever be found in them."""
    assert listed(b"# leaked in 2026\n" + sha1("x").encode()).kind() is ListKind.MIXED


def test_a_mark_at_the_beginning_is_part_of_no_password():
    assert PlainList.of([b"\xef\xbb\xbfletmein\n"]).has(sha1("letmein"))


def test_a_large_list_is_read_in_few_places():
    """Thirty looks, whatever its size."""
    lines = b"".join(b"%040X:1\r\n" % (n << 120) for n in range(200_000))
    looks = []
    file = ListFile(
        lambda place, size: looks.append(size) or lines[place : place + size], len(lines)
    )

    assert file.has(f"{123_456 << 120:040X}")
    assert not file.has(f"{(123_456 << 120) + 1:040X}")
    assert len(looks) < 60
    assert sum(looks) < 50_000


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"", ListKind.EMPTY),
        (b"\n\n", ListKind.EMPTY),
        (b"password\n123456\n", ListKind.PASSWORDS),
        (b"a" * 40 + b":3\r\n", ListKind.HASHES),
        (b"A" * 32 + b":3\r\n", ListKind.NTLM),
        (b"x" * 5000, ListKind.PASSWORDS),
    ],
)
def test_a_list_says_what_it_is_by_its_first_line(text, kind):
    assert listed(text).kind() is kind


def test_a_list_in_another_order_is_noticed():
    """Have I Been Pwned once had one by how often a password was seen."""
    lines = [f"{sha1(str(n))}:{9000 - n}\n" for n in range(5000)]

    assert not listed("".join(lines).encode()).is_sorted()
    assert listed("".join(sorted(lines)).encode()).is_sorted()


@given(
    st.lists(
        st.text(min_size=1).filter(lambda text: "\n" not in text and text.strip("\r")), max_size=30
    )
)
def test_a_plain_list_has_its_passwords(passwords):
    """As bytes of the file; whatever else is asked for is not there."""
    lines = [
        password.rstrip("\r").encode("utf-8", "surrogatepass") + b"\r\n" for password in passwords
    ]
    known = PlainList.of(lines)

    assert all(known.has(sha1(password.rstrip("\r"))) for password in passwords)
    assert not known.has(sha1("a password that is not in any of these lists"))


def test_c229_a_password_is_looked_for_as_typed_and_as_it_is_kept():
    """Both spellings of an é are one password; a list may have either."""
    assert hashes_of("plain") == (sha1("plain"),)
    assert hashes_of("cafe\u0301") == (sha1("cafe\u0301"), sha1("caf\u00e9"))
    assert hashes_of("\ud800") == (sha1("\ud800"),)


def test_an_answer_about_a_range_is_of_one_hash():
    hashed = sha1("password")
    rest = hashed[5:]

    assert is_in_range(f"{'0' * 35}:3\r\n{rest}:52\r\n", hashed)
    assert is_in_range(rest.lower(), hashed)
    assert not is_in_range(f"{rest}:0\r\n", hashed)  # what pads it
    assert not is_in_range(f"{'0' * 35}:3\r\n", hashed)
    assert not is_in_range("<html>", hashed)


def test_a_list_in_memory_shows_nobody_its_hashes():
    assert repr(PlainList.of([b"password\n"])) == "PlainList()"
