"""`templates list`, `check` and `preview`: pages in the operator's own look, before they are live."""

import argparse
import json
import subprocess
import sys
from urllib.parse import quote

import pytest
import yaml
from jinja2 import meta

from support import pages
from support.previews import previewing
from synapse_nextgen_auth.accounts.mail.letters import MAILS
from synapse_nextgen_auth.cli.main import main
from synapse_nextgen_auth.cli.templates import operators, samples
from synapse_nextgen_auth.cli.templates.looks import looks_of
from synapse_nextgen_auth.cli.templates.operators import Operators
from synapse_nextgen_auth.cli.templates.touched import Touched
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.own_templates import syntax
from synapse_nextgen_auth.web.pages.names import TEMPLATES
from synapse_nextgen_auth.web.templates import Templates

BASE = "/_synapse/client/auth"
PAGE = "pages/signed_out.html"
EXTENDS = f'{{% extends "shipped/{PAGE}" %}}\n'


def within(more):
    """Return our page with more in it."""
    return f"{EXTENDS}{{% block main %}}{{{{ super() }}}}{more}{{% endblock %}}"


@pytest.fixture
def own(tmp_path):
    """Return a function that writes one template, and the directory."""

    def put(name, content):
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return tmp_path / "own"

    return put


@pytest.fixture
def ask(capsys):
    """Return a function that runs the command: its exit code and what it printed."""

    def asked(*arguments):
        code = main(["templates", *map(str, arguments)])
        return code, capsys.readouterr().out

    return asked


def test_every_page_and_mail_has_a_sample():
    """One without would be one that nobody sees before it is live."""
    assert set(samples.pages()) == set(TEMPLATES)
    assert all(samples.pages().values())
    assert set(samples.mails()) == {f"emails/{kind}.html" for kind in MAILS}


def test_list_says_which_are_yours(ask, own, tmp_path):
    own(PAGE, EXTENDS)
    own("static/extra.css", "a {}")
    own("own/hours.html", "Mondays")
    directory = own("emails/foot.html", "{% block body %}x{% endblock %}")
    code, printed = ask("list", "--directory", directory, "--json")
    listed = {each["name"]: each for each in json.loads(printed)}

    assert code == 0
    assert {name for name, each in listed.items() if each["own"]} == {
        *(PAGE, "static/extra.css", "own/hours.html", "emails/foot.html")
    }
    assert listed[PAGE] == {"name": PAGE, "kind": "page", "own": str(directory / PAGE)}
    assert listed["base.html"]["kind"] == "frame"
    assert listed["own/hours.html"]["kind"] == "part of yours"
    assert {*TEMPLATES, "emails/kit.txt", "components/button.html"} < set(listed)
    code, printed = ask("list", "--directory", directory)
    assert f"{PAGE} " in printed
    assert str(directory / PAGE) in printed
    assert "base.html" in printed


def test_list_shows_yours_alone(ask, own):
    """Ours are more than a hundred lines."""
    directory = own(PAGE, EXTENDS)
    code, printed = ask("list", "--yours", "--directory", directory)

    assert code == 0
    assert [each.split()[0] for each in printed.splitlines()] == ["Name", PAGE]
    code, printed = ask("list", "--yours")
    assert (code, printed) == (0, "There are no templates of yours (option templates).\n")
    assert ask("list", "--yours", "--json") == (0, "[]\n")


def test_what_a_configuration_names_is_looked_at(ask, own, tmp_path):
    """With its name of the server; what is wrong with the options is said."""
    directory = own(PAGE, "{{ nonsense")
    options = {"templates": str(directory)}
    entry = {"module": "synapse_nextgen_auth.NextGenAuth", "config": options}
    file = tmp_path / "homeserver.yaml"
    file.write_text(yaml.safe_dump({"server_name": "meadow.example", "modules": [entry]}))
    code, printed = ask("check", "-c", file)
    assert code == 1
    assert f"* {directory / PAGE}: line 1: " in printed
    options["template"] = "x"
    file.write_text(yaml.safe_dump({"modules": [entry]}))
    code, printed = ask("check", "-c", file)

    assert (code, "did you mean templates?" in printed) == (1, True)


