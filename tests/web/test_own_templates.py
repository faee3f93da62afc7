"""Templates, pictures and a style sheet of the operator's, in the place of ours."""

import logging
import os
import re
import shutil
from typing import ClassVar

import attrs
import pytest
from jinja2 import UndefinedError

from support import brand as brands
from support.pages import BASE, DIRECTORY
from synapse_nextgen_auth.accounts.mail.letters import SAMPLES
from synapse_nextgen_auth.config import Config, Mail
from synapse_nextgen_auth.web import mails, translations
from synapse_nextgen_auth.web.own_templates import faults, mail_faults, names, static_faults
from synapse_nextgen_auth.web.pages.account.tokens.page import TokenMadePage
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.message.samples import MESSAGE
from synapse_nextgen_auth.web.pages.samples import samples_of
from synapse_nextgen_auth.web.pages.sign_in.samples import SIGN_IN
from synapse_nextgen_auth.web.templates import Templates

PAGE = MESSAGE.template
TITLED = f'{{% extends "shipped/{PAGE}" %}}{{% block title %}}Meadow{{% endblock %}}'
FAILS = f'{{% extends "shipped/{PAGE}" %}}\n{{% block title %}}{{{{ server_name.a.b }}}}{{% endblock %}}'


def put(directory, name, content):
    """Write one file by its whole name."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return directory


def rendered(directory, **given):
    return Templates(BASE, own=directory).render(MESSAGE, **given)


def wrong(directory):
    """Return what is wrong with a directory, without the directory."""
    said = faults.problems(Config(templates=str(directory)))
    return [each.replace(f"{directory}/", "") for each in said]


def test_a_block_of_a_page_takes_the_place_of_ours(tmp_path):
    """What is not said stays, in the language of the reader."""
    put(tmp_path, PAGE, TITLED)
    html, ours = rendered(tmp_path, lang="de"), Templates(BASE).render(MESSAGE, lang="de")

    assert "<title>Meadow · " in html
    assert html.partition("<body")[2] == ours.partition("<body")[2]
    assert wrong(tmp_path) == []


def test_a_component_is_that_of_every_page(tmp_path):
    mine = (DIRECTORY / "base.html").read_text().replace("<footer", "<p>Meadow</p><footer")
    put(tmp_path, "base.html", mine)

    assert "<p>Meadow</p>" in rendered(tmp_path)
    assert wrong(tmp_path) == []


def test_a_part_of_their_own_is_used_by_theirs(tmp_path):
    put(tmp_path, "own/hours.html", "{% macro hours() %}Mondays{% endmacro %}")
    uses = '{% from "own/hours.html" import hours %}{% block title %}{{ hours() }}{% endblock %}'
    put(tmp_path, PAGE, f'{{% extends "shipped/{PAGE}" %}}{uses}')

    assert "<title>Mondays · " in rendered(tmp_path)
    assert wrong(tmp_path) == []


def test_a_style_sheet_is_loaded_after_ours(tmp_path):
    """With the pictures beside it at their addresses; the policy of pages allows both."""
    put(tmp_path, "static/meadow.png", b"\x89PNG")
    sheet = "body { background: url('meadow.png') } p { background: url(data:,x) }"
    put(tmp_path, "static/extra.css", sheet)
    templates = Templates(BASE, own=tmp_path)
    html = templates.render(MESSAGE)

    loaded = [each.partition('"')[0] for each in html.split('<link rel="stylesheet" href="')[1:]]
    assert [each.rpartition("/")[2] for each in loaded] == ["style.css", "extra.css"]
    served = templates.static_file(loaded[1].removeprefix(f"{BASE}/static/"))
    assert served.content_type == "text/css; charset=utf-8"
    picture = served.content.decode().partition('url("')[2].partition('"')[0]
    assert templates.static_file(picture.removeprefix(f"{BASE}/static/")).content == b"\x89PNG"
    assert b"url(data:,x)" in served.content
    assert wrong(tmp_path) == []
    put(tmp_path, "static/meadow.png", b"\x89PNG again")
    assert Templates(BASE, own=tmp_path).static_url("extra.css") != loaded[1]


def test_without_one_nothing_more_is_loaded():
    assert Templates(BASE).render(MESSAGE).count('rel="stylesheet"') == 1


def test_a_picture_takes_the_place_of_ours(tmp_path):
    put(tmp_path, "static/icon.svg", "<svg/>")
    templates = Templates(BASE, own=tmp_path)
    url = templates.render(MESSAGE).partition('rel="icon" href="')[2].partition('"')[0]

    assert templates.static_file(url.removeprefix(f"{BASE}/static/")).content == b"<svg/>"


@pytest.mark.parametrize(
    "name", ["../secret.css", "static/deep/x.css", "static/.hidden.css", "static/a b.css"]
)
def test_c205_nothing_else_is_served(tmp_path, name):
    directory = tmp_path / "own"
    put(directory, name, "a {}")
    (directory / "static").mkdir(exist_ok=True)
    before = set(Templates(BASE)._static_files)

    assert set(Templates(BASE, own=directory)._static_files) == before


def test_whoever_meets_a_template_that_fails_gets_ours(tmp_path, caplog):
    """The log says so once, with the line; nobody's page is lost."""
    put(tmp_path, PAGE, FAILS)
    templates = Templates(BASE, own=tmp_path)
    with caplog.at_level(logging.WARNING):
        shown = [templates.render(MESSAGE, lang=lang) for lang in ("en", "de", "en")]

    assert shown == [Templates(BASE).render(MESSAGE, lang=lang) for lang in ("en", "de", "en")]
    (record,) = caplog.records
    assert PAGE in record.getMessage()
    assert f"UndefinedError in {tmp_path / PAGE}: line 2. See" in record.getMessage()


