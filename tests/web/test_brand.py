"""Pages and mails under an operator's name: what is shown, in which language, what is refused."""

import re

import attrs
import pytest

from support import brand as brands
from support.brand import png
from support.gallery import SAMPLES
from support.pages import BASE, TEMPLATES, Read
from synapse_nextgen_auth import config
from synapse_nextgen_auth.accounts.mail.letters import SAMPLES as LETTERS
from synapse_nextgen_auth.accounts.mail.letters import Letter
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.web import mails
from synapse_nextgen_auth.web.brand import brand
from synapse_nextgen_auth.web.pages.sign_in.samples import SIGN_IN
from synapse_nextgen_auth.web.pages.sign_up.page import SignUpPage
from synapse_nextgen_auth.web.pages.sign_up.samples import SAMPLES as SIGN_UP_SAMPLES
from synapse_nextgen_auth.web.templates import Templates, shipped
from synapse_nextgen_auth.web.translations import Languages

# One sample of each page.
FIRST = list({name.partition(" ")[0]: name for name in reversed(SAMPLES)}.values())


@pytest.fixture(scope="module")
def branded(tmp_path_factory):
    """Return the pages of a complete brand."""
    return brands.templates(**brands.options(tmp_path_factory.mktemp("brand")))


def test_the_name_stands_where_the_servers_name_stood(branded):
    """In the head, the title and sentences; the foot says which server it is, still."""
    page = Read(branded.render(SIGN_IN))

    assert page.text("title") == "Sign in · Example <Chat>"
    assert page.text("header") == "Example <Chat>"
    assert "with your account on Example <Chat>" in page.text("main")
    assert page.text("footer").startswith("Account service of the Matrix server example.org")


@pytest.mark.parametrize(
    ("lang", "name", "privacy", "welcome", "spoken"),
    [
        ("en", "Example <Chat>", "privacy", "Hello <b>you</b>, & welcome.", None),
        ("de", "Beispiel-Chat", "datenschutz", "Hallo.", None),
        # English is for everybody else, and screen readers are told so.
        ("ar", "Example <Chat>", "privacy", "Hello <b>you</b>, & welcome.", "en"),
    ],
)
def test_every_text_is_in_the_readers_language(branded, lang, name, privacy, welcome, spoken):
    page = Read(branded.render(SIGN_IN, lang=lang))
    (words,) = (found for found in page.all("div") if found.get("class") == "welcome")
    links = [found["href"] for found in page.feet if "href" in found]

    assert page.text("header") == name
    assert f"https://example.com/{privacy}" in links
    assert welcome in page.text("main")
    assert words.get("lang") == spoken


def test_a_text_for_everybody_says_nothing_of_its_language():
    """Nobody knows which one it is. Of several without English the first is for everybody else."""
    one = brands.templates(welcome={"sign_in": "Salut"}).render(SIGN_IN, lang="de")
    first = brands.templates(name={"fr": "Fr", "it": "It"}).render(SIGN_IN, lang="de")
    written = config.read({"branding": {"name": {"en": "En", "fr": "Fr"}}}).branding
    default = Templates(BASE, brand=brand.read(written, default="fr").brand)

    assert '<div class="welcome" dir="auto">' in one
    assert Read(first).text("header") == "Fr"
    assert Read(default.render(SIGN_IN, lang="de")).text("header") == "Fr"
    assert Read(default.render(SIGN_IN, lang="en")).text("header") == "En"


def test_words_about_signing_up_are_for_who_may():
    """Nobody is welcomed to a page that has nothing for them."""
    of_sign_up = brands.templates(welcome={"sign_up": "Join us"})
    shown = {
        name: "Join us" in of_sign_up.render(page)
        for name, page in SIGN_UP_SAMPLES[SignUpPage].items()
        if name in {"plain", "closed", "closed_alone"}
    }

    assert shown == {"plain": True, "closed": False, "closed_alone": False}


def test_c198_words_of_the_operators_are_words(branded):
    """Escaped, with their lines and paragraphs; an address in them is a link that ends where it does."""
    html = branded.render(SIGN_IN)

    assert "<p>Hello &lt;b&gt;you&lt;/b&gt;, &amp; welcome.<br>A second line.</p>" in html
    assert (
        '<p>More at <a href="https://example.com/help" target="_blank"'
        ' rel="noopener noreferrer">https://example.com/help</a>.</p>'
    ) in html


def test_c198_an_address_in_words_is_nothing_but_an_address():
    """Whatever stands in it or around it."""
    written = 'javascript:alert(1) https://e.example/"onclick="a https://e.example/<b>&x=1'
    html = brands.templates(welcome={"sign_in": written}).render(SIGN_IN)
    (words,) = re.findall(r'<div class="welcome" dir="auto">(.*?)</div>', html, re.DOTALL)

    assert re.findall(r'href="([^"]*)"', words) == ["https://e.example/", "https://e.example/"]
    assert "onclick" not in re.sub(r"&#34;onclick=&#34;a", "", words)
    assert "<b>" not in words


