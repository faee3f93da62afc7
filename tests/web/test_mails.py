"""Mails in words: text and HTML say the same, in the language of the reader, and nothing breaks out."""

import html
import re

import attrs
import jinja2
import pytest

from synapse_nextgen_auth.accounts.mail.letters import (
    NOTICE_SAMPLES,
    SAMPLES,
    AddressCode,
    AddressInUse,
    Letter,
)
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.config import Mail as MailOptions
from synapse_nextgen_auth.web import mail_texts
from synapse_nextgen_auth.web.mails import Mails
from synapse_nextgen_auth.web.own_templates.mail_faults import problems
from synapse_nextgen_auth.web.sources import Sources
from synapse_nextgen_auth.web.templates import shipped
from synapse_nextgen_auth.web.translations import Languages

DIRECTORY = shipped()


@pytest.fixture(scope="module")
def mails():
    return Mails(
        Sources([DIRECTORY / "emails"]),
        Languages(DIRECTORY / "languages"),
        server_name="example.com",
    )


def own(directory):
    """Return the configuration of an operator with templates of their own."""
    return Config(mail=MailOptions(templates=str(directory)))


def words(markup):
    """Return the words of an HTML text, without its head."""
    body = markup[markup.index("<body") :]
    return html.unescape(re.sub(r"<[^>]+>", " ", body)).split()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
@pytest.mark.parametrize("lang", ["en", "de", "ar"])
def test_text_and_html_say_the_same(mails, sample, lang):
    """Whoever reads the text alone misses nothing."""
    written = mails.write(Letter("anna@example.com", lang, sample))
    text = [word for word in written.text.split() if word not in {"--", ">"}]

    # What is before a colon has a part of its own there.
    assert set(" ".join(text).replace(":", " ").split()) <= set(
        " ".join(words(written.html)).replace(":", " ").split()
    )
    assert f'lang="{lang}"' in written.html
    assert "<" not in written.text


def test_a_colon_stands_as_in_the_language(mails):
    """In French with a space before it, in what is read as text as in the rest."""
    sample = next(each for each in SAMPLES if each.kind == "password_link")
    written = mails.write(Letter("anna@example.com", "fr", sample))

    assert "Votre compte\u00a0: @" in written.text
    assert re.search(r"\w:(\s|$)", written.text) is None
    assert "Votre compte\u00a0:</span>" in written.html


@pytest.mark.parametrize(
    ("kind", "is_nothing_to_do"), [("factor_added", True), ("factor_skipped", False)]
)
def test_whoever_signs_in_the_old_way_hears_what_becomes_of_that(mails, kind, is_nothing_to_do):
    """An app that gets in without the second factor may be refused before long."""
    (sample,) = (each for each in NOTICE_SAMPLES if each.about == "factors")
    event = next(each for each in sample.events if each["kind"] == kind)
    text = mails.write(Letter("a@example.com", "en", attrs.evolve(sample, events=[event]))).text
    said = " ".join(text.split())

    assert ("there is nothing to do" in said) is is_nothing_to_do
    assert ("may refuse such apps before long" in said) is not is_nothing_to_do


def test_c199_what_others_chose_is_no_markup(mails):
    """In HTML it is escaped; in plain text it stands as it is."""
    written = mails.write(Letter("a@example.com", "en", AddressInUse("@<svg onload=x>&:e")))

    assert "<svg" not in written.html
    assert "&lt;svg onload=x&gt;&amp;" in written.html
    assert "@<svg onload=x>&:e" in written.text


def test_c257_a_subject_is_one_line(mails):
    """Whatever a code is, it ends no header."""
    written = mails.write(Letter("a@example.com", "en", AddressCode("1\r\nBcc: b@example.com", 1)))

    assert "\n" not in written.subject
    assert "\r" not in written.subject


def test_an_operators_own_words_come_first(tmp_path):
    """A file of the same name; all others are ours."""
    (tmp_path / "address_code.html").write_text(
        "{% block subject %}Hi{% endblock %}{% block body %}{{ kit.code(code) }}{% endblock %}"
    )
    own = Mails(
        Sources([tmp_path, DIRECTORY / "emails"]),
        Languages(DIRECTORY / "languages"),
        server_name="e",
    )
    written = own.write(Letter("a@example.com", "en", AddressCode("012345", 10)))

    assert written.subject == "Hi"
    assert written.text.startswith("012345")
    assert "already" in own.write(Letter("a@example.com", "en", SAMPLES[1])).subject


def test_what_an_operator_changes_later_is_tried_first(tmp_path):
    """At the next start, or by check-config: no mail finds out about a slip."""
    (tmp_path / "foot.html").write_text("{% block body %}Ask Eve.{% endblock %}")
    config, languages = own(tmp_path), Languages(shipped() / "languages")
    mails = Mails(mail_texts.of(config), languages, server_name="example.com")
    (tmp_path / "foot.html").write_text("{% block")

    assert "Ask Eve." in mails.write(Letter("a@example.com", "en", SAMPLES[0])).text