def test_a_brand_is_on_the_pages_that_are_shown(tmp_path):
    """With one that cannot be used nothing is shown, and it is said."""

    def of(**branding):
        entry = {"module": "synapse_nextgen_auth.NextGenAuth", "config": {"branding": branding}}
        file = tmp_path / "homeserver.yaml"
        file.write_text(yaml.safe_dump({"server_name": "meadow.example", "modules": [entry]}))
        return operators.of(
            argparse.Namespace(config_files=[file], more_config_files=None, directory=None)
        )

    whose, problems = of(name={"en": "Meadow Chat", "de": "Wiesen-Chat"}, accent="#7a3e9d")
    assert problems == []
    with previewing(whose) as ask:
        page = ask(
            "/pages/home/" + quote(next(iter(samples.pages()["pages/home.html"]))) + "?lang=de"
        )[2]
        assert "<bdi>Wiesen-Chat</bdi>" in page
        sheet = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
        assert "#7a3e9d" in ask(sheet)[2]
        assert "Wiesen-Chat" in ask("/emails/invited/0?lang=de")[2]
    _, problems = of(logo="/nowhere/logo.svg")
    assert [each for each in problems if each.startswith("branding.logo: cannot read ")]


def test_there_may_be_nothing_to_check(ask):
    assert ask("check") == (0, "OK: there are no templates of yours (option templates)\n")


def test_a_directory_that_is_not_there_is_a_mistake(ask):
    code, printed = ask("check", "--directory", "/nowhere/at/all")

    assert (code, printed) == (1, "* templates: there is no directory /nowhere/at/all\n")


def test_good_templates_are_made_in_every_language_that_matters(ask, own):
    code, printed = ask("check", "--directory", own(PAGE, within("<p>{{ lang }}</p>")))

    assert code == 0
    assert printed.startswith("OK: every mail, and 1 page made of templates of yours, in ")
    assert " and in 2 languages: " in printed
    code, printed = ask("check", "--directory", own(PAGE, within("<p>{{ lang|upper }}</p>")))
    assert f"in {len(Templates(BASE).languages.tags)} languages: " in printed


MORE = """\
<script>alert(1)</script><style>a {}</style><p style="color: red" onclick="x()">x</p>
<a href="https://x.example">x</a><img src="https://x.example/y.png" alt=""><iframe></iframe>
<img src="//x.example/z.png" alt=""><img src="data:,x"><p id="x"></p><p id="x"></p>
<h1>x</h1><form action="x"></form><input id="y" name="z">
"""


def test_what_a_page_must_not_be_is_said(ask, own):
    """All at once, each with the page and the state in which it is so."""
    code, printed = ask("check", "--directory", own(PAGE, within(MORE)))
    said = [
        each.removeprefix(f"* {PAGE}: ").partition(" (state “")[0] for each in printed.splitlines()
    ]

    assert code == 1
    assert set(said) == {
        "a script stands in the page: browsers run those of static files alone",
        "a style stands in the page: browsers take static files alone",
        "p has onclick: browsers run no script in a page",
        'the link to https://x.example has no rel="noreferrer"',
        "https://x.example/y.png is loaded, and pages load static files alone",
        "//x.example/z.png is loaded, and pages load static files alone",
        "a picture has no alt, which may be empty",
        "there is an element iframe, which no page may have",
        "the id x is there twice",
        "the page has 2 headings h1, and one is right",
        'a form has no method="post"',
        "the field z has no label",
    }


def test_what_fails_in_one_language_is_said_with_its_line(ask, own):
    directory = own(PAGE, within('\n{{ (1 // (lang != "de"))|int }}'))
    code, printed = ask("check", "--directory", directory)

    assert code == 1
    assert f"{directory / PAGE}: line 3: integer division or modulo by zero (state " in printed


def test_what_is_not_there_hides_nothing_else(ask, own):
    """All of it is said at once, in words of whoever writes templates, with the nearest name."""
    page = "pages/sign_in.html"
    content = (
        f'{{% extends "shipped/{page}" %}}\n{{% block main %}}{{{{ super() }}}}\n'
        "{{ usrename }}{{ server_name.lenght }}\n{{ ways.pasword }}{{ asked_for.x }}\n"
        "{{ server_name + 1 }}<script>x()</script>\n{% endblock %}"
    )
    code, printed = ask("check", "--directory", own(page, content))
    where = f"{own(page, content) / page}: line"
    said = [each.partition(" (state")[0] for each in printed.splitlines()]

    assert code == 1
    assert sorted(said) == [
        f"* {where} 3: there is no value usrename here",
        f"* {page}: {where} 3: server_name has no lenght",
        f"* {page}: {where} 4: asked_for has no x",
        f"* {page}: {where} 4: asked_for is none here: ask {{% if asked_for %}} before its x",
        f"* {page}: {where} 4: ways has no pasword; did you mean password?",
        f'* {page}: {where} 5: can only concatenate str (not "int") to str',
    ]


def test_what_fails_and_what_a_browser_would_not_take_are_said_together(ask, own):
    content = within("{{ nothing }}<script>x()</script>")
    _, printed = ask("check", "--directory", own(PAGE, content))

    assert "line 2: there is no value nothing here" in printed
    assert "a script stands in the page" in printed
    assert "UndefinedError" not in printed