def test_c337_what_a_page_was_to_say_is_not_logged(tmp_path, caplog):
    """Whatever an exception repeats: a token that is shown once, say."""
    page = samples_of(TokenMadePage)["made"]
    put(tmp_path, page.template, "{{ {}[token].x }}{{ token.x.y }}")
    Templates(BASE, own=tmp_path).render(page)

    assert "Could not make the page" in caplog.text
    assert page.token not in caplog.text


def test_a_page_that_cannot_be_compiled_is_tried_once(tmp_path, monkeypatch):
    """Any stranger asks for it, and each try may take long."""
    put(tmp_path, PAGE, "{% block")
    templates = Templates(BASE, own=tmp_path)
    tried, get = [], templates.reader().get_template

    def noting(name):
        tried.append(name)
        return get(name)

    monkeypatch.setattr(templates.reader(), "get_template", noting)
    shown = [templates.render(MESSAGE) for _ in range(3)]

    assert shown == [Templates(BASE).render(MESSAGE)] * 3
    assert tried == [PAGE]


OF_A_LANGUAGE = """\
{% set press = _("Sign in") %}
{% set waited %}{% trans %}Sign out{% endtrans %}{% endset %}
{% set closed = 86400|moment %}
{% macro way() %}{{ press }}/{{ waited }}/{{ closed }}{% endmacro %}
"""
THEIRS = '{% from "own/words.html" import way, press %}'


@pytest.mark.parametrize(
    ("put_in", "name"),
    [
        (f"{THEIRS}{{{{ press }}}} {{{{ way() }}}} {{{{ 86400|moment }}}}", PAGE),
        ('{% import "own/words.html" as words %}{{ words.press }} {{ words.way() }}', PAGE),
        ('{% from "own/more.html" import more %}{{ more() }}', PAGE),
    ],
)
def test_what_a_part_sets_at_its_top_is_of_each_reader(tmp_path, put_in, name):
    """And not of whoever came first, whom a stranger may be after each start."""
    put(tmp_path, "own/words.html", OF_A_LANGUAGE)
    put(tmp_path, "own/more.html", f"{THEIRS}{{% macro more() %}}{{{{ way() }}}}{{% endmacro %}}")
    put(
        tmp_path,
        name,
        f'{{% extends "shipped/{PAGE}" %}}{{% block main %}}{put_in}{{% endblock %}}',
    )
    alone = {tag: rendered(tmp_path, lang=tag) for tag in ("he", "de", "en")}
    templates = Templates(BASE, own=tmp_path)

    for tag in ("he", "de", "en", "he"):
        assert templates.render(MESSAGE, lang=tag) == alone[tag]
    assert "Anmelden" in alone["de"]
    assert "Abmelden" in alone["de"]
    assert "Sign in" in alone["en"]
    assert "1. Januar" not in alone["en"]


