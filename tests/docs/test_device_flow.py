"""The page about devices without a browser does what it says."""

import json
import re
import subprocess
from pathlib import Path

from support.oauth import Browser, Server

PAGE = Path(__file__).parents[2] / "docs" / "topics" / "devices-without-a-browser.md"


def test_the_three_lines_of_curl_sign_a_script_in(sqlite_homeserver, tmp_path):
    """A reader who pastes the lines, and agrees in a browser in between, gets working tokens."""
    user = sqlite_homeserver.new_user()
    server = Server(sqlite_homeserver.base_url)
    lines = re.findall(r"```sh\n(.*?)\n```", PAGE.read_text(), re.DOTALL)
    lines = [line.replace("http://localhost:8008", sqlite_homeserver.base_url) for line in lines]
    environment = tmp_path / "environment"

    def paste(*commands):
        script = "\n".join(["set -e", f"[ ! -f {environment} ] || . {environment}", *commands])
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    paste(lines[0], f'echo "CLIENT_ID=$CLIENT_ID" > {environment}')
    codes = json.loads(paste(lines[1]))
    early = json.loads(paste(lines[2]))
    browser = Browser(server)
    browser.get(codes["verification_uri_complete"])
    browser.submit(user_code=codes["user_code"])
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve", confirm="yes")
    tokens = json.loads(paste(lines[2]))

    assert len(lines) == 3
    assert early["error"] == "authorization_pending"
    assert server.whoami(tokens["access_token"]).json()["device_id"] == "MYSCRIPT0001"