SAYS = f'{{% extends "shipped/{PAGE}" %}}{{% block main %}}'


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ('<p lang="{{ lang }}">{{ lang ~ "-" }}</p>', []),
        ('{% if lang == "de" %}x{% elif "nl" == lang %}y{% endif %}', ["de", "nl"]),
        ('{{ "x" if lang in ("fr", "pt-BR") }}', ["fr", "pt-BR"]),
        ("{{ _('Sign in') }}{% trans %}Sign out{% endtrans %}", []),
        ('{{ "x" if dir == "rtl" }}', []),
        ("{{ lang[:1] }}", None),
        ("{{ lang|upper }}", None),
        ("{{ {'de': 1}[lang] }}", None),
        ("{% if lang == server_name %}x{% endif %}", None),
        ("{% set x = lang %}", None),
        ("{{ _('Sign in').split()[1] }}", None),
        ("{{ _('Sign in')|first }}", None),
        ("{% macro m(x) %}{{ x[3] }}{% endmacro %}{{ m(_('Sign in')) }}", None),
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(_('Sign in')) }}", []),
    ],
)
def test_a_page_is_made_in_each_language_in_which_it_can_come_out_otherwise(own, content, more):
    """English, one that runs the other way, those that a file asks for; or all of them."""
    directory = own(PAGE, f"{SAYS}{content}{{% endblock %}}")
    whose = Operators(Config(templates=str(directory)))
    templates = whose.templates(BASE)
    found = Touched(templates.reader(), directory)
    tags = templates.languages.tags

    made = found.languages(found.by(PAGE), tags)
    assert set(made) == (set(tags) if more is None else {"en", "ar", *more})


def test_what_ours_are_made_of_is_found_as_jinja_finds_it():
    """By their names between quotes alone, as it takes a sixth of the time."""
    environment = Templates(BASE).reader()
    for name in TEMPLATES:
        source = environment.loader.get_source(environment, name)[0]
        named = set(meta.find_referenced_templates(environment.parse(source)))

        assert set(syntax.named_in(source)) == named


@pytest.mark.parametrize(
    ("name", "block", "said"),
    [
        ("consent", "main", "the form has no field csrf"),
        ("consent", "main", "there is no button of the name decision and value "),
        ("way_back", "script", "the script way_back.js is not loaded"),
    ],
)
def test_c181_what_went_from_a_form_is_said(ask, own, name, block, said):
    """Nobody would get on there, however well it looks."""
    template = f"pages/{name}.html"
    content = f'{{% extends "shipped/{template}" %}}{{% block {block} %}}{{% endblock %}}'
    code, printed = ask("check", "--directory", own(template, content))

    assert code == 1
    assert f"* {template}: {said}" in printed


def test_c181_a_changed_field_of_every_form_is_said_once_a_page(ask, own):
    """A component of theirs is looked at in every page that uses it, and in no other."""
    source = (Templates(BASE).reader().loader.get_source(None, "components/field.html"))[0]
    changed = source.replace('name="csrf" value="{{ csrf }}"', 'name="csrf" value="x"')
    assert changed != source
    code, printed = ask("check", "--directory", own("components/field.html", changed))
    lines = printed.splitlines()

    assert code == 1
    assert len(lines) == len({each.partition(":")[0] for each in lines})
    assert all("another value in its hidden field csrf (state" in each for each in lines)
    assert len(lines) > 30


def test_a_mail_that_cannot_be_written_is_said(ask, own):
    code, printed = ask(
        "check", "--directory", own("emails/foot.html", "{% block bodi %}{% endblock %}")
    )

    assert code == 1
    assert "there is no block body" in printed


@pytest.mark.parametrize("template", sorted(samples.pages()))
def test_no_page_of_ours_has_any_of_it(template):
    """What is a fault of theirs is none of ours."""
    for state, page in samples.pages()[template].items():
        loads = samples.scripts_of(page)
        found = looks_of(pages.TEMPLATES.render(page), static=f"{BASE}/static/", loads=loads)

        assert found.faults == (), state


def test_every_page_is_shown_in_every_state(own):
    """And every mail, as HTML and as text, from the page that names them."""
    whose = Operators(Config(templates=str(own(PAGE, EXTENDS))), "meadow.example")
    with previewing(whose) as ask:
        status, _, index = ask("/")
        assert status == 200
        assert f"<strong>{PAGE}</strong> (yours)" in index
        for template, states in samples.pages().items():
            state = next(iter(states))
            path = f"/{template.removesuffix('.html')}/{quote(state)}"
            assert f'href="{path}?lang=en"' in index
            status, _, page = ask(f"{path}?lang=de")
            assert status == 200, page
            assert '<html lang="de"' in page
            assert "meadow.example" in page
        for template, each in samples.mails().items():
            path = f"/{template.removesuffix('.html')}/{len(each) - 1}"
            assert f'href="{path}?lang=en"' in index
            assert ask(path)[2].startswith("<!doctype html>")
            assert ask(f"{path}?as=text&lang=de")[2].startswith("Subject: ")


