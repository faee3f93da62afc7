"""Codes to sign in with: who gets one, and what others read who asked for one.

All of it happens in the main process, long after the answer: whoever asks cannot tell by it, nor by the
time that it takes, whether an address has an account (C250).
"""

from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.mail.letters import Letter, SignInUsualWay
from synapse_nextgen_auth.accounts.works import SendSignInCode
from synapse_nextgen_auth.homeserver.mail import Mailer
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted, People
from synapse_nextgen_auth.homeserver.people.mailboxes import Mailboxes
from synapse_nextgen_auth.homeserver.people.providers.listing import Providers
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring


@frozen(kw_only=True)
class SignInCodes:
    """Who signs in by a code, where the operator lets people."""

    _is_wanted: bool
    _keys: Keyring
    _people: People
    _providers: Providers
    _mailboxes: Mailboxes
    _mailer: Mailer

    @property
    def is_on(self) -> bool:
        """Whether anybody signs in by a code here."""
        return self._is_wanted and self._mailer.is_configured

    async def owner(self, address: str) -> str | None:
        """Return the account of this address if a code opens it."""
        user_id = await self._mailboxes.owner(address) if self.is_on else None
        return user_id if user_id is not None and await self.opens(user_id) else None

    async def opens(self, user_id: str) -> bool:
        """Say whether a code opens an account: one that nothing else opens."""
        if not self.is_on:
            return False
        passwords = self._people.passwords
        if passwords.ways.password is not None and await passwords.may_have_one(user_id):
            return False
        known = {each.provider_id for each in self._providers.all()}
        return not known & await self._providers.linked_to(user_id)

    async def send(self, work: SendSignInCode) -> None:
        """Send the code to whoever may use it; to another account, that it is opened in another way.

        Nobody is written to who has no account here: it was somebody else who typed their address.
        """
        letter = Letter.unseal(self._keys, work.letter)
        user_id = await self._mailboxes.owner(letter.to) if letter and self.is_on else None
        if letter is None or user_id is None or not await self._is_let_in(user_id):
            return
        if not await self.opens(user_id):
            letter = Letter(letter.to, letter.lang, SignInUsualWay(user_id))
        # A mail of its own: what its server says of the address is told to nobody who asked.
        await self._mailer.send(letter.posted(self._keys, expires=work.expires))

    async def _is_let_in(self, user_id: str) -> bool:
        try:
            await self._people.admit(user_id, Intent.SIGN_IN)
        except NotAdmitted:
            return False
        return True
