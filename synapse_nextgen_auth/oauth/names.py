"""Names that clients give themselves: cut where they must be shorter, without half a character."""

import unicodedata

_JOINER = "\u200d"


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