def test_c201_a_page_has_the_policy_that_it_has_on_the_server(own):
    """So that whoever writes a script into a template sees that nobody runs it."""
    with previewing(Operators(Config())) as ask:
        _, headers, page = ask(
            "/pages/home/" + quote(next(iter(samples.pages()["pages/home.html"])))
        )
        sheet = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
        status, kinds, _ = ask(sheet)

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (status, kinds["Content-Type"]) == (200, "text/css; charset=utf-8")


def test_c201_what_is_shown_has_the_headers_of_the_server(own):
    """A picture of the operator's with a script in it runs it neither here nor there."""
    directory = own("static/own.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')
    whose = Operators(Config(templates=str(directory)))
    picture = whose.templates("/").static_url("own.svg")
    with previewing(whose) as ask:
        of_page = ask("/pages/home/" + quote(next(iter(samples.pages()["pages/home.html"]))))[1]
        of_own, of_avatar = ask(picture)[1], ask("/pages/account-avatar")[1]
        of_sheet = ask(whose.templates("/").static_url("style.css"))[1]

    for name, value in answers.page(200, "").headers:
        wanted = "no-store" if name == "Cache-Control" else value
        assert name == "Pragma" or of_page[name] == wanted
    for each in (of_own, of_avatar):
        assert each["Content-Security-Policy"].endswith("; sandbox")
    for each in (of_own, of_avatar, of_sheet):
        assert each["X-Content-Type-Options"] == "nosniff"
        assert each["Cross-Origin-Resource-Policy"] == "same-origin"
        assert each["Cache-Control"] == "no-store"
    assert of_sheet["Content-Security-Policy"] == "default-src 'none'"


def test_an_edit_shows_with_the_next_reload(own):
    """Also one that cannot be made: it says so, with the line."""
    directory = own(PAGE, within("<p>One</p>"))
    path = f"/{PAGE.removesuffix('.html')}/plain"
    with previewing(Operators(Config(templates=str(directory)))) as ask:
        assert "<p>One</p>" in ask(path)[2]
        own(PAGE, within("<p>Two</p>"))
        assert "<p>Two</p>" in ask(path)[2]
        own(PAGE, within("\n{{ nonsense }}"))
        status, _, said = ask(path)
        assert status == 500
        assert f"{directory / PAGE}: line 3: there is no value nonsense here" in said
        assert f"{directory / PAGE}&#34;, line 3" in said
        assert "there is no value nonsense here" in ask("/")[2]


@pytest.mark.parametrize(
    ("path", "method", "host", "status"),
    [
        ("/pages/nonsense/plain", "GET", None, 404),
        ("/pages/home/nonsense", "GET", None, 404),
        ("/emails/invited/99", "GET", None, 404),
        ("/emails/invited/x", "GET", None, 404),
        ("/emails/invited/%C2%B2", "GET", None, 404),
        ("/static/../../etc/passwd", "GET", None, 404),
        ("/account-tokens", "GET", None, 404),
        ("/pages/home/x", "POST", None, 405),
        # Another site could lead its own name here.
        ("/", "GET", "attacker.example:8009", 421),
        ("/pages/account-avatar", "GET", None, 200),
        ("/language", "GET", None, 200),
        ("/kit", "GET", None, 200),
        ("/kit/x", "GET", None, 404),
    ],
)
def test_there_is_nothing_behind_the_pages(path, method, host, status):
    with previewing(Operators(Config())) as ask:
        assert ask(path, method, host)[0] == status


def test_it_says_where_it_is_and_ends_by_ctrl_c():
    """As a person starts it; a port that is taken is said."""
    command = [sys.executable, "-m", "synapse_nextgen_auth.cli.main", "templates", "preview"]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as running:
        said = running.stdout.readline()
        port = int(said.partition("127.0.0.1:")[2].partition("/")[0])
        taken = subprocess.run(
            [*command, "--port", str(port)], check=False, capture_output=True, text=True, timeout=60
        )
        running.send_signal(2)
        code = running.wait(timeout=30)

    assert said.endswith("shows every page. Ctrl-C ends it.\n")
    assert code == 0
    assert taken.returncode == 1
    assert f"port {port} is taken" in taken.stderr