def test_a_part_of_ours_that_uses_theirs_is_of_each_reader(tmp_path):
    """Ours are kept where nothing of theirs is in them."""
    mine = (DIRECTORY / "components" / "notice.html").read_text()
    put(tmp_path, "components/notice.html", mine + '{% set press = _("Sign in") %}')
    templates = Templates(BASE, own=tmp_path)
    templates.render(MESSAGE)
    kept = {
        name.removeprefix("components/"): isinstance(each, translations.Afresh)
        for (_, name), each in templates.reader().cache.items()
    }

    assert kept["notice.html"]
    assert kept[PAGE]
    assert not all(kept.values())


def test_a_time_in_the_zone_of_each_reader(tmp_path):
    """A name of the operator's, too."""
    put(tmp_path, "own/words.html", "{% set closed = 86400|moment %}")
    uses = '{% from "own/words.html" import closed %}{% block main %}{{ closed }}{% endblock %}'
    put(tmp_path, PAGE, f'{{% extends "shipped/{PAGE}" %}}{uses}')
    templates = Templates(BASE, own=tmp_path)
    zones = ("Europe/Berlin", "Asia/Tokyo", "Europe/Berlin")
    first, second, third = (templates.render(MESSAGE, time_zone=zone) for zone in zones)

    assert first == third != second


def test_a_mail_is_in_the_language_of_each_reader(tmp_path):
    kit = (DIRECTORY / "emails" / "kit.html").read_text()
    put(tmp_path, "emails/kit.html", kit + '{% set press = _("Sign in") %}')
    foot = "{% block body %}{{ kit.press }}{% endblock %}"
    put(tmp_path, "emails/foot.html", foot)
    kit = (DIRECTORY / "emails" / "kit.txt").read_text()
    put(tmp_path, "emails/kit.txt", kit + '{% set press = _("Sign in") %}')
    languages = Templates(BASE).languages
    written = mails.Mails.of(Config(templates=str(tmp_path)), languages, server_name="example.com")

    for tag, said in (("he", "התחברות"), ("de", "Anmelden"), ("en", "Sign in")):
        made = written.write(mails.Letter("anna@example.com", tag, SAMPLES[0]))
        assert said in made.text
        assert said in made.html


ASKS = (
    f'{{% extends "shipped/{SIGN_IN.template}" %}}{{% block title %}}'
    '{{ "from" if "grant=" in action else "alone" }} {{ action|upper }}{% endblock %}'
)


def test_a_page_of_theirs_knows_the_values_of_the_visit(tmp_path):
    """As the preview shows it; of ours, which ask nothing of them, one is kept for many people."""
    page = attrs.evolve(SIGN_IN, action="sign-in?grant=x")
    assert page.is_common
    put(tmp_path, SIGN_IN.template, ASKS)

    assert "<title>from SIGN-IN?GRANT=X" in Templates(BASE, own=tmp_path).render(page)


def test_ours_are_kept_beside_theirs(tmp_path):
    """A page that nothing of theirs is in is as quick as ever."""
    put(tmp_path, PAGE, TITLED)
    templates = Templates(BASE, own=tmp_path)
    templates.render(SIGN_IN)

    assert templates._common


@attrs.frozen
class Nothing(PageContent):
    """A page that is handed nothing."""

    template: ClassVar[str] = PAGE


def test_what_is_ours_fails_as_ever(tmp_path):
    """There is nothing to fall back to; it is no mistake of an operator's."""
    for directory in (None, put(tmp_path, PAGE, TITLED)):
        with pytest.raises(UndefinedError):
            Templates(BASE, own=directory).render(Nothing())


def test_what_is_edited_later_is_for_the_next_start(tmp_path):
    put(tmp_path, PAGE, TITLED)
    templates = Templates(BASE, own=tmp_path)
    put(tmp_path, PAGE, "{{ half of")

    assert "<title>Meadow · " in templates.render(MESSAGE)


