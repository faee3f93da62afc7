"""The ways in that a form can ask for: a password, and what modules of Synapse check in its place.

A module declares a login type with the names of its fields (`auth_checkers`). A person can be asked
for those in a form, by their names, unless they are nothing that a person types.
"""

from collections.abc import Iterable, Mapping

from synapse_nextgen_auth.records import frozen

PASSWORD = "m.login.password"  # noqa: S105 (the name of a login type)

# Types with a meaning of their own (CS API, `/login` and `/register`), whoever checks them.
_RESERVED = "m.login."
# What validate_login reads from beside the fields: a field of that name would be taken for it.
_NOT_FIELDS = frozenset(
    {"type", "identifier", "user", "medium", "address", "country", "phone", "session"}
)
# What programs hand over, alone: nobody has it in mind.
_OF_PROGRAMS = frozenset(
    {"token", "jwt", "id_token", "access_token", "assertion", "ticket", "signature", "hash", "mac"}
)
_SECRET = ("pass", "pin", "secret", "code", "otp", "token", "key")
_ONCE = ("otp", "code", "totp")
_MOST_FIELDS = 6
_LONGEST_NAME = 64


@frozen
class Field:
    """One field of a form; it is called by the name that its module gave it."""

    name: str

    @property
    def is_secret(self) -> bool:
        """Whether nobody beside the person should read along."""
        return any(word in self.name.casefold() for word in _SECRET)

    @property
    def autocomplete(self) -> str:
        """What password managers look for."""
        name = self.name.casefold()
        if "pass" in name:
            return "current-password"
        return "one-time-code" if any(word in name for word in _ONCE) else "off"


@frozen
class Way:
    """One login type, as a form asks for it beside the name."""

    type: str
    fields: tuple[Field, ...]


PASSWORD_FIELD = Field("password")


@frozen
class Ways:
    """What the sign-in page can ask for.

    `password` is the form with name and password, `custom` are further ones, of modules. A person may
    say who they are by name; by `email` and `phone` only where that can lead to somebody.
    """

    password: Way | None = None
    custom: tuple[Way, ...] = ()
    email: bool = False
    phone: bool = False

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return self.password is not None or bool(self.custom)

    def find(self, login_type: str) -> Way | None:
        """Return the way of this type, if it is offered."""
        offered = (*((self.password,) if self.password else ()), *self.custom)
        return next((way for way in offered if way.type == login_type), None)


def find_ways(
    types: Mapping[str, Iterable[str]], *, passwords: bool, localdb: bool, email: bool, phone: bool
) -> Ways:
    """Return the ways in of a server whose modules check these types, with these fields.

    `passwords` is whether the server lets anybody in by a password, `localdb` whether Synapse's own
    passwords count.
    """
    password = None
    if passwords and (localdb or PASSWORD in types):
        more = (Field(name) for name in types.get(PASSWORD, ()) if name != PASSWORD_FIELD.name)
        password = Way(PASSWORD, (PASSWORD_FIELD, *more))
    custom = tuple(
        Way(name, tuple(map(Field, fields)))
        for name, fields in types.items()
        if name != PASSWORD and why_not(name, tuple(fields)) is None
    )
    return Ways(password, custom, email=email, phone=phone)


def why_not(login_type: str, fields: tuple[str, ...]) -> str | None:
    """Return why a person cannot be asked for this type in a form, `None` if that is possible."""
    if login_type == PASSWORD:
        return None
    if login_type.startswith(_RESERVED):
        return "its name has a meaning of its own"
    if not fields:
        return "it has no field"
    if len(fields) > _MOST_FIELDS:
        return f"it has more than {_MOST_FIELDS} fields"
    odd = [name for name in fields if not name.isprintable() or len(name) > _LONGEST_NAME]
    if odd or not all(name.strip() for name in fields):
        return "a field has no name that a person can read"
    taken = sorted(_NOT_FIELDS.intersection(fields))
    if taken:
        return f"a field is called {taken[0]}, which means something else in a request to sign in"
    if all(name.casefold() in _OF_PROGRAMS for name in fields):
        return f"nobody can type its {' and '.join(fields)}"
    return None
