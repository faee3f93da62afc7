"""An upgrade of the package under a Synapse that runs: it does not notice until it is restarted."""

import os
import shutil
from pathlib import Path

import pytest
import requests

import synapse_nextgen_auth
from support.oauth import Server
from support.synapse import sqlite_homeserver
from support.waiting import eventually
from synapse_nextgen_auth.cli.synapse_process import SynapseStoppedError
from synapse_nextgen_auth.web.templates import shipped

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]
ISSUER = "/_synapse/client/auth"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a copy of the package, in which a process is started that imports from nowhere else."""
    package = Path(synapse_nextgen_auth.__file__).parent
    copy = tmp_path / "installed"
    ignored = shutil.ignore_patterns("__pycache__", "templates")
    shutil.copytree(package, copy / package.name, ignore=ignored)
    shutil.copytree(shipped(), copy / "templates")
    others = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{copy}:{others}" if others else str(copy))
    return copy / package.name


@pytest.mark.slow
def test_people_go_on_signing_in_until_the_restart(tmp_path, installed):
    """`docs/setup/upgrading.md` installs first, and restarts when all else has been looked at."""
    directory = tmp_path / "homeserver"
    directory.mkdir()
    homeserver = sqlite_homeserver(directory, log_level="DEBUG")
    homeserver.main.afresh = True
    with homeserver:
        assert eventually(lambda: "Kept the text of" in homeserver.log_text())
        for path in installed.rglob("*.py"):
            path.write_text("raise ImportError('of another release')\n")
        user = homeserver.new_user()
        client = Server(homeserver.base_url).client()

        assert client.sign_in(user.localpart, user.password)["refresh_token"]
        for path, status in (("/register", 200), ("/link", 200), ("/account-devices", 303)):
            address = f"{homeserver.base_url}{ISSUER}{path}"
            assert requests.get(address, allow_redirects=False, timeout=30).status_code == status
        assert " ERROR " not in homeserver.log_text()
    with pytest.raises(SynapseStoppedError, match="of another release"):
        homeserver.main.start()
