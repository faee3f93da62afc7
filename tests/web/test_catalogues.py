"""The catalogues that are shipped: whole, and saying nothing that the English does not."""

import re
from functools import cache

import pytest
from babel.core import Locale
from babel.messages.catalog import Catalog, Message

from support.catalogues import templates_with, update_languages, write
from support.catalogues_alike import SAME
from support.pages import DIRECTORY, TEMPLATES, Read, every_field
from synapse_nextgen_auth.oauth.languages import is_tag
from synapse_nextgen_auth.web import catalogues
from synapse_nextgen_auth.web.pages.content import BRANDS
from synapse_nextgen_auth.web.pages.records import PAGES
from synapse_nextgen_auth.web.pages.samples import samples_of
from synapse_nextgen_auth.web.translations import ENGLISH

SHIPPED = sorted((DIRECTORY / "languages").glob("*.po"))
EACH = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


# Names, which are the same everywhere; the words that a language shares with English are in `SAME`.
NAMES = {"Android", "ChromeOS", "Windows", "Linux", "macOS", "iOS", "iPhone", "iPad"}
# No language of ours has two of these in one sentence by chance.
ENGLISH_WORDS = re.compile(
    r"\b(the|you|your|this|with|from|have|that|which|whoever)\b", re.IGNORECASE
)
LETTERS = re.compile(r"[^\W\d_]+")
OTHER_SCRIPTS = {"ar", "el", "fa", "he", "hi", "ja", "ko", "ru", "uk", "zh-Hans", "zh-Hant"}


@cache
def template():
    """Return every message of the templates; nobody changes it."""
    return update_languages.extracted()


@cache
def shipped(path):
    """Return a catalogue that nobody changes."""
    return catalogues.parse(path)


def pairs_of(catalog):
    """Yield each message with its translation; of a plural with each of its forms."""
    for message in catalog:
        if isinstance(message.id, str) and message.id:
            yield message.id, message.string
        elif message.id:
            yield from ((message.id[-1], form) for form in message.string)


def plain(text):
    """Return what of a message is words."""
    return re.sub(r"%\(\w+\)s|<[^>]*>", " ", text)


def untranslated(catalog):
    """Return the messages that nobody has translated, or not since they changed."""
    forms = catalog.num_plurals
    return [
        message.id
        for message in catalog
        if message.id
        and (
            message.fuzzy
            or not message.string
            or (message.pluralizable and sum(map(bool, message.string)) != forms)
        )
    ]


def test_the_languages_of_the_largest_communities_are_shipped():
    wanted = "de fr es pt-BR it nl pl cs sv nb da fi et hu ro el uk ru tr ar he fa ja ko id vi hi"
    assert {*wanted.split(), "zh-Hans", "zh-Hant"} <= {path.stem for path in SHIPPED}
    assert TEMPLATES.languages.tags == tuple(sorted({ENGLISH, *(path.stem for path in SHIPPED)}))


@EACH
def test_every_message_of_the_templates_is_translated(path):
    """None is missing, none was translated from another text, none is said nowhere any more.

    `python docs/update_languages.py` adds and removes them; a person says what they mean.
    """
    catalog = shipped(path)

    assert {(m.id, m.context) for m in catalog} == {(m.id, m.context) for m in template()}
    assert untranslated(catalog) == []
    assert not catalog.obsolete


@EACH
def test_a_catalogue_is_as_the_script_writes_it(path):
    """So a change of one message changes its lines alone."""
    written = update_languages.updated(catalogues.parse(path), template())

    assert path.read_bytes() == written


@EACH
def test_nothing_is_left_in_english_by_accident(path):
    """A message that is the same is a name, or one that somebody looked at (`SAME`)."""
    same, english, latin = set(), [], []
    for message, text in pairs_of(shipped(path)):
        words = " ".join(LETTERS.findall(plain(text)))
        if not LETTERS.search(plain(message)) or message in NAMES:
            continue
        if text == message:
            same.add(message)
        if len({each.lower() for each in ENGLISH_WORDS.findall(plain(text))}) > 1:
            english.append(text)
        is_named = set(words.split()) <= {*NAMES, "Mac", "Matrix"}
        if path.stem in OTHER_SCRIPTS and text != message and words.isascii() and not is_named:
            latin.append(text)

    assert same == SAME.get(path.stem, set())
    assert english == []
    assert latin == []