def test_mails_lie_there_too(tmp_path):
    """Those of `mail.templates` come first; a block of ours can be all that changes."""
    foot = (
        '{% extends "shipped/foot.html" %}{% block body %}{{ super() }}\n\nAsk Eve.{% endblock %}'
    )
    put(tmp_path, "emails/foot.html", foot)
    config = Config(templates=str(tmp_path))
    sample = next(each for each in SAMPLES if each.kind == "address_code")
    languages = Templates(BASE).languages

    def said(config):
        written = mails.Mails.of(config, languages, server_name="example.com")
        return written.write(mails.Letter("anna@example.com", "en", sample)).text

    assert mail_faults.problems(config) == []
    assert said(config).strip().endswith("Ask Eve.")
    first = put(tmp_path / "first", "foot.html", "{% block body %}Ask Adam.{% endblock %}")
    both = attrs.evolve(config, mail=Mail(templates=str(first)))
    assert said(both).strip().endswith("Ask Adam.")
    put(tmp_path, "emails/foot.html", "{% block body %}\n{{ nothing }}{% endblock %}")
    assert mail_faults.problems(config) == [
        f"{tmp_path}/emails/foot.html: line 2: there is no value nothing here"
    ]


def test_ours_have_no_fault(tmp_path):
    """Every template, read as if it were an operator's: no check says what is not so."""
    ignored = shutil.ignore_patterns("languages")
    shutil.copytree(DIRECTORY, tmp_path / "own", ignore=ignored)

    assert wrong(tmp_path / "own") == []


