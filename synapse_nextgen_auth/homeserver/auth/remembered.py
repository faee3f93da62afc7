"""Texts that are known to be access tokens of ours, because they were minted or hashed here before."""

from synapse_nextgen_auth.oauth.tokens.session_tokens import Token

# Twice as many at most; a forgotten one costs some microseconds.
_REMEMBERED = 5_000


class Remembered:
    """What they say. A client shows the same one again and again, and what it shows stays.

    That a token is authentic is all that is known here: whether it has expired, and whether its
    session lives, is asked each time. A restart forgets all of it, so what no secret proves any more
    is worth nothing from then on.
    """

    def __init__(self) -> None:
        self._young: dict[str, Token] = {}
        self._old: dict[str, Token] = {}

    def get(self, text: str) -> Token | None:
        """Return what a token says, `None` if it is not remembered."""
        known = self._young.get(text)
        if known is None:
            known = self._old.pop(text, None)
            if known is not None:
                self.add(text, known)
        return known

    def add(self, text: str, token: Token) -> None:
        """Remember a token that we signed."""
        if len(self._young) >= _REMEMBERED:
            self._young, self._old = {}, self._young
        self._young[text] = token

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
