"""Changes by the admin API, and the event of each: none is made of which nothing is written."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.store import events
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.web.endpoints.admin.calls import Call, event_of

P = ParamSpec("P")
T = TypeVar("T")
# What was changed, by what the flow returns; `None` where nothing was.
About = Callable[[Txn, T], str | None]


def if_not(why: object, about: str) -> About[Any]:
    """Say what was changed unless the flow returns this."""
    return lambda _txn, done: None if done is why else about


def only_if(why: object, about: str) -> About[Any]:
    """Say what was changed where the flow returns this, and nothing that stood in its way."""
    return lambda _txn, done: about if done is why else None


@overload
async def run(
    call: Call,
    about: About[T],
    flow: Callable[Concatenate[Txn, P], Outcome[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T: ...


@overload
async def run(
    call: Call,
    about: About[T],
    flow: Callable[Concatenate[Txn, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T: ...


async def run(
    call: Call,
    about: About[Any],
    flow: Callable[Concatenate[Txn, P], Any],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Any:
    """Run a flow of ours, and write down in the same transaction what it changed."""
    written: list[str] = []

    def both(txn: Txn, *args: P.args, **kwargs: P.kwargs) -> Any:
        done = flow(txn, *args, **kwargs)
        value = done.value if isinstance(done, Outcome) else done
        what = None if isinstance(value, OAuthError) else about(txn, value)
        if what is not None:
            events.add(txn, event_of(call, what))
        written[:] = [] if what is None else [what]
        return done

    # By the name of the flow it is known in logs and metrics.
    named: Any = update_wrapper(both, flow)
    done = await call.site.homeserver.run(named, *args, **kwargs)
    call.written.extend(written)
    return done


async def announce(call: Call, about: str) -> None:
    """Write down what Synapse is about to change, in transactions of its own.

    Where it breaks off, what was tried stands there; the other way round something would be missing.
    """
    await call.site.homeserver.run(events.add, event_of(call, about))
    call.written.append(about)
