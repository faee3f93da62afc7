"""The alert rules and the patterns of the page about monitoring fit what a server shows and logs."""

import json
import re

import pytest
import yaml

from support import metrics, prometheus
from support.machine import Machine
from support.markdown import DOCS, blocks, code, rows, section
from support.oauth import Server
from support.prometheus import Prometheus
from support.waiting import eventually
from synapse_nextgen_auth.cli import homeserver_yaml

PAGE = DOCS / "setup" / "monitoring.md"
CONTRIB = DOCS.parent / "contrib"
RULES_FILE = CONTRIB / "prometheus" / "synapse_nextgen_auth.rules.yml"
RULES = yaml.safe_load(RULES_FILE.read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((CONTRIB / "grafana" / "synapse_nextgen_auth.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# What Grafana puts in the place of its variables.
FILLED_IN = {"$__rate_interval": "1m", "$server_name": ".*"}
SHELL = blocks(PAGE, "sh")
FROM_OUTSIDE = next(block for block in SHELL if block.startswith("curl --fail"))
# The words of PromQL that the rules use; what else is a name there is one of ours.
WORDS = {
    "sum",
    "rate",
    "increase",
    "histogram_quantile",
    "by",
    "le",
    "kind",
    "and",
    "on",
    "max",
    "absent",
}
SELECTOR = re.compile(r"(synapse_nextgen_auth_\w+)(?:\{([^}]*)\})?")


@pytest.fixture
def shown(sqlite_homeserver):
    """Return the series of a server in which somebody signed in, as name and labels."""
    server, user = Server(sqlite_homeserver.base_url), sqlite_homeserver.new_user()
    client = server.client()
    client.refresh(client.sign_in(user.localpart, user.password)["refresh_token"])

    def samples():
        families = metrics.families(sqlite_homeserver).values()
        return [(one.name, one.labels) for family in families for one in family.samples]

    # This one is there when sessions were counted, soon after the start.
    living = "synapse_nextgen_auth_sessions_living"
    assert eventually(lambda: [name for name, _ in samples() if name == living])
    return samples()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_what_a_rule_looks_at_is_there(shown, rule):
    """Each name with each label, before anything went wrong: else the alert could never come."""
    selectors = SELECTOR.findall(rule["expr"])
    rest = re.sub(r'"[^"]*"', "", SELECTOR.sub("", rule["expr"]))

    assert selectors
    for name, text in selectors:
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', text))
        assert [1 for found, labels in shown if found == name and wanted.items() <= labels.items()]
    assert set(re.findall(r"\b[a-z_]+\b", re.sub(r"\[\d+[mh]\]", "", rest))) <= WORDS
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert rule["annotations"]["summary"].endswith((".", "?"))


@pytest.fixture(scope="module")
def watching(tmp_path_factory, sqlite_homeserver):
    """Yield a Prometheus that has read that server."""
    if prometheus.program() is None:
        pytest.skip("no prometheus and promtool: install the package prometheus")
    directory = tmp_path_factory.mktemp("prometheus")
    with Prometheus(directory, sqlite_homeserver.base_url, RULES_FILE) as running:
        assert eventually(lambda: running.values('up{job="synapse"} == 1'))
        yield running


def test_a_real_prometheus_takes_the_rules(watching, shown):
    """Each of them is evaluated without an error, and none fires at a server that is well."""
    said = watching.check()
    assert f"SUCCESS: {len(RULES)} rules found" in said, said

    def rules():
        (group,) = watching.ask("rules")["groups"]
        return group["rules"]

    assert eventually(lambda: {rule["health"] for rule in rules()} == {"ok"}), rules()
    assert [rule["name"] for rule in rules()] == [rule["alert"] for rule in RULES]
    assert [rule["name"] for rule in rules() if rule["state"] == "firing"] == []


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_panel_of_the_dashboard_has_something_to_show(watching, shown, panel):
    """Each expression is understood, and asks for what is there: an empty panel explains nothing."""
    assert panel["description"].endswith(".")
    for target in panel["targets"]:
        expression = target["expr"]
        for variable, value in FILLED_IN.items():
            expression = expression.replace(variable, value)
        watching.values(expression)
        # Without a condition: what is above nothing is not there before anything happened.
        for name, labels in SELECTOR.findall(expression):
            assert eventually(lambda of=f"{name}{{{labels}}}": watching.values(of)), name


def test_the_panels_of_the_dashboard_lie_beside_each_other():
    """None covers another, and each has a number of its own."""
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_the_names_in_the_table_are_there(shown):
    """With the label values that stand beside them."""
    names = {name for name, _ in shown}
    values = {value for _, labels in shown for value in labels.values()}
    table = rows(section(PAGE, "Metrics"))
    named = [text for row in table for text in re.findall(r"`([^`]+)`", row[0])]

    assert [text for text in named if text.startswith("synapse_")] != []
    for text in named:
        assert text in names | values, text


def test_the_metrics_are_found_by_the_line_of_curl(sqlite_homeserver, shown, tmp_path):
    machine = Machine(tmp_path, {"http://localhost:9000": sqlite_homeserver.base_url})
    printed = machine.run(SHELL[0])

    assert "synapse_nextgen_auth_sessions_begun_total" in printed


def test_lines_that_want_attention_are_found_in_the_log(tmp_path):
    """The pattern takes warnings and worse of ours, in the format of Synapse's sample."""
    log = tmp_path / "homeserver.log"
    form = homeserver_yaml.log_settings(log)["formatters"]["line"]["format"]
    lines = [
        form % {"asctime": "2026-01-01 00:00:00,000", "name": name, "lineno": 7, **rest}
        for name, rest in (
            ("synapse_nextgen_auth.web.routes", {"levelname": "ERROR"}),
            ("synapse_nextgen_auth.web.routes", {"levelname": "INFO"}),
            ("synapse.http.server", {"levelname": "ERROR"}),
            ("synapse_nextgen_auth", {"levelname": "WARNING"}),
        )
        for rest in [{**rest, "request": "POST-1", "message": "what happened"}]
    ]
    log.write_text("\n".join(lines) + "\n")
    machine = Machine(tmp_path, {"/var/log/matrix-synapse/homeserver.log": str(log)})
    found = machine.run(SHELL[1]).splitlines()

    assert found == [lines[0], lines[3]]


def test_a_server_that_serves_passes_the_look_from_outside(sqlite_homeserver, tmp_path):
    """And one whose proxy leads elsewhere does not."""
    machine = Machine(tmp_path, {"https://matrix.example.com": sqlite_homeserver.base_url})
    well = machine.run(FROM_OUTSIDE)
    machine.places["https://matrix.example.com"] += "/elsewhere"
    process = machine.begin(FROM_OUTSIDE)
    process.communicate(timeout=120)

    assert well == ""
    assert process.returncode != 0


def test_the_lines_at_two_in_the_morning_are_explained_elsewhere_too():
    """Each is a line of the page about errors, in the same words."""
    errors = code(DOCS / "reference" / "errors.md")
    listed = [row[0] for row in rows(section(PAGE, "The log"))]
    lines = [line for cell in listed for line in re.findall(r"`([^`]+)`", cell)]

    assert [line for line in lines if line not in errors] == []
