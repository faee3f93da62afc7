"""A client that this server knows, and by what people know it (RFC 7591, MSC2966)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synapse_nextgen_auth.oauth import hosts, uris
from synapse_nextgen_auth.oauth.clients import client_metadata, redirects
from synapse_nextgen_auth.oauth.clients.client_metadata import Metadata
from synapse_nextgen_auth.oauth.clients.service import Service
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.clients.application_service import ApplicationService


@frozen(kw_only=True)
class Client(Metadata):
    """A client that this server knows: one that registered, or one of the configuration.

    `service` is what it is by itself, with nobody in front of it, `application_service` which one of
    those it is, `resource` the service of others that its tokens are for where its requests name none.
    """

    client_id: str
    secret_hash: str | None = None
    created_at: int = 0
    is_configured: bool = False
    service: Service | None = None
    application_service: "ApplicationService | None" = None
    resource: str | None = None

    @classmethod
    def of(
        cls, metadata: Metadata, *, client_id: str, secret_hash: str | None, created_at: int
    ) -> "Client":
        """Make the client that registered this metadata."""
        return cls(
            **client_metadata.values_of(metadata),
            client_id=client_id,
            secret_hash=secret_hash,
            created_at=created_at,
        )

    def name_for(self, wanted: Sequence[str], *, redirect_uri: str | None = None) -> str:
        """Return what to call the client for a reader of these languages.

        One that has no name is called by its places (those of a request for this redirect URI).
        """
        name = self.text_for("client_name", wanted)
        if name or self.is_configured:
            return name or self.host or self.client_id
        return ", ".join(place.removesuffix(":") for place in self.places(redirect_uri))

    def places(self, redirect_uri: str | None = None) -> tuple[str, ...]:
        """Return by what people know the client: a host, or the scheme of an app with its colon.

        `client_uri` is its own word: that host stands for it only if every redirect URI fits. Else
        it is where this request sends them; outside of a request, where any could have, the hosts
        on a network first: a stranger does not become an application of one's own by a second
        redirect URI on loopback. What the operator wrote down is not doubted.
        """
        goes_to = tuple(map(redirects.destination, self.redirect_uris))
        if self.is_configured:
            return (self.host or next(iter(goes_to), self.client_id),)
        page = uris.parse(self.client_uri or "")
        if page is not None and page.host and self._all_fit(page):
            return (page.host,)
        if redirect_uri is not None:
            return (redirects.destination(redirect_uri),)
        far = dict.fromkeys(place for place in goes_to if not redirects.stays_here(place))
        owners = tuple(
            place
            for place in far
            if not any(place != base and hosts.is_under(place, base) for base in far)
        )
        return owners or goes_to[:1] or (self.client_id,)

    def page_for(self, field: str, wanted: Sequence[str]) -> str | None:
        """Return a page that the client names, if it is its own (`client_uri`, `tos_uri`, ...).

        Registration compared it with `client_uri`, or else with the first redirect URI on the web:
        so what holds for those holds for it.
        """
        if self.is_configured:
            return self.text_for(field, wanted)
        if self.client_uri:
            base = uris.parse(self.client_uri)
        else:
            parsed = map(uris.parse, self.redirect_uris)
            base = next((uri for uri in parsed if uri and uri.scheme == "https"), None)
        if base is None or not self._all_fit(base):
            return None
        return self.text_for(field, wanted)

    def comes_back_to(self, redirect_uri: str) -> bool:
        """Say whether people are sent there: it is one of those that it registered."""
        return any(redirects.matches(uri, redirect_uri) for uri in self.redirect_uris)

    def _all_fit(self, base: uris.Uri) -> bool:
        parsed = tuple(map(uris.parse, self.redirect_uris))
        return all(uri is not None and redirects.speaks_for(base, uri) for uri in parsed)


def document(client: Client, *, issued_secret: Secret | None = None) -> dict[str, object]:
    """Return the answer to a registration (RFC 7591 section 3.2.1): the values in force."""
    body: dict[str, object] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
        **client_metadata.document(client),
    }
    if issued_secret is not None:
        body |= {"client_secret": issued_secret.reveal(), "client_secret_expires_at": 0}
    return body