def test_a_sentence_that_stayed_english_is_found():
    """As the test before finds it."""
    left = [m.id for m in template() if isinstance(m.id, str)]
    found = [text for text in left if len(set(ENGLISH_WORDS.findall(plain(text)))) > 1]

    assert len(found) > 200


@EACH
def test_c199_every_message_fits_the_english(path):
    """The same placeholders and the same markup, so that none is left out when it is read."""
    faults = [(m.id, fault) for m in shipped(path) if m.id if (fault := catalogues.fault_of(m))]

    assert faults == []
    assert catalogues.read(path).faults == ()


@EACH
def test_a_catalogue_is_of_a_language_that_there_is(path):
    """The name of the file is a tag as RFC 5646 writes it, and the CLDR knows its plurals."""
    known = Locale.parse(path.stem, sep="-")

    assert is_tag(path.stem)
    assert str(known).replace("_", "-") == path.stem
    assert f"Plural-Forms: {Catalog(locale=known).plural_forms}" in _joined(path)


def _joined(path):
    """Return the text of a file in which long lines were broken."""
    return path.read_text("utf-8").replace('\\n"\n"', "\n").replace('"\n"', "")


@EACH
def test_every_page_can_be_read_in_every_language(path):
    """In the language and the direction that it says; a browser looks at every sample elsewhere."""
    direction = Locale.parse(path.stem, sep="-").text_direction
    for page in PAGES:
        html = Read(TEMPLATES.render(next(iter(samples_of(page).values())), lang=path.stem))
        assert html.all("html") == [{"lang": path.stem, "dir": direction}]
        assert html.open == []


# A catalogue with other markup than the English is refused, so that few stand for all.
@pytest.mark.parametrize("tag", ["ar", "de"])
def test_c198_hostile_text_stays_text_in_another_language(tag):
    """Whatever a field holds, a translated page has the same tags and attributes as before."""
    payload = "</p><svg onload=alert(1)>\"'%(server_name)s{{7*7}}%s</bdi>"

    def change(name, value):
        if name in {"provider_id", "last_provider"} or value in BRANDS:
            return value
        is_link = name.endswith(("uri", "url")) or name == "action"
        return "https://example.com/%(x)s" if is_link else payload

    for page in PAGES:
        for sample in samples_of(page).values():
            friendly, hostile = (
                Read(TEMPLATES.render(shown, lang=tag))
                for shown in (sample, every_field(sample, change))
            )
            assert hostile.shape == friendly.shape


def test_c199_a_quotation_mark_ends_no_attribute(tmp_path):
    """Wherever a sentence stands: a translator who writes one changes neither tags nor attributes."""
    marks = "\" onfocus='alert(1)'"

    def marked(text):
        return text + marks if isinstance(text, str) else tuple(each + marks for each in text)

    said = {m.id: marked(m.id) for m in template() if m.id and not m.context}
    templates = templates_with(tmp_path, sv=said)
    for page in PAGES:
        for sample in samples_of(page).values():
            plainly, with_marks = (
                Read(templates.render(sample, lang=lang)) for lang in (ENGLISH, "sv")
            )
            assert with_marks.shape == plainly.shape
            assert marks in with_marks.text()


def test_the_script_keeps_what_was_translated(tmp_path):
    """And marks what was translated from another text, drops what is not said any more."""
    write(
        tmp_path / "sv.po",
        {"Sign in": "Logga in", "Sign out!": "Logga ut!", "Gone": "Borta"},
        locale="sv",
    )
    template = Catalog()
    for message in ("Sign in", "Sign out", "New"):
        template.add(message)
    (tmp_path / "new.po").write_bytes(
        update_languages.updated(catalogues.parse(tmp_path / "sv.po"), template)
    )
    (tmp_path / "new.po").rename(tmp_path / "sv.po")
    found = catalogues.parse(tmp_path / "sv.po")

    assert {m.id: (m.string, m.fuzzy) for m in found if m.id} == {
        "Sign in": ("Logga in", False),
        "Sign out": ("Logga ut!", True),
        "New": ("", False),
    }
    assert not found.obsolete
    assert untranslated(found) == ["Sign out", "New"]