@pytest.mark.parametrize("name", FIRST)
def test_every_page_has_the_name_the_logo_and_the_links(branded, name):
    """And is the same but for them: nothing of a brand breaks a page."""
    plain, page = Read(TEMPLATES.render(SAMPLES[name])), Read(branded.render(SAMPLES[name]))
    links = [found["href"] for found in page.feet if "href" in found]
    pictures = [found["src"] for found in page.all("img")]

    assert links[:5] == [
        "https://example.com/imprint?a=1&b=2",
        "https://example.com/privacy",
        "https://example.com/terms",
        "mailto:support@example.com",
        "https://status.example.com/",
    ]
    assert any(url.endswith("/_logo.svg") for url in pictures)
    assert page.text("title").endswith(" · Example <Chat>")
    assert len(page.all("input", "button", "form")) == len(plain.all("input", "button", "form"))


def test_the_logo_has_its_size_and_another_one_in_the_dark(branded):
    """So that nothing moves when it comes. Beside the name it says nothing to a screen reader."""
    page = Read(branded.render(SIGN_IN))
    (dark,) = page.all("source")
    logo = next(found for found in page.all("img") if found["src"].endswith("/_logo.svg"))

    assert (logo["width"], logo["height"], logo["alt"]) == ("160", "28", "")
    assert dark["srcset"].endswith("/_logo_dark.svg")
    assert dark["media"] == "(prefers-color-scheme: dark)"
    assert (dark["width"], dark["height"]) == ("160", "28")


def test_a_logo_that_says_the_name_stands_alone(tmp_path):
    """Screen readers are told what it says."""
    page = Read(brands.templates(**brands.options(tmp_path, show_name=False)).render(SIGN_IN))
    logo = next(found for found in page.all("img") if found["src"].endswith("/_logo.svg"))

    assert logo["alt"] == "Example <Chat>"
    assert page.text("header") == ""


def test_pictures_are_files_like_ours(branded, tmp_path):
    """Each with its hash and its type (C201, C205)."""
    icon = tmp_path / "icon.png"
    icon.write_bytes(png(64, 64))
    pages = brands.templates(favicon=str(icon))
    (tab,) = (found for found in Read(pages.render(SIGN_IN)).all("link") if found["rel"] == "icon")
    logo = next(
        found["src"]
        for found in Read(branded.render(SIGN_IN)).all("img")
        if found["src"].endswith("/_logo.svg")
    )
    file = branded.static_file(logo.removeprefix(f"{BASE}/static/"))

    assert re.fullmatch(rf"{BASE}/static/[0-9a-f]{{16}}/_favicon\.png", tab["href"])
    assert tab["type"] == "image/png"
    assert pages.static_file(tab["href"].removeprefix(f"{BASE}/static/")).content == png(64, 64)
    assert file.content_type == "image/svg+xml"
    assert file.is_foreign


@pytest.mark.parametrize(("size", "is_shown"), [((64, 64), True), ((128, 64), False)])
def test_a_square_logo_is_the_icon_of_the_tab(tmp_path, size, is_shown):
    """One request less, and the same picture everywhere; a wide one would be too small there."""
    logo = tmp_path / "logo.png"
    logo.write_bytes(png(*size))
    page = Read(brands.templates(logo=str(logo)).render(SIGN_IN))
    (tab,) = (found for found in page.all("link") if found["rel"] == "icon")

    assert tab["href"].endswith("/_logo.png" if is_shown else "/icon.svg")
    assert tab["type"] == ("image/png" if is_shown else "image/svg+xml")


@pytest.mark.parametrize("accent", ["#7a3e9d", "#ffff00", "#ffffff", "#2a56c6"])
def test_our_key_is_in_the_colours_of_its_owner(accent):
    """Each of ours is another one, and stays a colour."""
    dressed = brands.read(accent=accent).brand
    content = dressed.dressed("icon.svg", (shipped() / "static" / "icon.svg").read_bytes()).decode()

    found = re.findall('fill="(.*?)"', content)
    assert found == [dressed.colour("light", "button"), dressed.colour("light", "on-button")]


def test_a_heavy_logo_is_warned_of(tmp_path):
    """It is taken, and the page is slower for it."""
    logo = tmp_path / "logo.svg"
    logo.write_text(brands.LOGO.format("red") + " " * 10_000)

    assert brands.read(logo=str(logo)).warnings == [
        "branding.logo: the file has 9 kB. With one of at most 8 kB the sign-in page stays below 40 kB,"
        " and comes quickly everywhere."
    ]


def test_letters_in_a_logo_are_warned_of(tmp_path):
    """No font is loaded for them."""
    logo = tmp_path / "logo.svg"
    logo.write_text(brands.LOGO.format("red").replace("</svg>", "<text>Meadow</text></svg>"))

    (said,) = brands.read(logo=str(logo)).warnings
    assert said.startswith(
        "branding.logo: the file has <text>, which looks otherwise on each device"
    )


