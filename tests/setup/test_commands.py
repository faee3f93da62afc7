"""Every block of the README and the setup pages is run, or the table says why it is not."""

import ast
import json
import os
import re
import signal
import sqlite3
import sysconfig
from pathlib import Path

import pytest
import requests
import yaml

from support.brand import LOGO, png
from support.check_config import templates_are_compiled_once  # noqa: F401 (a fixture)
from support.machine import CHECKOUT, DEBIAN, Machine, copy_context
from support.markdown import DOCS, ROOT, blocks, fences, name
from support.oauth import Server
from support.synapse import sqlite_homeserver as unstarted
from synapse_nextgen_auth import config
from synapse_nextgen_auth.cli.main import main
from synapse_nextgen_auth.store import migrations

README = ROOT / "README.md"
SETUP = DOCS / "setup"
PAGES = [README, *sorted(SETUP.glob("*.md"))]
HERE = "tests/setup/test_commands.py::"
NGINX = "tests/setup/test_nginx.py::"
ADMINISTRATION = "tests/setup/test_administration.py::"
APPLICATIONS = "tests/setup/test_applications.py::"
MONITORING = "tests/setup/test_monitoring.py::"
PACKAGES = "it changes the packages of the machine, from a repository that need not be there"
CHECKED = f"{HERE}test_check_config_accepts_every_yaml_that_has_modules"
# Page, language and first line of a block; the test that runs it, or after "not" why none can.
COVERED = {
    ("README.md", "sh", ".ci/venv && .venv/bin/pip install --quiet '.[demo]' && "): (
        f"{HERE}test_the_first_command_of_the_readme_starts_a_demo"
    ),
    ("README.md", "yaml", "modules:"): CHECKED,
    ("README.md", "sh", "sudo -u matrix-synapse"): f"{HERE}test_check_config_on_debian",
    ("README.md", "sh", ".ci/venv && .venv/bin/pip install --quiet tox"): (
        "not: it is what runs this test; .ci/run takes the line from the README"
    ),
    ("docs/setup/branding.md", "sh", "sudo install"): f"{HERE}test_a_brand_as_the_page_has_it",
    ("docs/setup/branding.md", "sh", "sudo -u matrix-synapse"): (
        f"{HERE}test_check_config_on_debian"
    ),
    ("docs/setup/branding.md", "yaml", "modules:"): CHECKED,
    ("docs/setup/small-server.md", "yaml", "modules:"): CHECKED,
    ("docs/setup/small-server.md", "yaml", "enable_registration:"): CHECKED,
    ("docs/setup/company.md", "yaml", "password_config:"): CHECKED,
    ("docs/setup/community.md", "yaml", "enable_registration:"): CHECKED,
    ("docs/setup/demo.md", "sh", "synapse-nextgen-auth demo\n"): (
        "tests/homeserver/test_demo_server.py::"
        "test_a_person_is_told_what_to_try_and_the_directory_goes_at_the_end"
    ),
    ("docs/setup/demo.md", "yaml", "modules:"): CHECKED,
    ("docs/setup/demo.md", "yaml", "enable_registration:"): CHECKED,
    ("docs/setup/demo.md", "sh", "synapse-nextgen-auth demo --json"): (
        f"{HERE}test_the_demo_for_scripts"
    ),
    ("docs/setup/removal.md", "sh", "pip uninstall"): (
        "tests/packaging/test_beside_synapse.py::test_the_removal_page_names_what_came_with_it"
    ),
    ("docs/setup/installation.md", "sh", "~/synapse/env/bin/pip install"): (
        f"{HERE}test_synapse_from_pip"
    ),
    ("docs/setup/installation.md", "sh", "sudo /opt/venvs/matrix-synapse/bin/pip install"): (
        f"{HERE}test_check_config_on_debian"
    ),
    ("docs/setup/installation.md", "dockerfile", "FROM"): f"{HERE}test_docker",
    ("docs/setup/installation.md", "sh", "docker build"): f"{HERE}test_docker",
    ("docs/setup/installation.md", "yaml", "public_baseurl:"): CHECKED,
    ("docs/setup/installation.md", "yaml", "modules:"): CHECKED,
    ("docs/setup/installation.md", "sh", "~/synapse/env/bin/synapse-nextgen-auth check-config"): (
        f"{HERE}test_synapse_from_pip"
    ),
    ("docs/setup/installation.md", "sh", "sudo -u matrix-synapse"): (
        f"{HERE}test_check_config_on_debian"
    ),
    ("docs/setup/installation.md", "sh", "docker run"): f"{HERE}test_docker",
    ("docs/setup/installation.md", "text", "OK"): f"{HERE}test_check_config_on_debian",
    ("docs/setup/installation.md", "sh", "curl https://matrix.example.com/_matrix"): (
        f"{HERE}test_asking_the_homeserver_what_a_client_sees"
    ),
    ("docs/setup/removal.md", "sql", "DROP TABLE"): f"{HERE}test_removal_leaves_no_table",
    ("docs/setup/removal.md", "yaml", "modules:"): CHECKED,
    ("docs/setup/second-factors.md", "sql", "SELECT u.name"): (
        "tests/cli/test_check_config.py::"
        "test_who_has_nothing_but_a_passkey_is_said_where_nobody_is_offered_one"
    ),
    ("docs/setup/removal.md", "sql", "SELECT"): (
        "tests/homeserver/test_drain.py::test_what_is_left_can_be_counted"
    ),
    ("docs/setup/administration.md", "sh", "cat > login.json"): (
        f"{ADMINISTRATION}test_the_devices_of_somebody_are_listed"
    ),
    ("docs/setup/administration.md", "sh", "curl -s "): (
        f"{ADMINISTRATION}test_every_command_of_the_page_is_tried"
    ),
    ("docs/setup/administration.md", "sql", "SELECT"): (
        f"{ADMINISTRATION}test_the_statements_find_what_they_are_about"
    ),
    ("docs/setup/applications.md", "yaml", "modules:"): CHECKED,
    ("docs/setup/applications.md", "console", "$ openssl rand"): (
        f"{APPLICATIONS}test_the_secret_of_an_application_is_made_into_its_file"
    ),
    ("docs/setup/applications.md", "ini", "[server]"): (
        f"{APPLICATIONS}test_grafana_is_told_what_is_so"
    ),
    ("docs/setup/applications.md", "ini", "AUTH_METHOD"): (
        f"{APPLICATIONS}test_bookstack_is_told_what_is_so"
    ),
    ("docs/setup/applications.md", "python", "#!/usr/bin/env python3"): (
        f"{APPLICATIONS}test_the_script_signs_in_refreshes_and_signs_out"
    ),
    ("docs/setup/applications.md", "sh", "python3 matrix_token.py"): (
        f"{APPLICATIONS}test_the_script_signs_in_refreshes_and_signs_out"
    ),
    ("docs/setup/applications.md", "sh", "curl -X PUT"): (
        "tests/homeserver/test_personal_tokens.py::test_the_script_of_the_page_says_something"
    ),
    ("docs/setup/applications.md", "python", "import asyncio"): (
        "tests/homeserver/test_personal_tokens.py::test_the_bot_of_the_page_is_let_in"
    ),
    ("docs/setup/monitoring.md", "sh", "curl -s"): (
        f"{MONITORING}test_the_metrics_are_found_by_the_line_of_curl"
    ),
    ("docs/setup/monitoring.md", "yaml", "rule_files:"): (
        f"{MONITORING}test_a_real_prometheus_takes_the_rules"
    ),
    ("docs/setup/monitoring.md", "sh", "grep -E"): (
        f"{MONITORING}test_lines_that_want_attention_are_found_in_the_log"
    ),
    ("docs/setup/monitoring.md", "sh", "sudo -u matrix-synapse"): (
        "tests/homeserver/test_doctor.py::test_the_command_says_it_in_words_and_in_json"
    ),
    ("docs/setup/monitoring.md", "sh", "curl --fail"): (
        f"{MONITORING}test_a_server_that_serves_passes_the_look_from_outside"
    ),
    ("docs/setup/second-factors.md", "yaml", "modules:"): CHECKED,
    ("docs/setup/second-factors.md", "yaml", "oidc_providers:"): CHECKED,
    ("docs/setup/retention.md", "yaml", "user_ips_max_age"): CHECKED,
    ("docs/setup/retention.md", "sql", "SELECT"): (
        f"{ADMINISTRATION}test_what_is_there_about_an_account_is_found_and_deleted"
    ),
    ("docs/setup/retention.md", "sql", "DELETE"): (
        f"{ADMINISTRATION}test_what_is_there_about_an_account_is_found_and_deleted"
    ),
    ("docs/setup/upgrading.md", "sh", "cd /usr/local/src"): f"{HERE}test_taking_a_release",
    ("docs/setup/upgrading.md", "sh", "curl --fail"): (
        f"{MONITORING}test_a_server_that_serves_passes_the_look_from_outside"
    ),
    ("docs/setup/upgrading.md", "sh", "sudo apt-"): f"not: {PACKAGES}",
    ("docs/setup/upgrading.md", "sh", "apt-cache"): f"not: {PACKAGES}",
    ("docs/setup/upgrading.md", "sh", "~/synapse/env/bin/pip install --upgrade"): (
        f"not: {PACKAGES}; its second line is that of the installation"
    ),
    ("docs/setup/reverse-proxy.md", "nginx", "location ^~"): (
        f"{NGINX}test_the_limit_for_requests_holds_beside_synapses_location"
    ),
    ("docs/setup/reverse-proxy.md", "nginx", "location ~"): (
        f"{NGINX}test_other_applications_find_the_description_at_the_root"
    ),
    ("docs/setup/workers.md", "text", "^/_synapse/client/auth"): (
        "tests/docs/test_workers.py::test_c363_every_path_of_ours_is_on_the_list"
    ),
    ("docs/setup/workers.md", "nginx", "upstream"): (
        f"{NGINX}test_the_workers_block_sends_the_module_to_workers_and_the_rest_to_main"
    ),
}
SHOWN = [(name(page), language, text) for page in PAGES for language, text in fences(page)]


