"""Mapping providers of somebody else, as operators write them: one asks people on a page of its own."""

from html import escape
from urllib.parse import quote

from synapse.api.errors import RedirectException
from synapse.handlers.saml import DefaultSamlMappingProvider
from synapse.handlers.sso import MappingException
from synapse.http.server import DirectServeHtmlResource, respond_with_html
from synapse.http.servlet import parse_string, parse_strings_from_args

_PAGE = "/_synapse/client/org.example.colour"
# Whose name begins so is asked; whose begins otherwise is not.
_ASKED = "asked-"


class Colours(DefaultSamlMappingProvider):
    """Knows people as Synapse does, but asks some for their favourite colour first."""

    def saml_response_to_user_attributes(self, saml_response, failures, client_redirect_url):
        name = saml_response.ava["uid"][0]
        if name.startswith(_ASKED):
            query = f"name={quote(name)}&back={quote(client_redirect_url, safe='')}"
            raise RedirectException(f"{_PAGE}?{query}".encode("ascii"))
        return super().saml_response_to_user_attributes(
            saml_response, failures, client_redirect_url
        )


class ColourPage:
    """The module whose page that is; it makes the account, and completes the sign-in."""

    def __init__(self, config, api):
        api.register_web_resource(_PAGE, _Resource(api))


class _Resource(DirectServeHtmlResource):
    def __init__(self, api):
        super().__init__(clock=api._hs.get_clock())
        self._api = api

    async def _async_render_GET(self, request):  # noqa: N802 (Synapse's name)
        told = {name: parse_string(request, name, required=True) for name in ("name", "back")}
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in told.items()
        )
        form = f'<form method="post" action="{_PAGE}">{fields}<input name="colour"></form>'
        respond_with_html(request, 200, f"<h1>Which colour?</h1>{form}")

    async def _async_render_POST(self, request):  # noqa: N802 (Synapse's name)
        name, back, colour = (
            parse_strings_from_args(request.args, each, required=True)[0]
            for each in ("name", "back", "colour")
        )
        user_id = await self._api.register_user(f"{name}.{colour}")
        await self._api.record_user_external_id("saml", name, user_id)
        await self._api.complete_sso_login_async(
            user_id, request, back, new_user=True, auth_provider_id="saml"
        )


class Picky:
    """A mapping of OpenID's answers in which something is always wrong, of one kind or the other."""

    def __init__(self, parsed_config, module_api):
        pass

    @staticmethod
    def parse_config(config):
        return config

    def get_remote_user_id(self, userinfo):
        return userinfo["sub"]

    async def map_user_attributes(self, userinfo, token, failures):
        if userinfo["sub"].startswith("unknown"):
            raise MappingException("nobody of ours")
        raise RuntimeError("on purpose")

    async def get_extra_attributes(self, userinfo, token):
        return {}
