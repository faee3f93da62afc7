"""The kinds of path that there are, and what each promises of whatever stands behind it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web import answers, clients
from synapse_nextgen_auth.web.forms import FORM, Form
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.web.pages import onward as going_on
    from synapse_nextgen_auth.web.pages.onward import Onward
    from synapse_nextgen_auth.web.readers import Reader
    from synapse_nextgen_auth.web.visits import Visit
else:
    going_on = late.file("web.pages.onward")

Serve = Callable[[Site, Incoming], Awaitable[Outgoing]]
Authorize = Callable[[Site, Incoming, "Reader"], Awaitable[Outgoing]]
Show = Callable[["Visit"], Awaitable[Outgoing]]
Submit = Callable[["Visit", Form], Awaitable[Outgoing]]
# The same with the account, which the dispatcher has looked at.
ShowAccount = Callable[["Visit", str], Awaitable[Outgoing]]
SubmitAccount = Callable[["Visit", str, Form], Awaitable[Outgoing]]
# What a script of a page sends as it is: a form has no other way, as Synapse ends `multipart/form-data`.
Receive = Callable[["Visit", str, bytes], Awaitable[Outgoing]]
Meet = Callable[[Site, Incoming, str], Awaitable[Outgoing]]
Challenge = Callable[[Incoming, OAuthError], tuple[tuple[str, str], ...]]

# What any path may say: a request may be wrong, and we may fail.
_ANYWHERE = frozenset({"invalid_request", "temporarily_unavailable"})


@frozen
class Endpoint:
    """What clients speak to: JSON, from any origin; `takes` is the media type of a POST.

    Where there is GET there is HEAD: a GET here only reads. `refuses` names the reasons of refusals
    that only this path has, for the metrics; `challenge` makes the headers that say how to prove
    who asks. `rests` says that it is there while the module is switched off, so that clients come
    back; what describes this server is not, for they must find what Synapse itself offers.
    `for_websites` says whether scripts of any site may read its answers (CORS).
    """

    methods: Mapping[str, Serve]
    takes: str | None = FORM
    refuses: frozenset[str] = frozenset()
    challenge: Challenge = clients.basic_challenge
    rests: bool = True
    for_websites: bool = True

    @property
    def reasons(self) -> frozenset[str]:
        """Every reason of a refusal here."""
        return _ANYWHERE | self.refuses

    @property
    def cors(self) -> tuple[tuple[str, str], ...]:
        """The headers that let scripts read an answer."""
        return answers.CORS if self.for_websites else ()

    @property
    def allowed(self) -> str:
        """The methods, as the header says them; Synapse answers OPTIONS."""
        head = ("HEAD",) if "GET" in self.methods else ()
        return ", ".join((*self.methods, *head, "OPTIONS"))

    def serves(self, method: str) -> Serve | None:
        """Return what answers this method."""
        return self.methods.get("GET" if method == "HEAD" else method)


@frozen
class Page:
    """What people look at, `show`, and the form in it, `submit`: HTML, from nowhere but here.

    It is for everybody, whoever is signed in; what is about an account is an `AccountPage`.

    Neither is asked before the browser has been greeted, and `submit` not before the form is proven
    to be ours in this browser (C181, C186): neither page nor author can forget it. A new browser
    gets its cookie with the answer, unless that is a refusal.

    There is no HEAD: a GET notes the visit, hands out the cookie, begins a grant or gives out a code,
    and nothing of that may come of a link that a mail scanner tries (C041).
    """

    show: Show | None = None
    submit: Submit | None = None
    refuses: frozenset[str] = frozenset()

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that there are."""
        return (*(("GET",) if self.show else ()), *(("POST",) if self.submit else ()))

    @property
    def reasons(self) -> frozenset[str]:
        """Every reason of a refusal here."""
        return _ANYWHERE | self.refuses


async def _as_the_query_says(visit: "Visit") -> "Onward":
    return going_on.Onward.of(visit.parameters)