def _covers(key, shown):
    return key[:2] == shown[:2] and shown[2].startswith(key[2])


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown[0]}:{shown[2][:40]!r}")
def test_every_block_has_a_test_or_a_reason(shown):
    """Whoever adds a block of commands also says how it is known to work."""
    assert [key for key in COVERED if _covers(key, shown)]


@pytest.mark.parametrize("key", COVERED, ids=str)
def test_the_table_of_blocks_is_true(key):
    """Each line of the table is about a block that is there, and its test exists."""
    assert [shown for shown in SHOWN if _covers(key, shown)]
    how = COVERED[key]
    if not how.startswith("not: "):
        path, _, function = how.partition("::")
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert function in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


def _block(page, beginning):
    (found,) = [text for _, text in fences(page) if text.startswith(beginning)]
    return found


INSTALLATION = SETUP / "installation.md"
# A homeserver.yaml as the page says, and what Debian keeps beside it.
OPTIONS = _block(INSTALLATION, "modules:")
SETTINGS = yaml.safe_load(_block(INSTALLATION, "public_baseurl:")) | yaml.safe_load(OPTIONS)
KEY = "ed25519 a_test CnNm3jKBQ5J5dxZEU0V2k4e4BqWIuOGdmvF2m6AGq2c\n"


def _write_settings(directory, **others):
    """Write a configuration that Synapse could be started with, all of it in one directory."""
    homeserver = unstarted(directory)
    settings = homeserver.settings() | SETTINGS | others
    listeners = [one | {"x_forwarded": True} for one in settings["listeners"]]
    settings = {**settings, "listeners": listeners}
    (directory / "homeserver.yaml").write_text(yaml.safe_dump(settings))
    (directory / "signing.key").write_text(KEY)
    homeserver._write_log_config(homeserver.main)
    return settings


