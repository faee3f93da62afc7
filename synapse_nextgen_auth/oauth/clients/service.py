"""What a client is by itself: a service account, and what it may do there (RFC 6749 section 4.4).

Both stand in the configuration, beside the client.
"""

from synapse_nextgen_auth.oauth.clients.fields import invalid
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import BY_NAME, CLIENT_CREDENTIALS, refuse_scope
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.scopes.permissions import API
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest

FIELDS = ("service_account", "scope")
# What is said of one that is an application service instead: `application_service.py`.
OF_APPLICATION_SERVICES = ("application_service", "refuse_as_token")


@frozen
class Service:
    """The account (`@name:server`, or the name alone) that a client is, and the scope of its session.

    `words` are scopes of other services (`oauth/resources.py`); the configuration as a whole says
    whether they are, and of which.
    """

    account: str
    scope: Scope
    words: str | None = None

    def user_id(self, server_name: str) -> str:
        """Return the account in full."""
        return self.account if self.account.startswith("@") else f"@{self.account}:{server_name}"

    def is_foreign(self, server_name: str) -> bool:
        """Say whether the account is of another server than this one."""
        return not self.user_id(server_name).endswith(f":{server_name}")


def read(account: object, text: object, *, client_id: str) -> Service:
    """Read what stands in the configuration; raise `OAuthError` with what would be right."""
    if not isinstance(account, str) or not account.lstrip("@"):
        raise invalid(
            f"service_account must be the account that {CLIENT_CREDENTIALS} is for: @name:server,"
            " or the name alone"
        )
    if account.startswith("@") is not (":" in account):
        raise invalid(f"service_account {quoted(account)} must be @name:server, or the name alone")
    if not isinstance(text, str) or not text:
        raise invalid(f"scope must say what {CLIENT_CREDENTIALS} opens, such as {API}")
    return Service(account, *_scope(text, client_id))


def part(service: Service, text: str | None) -> Scope:
    """Return what a token request wants of the scope: all of it if it names none (RFC 6749 section 3.3).

    The device is the operator's word, so a request need not repeat it.
    """
    if text is None:
        return service.scope
    device_id = service.scope.device_id
    return grammar.narrow(
        service.scope, grammar.with_device(text, device_id) if device_id else text
    )


def _scope(text: str, client_id: str) -> tuple[Scope, str | None]:
    """Read a scope; what opens the Matrix API has a device, the same for the client every time."""
    if not grammar.knows(text):
        return Scope(""), " ".join(dict.fromkeys(text.split(" ")))
    try:
        scope = grammar.parse(grammar.with_device(text, f"SERVICE{digest(client_id)[:10].upper()}"))
    except OAuthError as error:
        raise invalid(error.description) from None
    reason = refuse_scope(BY_NAME[CLIENT_CREDENTIALS], scope)
    if reason is not None:
        raise invalid(f"scope: {reason}")
    others = [token for token in dict.fromkeys(text.split(" ")) if token not in scope.tokens]
    return scope, " ".join(others) or None
