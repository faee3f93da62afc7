"""Names that clients give themselves: what they must not hide, and cut without half a character."""

import re
import unicodedata

_JOINER = "\u200d"

# Line breaks and direction overrides could make a name look like other words of the consent page.
_NOT_IN_NAMES = re.compile("[\x01-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

# What shows nothing, so that two names that differ look the same: soft hyphen, joiners of other kinds,
# direction marks, fillers of Korean and Braille, deprecated format characters, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u2065"
    "\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
# These show nothing either, but Persian, the scripts of India and emoji need them between two
# characters, and emoji, Mongolian and some Chinese ones need one of the second kind behind a character.
_JOINERS = re.compile("[\u200c\u200d]")
_SELECTORS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def refuse(text: str) -> str | None:
    """Return why a client may not be called this, or `None`."""
    if _NOT_IN_NAMES.search(text):
        return "it must be one line without control characters"
    if found := _INVISIBLE.search(text):
        return f"it must not contain the invisible character U+{ord(found[0]):04X}"
    for match in (*_JOINERS.finditer(text), *_SELECTORS.finditer(text)):
        if not _has_its_place(text, match.start()):
            return f"the invisible U+{ord(match[0]):04X} must stand between two visible characters"
    return None


def _has_its_place(text: str, place: int) -> bool:
    """Say whether a joiner or a selector stands where it changes how the others look."""
    before, behind = text[:place][-1:], text[place + 1 :][:1]
    if _SELECTORS.match(text[place]):
        return _is_visible(before)
    return (_is_visible(before) or bool(_SELECTORS.match(before))) and _is_visible(behind)


def _is_visible(character: str) -> bool:
    is_nothing = not character or character.isspace()
    return not is_nothing and not _JOINERS.match(character) and not _SELECTORS.match(character)


def shortened(text: str, limit: int) -> str:
    """Return the text in at most `limit` code points, with an ellipsis where something is missing.

    What a reader takes for one character stays whole: a letter with its accents, a flag, an emoji
    made of several.
    """
    if len(text) <= limit:
        return text
    end = limit - 1
    while end and _belong_together(text, end):
        end -= 1
    # Nothing but one endless character is cut wherever that may be.
    return (text[:end].rstrip() or text[: limit - 1]) + "…"


def _belong_together(text: str, place: int) -> bool:
    """Say whether what stands before and behind this place is read as one (Unicode, UAX 29)."""
    before, behind = text[place - 1], text[place]
    if before == _JOINER or _extends(behind):
        return True
    return _is_flag_letter(behind) and _flag_letters_before(text, place) % 2 == 1


def _extends(character: str) -> bool:
    is_skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    # Accents, vowel signs, variation selectors; joiners and the tags of some flags.
    return is_skin_tone or unicodedata.category(character) in {"Mn", "Me", "Mc", "Cf"}


def _flag_letters_before(text: str, place: int) -> int:
    count = 0
    while count < place and _is_flag_letter(text[place - 1 - count]):
        count += 1
    return count


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