def _assert_as_shown(printed):
    """Look for each line of the output on the page in what was printed."""
    shown = blocks(INSTALLATION, "text")[0].splitlines()
    lines = [re.sub(r"\s+", " ", line) for line in printed.splitlines()]

    assert shown[0] == "OK"
    for line in shown:
        wanted = re.sub(r"\s+", " ", line)
        assert wanted.strip() == "…" or wanted in lines, printed


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_synapse_from_pip(machine):
    """The two commands for a Synapse in one's own environment, as typed."""
    machine.environment_at("~/synapse/env")
    _write_settings(machine.home / "synapse")
    machine.run(_block(INSTALLATION, "~/synapse/env/bin/pip install"))
    printed = machine.run(_block(INSTALLATION, "~/synapse/env/bin/synapse-nextgen-auth"))

    _assert_as_shown(printed)


def test_check_config_on_debian(machine):
    """Installed and checked as typed, with `conf.d`; the README has the same line."""
    machine.environment_at(DEBIAN)
    configuration = machine.put("/etc/matrix-synapse")
    settings = _write_settings(configuration)
    del settings["server_name"]
    (configuration / "homeserver.yaml").write_text(yaml.safe_dump(settings))
    (configuration / "conf.d").mkdir()
    (configuration / "conf.d" / "server_name.yaml").write_text("server_name: example.com\n")
    line = _block(INSTALLATION, "sudo -u matrix-synapse")
    machine.run(_block(INSTALLATION, f"sudo {DEBIAN}/bin/pip install"))
    printed = machine.run(line)

    _assert_as_shown(printed)
    assert _block(README, "sudo -u matrix-synapse") == line
    assert _block(SETUP / "branding.md", "sudo -u matrix-synapse") == line