@pytest.mark.parametrize(
    ("forms", "is_whole"),
    [(("a", "b"), True), (("a", ""), False), (("", ""), False), (("a",), False)],
)
def test_every_form_of_a_number_is_translated(forms, is_whole):
    """One that is missing would be shown in English, for some numbers only."""
    catalog = Catalog(locale="de")
    catalog.add(("a day", "%(num)s days"), forms)

    assert (untranslated(catalog) == []) == is_whole


@pytest.mark.parametrize(
    ("message", "string", "fits"),
    [
        ("a %(b)s", "A %(b)s", True),
        ("a %(b)s %(c)s", "A %(c)s %(b)s", True),
        ("a %(b)s", "", True),
        ("100 %%", "100 %%", True),
        ("100 %%", "100 %", False),
        ("a %(b)s", "A", False),
        ("a", "A %(b)s", False),
        ("a %(b)s", "A %(b)d", False),
        ("a <b>b</b>", "A <b>B</b>", True),
        ("a <b>b</b>", "A <b>B<b>", False),
        ("a <b>b</b>", "A B", False),
        ("a", "A <script>", False),
        ("a", "A <form action=https://x.example ", False),
        ("a", "A> ", False),
        ("a <b>b</b>", "A <b>B</b> <", False),
        ("a", "A &lt;B&gt;", True),
        (("%(num)s day", "%(num)s days"), ("ein Tag", "%(num)s Tage"), True),
        (("%(num)s day", "%(num)s days"), ("ein Tag", "Tage %(n)s"), False),
        (("a day", "%(num)s days"), ("ein Tag", "%(num)s Tage"), True),
    ],
)
def test_what_fits(message, string, fits):
    """Placeholders and markup are compared, whatever the words are."""
    assert (catalogues.fault_of(Message(message, string)) is None) == fits


@pytest.mark.parametrize("tag", ["pt-BR", "de", "de-AT", "zh-Hant", "cy"])
def test_a_new_catalogue_is_named_by_its_tag(tag):
    assert update_languages.checked(tag) == tag


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("pt_br", "pt-BR"),
        ("DE", "de"),
        ("zh-hant", "zh-Hant"),
        ("deu", "de"),
        ("ca_ES", "ca-ES"),
        ("iw", "he"),
        ("eng", "en"),
    ],
)
def test_a_tag_that_is_written_otherwise_is_told_as_it_is_written(tag, name, tmp_path):
    """A file of another name than was typed would hide the one that is meant."""
    with pytest.raises(SystemExit, match=f"{tag}: the tag of that language is written {name}[.]"):
        update_languages.main([tag], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tag", ["zz", "xx_YY", "../x", ""])
def test_what_is_no_language_is_told_in_a_sentence(tag):
    """Before anything is written."""
    with pytest.raises(SystemExit, match="no language that Babel knows"):
        update_languages.checked(tag)


def test_what_changed_is_printed_and_nothing_else(tmp_path, capsys):
    """Whoever begins a language sees which file is theirs; English has none."""
    for tag in ("de", "fi"):
        (tmp_path / f"{tag}.po").write_bytes((DIRECTORY / "languages" / f"{tag}.po").read_bytes())
    with (tmp_path / "fi.po").open("a") as file:
        file.write('\nmsgid "What nobody says any more"\nmsgstr "Turha"\n')
    update_languages.main(["cy"], tmp_path)

    assert capsys.readouterr().out == f"{tmp_path}/cy.po is new\n{tmp_path}/fi.po\n"
    with pytest.raises(SystemExit, match="English is what the templates say"):
        update_languages.main(["en"], tmp_path)
    assert not (tmp_path / "en.po").exists()