@frozen
class AccountPage:
    """A page about the account that is signed in: a `Page`, and more that it cannot forget.

    Who is not signed in is sent to do that, and comes back to `onward`. Then the account is looked at,
    at the look and at the press alike: somebody may have locked it in between (C179). `show` and
    `submit` are handed the account, and are not asked without one.

    `dangerous` says of a look whether it needs a sign-in of late; where there is one, the form does
    always.

    A page that `fills_in` shows what is in `visit.typed`: a form that was open for too long comes back.

    With `receive` in place of `submit` a script of ours sends a picture, and what proves it ours in a
    header: no form of another site can add one, and no script may.
    """

    show: ShowAccount | None = None
    submit: SubmitAccount | None = None
    receive: Receive | None = None
    onward: Callable[["Visit"], Awaitable["Onward"]] = _as_the_query_says
    dangerous: Callable[["Visit"], bool] | None = None
    fills_in: bool = False
    refuses: frozenset[str] = frozenset()

    @classmethod
    def at(  # noqa: PLR0913 (a word for each thing that a page may be)
        cls,
        place: Place,
        show: ShowAccount | None = None,
        submit: SubmitAccount | None = None,
        *,
        receive: Receive | None = None,
        dangerous: Callable[["Visit"], bool] | None = None,
        fills_in: bool = False,
        refuses: frozenset[str] = frozenset(),
    ) -> "AccountPage":
        """Make the page of this place, which people come back to."""

        async def onward(visit: "Visit") -> "Onward":
            return going_on.Onward.at(place, visit.parameters)

        return cls(
            show=show,
            submit=submit,
            receive=receive,
            onward=onward,
            dangerous=dangerous,
            fills_in=fills_in,
            refuses=refuses,
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that there are."""
        takes = self.submit or self.receive
        return (*(("GET",) if self.show else ()), *(("POST",) if takes else ()))

    @property
    def reasons(self) -> frozenset[str]:
        """Every reason of a refusal here."""
        return _ANYWHERE | self.refuses


def never(_visit: "Visit") -> bool:
    """Say of every look that it needs none; the form does all the same."""
    return False


def always(_visit: "Visit") -> bool:
    """Say of every look that it needs a sign-in of late."""
    return True


@frozen
class AuthorizationEndpoint:
    """Where clients send people (RFC 6749 section 3.1): a page, but its forms come from other sites.

    To sign in, or out (OpenID Connect RP-Initiated Logout).

    So nothing proves them, and nobody is greeted before the request is understood: a form from
    elsewhere comes without our cookie, and the answer must not give the browser another one.
    There is no HEAD, as for a page.
    """

    serve: Authorize
    refuses: frozenset[str] = frozenset()
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")

    @property
    def reasons(self) -> frozenset[str]:
        """Every reason of a refusal here."""
        return _ANYWHERE | self.refuses


@frozen
class RendezvousEndpoint:
    """Where two devices meet (MSC4108): one URL for each rendezvous; HEAD where there is GET."""

    methods: Mapping[str, Meet]
    reasons: frozenset[str] = frozenset()

    @property
    def allowed(self) -> str:
        """The methods, as the header says them."""
        get, *others = self.methods
        return ", ".join((get, "HEAD", *others, "OPTIONS"))

    def serves(self, method: str) -> Meet | None:
        """Return what answers this method."""
        return self.methods.get("GET" if method == "HEAD" else method)


@frozen
class AdminApi:
    """What administrators' tools speak to, all of it below one path: `endpoints/admin/`.

    JSON from any origin, with an access token on each request. It is not there while the module is
    switched off.
    """

    reasons: frozenset[str]
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST", "PUT", "DELETE")


@frozen
class Files:
    """The files that pages load."""


@frozen
class ToIssuer:
    """The issuer as people write it, without the slash at its end."""


ForPeople = Page | AccountPage | AuthorizationEndpoint
Route = Endpoint | ForPeople | RendezvousEndpoint | AdminApi | Files | ToIssuer


def _always(_config: Config) -> bool:
    return True


@frozen
class Root:
    """A part of the host that Synapse leaves to us; `routes` are the paths below it.

    `is_served` says with which options. `counted_as` is what the metrics call all of its paths, where
    they do not go by their own; those are not timed. `unknown` answers a path that is not there,
    where it is not a person who comes to one and wants a page.
    """

    path: str
    routes: Mapping[str, Route]
    is_served: Callable[[Config], bool] = _always
    counted_as: str | None = None
    unknown: Outgoing | None = None
    _exact: Mapping[str, Route] = attrs.field(init=False, repr=False)
    _prefixes: Mapping[str, Route] = attrs.field(init=False, repr=False)

    @_prefixes.default
    def _those_with_names_below(self) -> dict[str, Route]:
        below = (RendezvousEndpoint, AdminApi, Files)
        return {path: each for path, each in self.routes.items() if isinstance(each, below)}

    @_exact.default
    def _those_without(self) -> dict[str, Route]:
        below = (RendezvousEndpoint, AdminApi, Files)
        return {path: each for path, each in self.routes.items() if not isinstance(each, below)}

    @property
    def rests(self) -> bool:
        """Whether something answers below it while the module is switched off."""
        return any(isinstance(each, Endpoint) and each.rests for each in self.routes.values())

    def find(self, full_path: str) -> tuple[str, Route | None]:
        """Return what is served at a path, and how the path is called below this root."""
        if not full_path.startswith(self.path):
            return full_path, None
        path = full_path[len(self.path) :]
        route = self._exact.get(path)
        if route is not None:
            return path, route
        for prefix, each in self._prefixes.items():
            if path.startswith(prefix):
                return prefix, each
        return path, None