def _context(directory):
    """Return a checkout with what lies about in one, and the page's Dockerfile in it."""
    checkout = directory / "checkout"
    checkout.mkdir()
    copy_context(ROOT, checkout)
    for path in (".dockerignore", "tox.ini", "CHANGELOG.md"):
        (checkout / path).write_text((ROOT / path).read_text())
    for path in (".git/config", ".venv/bin/python", ".tox/log", "demo.json", "docs/README.md"):
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text("not for an image")
    (checkout / "Dockerfile").write_text(blocks(INSTALLATION, "dockerfile")[0])
    return checkout


def test_docker(machine):
    """Built from the checkout, and run on the volumes of the old container, before a restart."""
    machine.places[CHECKOUT] = str(_context(machine.directory))
    data = machine.directory / "volume"
    data.mkdir()
    _write_settings(data)
    machine.docker(_block(INSTALLATION, "docker build"))
    printed = machine.docker(
        _block(INSTALLATION, "docker run"), containers={"synapse": {"/data": data}}
    )
    copied = {path.name for path in (machine.directory / "tmp/synapse-nextgen-auth").iterdir()}

    _assert_as_shown(printed)
    assert copied == {"LICENSE", "README.md", "pyproject.toml", "synapse_nextgen_auth", "templates"}


def test_what_docker_copies_is_what_the_wheel_is_made_of(machine):
    """A wheel built from the copy alone is the wheel of the checkout, file by file."""
    copy = machine.directory / "copy"
    copy_context(ROOT, copy)
    build = "python3 -m build --wheel --no-isolation --outdir"
    names = []
    for source in (ROOT, copy):
        out = machine.directory / f"wheel-{len(names)}"
        machine.run(f"{build} {out} {source}")
        names.append(machine.run(f"python3 -m zipfile --list {out}/*.whl | awk '{{print $1}}'"))

    assert "synapse_nextgen_auth/templates/base.html" in names[0]
    assert names[0] == names[1]


def test_the_first_command_of_the_readme_starts_a_demo(machine):
    """In a checkout without an environment; what it needs is borrowed, and the port is a free one."""
    checkout = machine.directory / "checkout"
    copy_context(ROOT, checkout)
    (checkout / ".ci").mkdir()
    (checkout / ".ci/venv").write_text((ROOT / ".ci/venv").read_text())
    (checkout / ".ci/venv").chmod(0o755)
    line = _block(README, ".ci/venv && .venv/bin/pip install --quiet '.[demo]' ")
    borrowed = sysconfig.get_path("purelib")
    process = machine.begin(f"{line.strip()} --port 0", cwd=checkout, PYTHONPATH=borrowed)
    output = ""
    for read in process.stdout:
        output += read
        if "Press Ctrl-C" in read:
            break
    else:
        raise AssertionError(output + process.stderr.read())
    base = re.search(r"Address\s+(http://localhost:\d+)", output)[1]
    versions = requests.get(f"{base}/_matrix/client/versions", timeout=60)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)

    assert versions.status_code == 200
    assert (checkout / ".venv/bin/synapse-nextgen-auth").exists()


def test_the_demo_for_scripts(machine):
    """The line in the background; then the file has the facts, and SIGTERM ends it with 0."""
    line = _block(SETUP / "demo.md", "synapse-nextgen-auth demo --json")
    ready = 'until [ -s demo.json ]; do kill -0 "$!"; sleep 0.1; done'
    printed = machine.run(f'{line}{ready}\nkill "$!"\nwait "$!"\ncat demo.json')
    facts = json.loads(printed)

    assert facts["base_url"].startswith("http://localhost:")
    assert facts["user_id"] == "@demo:localhost"


