"""What a new password has to be: this server's policy (CS API, `password_policy`), and hard to guess.

Everything that is wrong with one is said at once. How long it takes to guess is what zxcvbn counts.
"""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from synapse_nextgen_auth.accounts.people import MAX_PASSWORD
from synapse_nextgen_auth.records import frozen


class PasswordProblem(enum.Enum):
    """Why a new password is not taken."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NO_DIGIT = "no_digit"
    NO_SYMBOL = "no_symbol"
    NO_UPPERCASE = "no_uppercase"
    NO_LOWERCASE = "no_lowercase"
    TOO_WEAK = "too_weak"
    BREACHED = "breached"
    UNCHECKED = "unchecked"


class PasswordHint(enum.Enum):
    """What makes a password easy to guess, as far as anybody can say."""

    COMMON = "common"
    OF_THE_PERSON = "of_the_person"
    NAME = "name"
    WORD = "word"
    KEYS = "keys"
    REPEATED = "repeated"
    SEQUENCE = "sequence"
    DATE = "date"
    SHORT = "short"


@frozen
class PasswordPolicy:
    """What this server demands of the characters of a password."""

    minimum_length: int = 0
    digit: bool = False
    symbol: bool = False
    uppercase: bool = False
    lowercase: bool = False

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> "PasswordPolicy":
        """Read Synapse's `password_config.policy`, empty where it is not enabled."""
        length = options.get("minimum_length", 0)
        return cls(
            minimum_length=length if isinstance(length, int) else 0,
            digit=bool(options.get("require_digit")),
            symbol=bool(options.get("require_symbol")),
            uppercase=bool(options.get("require_uppercase")),
            lowercase=bool(options.get("require_lowercase")),
        )

    def problems(self, password: str) -> Iterator[PasswordProblem]:
        """Yield every rule that it violates; Synapse's own check stops at the first."""
        if len(password) < self.minimum_length:
            yield PasswordProblem.TOO_SHORT
        for is_demanded, wanted, problem in (
            (self.digit, "[0-9]", PasswordProblem.NO_DIGIT),
            (self.symbol, "[^a-zA-Z0-9]", PasswordProblem.NO_SYMBOL),
            (self.uppercase, "[A-Z]", PasswordProblem.NO_UPPERCASE),
            (self.lowercase, "[a-z]", PasswordProblem.NO_LOWERCASE),
        ):
            if is_demanded and not re.search(wanted, password):
                yield problem


@frozen
class Strength:
    """How hard a password is to guess, from 0 to 4, and what makes it easy."""

    score: int
    hint: PasswordHint | None = None


@frozen
class Judgement:
    """What is wrong with a new password; `minimum_length` is what `TOO_SHORT` means."""

    problems: tuple[PasswordProblem, ...] = ()
    strength: Strength | None = None
    minimum_length: int = 0

    @property
    def is_fine(self) -> bool:
        """Whether it may be an account's."""
        return not self.problems


FINE = Judgement()


def is_too_long(password: str) -> bool:
    """Say whether this is more than anybody types: normalising alone would cost seconds (C231).

    No account gets a password that the sign-in page does not take.
    """
    return len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD


# zxcvbn's time grows with the square of the length, and with every way to read "4@$$1" as letters: it
# took 2.3 s for 72 hostile characters, and this processor's lock with it. Of so many it takes 0.2 s;
# what is left out can only make a password stronger than it counts.
_COUNTED, _COUNTED_OF_LOOKALIKES = 64, 20
_LOOKALIKES = frozenset("4@8({[<369#!|1%5$7+20")
_MANY_LOOKALIKES = 10


def counted(password: str) -> str:
    """Return the part of a password that its strength is counted by."""
    is_costly = len(_LOOKALIKES.intersection(password)) > _MANY_LOOKALIKES
    return password[: _COUNTED_OF_LOOKALIKES if is_costly else _COUNTED]


_FEWEST_LETTERS = 3
_MOST_WORDS, _LONGEST_WORD = 50, 64


def words_of(known: Iterable[str]) -> list[str]:
    """Return the words that are said about a person, whole and in their parts, in small letters."""
    words: dict[str, None] = {}
    for text in known:
        small = text[: 4 * _LONGEST_WORD].lower()
        for word in (small, *re.split(r"[\W_]+", small)):
            if _FEWEST_LETTERS <= len(word) <= _LONGEST_WORD:
                words[word] = None
    return list(words)[:_MOST_WORDS]


def strength(password: str, words: list[str]) -> Strength:
    """Count how long guessing would take; `words` are those of the person."""
    # Its lists of words are read at the import: half a tenth of a second that no start pays for.
    from zxcvbn import zxcvbn  # noqa: PLC0415 (at first use, as said above)

    if not password:
        return Strength(0, PasswordHint.SHORT)
    found = zxcvbn(counted(password), user_inputs=words)
    score: int = found["score"]
    return Strength(score, None if score > _GOOD else _hint(found["sequence"]))


_GOOD = 2  # beyond, zxcvbn has nothing to say either


def _hint(sequence: list[dict[str, Any]]) -> PasswordHint:
    longest = max(sequence, key=lambda match: len(match["token"]))
    of_dictionary = {
        "passwords": PasswordHint.COMMON,
        "user_inputs": PasswordHint.OF_THE_PERSON,
        "surnames": PasswordHint.NAME,
        "male_names": PasswordHint.NAME,
        "female_names": PasswordHint.NAME,
    }
    of_pattern = {
        "spatial": PasswordHint.KEYS,
        "repeat": PasswordHint.REPEATED,
        "sequence": PasswordHint.SEQUENCE,
        "regex": PasswordHint.DATE,
        "date": PasswordHint.DATE,
        "bruteforce": PasswordHint.SHORT,
    }
    if longest["pattern"] == "dictionary":
        return of_dictionary.get(longest["dictionary_name"], PasswordHint.WORD)
    return of_pattern.get(longest["pattern"], PasswordHint.SHORT)