@pytest.mark.parametrize("name", [path.name for path in (shipped() / "emails").iterdir()])
def test_a_missing_file_fails_at_start_up(tmp_path, name):
    """An installation that is not whole."""
    for path in (shipped() / "emails").iterdir():
        if path.name != name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    languages = Languages(DIRECTORY / "languages")

    with pytest.raises(jinja2.TemplateNotFound):
        Mails(Sources([tmp_path]), languages, server_name="example.com").compile()


@pytest.mark.parametrize("ours", ["shipped/foot.html", "shipped/emails/foot.html"])
def test_ours_is_called_as_in_the_list_or_without_its_folder(tmp_path, ours):
    """`templates list` and the reference say `emails/foot.html`."""
    text = f'{{% extends "{ours}" %}}{{% block body %}}{{{{ super() }}}} Ask Eve.{{% endblock %}}'
    (tmp_path / "foot.html").write_text(text)
    config, languages = own(tmp_path), Languages(shipped() / "languages")
    mails = Mails(mail_texts.of(config), languages, server_name="example.com")

    assert problems(config) == []
    assert "Ask Eve." in mails.write(Letter("a@example.com", "en", SAMPLES[0])).text


def test_all_that_is_wrong_with_a_file_is_said_at_once(tmp_path):
    """Not one mistake for each start; whatever fails of another is not said."""
    found = problems_with(
        tmp_path,
        "invited.html",
        '{% extends "shipped/invited.html" %}\n{% block body %}\n{{ kit.paragraf(usr) }}\n'
        "{{ url|nothing }}\n{{ 1 is strange }}\n{{ addres }}{% endblock %}\n{% block x %}{% endblock %}",
    )

    assert [each.removeprefix(f"{tmp_path}/invited.html: ") for each in found] == [
        "line 3: kit has no paragraf; did you mean paragraph?",
        "line 3: there is no value usr here",
        "line 4: there is no filter nothing",
        "line 5: there is no test strange; did you mean string?",
        "line 6: there is no value addres here",
        "line 7: nothing shows a block x",
    ]


def problems_with(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return problems(own(tmp_path))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("address_code.html", "{% block subject %}", "line 1: Unexpected end of template"),
        ("address_code.html", "{% block subject %}{% endblock %}", "there is no block body"),
        (
            "address_code.html",
            "{% block subject %}Hi{% endblock %}\n{% block body %}\n{{ cod }}{% endblock %}",
            "line 3: there is no value cod here; did you mean code?",
        ),
        (
            "foot.html",
            "{% block body %}{{ kit.paragraf() }}{% endblock %}",
            "line 1: kit has no paragraf; did you mean paragraph?",
        ),
        (
            "kit.txt",
            "{% macro code(value) %}{{ value }}{% endmacro %}",
            "paragraph is missing, which other templates import",
        ),
        (
            "foot.html",
            '{% extends "shipped/emails/foto.html" %}',
            "line 1: there is no shipped/emails/foto.html; did you mean shipped/foot.html?",
        ),
        (
            "foot.html",
            '{% extends "foot.html" %}',
            "line 1: it extends itself; ours is called shipped/foot.html",
        ),
        (
            "foot.html",
            '{% extends "emails/foot.html" %}',
            "line 1: it extends itself; ours is called shipped/foot.html",
        ),
        (
            "invited.html",
            '{% extends "shipped/invited.html" %}{% block bodi %}{% endblock %}',
            "line 1: nothing shows a block bodi; did you mean body?",
        ),
        (
            "foot.html",
            "{% block body %}{{ server_name.nmae }}{% endblock %}",
            "line 1: server_name has no nmae",
        ),
        (
            "foot.html",
            "{% block body %}{{ server_name|moment }}{% endblock %}",
            "line 1: a text cannot be interpreted as an integer",
        ),
        ("adress_code.html", "", "did you mean address_code.html?"),
        ("wholly_other.txt", "", "There are: address_code.html, "),
        ("address_in_use.html", "{{ 1 / 0 }}{% block subject %}", "line 1"),
    ],
)
def test_an_operators_mistake_is_told_with_its_place_before_anybody_waits_for_a_mail(
    tmp_path, name, text, said
):
    """At the start, and by `check-config`."""
    found = problems_with(tmp_path, name, text)

    assert said in found[0]
    assert all(each.startswith(str(tmp_path)) for each in found)


@pytest.mark.parametrize("name", ["nowhere", "file", "with\0nul"])
def test_a_directory_that_cannot_be_read_is_told(tmp_path, name):
    """Beside everything else that is wrong."""
    (tmp_path / "file").write_text("")
    found = problems(Config(mail=MailOptions(templates=str(tmp_path / name))))

    assert len(found) == 1
    assert found[0].startswith("mail.templates: cannot read the directory ")


def test_what_is_right_and_what_is_no_template_is_no_problem(tmp_path):
    """A backup of the operator's, for one."""
    (tmp_path / "address_code.html~").write_text("{% block subject %}")
    (tmp_path / "README").write_text("{%")

    assert problems(Config()) == []
    assert (
        problems_with(
            tmp_path,
            "address_code.html",
            "{% block subject %}{% if lang == 'de' %}Hallo{% else %}Hi{% endif %}{% endblock %}"
            "{% block body %}{{ kit.code(code) }}{{ server_name }}{% endblock %}",
        )
        == []
    )
