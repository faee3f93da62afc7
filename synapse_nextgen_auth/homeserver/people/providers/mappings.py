"""What a mapping makes of a provider's answer, without what no database keeps (C213, C214).

Synapse hands it on as it came: to a new account, to the profile of one that there is, to its own pages.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
from synapse.handlers.sso import MappingException, UserAttributes

from synapse_nextgen_auth.homeserver.people.providers.statements import is_storable
from synapse_nextgen_auth.homeserver.startup.needed import Needed

NEEDS = (
    Needed(
        "synapse.handlers.sso",
        "UserAttributes",
        ("localpart", "display_name", "picture", "emails"),
    ),
)

Mapper = Callable[[int], Awaitable[UserAttributes]]


def cleaning(mapper: Mapper) -> Mapper:
    """Return a mapper that says the same, but for what cannot be stored."""

    async def mapped(failures: int) -> UserAttributes:
        return clean(await mapper(failures))

    return mapped


def clean(said: UserAttributes) -> UserAttributes:
    """Leave out of what is said of somebody what cannot be stored; a name of an account is refused."""
    if isinstance(said.localpart, str) and not is_storable(said.localpart):
        raise MappingException("localpart has characters that no database keeps")
    return attrs.evolve(
        said,
        display_name=_without(said.display_name),
        picture=said.picture if _is_good(said.picture) else None,
        emails=[each for each in said.emails or () if _is_good(each)],
    )


def _is_good(value: object) -> bool:
    return isinstance(value, str) and is_storable(value)


def _without(name: Any) -> str | None:
    """Return the rest of a name, `None` where there is nothing that can be read."""
    if not isinstance(name, str):
        return None
    return "".join(filter(is_storable, name)).strip() or None
