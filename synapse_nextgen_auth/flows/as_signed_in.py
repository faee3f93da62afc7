"""What somebody does to their account, in one transaction with a look whether they are there still."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.store import own_ways, sign_ins
from synapse_nextgen_auth.store.txn import Txn

P = ParamSpec("P")
T = TypeVar("T")


class SignedOut(Exception):
    """Who asks for it is signed in no more."""


def as_signed_in(
    by: SignIn | None, flow: Callable[Concatenate[Txn, P], T]
) -> Callable[Concatenate[Txn, P], T]:
    """Return the flow as this sign-in may run it: it raises `SignedOut` once that is over.

    A request may take long before its transaction: a password is hashed, another process asked. Who
    was signed out meanwhile changes nothing more (C179), nor does whoever proved one factor and would be
    asked for a second one by now (C294). Whoever ends the sign-in at this moment
    waits, or is waited for. The account comes first, as in every flow that changes how it is signed
    in to.
    """

    @functools.wraps(flow)
    def looked(txn: Txn, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if by is None:
            raise SignedOut
        own_ways.hold(txn, by.user_id)
        if not sign_ins.holds(txn, by):
            raise SignedOut
        return flow(txn, *args, **kwargs)

    return looked


def look(_txn: Txn) -> None:
    """Change nothing: for what is done outside of our tables, a moment later."""
