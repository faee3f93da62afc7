"""What a new password has to be."""

import re
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_nextgen_auth.accounts.new_passwords import (
    PasswordHint,
    PasswordPolicy,
    PasswordProblem,
    counted,
    is_too_long,
    strength,
    words_of,
)

STRICT = PasswordPolicy(minimum_length=10, digit=True, symbol=True, uppercase=True, lowercase=True)


@pytest.mark.parametrize(
    ("password", "problems"),
    [
        ("", "TOO_SHORT NO_DIGIT NO_SYMBOL NO_UPPERCASE NO_LOWERCASE"),
        ("abcdefghij", "NO_DIGIT NO_SYMBOL NO_UPPERCASE"),
        ("ABCDEFGHIJ", "NO_DIGIT NO_SYMBOL NO_LOWERCASE"),
        ("0123456789", "NO_SYMBOL NO_UPPERCASE NO_LOWERCASE"),
        ("aB3-", "TOO_SHORT"),
        ("aB3-aB3-aB", ""),
        # Letters and digits of other scripts are symbols to Synapse.
        ("Äöüßäöüßäö", "NO_DIGIT NO_UPPERCASE NO_LOWERCASE"),
        ("aB٣aaaaaaa", "NO_DIGIT"),
    ],
)
def test_every_rule_of_the_policy_is_said_at_once(password, problems):
    assert list(STRICT.problems(password)) == [PasswordProblem[name] for name in problems.split()]


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        ({}, PasswordPolicy()),
        ({"minimum_length": 12}, PasswordPolicy(minimum_length=12)),
        ({"require_digit": True, "require_symbol": False}, PasswordPolicy(digit=True)),
        ({"minimum_length": "12"}, PasswordPolicy()),
    ],
)
def test_a_policy_is_read_as_synapse_has_it(written, policy):
    assert PasswordPolicy.read(written) == policy


@pytest.mark.parametrize(
    ("password", "is_so"),
    [
        ("x" * 512, False),
        ("x" * 513, True),
        ("é" * 256, False),
        ("é" * 257, True),
        ("\ud800", False),
    ],
)
def test_c231_no_password_is_taken_that_the_sign_in_page_refuses(password, is_so):
    assert is_too_long(password) == is_so


@pytest.mark.parametrize(
    ("password", "hint"),
    [
        ("password1", PasswordHint.COMMON),
        ("alicewonder", PasswordHint.OF_THE_PERSON),
        ("chat.example.org", PasswordHint.OF_THE_PERSON),
        ("blumenberg", PasswordHint.OF_THE_PERSON),
        ("sdfghjkl;'", PasswordHint.KEYS),
        ("aaaaaaaaaaaa", PasswordHint.REPEATED),
        ("abcdefghijklmno", PasswordHint.SEQUENCE),
        ("24.12.1987", PasswordHint.DATE),
        ("zqjx", PasswordHint.SHORT),
        ("", PasswordHint.SHORT),
        ("\ud800", PasswordHint.SHORT),
    ],
)
def test_a_weak_password_is_told_why(password, hint):
    words = words_of(["AliceWonder", "mail+tag@Blumenberg.example", "chat.example.org"])
    found = strength(password, words)

    assert found.score < 2
    assert found.hint is hint


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "пароль который никто не знает",
        "kX9#vQ2!mP7$",
        "مصباح تحت نافذة زرقاء",
    ],
)
def test_a_strong_password_of_any_script_passes(password):
    assert strength(password, []).score >= 3
    assert strength(password, []).hint is None


@given(st.text(max_size=600))
def test_c229_whatever_is_typed_has_a_strength(password):
    """No text is an error, and what is counted is the beginning of it."""
    assert password.startswith(counted(password))
    assert 0 <= strength(password, ["alice"]).score <= 4


@pytest.mark.parametrize(
    "password",
    ["4@8({[<369#!|1%5$7+20" * 24, "i" * 512, "1|!7" * 128, "4@8{[<369#" * 51, "19" * 256],
)
def test_c231_counting_takes_no_time_of_others(password):
    """Of a hostile one zxcvbn would make seconds, with the lock of the whole process."""
    strength("warm", [])
    began = time.thread_time()
    strength(password, [])

    assert time.thread_time() - began < 1


def test_words_of_a_person_come_in_parts():
    words = words_of(["Alice Wonder-Land", "al@mail.example.org", "", "x" * 5000])

    assert words == [
        *("alice wonder-land", "alice", "wonder", "land"),
        *("al@mail.example.org", "mail", "example", "org"),
    ]


@given(st.lists(st.text(max_size=300), max_size=20))
def test_words_are_few_and_short(known):
    words = words_of(known)

    assert len(words) <= 50
    assert all(3 <= len(word) <= 64 for word in words)


def test_no_start_pays_for_the_lists_of_words():
    """Zxcvbn is imported when somebody first chooses a password."""
    code = (
        "import sys, synapse_nextgen_auth.module\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'zxcvbn'])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert re.fullmatch(r"\[\]\s*", found.stdout)