def test_asking_the_homeserver_what_a_client_sees(machine, sqlite_homeserver):
    """The line of curl prints the discovery document."""
    machine.places["https://matrix.example.com"] = sqlite_homeserver.base_url
    printed = machine.run(_block(INSTALLATION, "curl "))

    assert json.loads(printed)["issuer"] == Server(sqlite_homeserver.base_url).issuer


def test_taking_a_release(machine):
    """The lines for git, in a clone of a repository that has three releases."""
    origin = machine.directory / "origin"
    identity = "-c user.name=a -c user.email=a@example.com -c commit.gpgsign=false"
    machine.run(f"git init -q {origin}")
    for version in ("v0.9.0", "v0.10.0"):
        machine.run(f"git {identity} commit -q --allow-empty -m {version}", cwd=origin)
        machine.run(f"git tag {version}", cwd=origin)
    checkout = machine.directory / "checkout"
    machine.run(f"git clone -q {origin} {checkout}")
    machine.places[CHECKOUT] = str(checkout)
    machine.run(f"git {identity} commit -q --allow-empty -m v1.0.0", cwd=origin)
    machine.run("git tag v1.0.0", cwd=origin)
    fetch, take = [t for _, t in fences(SETUP / "upgrading.md") if t.startswith("cd ")]
    listed = machine.run(fetch)
    machine.run(take)
    now = machine.run("git log -1 --format=%s", cwd=checkout)

    assert listed.split() == ["v1.0.0", "v0.10.0", "v0.9.0"]
    assert now.strip() == "v1.0.0"


def test_removal_leaves_no_table():
    """The statements take every table of ours away."""
    connection = sqlite3.connect(":memory:")
    migrations.apply(connection.cursor(), migrations.known(), now=0)
    count = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name LIKE 'nextgen%'"
    (before,) = connection.execute(count).fetchone()
    connection.executescript(_block(SETUP / "removal.md", "DROP TABLE"))
    (after,) = connection.execute(count).fetchone()
    connection.close()

    assert before > 10
    assert after == 0


def test_a_brand_as_the_page_has_it(machine, tmp_path, capsys):
    """Its files are put where its options look for them, and of its colours nothing is warned."""
    page, place = SETUP / "branding.md", machine.put("/etc/matrix-synapse")
    for file in ("logo.svg", "logo-dark.svg", "icon.svg"):
        (tmp_path / file).write_text(LOGO.format("#7a3e9d").replace("160", "28"))
    machine.run(_block(page, "sudo install"), cwd=tmp_path)
    shown, *_ = blocks(page, "yaml")
    written = yaml.safe_load(shown.replace("/etc/matrix-synapse/", f"{place}/"))
    _write_settings(place, **written)
    code = main(["check-config", str(place / "homeserver.yaml")])
    printed = capsys.readouterr().out

    assert code == 0, printed
    assert "branding" not in printed
    for label in ("logo, dark", "accent colour", "words of your own"):
        assert label in printed
    assert set(written["modules"][0]["config"]["branding"]) == {
        option.name for option in config.OPTIONS if option.path.startswith("branding.")
    } - {"show_name"}


WITH_MODULES = [
    (page, text)
    for page, language, text in SHOWN
    if language == "yaml" and "modules" in yaml.safe_load(text)
]


@pytest.mark.parametrize(("page", "text"), WITH_MODULES, ids=lambda value: value[:60])
def test_check_config_accepts_every_yaml_that_has_modules(page, text, tmp_path, capsys):
    """What a setup page shows can be pasted into a homeserver.yaml."""
    directory = Path(tmp_path)
    for file in re.findall(r"/etc/matrix-synapse/(\S+\.secret)", text):
        (directory / file).write_text("a secret of at least thirty-two characters")
    for file in re.findall(r"/etc/matrix-synapse/(brand/\S+)", text):
        (directory / "brand").mkdir(exist_ok=True)
        (directory / file).write_bytes(png())
    moved = text.replace("/etc/matrix-synapse/", f"{directory}/")
    _write_settings(directory, **yaml.safe_load(moved))
    code = main(["check-config", str(directory / "homeserver.yaml")])

    assert code == 0, capsys.readouterr().out
