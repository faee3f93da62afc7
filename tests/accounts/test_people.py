"""How people name themselves."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.people import (
    MAX_IDENTIFIER,
    Identifier,
    hinted,
    identify,
    meant_elsewhere,
)

HERE = "example.com"
anything = st.text(st.characters(codec=None), max_size=300)


@pytest.mark.parametrize(
    ("typed", "user_id"),
    [
        ("alice", "@alice:example.com"),
        ("@alice", "@alice:example.com"),
        ("@alice:example.com", "@alice:example.com"),
        ("alice:example.com", "@alice:example.com"),
        ("  alice\t", "@alice:example.com"),
        ("\u3000@alice:example.com\n", "@alice:example.com"),
        ("@alice:", "@alice:example.com"),
        ("@alice:elsewhere.org", "@alice:elsewhere.org"),
        ("@alice:elsewhere.org:8448", "@alice:elsewhere.org:8448"),
        ("alice:elsewhere.org", "@alice:elsewhere.org:example.com"),
        ("Alice", "@Alice:example.com"),
        ("a b", "@a b:example.com"),
        ("<svg onload=alert(1)>", "@<svg onload=alert(1)>:example.com"),
        ("alice@", "@alice@:example.com"),
        ("@@alice", "@@alice:example.com"),
    ],
)
def test_c235_every_spelling_of_one_account_is_one_account(typed, user_id):
    """So they share one rate limit; what nobody is called fails later, as any wrong name does."""
    assert identify(typed, server_name=HERE) == Identifier(user_id=user_id)


@pytest.mark.parametrize(
    "typed",
    ["alice@example.org", " alice@example.org ", "a+b@mail.example.org", "\u00fc@b\u00fccher.de"],
)
def test_an_address_is_one(typed):
    """Something on both sides of one @."""
    assert identify(typed, server_name=HERE) == Identifier(email=typed.strip())


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "\t\n", "a\0b", "a\nb", "a\x1b[31m", "a\u202eb", "a\u2028b", "\ud800"),
        "x" * (MAX_IDENTIFIER + 1),
        "x" * 100_000,
    ],
)
def test_what_can_be_nobody_is_nobody(typed):
    """Nothing, too much, or characters that do not print."""
    assert identify(typed, server_name=HERE) is None


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("+4915112345678", "4915112345678"),
        (" +49 151 12345678 ", "4915112345678"),
        ("+49 (0)151/123-45.678", "49015112345678"),
        ("+12345", "12345"),
        ("+1234", None),
        ("+1234567890123456", None),
        ("4915112345678", None),
        ("+49151\u0661\u0662345678", None),
        ("+49alice", None),
        ("+", None),
    ],
)
def test_a_phone_number_begins_with_a_plus_and_its_country(typed, phone):
    """What is no number, and any where nobody has one, is a name."""
    named = Identifier(user_id=f"@{typed.strip()}:{HERE}")
    expected = named if phone is None else Identifier(phone=phone)

    assert identify(typed, server_name=HERE, by_phone=True) == expected
    assert identify(typed, server_name=HERE) == named


@given(anything)
def test_whatever_is_typed_is_answered(typed):
    """One of the three, short and printable, or nobody."""
    found = identify(typed, server_name=HERE, by_phone=True)

    if found is not None:
        (text,) = filter(None, attrs.astuple(found))
        assert text.isprintable()
        assert len(text) <= MAX_IDENTIFIER + len("@:") + len(HERE)
        assert found.user_id is None or found.user_id.startswith("@")


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("mxid:@alice:example.com", "alice"),
        ("mxid:@Alice=2f:example.com", "Alice=2f"),
        ("MXID:@alice:example.com", "alice"),
        ("Mxid:@Alice:example.com", "Alice"),
        ("MailTo:alice@example.org", "alice@example.org"),
        ("Alice", "Alice"),
        ("\u212aate", ""),
        ("mxid:@alice:elsewhere.org", ""),
        ("mxid:alice:example.com", ""),
        ("mxid:@alice", ""),
        ("mxid:", ""),
        ("mailto:alice@example.org", "alice@example.org"),
        ("alice@example.org", "alice@example.org"),
        ("alice", "alice"),
        ("@alice:example.com", "alice"),
        ("@alice:elsewhere.org", ""),
        ("@alice", ""),
        ("@:example.com", ""),
        ("Alice Liddell", ""),
        ("mailto:", ""),
        (None, ""),
        ("", ""),
        ("tel:+1", ""),
        ("mxid:@a\nb:example.com", ""),
        ("mailto:a@b.example\0", ""),
        ("mailto:" + "x" * 300, ""),
        ("x" * 100_000, ""),
    ],
)
def test_c029_a_hint_only_fills_in(hint, shown):
    """Whether there is such an account is not looked up; nonsense is nothing."""
    assert hinted(hint, server_name=HERE) == shown


@pytest.mark.parametrize(
    "hint", ["mailto:<svg onload=alert(1)>", "mxid:@<b>\"'&:example.com", "<b>@example.org"]
)
def test_c029_markup_in_a_hint_is_text(hint):
    """The page escapes it; it is not changed on the way, and not taken for something else."""
    shown = hinted(hint, server_name=HERE)

    assert shown in hint
    assert shown


@given(st.sampled_from(["", "mxid:", "mxid:@", "mailto:"]), anything)
def test_c029_any_hint_is_answered(scheme, rest):
    """With a piece of itself, short enough for the field and printable."""
    shown = hinted(scheme + rest, server_name=HERE)

    assert shown in scheme + rest
    assert len(shown) <= MAX_IDENTIFIER + 5
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("@alice:elsewhere.org", "@alice:elsewhere.org"),
        ("mxid:@alice:elsewhere.org", "@alice:elsewhere.org"),
        (f"@alice:{HERE}", None),
        ("@\u202egro.xirtam:elsewhere.org", None),
        ("@\u2066a:elsewhere.org", None),
        ("@\x07\x1b[31m:elsewhere.org", None),
        ("@a\u200bb:elsewhere.org", None),
    ],
)
def test_whom_a_link_names_on_another_server_hides_nothing(hint, shown):
    """It comes onto the page as it is: a direction or a control character would make it another."""
    assert meant_elsewhere(hint, server_name=HERE) == shown