def test_our_own_files_take_the_colours(branded):
    """The style sheet at its end, our key in the tab; nothing more is loaded for it."""
    plain, page = Read(TEMPLATES.render(SIGN_IN)), Read(branded.render(SIGN_IN))

    def file(pages, read, rel):
        (found,) = (link["href"] for link in read.all("link") if link["rel"] == rel)
        return pages.static_file(found.removeprefix(f"{BASE}/static/")).content

    sheet = file(branded, page, "stylesheet")
    assert sheet.startswith(file(TEMPLATES, plain, "stylesheet"))
    assert b"--button: #f5c400;\n" in sheet
    assert b"--on-button: #171b22;\n" in sheet
    assert b"#f5c400" in file(branded, page, "icon")
    assert b"#2a56c6" not in file(branded, page, "icon")
    assert len(page.all("link", "script")) == len(plain.all("link", "script"))


def test_a_page_that_is_kept_is_kept_for_its_language(branded):
    """One that is the same for many people is made once for each language, texts of the brand too."""
    common = attrs.evolve(SIGN_IN, csrf="1.a")

    for _ in range(2):
        assert "Example" in branded.render(common, lang="en")
        assert "Beispiel" in branded.render(common, lang="de")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"logo_dark": "{logo}"}, "branding.logo_dark: set logo, too"),
        ({"show_name": False}, "branding.show_name: set logo, too"),
        ({"favicon": "{logo}"}, "branding.favicon: {logo} is not square"),
        ({"logo": "/nowhere.svg"}, "branding.logo: cannot read /nowhere.svg: No such file"),
        (
            {"logo": "brand/logo.svg"},
            "branding.logo: cannot read brand/logo.svg: No such file or directory. Write the whole path",
        ),
        ({"logo": "{evil}"}, "branding.logo: {evil} has the element <script>"),
    ],
)
def test_what_cannot_be_used_is_a_problem(tmp_path, written, problem):
    """And keeps the module from starting, as everything that is wrong in the configuration."""
    files = {"logo": tmp_path / "logo.svg", "evil": tmp_path / "evil.svg"}
    files["logo"].write_text(brands.LOGO.format("red"))
    files["evil"].write_text(brands.LOGO.format("red").replace("rect", "script"))
    paths = {name: str(path) for name, path in files.items()}
    given = {
        name: value.format(**paths) if isinstance(value, str) else value
        for name, value in written.items()
    }

    (found,) = brands.read(**given).problems
    assert found.startswith(problem.format(**paths))


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("deu", "did you mean de?"),
        ("de-AT", "did you mean de?"),
        ("german", "there are in ar, cs, "),
        ("xx-YY-zz-q", "there are in ar, cs, "),
        ("de", None),
        ("zh", None),
        ("pt-br", None),
    ],
)
@pytest.mark.parametrize("option", ["name", "links.privacy", "welcome.sign_in"])
def test_words_that_no_page_can_show_are_warned_of(option, tag, hint):
    """A slip of the pen is not found otherwise: everybody is shown the first of the texts."""
    name, _, below = option.partition(".")
    texts = {"en": "https://a.example/", tag: "https://b.example/"}
    warnings = brands.read(**{name: {below: texts} if below else texts}).warnings

    if hint is None:
        assert warnings == []
    else:
        (said,) = warnings
        assert said.startswith(f"branding.{option}.{tag}: there are no pages in '{tag}'; {hint}")


def test_colours_that_were_moved_are_warned_of():
    """With the path of the option."""
    first, second = brands.read(accent="#f5c400").warnings

    assert first.startswith("branding.accent: #f5c400 cannot be read as a link in light")
    assert second.startswith("branding.accent: #f5c400 as a button in light")
    assert brands.read(accent="#7a3e9d", background="#fbf7f0").warnings == []


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function that writes a mail under a brand."""
    own = brands.read(**brands.options(tmp_path_factory.mktemp("brand"))).brand
    languages = Languages(shipped() / "languages")
    made = mails.Mails(
        mails.mail_texts.of(Config()), languages, server_name="example.org", brand=own
    )
    return lambda sample, lang="en": made.write(Letter("anna@example.com", lang, sample))


@pytest.mark.parametrize("sample", LETTERS, ids=lambda sample: sample.kind)
def test_every_mail_has_the_name_and_the_links(written, sample):
    """As plain text and as HTML."""
    mail = written(sample)

    assert ">Example &lt;Chat&gt;</bdi></p>" in mail.html
    assert "Imprint: https://example.com/imprint?a=1&b=2\n" in mail.text
    assert "\nSupport: support@example.com\n" in mail.text
    assert mail.text.endswith("Status: https://status.example.com/\n")
    assert 'href="https://example.com/imprint?a=1&amp;b=2"' in mail.html
    assert "of the Matrix server example.org. Nobody reads" in mail.text
    assert "example.org" not in mail.subject


def test_a_mail_is_in_the_colours_and_the_language(written):
    """A button of it can be read as those of pages."""
    sample = next(sample for sample in LETTERS if sample.kind == "recovery_link")
    mail = written(sample, "de")

    assert "background:#f5c400;color:#171b22;" in mail.html
    assert ".button { background: #f5c400 !important; color: #171b22 !important; }" in mail.html
    assert "Beispiel-Chat" in mail.subject
    assert "https://example.com/datenschutz" in mail.text
