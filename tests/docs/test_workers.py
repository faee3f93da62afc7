"""The page about workers: a proxy that follows it sends them what they serve, and nothing else."""

import re

import pytest

from support.markdown import DOCS, blocks, rows, section
from synapse_nextgen_auth.homeserver.matrix import rendezvous
from synapse_nextgen_auth.homeserver.matrix.discovery import AuthIssuer, AuthMetadata
from synapse_nextgen_auth.homeserver.matrix.get_login_token import GetLoginToken
from synapse_nextgen_auth.homeserver.matrix.uia.fallback import FallbackOnWorker
from synapse_nextgen_auth.oauth.metadata import PREFIX
from synapse_nextgen_auth.web.routes import ROUTES, STATIC, WELL_KNOWN

PAGE = DOCS / "setup" / "workers.md"
EVERYWHERE = "Paths that may go to workers"
LIST = [re.compile(line) for line in blocks(PAGE, "text")[0].splitlines()]
NGINX = re.compile(re.search(r"location ~ (\S+) \{", blocks(PAGE, "nginx")[0])[1])
TABLE = [row[0].split("`")[1] for row in rows(section(PAGE, EVERYWHERE))]

OURS = (
    PREFIX,
    *(PREFIX + path for path in ROUTES),
    f"{PREFIX}{STATIC}style.0123456789abcdef.css",
    *(root + PREFIX + end for root in WELL_KNOWN for end in ("", "/")),
    f"{rendezvous.PATH}/some-id",
    "/.well-known/matrix/client",
)
SERVLETS = (
    FallbackOnWorker,
    *(AuthMetadata, AuthIssuer, rendezvous.Versions),
    *(rendezvous.CreateWithEtag, rendezvous.CreateWithSequence, rendezvous.MeetWithSequence),
)
MATRIX = [path for path in TABLE if path.startswith("/_matrix/")]
OF_SYNAPSE = (
    "/_matrix/client/v3/login",
    "/_matrix/client/v3/sync",
    "/_matrix/client/v1/login/get_token",
    "/_matrix/client/unstable/org.matrix.msc4108/rendezvous/id",
    "/_synapse/client/authentic",
    "/_synapse/client/pick_idp",
    "/_synapse/admin/v1/server_version",
    "/.well-known/matrix/server",
    "/.well-known/openid-configuration",
)


@pytest.mark.parametrize("path", [*OURS, *MATRIX])
def test_c363_every_path_of_ours_is_on_the_list(path):
    """No path is left behind that a worker could serve."""
    assert [one.pattern for one in LIST if one.match(path)]


@pytest.mark.parametrize("path", OF_SYNAPSE)
def test_c363_the_list_takes_nothing_else_along(path):
    """What Synapse keeps on its main process stays there."""
    assert [one.pattern for one in LIST if one.match(path)] == []
    assert NGINX.match(path) is None


def test_c363_the_table_names_every_matrix_endpoint_that_any_process_serves():
    """Each pattern that we register is named; what is served by the main process only is not."""
    patterns = [pattern for servlet in SERVLETS for pattern in servlet.PATTERNS]
    ours = [p for servlet in SERVLETS for p in vars(servlet).get("PATTERNS", ())]

    assert [p.pattern for p in ours if not any(map(p.match, MATRIX))] == []
    assert [path for path in MATRIX if not any(p.match(path) for p in patterns)] == []
    assert [path for path in MATRIX if any(p.match(path) for p in GetLoginToken.PATTERNS)] == []


def test_c363_no_line_of_the_list_is_out_of_use():
    """A path that we no longer serve is taken off."""
    paths = [*OURS, *MATRIX]

    assert [one.pattern for one in LIST if not any(map(one.match, paths))] == []


@pytest.mark.parametrize("path", [PREFIX, *(PREFIX + path for path in ROUTES), *MATRIX[:1]])
def test_the_example_for_nginx_sends_endpoints_and_pages_to_workers(path):
    assert NGINX.match(path)