EXTENDS = '{% extends "base.html" %}\n'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (PAGE, "{% block", "line 1: unexpected end of template"),
        (PAGE, "\n{{ dir|nonsense }}", "line 2: there is no filter nonsense"),
        (PAGE, "\n{{ dir|momnt }}", "line 2: there is no filter momnt; did you mean moment?"),
        (PAGE, "{{ 1 is evn }}", "line 1: there is no test evn; did you mean even?"),
        (
            PAGE,
            '{% extends "shipped/emails/invited.html" %}',
            "line 1: there is no shipped/emails/invited.html; a page is not made of mails",
        ),
        (PAGE, b"\xff", "cannot be read: "),
        ("pages/mesage.html", "", f"no template is called that; did you mean {PAGE}?"),
        ("nonsense/x.html", "", "no template is called that"),
        (
            PAGE,
            '\n{% extends "bass.html" %}',
            "line 2: there is no bass.html; did you mean base.html?",
        ),
        (PAGE, '{% include "own/x.html" %}', "line 1: there is no own/x.html"),
        (
            PAGE,
            f'\n{{% extends "{PAGE}" %}}',
            f"line 2: it extends itself; ours is called shipped/{PAGE}",
        ),
        (
            "base.html",
            '{% extends "console.html" %}',
            "line 1: it extends itself, by console.html",
        ),
        (PAGE, f"{{{{ {'(' * 500}1{')' * 500} }}}}", "cannot be read: too much is nested in it"),
        (
            PAGE,
            '{% from "components/button.html" import buton %}',
            "line 1: components/button.html has no buton; did you mean button?",
        ),
        (
            PAGE,
            f"{EXTENDS}{{% block mian %}}{{% endblock %}}",
            "line 2: nothing shows a block mian; did you mean main?",
        ),
        (
            PAGE,
            f"{EXTENDS}{{% block main %}}{{{{ servername }}}}{{% endblock %}}",
            "line 2: there is no value servername here; did you mean server_name?",
        ),
        (
            PAGE,
            f'{EXTENDS}{{% block main %}}{{{{ static("x.png") }}}}{{% endblock %}}',
            "line 2: there is no static file x.png",
        ),
        (
            "base.html",
            "{% block title %}{% endblock %}{% block script %}{% endblock %}{% block referrer %}"
            "{% endblock %}{% block body_class %}{% endblock %}{% block frame %}{% endblock %}",
            "the block main is missing, which pages fill",
        ),
        (
            "components/title.html",
            "{% macro other() %}{% endmacro %}",
            "titled is missing, which other templates import",
        ),
        (
            "components/title.html",
            "{% macro titled(heading) %}{% endmacro %}",
            "line 1: the macro titled must take title, error",
        ),
        ("static/x.woff2", "", "is not served: a static file is one of .css"),
        ("static/x.png", b" " * (2 * 1024 * 1024 + 1), "is larger than 2 MB"),
        ("static/deep/x.css", "", "is not served: a static file lies in "),
        ("static/extra.css", "a {}\n@import 'x';", "line 2: pages load no other style sheets"),
        # A separator within a text is not the end of a line.
        (
            "static/extra.css",
            "/* \u2028 */\n@import 'x';",
            "line 2: pages load no other style sheets",
        ),
        (
            "static/extra.css",
            "a { background: url(https://x.example/y.png) }",
            "line 1: https://x.example/y.png is not beside this file",
        ),
    ],
)
def test_a_fault_is_said_with_its_place(tmp_path, name, content, said):
    """Found without a page to show, as a start finds it, and what would be right is said."""
    put(tmp_path, name, content)
    found = wrong(tmp_path)

    assert [each for each in found if each.startswith(f"{name}: {said}")], found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (PAGE, f"{EXTENDS}{{% block main %}}{{% if later is defined %}}{{{{ later }}}}{{% endif %}}"
        "{% endblock %}"),
        (PAGE, f'{EXTENDS}{{% block main %}}{{{{ later|default("x") }}}}{{% endblock %}}'),
        (PAGE, f"{EXTENDS}{{% block main %}}{{% set x = 1 %}}{{{{ x }}}}{{% endblock %}}"),
        (PAGE, f"{EXTENDS}{{% block main %}}{{% block inner %}}{{% endblock %}}{{% endblock %}}"),
        (PAGE, "{% extends dir %}"),
        ("pages/.#home.html", "{{ half of"),
        (".git/x.html", "{{ half of"),
        ("README.md", "{{ half of"),
        ("static/.DS_Store", ""),
    ],
)  # fmt: skip
def test_what_is_right_is_no_fault(tmp_path, name, content):
    put(tmp_path, name, content)

    assert wrong(tmp_path) == []


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("a {\n  b: c\n}\n@media print {\n  a { b: c }\n}", []),
        ("/* { */ a { content: '}'; b: \"{\" } /* }", []),
        ("a { b: url(data:,{) }", []),
        ("a {\n  b: c\n\nd { e: f }", ["line 1: this { is never closed"]),
        ("a { b: c }\n}\nd {}", ["line 2: there is a } that closes nothing"]),
    ],
)
def test_braces_that_are_no_pairs_are_said(tmp_path, sheet, said):
    """By the check alone: a server that starts with such a sheet goes on."""
    put(tmp_path, "static/extra.css", sheet)
    found = [each.rpartition("extra.css: ")[2] for each in static_faults.unclosed(tmp_path)]

    assert found == said
    assert wrong(tmp_path) == []


def test_a_ring_of_templates_is_a_fault_of_each_that_leads_into_it(tmp_path):
    put(tmp_path, PAGE, '{% extends "own/a.html" %}')
    put(tmp_path, "own/a.html", '{% extends "own/b.html" %}')
    put(tmp_path, "own/b.html", '{% extends "own/a.html" %}')

    assert wrong(tmp_path) == [
        "own/a.html: line 1: it extends itself, by own/b.html",
        "own/b.html: line 1: it extends itself, by own/a.html",
        f"{PAGE}: line 1: own/a.html extends itself",
    ]


@pytest.mark.parametrize(
    ("uses", "again"),
    [
        ('{% from "own/b.html" import b %}', '{% from "own/a.html" import a %}'),
        ('{% import "own/b.html" as b %}', '{% import "own/a.html" as a %}'),
        ('{% include "own/b.html" %}', '{% include "own/a.html" %}'),
        ('{% include "own/b.html" %}', '{% if 0 %}{% include "own/a.html" %}{% endif %}'),
        (
            '{% include "own/b.html" %}',
            '{% macro b() %}{% import "own/a.html" as a %}{% endmacro %}',
        ),
    ],
)
def test_a_ring_of_parts_is_a_fault_of_each_in_it(tmp_path, uses, again):
    """A page of them is never made, whatever it asks before: all of it is compiled at once."""
    put(tmp_path, "own/a.html", f"{uses}{{% macro a() %}}{{% endmacro %}}")
    put(tmp_path, "own/b.html", f"\n{again}{{% macro b() %}}{{% endmacro %}}")
    put(tmp_path, PAGE, f'{{% extends "shipped/{PAGE}" %}}{{% from "own/a.html" import a %}}')

    assert wrong(tmp_path) == [
        "own/a.html: line 1: it uses itself, by own/b.html",
        "own/b.html: line 2: it uses itself, by own/a.html",
    ]


