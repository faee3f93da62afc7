"""The answer to an authorization request: where it goes, and how (RFC 6749 section 4.1.2, RFC 9207)."""

from urllib.parse import quote, urlencode

from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.authorization import ResponseMode
from synapse_nextgen_auth.records import frozen


@frozen
class Target:
    """Where the answer goes: a redirect URI of the client, checked, and how it travels."""

    redirect_uri: str
    response_mode: ResponseMode = ResponseMode.QUERY
    state: str | None = None


@frozen
class Answer:
    """An authorization response: a place to redirect to, or a form to post there."""

    redirect_uri: str
    fields: tuple[tuple[str, str], ...]
    response_mode: ResponseMode

    @property
    def location(self) -> str:
        """The URL to redirect to; the registered part of it stays byte for byte (C059).

        Browsers carry the fragment of the authorization URL over every redirect that has none of its
        own (RFC 9110 section 10.2.2), into the client's page. An empty one keeps it out. Apps that are
        opened by a scheme of their own take the URL apart themselves, and might trip over it.
        """
        encoded = urlencode(self.fields, quote_via=quote, safe="")
        if self.response_mode is ResponseMode.FRAGMENT:
            return f"{self.redirect_uri}#{encoded}"
        end = "#" if _is_web(self.redirect_uri) else ""
        joint = _joint(self.redirect_uri) if encoded else ""
        return f"{self.redirect_uri}{joint}{encoded}{end}"


def success(target: Target, *, code: str, issuer: str) -> Answer:
    """Make the answer that carries the code."""
    return _answer(target, {"code": code, "iss": issuer})


def failure(target: Target, error: OAuthError, *, issuer: str) -> Answer:
    """Make the answer that carries a refusal."""
    fields = {"error": error.code}
    if error.description:
        fields["error_description"] = error.description
    return _answer(target, {**fields, "iss": issuer})


def _joint(uri: str) -> str:
    if "?" not in uri:
        return "?"
    return "" if uri.endswith(("?", "&")) else "&"


def _answer(target: Target, fields: dict[str, str]) -> Answer:
    state = () if target.state is None else (("state", target.state),)
    return Answer(target.redirect_uri, (*fields.items(), *state), target.response_mode)


def modes(redirect_uri: str) -> set[str]:
    """Return the modes that work with this URI: nothing can be posted to an app's own scheme."""
    is_web = _is_web(redirect_uri)
    return {m.value for m in ResponseMode if is_web or m is not ResponseMode.FORM_POST}


def _is_web(redirect_uri: str) -> bool:
    return redirect_uri.lower().startswith(("https:", "http:"))
