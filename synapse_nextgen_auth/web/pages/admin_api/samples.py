"""Samples of the page that describes the admin API."""

from synapse_nextgen_auth.oauth.scopes.permissions import MAS_ADMIN
from synapse_nextgen_auth.web.pages.admin_api.page import (
    AdminApiPage,
    Described,
    Parameter,
    Said,
    Subject,
)
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.samples import LONG

_LIST = Described(
    "GET",
    "/api/admin/v1/users",
    "List the accounts",
    "They are sorted by their names.",
    parameters=(
        Parameter("filter[admin]", "boolean", "Whether they may administer the server."),
        Parameter("page[first]", "integer", "So many of the first."),
    ),
    answers=(Said("200", "A page."), Said("401", "The token is no good.")),
)
_ADD = Described(
    "POST",
    "/api/admin/v1/users",
    "Make an account",
    "",
    members=(Parameter("username", "string", "The part before the colon.", is_needed=True),),
    answers=(Said("201", "What was asked for."),),
)
SAMPLES: dict[type[PageContent], dict[str, PageContent]] = {
    AdminApiPage: {
        "some": AdminApiPage(
            "example.org",
            MAS_ADMIN,
            "../spec.json",
            (Subject("user", (_LIST, _ADD)), Subject("server", (_LIST,))),
        ),
        "long": AdminApiPage(
            LONG,
            MAS_ADMIN,
            "../spec.json",
            (Subject(LONG, (Described("DELETE", f"/{LONG}", LONG, LONG),)),),
        ),
    },
}