def test_a_part_that_uses_itself_is_a_fault(tmp_path):
    """By ours, too: fields are made with notices."""
    put(tmp_path, "own/a.html", '\n{% include "own/a.html" %}')
    notice = (DIRECTORY / "components" / "notice.html").read_text()
    put(tmp_path, "components/notice.html", f'{{% import "components/field.html" as f %}}{notice}')

    assert wrong(tmp_path) == [
        "components/notice.html: line 1: it uses itself, by components/field.html",
        "own/a.html: line 2: it uses itself",
    ]


@pytest.mark.parametrize(
    "name", [PAGE, "own/x.html", "static/extra.css", "static/x.svg", "emails/foot.html"]
)
def test_what_is_no_file_is_a_fault(tmp_path, name):
    """Whoever opened a pipe would wait for ever."""
    (tmp_path / name).parent.mkdir(parents=True)
    os.mkfifo(tmp_path / name)
    config = Config(templates=str(tmp_path))

    found = [*faults.problems(config), *mail_faults.problems(config)]
    assert f"{tmp_path / name}: is not a regular file" in found
    assert rendered(tmp_path) == Templates(BASE).render(MESSAGE)


def test_a_picture_of_the_brand_is_no_file_of_theirs(tmp_path):
    """It was looked at as a picture above every page; theirs of that name is another one."""
    logo = tmp_path / "brand.svg"
    logo.write_text(brands.LOGO.format("red"))
    put(tmp_path / "own", "static/logo.svg", "<svg>theirs</svg>")
    brand = brands.read(logo=str(logo)).brand
    templates = Templates(BASE, own=tmp_path / "own", brand=brand)
    (shown,) = re.findall(f'<img src="{BASE}/static/(.*?)"', templates.render(MESSAGE))

    assert templates.static_file(shown).content == logo.read_bytes()
    theirs = templates.static_url("logo.svg").removeprefix(f"{BASE}/static/")
    assert templates.static_file(theirs).content == b"<svg>theirs</svg>"


def test_all_faults_of_a_file_are_said_at_once(tmp_path):
    """One of them hides no other: each start would find the next."""
    more = '{{ usrname }}\n{{ static("x.png") }}\n{{ dir|nothing }}\n{% include "own/x.html" %}'
    put(tmp_path, PAGE, f"{EXTENDS}{{% block main %}}{more}{{% endblock %}}")

    assert [each.partition(": ")[2] for each in wrong(tmp_path)] == [
        "line 2: there is no value usrname here",
        "line 3: there is no static file x.png",
        "line 4: there is no filter nothing",
        "line 5: there is no own/x.html",
    ]


def test_all_faults_are_said_at_once(tmp_path):
    put(tmp_path, PAGE, "{% block")
    put(tmp_path, "pages/x.html", "")
    put(tmp_path, "static/x.ttf", "")

    assert len(wrong(tmp_path)) == 3


@pytest.mark.parametrize("path", ["/nowhere/at/all", "a\0b"])
def test_a_directory_that_cannot_be_read_is_named(path):
    (said,) = faults.problems(Config(templates=path))

    assert said.startswith(f"templates: cannot read the directory {path}: ")


def test_what_is_known_everywhere_is_what_there_is():
    """The list of names has each function and filter that templates get, and no other."""
    environment = Templates(BASE).reader()
    filters = {f"|{name}" for name in ("ago", "iso", "moment", "parts", "wait")}
    handed = {"lang", "dir", "language_name", "minutes_left"}

    assert names.everywhere() == {*environment.globals, *handed, *filters} - {"_trans"}
    assert {each.removeprefix("|") for each in filters} <= set(environment.filters)
