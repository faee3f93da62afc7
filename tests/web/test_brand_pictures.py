"""Logos are pictures and nothing else: what could run, load or lead anywhere is refused by its name."""

import os
import re

import pytest

from support.brand import chunk, png
from synapse_nextgen_auth.web.brand import pictures
from synapse_nextgen_auth.web.brand.pictures import PictureRefused

SVG = "http://www.w3.org/2000/svg"
GOOD = f'<svg xmlns="{SVG}" viewBox="0 0 160 28"><path d="M0 0h160v28z" fill="#7a3e9d"/></svg>'


def svg(inside="", attributes='viewBox="0 0 9 9"', before=""):
    """Return an SVG file with something in it."""
    return (
        f'{before}<svg xmlns="{SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" {attributes}>'
        f"{inside}</svg>"
    ).encode()


@pytest.mark.parametrize(
    ("content", "content_type", "size"),
    [
        (png(), "image/png", (32, 32)),
        (png(640, 112), "image/png", (640, 112)),
        (png(32, 32, chunk(b"tEXt", b"Author\0me")), "image/png", (32, 32)),
        (GOOD.encode(), "image/svg+xml", (160, 28)),
        (b"\xef\xbb\xbf" + GOOD.encode(), "image/svg+xml", (160, 28)),
        (f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- a -->\n{GOOD}'.encode(), "image/svg+xml",
         (160, 28)),
        (svg(attributes='width="40px" height="20px"'), "image/svg+xml", (40, 20)),
        (svg(attributes='width="100%" height="100%" viewBox="-5,-5 40,10"'), "image/svg+xml",
         (40, 10)),
        (svg(attributes='width="4cm" height="10mm" viewBox="0 0 40 10"'), "image/svg+xml", (40, 10)),
        (svg('<defs><linearGradient id="a"><stop/></linearGradient></defs>'
             '<use href="#a" xlink:href="#a"/><rect fill="url(#a)" style="fill:url( \'#a\' )"/>'),
         "image/svg+xml", (9, 9)),
        (svg("<style>.a{fill:red} @media (prefers-color-scheme:dark){.a{fill:url(#b)}}</style>"),
         "image/svg+xml", (9, 9)),
        (svg('<image href="data:image/png;base64,iVBORw0KGgo="/>'), "image/svg+xml", (9, 9)),
        (svg('<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
             ' rdf:about="http://example.com/"/></metadata>'), "image/svg+xml", (9, 9)),
        (svg('<i:namedview xmlns:i="http://www.inkscape.org/namespaces/inkscape" i:x="C:\\a"/>'),
         "image/svg+xml", (9, 9)),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, bytes) else None,
)  # fmt: skip
def test_a_picture_is_known_by_what_is_in_it(content, content_type, size):
    """As programs that draw write it; an SVG has the size that browsers give it."""
    picture = pictures.of(content)

    assert (picture.content_type, (picture.width, picture.height)) == (content_type, size)
    assert picture.content == content
    assert picture.suffix in content_type


# Ten times ten times ten …, in less than a kilobyte.
USES = '<path id="a0"/>' + "".join(
    f'<g id="a{n + 1}">{f"""<use href="#a{n}"/>""" * 10}</g>' for n in range(8)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (svg("<script>alert(1)</script>"), "has the element <script>"),
        (svg('<script href="https://evil.example/a.js"/>'), "has the element <script>"),
        (svg("<g><g><script/></g></g>"), "has the element <script>"),
        (svg("<SCRIPT/>"), "has the element <SCRIPT>"),
        (svg('<s:script xmlns:s="http://www.w3.org/2000/svg"/>'), "has the element <script>"),
        (svg('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>'), "has the element <script>"),
        (svg('<h:img xmlns:h="http://www.w3.org/1999/xhtml" src="x"/>'), "has the element <img>"),
        (svg('<x xmlns="http://www.w3.org/1998/Math/MathML"/>'), "has the element <x>"),
        (svg('<x xmlns=""/>'), "has the element <x>"),
        (svg("<foreignObject><b/></foreignObject>"), "has the element <foreignObject>"),
        (svg('<a href="https://evil.example/"><path/></a>'), "has the element <a>"),
        (svg('<animate attributeName="href" to="javascript:alert(1)"/>'), "the element <animate>"),
        (svg('<set attributeName="onload" to="alert(1)"/>'), "has the element <set>"),
        (svg("<iframe/>"), "has the element <iframe>"),
        (svg("<handler/>"), "has the element <handler>"),
        (svg("<cursor/>"), "has the element <cursor>"),
        (svg("<font-face/>"), "has the element <font-face>"),
        (svg('<metadata><r:x xmlns:r="http://ns.adobe.com/a"><script/></r:x></metadata>'),
         "has the element <script>"),
        (svg(attributes='viewBox="0 0 9 9" onload="alert(1)"'), "has <svg onload>"),
        (svg('<path onclick="alert(1)"/>'), "has <path onclick>"),
        (svg('<path ONFOCUS="alert(1)"/>'), "has <path ONFOCUS>"),
        (svg('<use href="https://evil.example/a.svg#a"/>'), "has <use href> to something outside"),
        (svg('<use xlink:href="//evil.example/a.svg#a"/>'), "has <use href> to something outside"),
        (svg('<use href="data:image/svg+xml,&lt;svg/&gt;"/>'), "has <use href>"),
        (svg('<image href="a.png"/>'), "has <image href> to something outside"),
        (svg('<image href="data:image/svg+xml;base64,AAAA"/>'), "has <image href>"),
        (svg('<image href="data:text/html;base64,AAAA"/>'), "has <image href>"),
        (svg('<feImage href="https://evil.example/"/>'), "has the element <feImage>"),
        (svg('<use href=" java&#10;script:alert(1)"/>'), "has <use href> to something outside"),
        (svg('<g xml:base="https://evil.example/"/>'), "has <g base>"),
        (svg('<rect fill="url(https://evil.example/#a)"/>'), "has 'url(' in <rect fill>"),
        (svg('<rect style="fill: URL( &quot;//evil.example&quot;)"/>'), "in <rect style>"),
        (svg('<rect style="fill:u\\72l(//evil.example)"/>'), "has '\\\\' in <rect style>"),
        (svg("<style>@import 'https://evil.example/a.css';</style>"), "has '@import' in <style>"),
        (svg("<style>@im<!-- -->port 'a'; a{b:url(a.png)}</style>"), "in <style>"),
        (svg("<style>a{b:url(<![CDATA[//evil.example]]>)}</style>"), "has 'url(' in <style>"),
        (svg("<style>ur<style></style>l(//evil.example)</style>"), "has <style> in <style>"),
        (svg("<style><g>@import '//evil.example';</g></style>"), "has <g> in <style>"),
        (svg("<style>@font-face{src:url(#a)}</style>"), "has '@font-face' in <style>"),
        (svg("<style>a{background:image-set('a.png' 1x)}</style>"), "has 'image-set' in <style>"),
        (svg("<style>@keyframes a{}</style>"), "has '@keyframes' in <style>"),
        (svg(before='<?xml-stylesheet href="https://evil.example/a.css"?>'),
         "has the instruction <?xml-stylesheet?>"),
        (svg("<?php x ?>"), "has the instruction <?php?>"),
        (svg(before='<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/a.dtd">'),
         "has a DOCTYPE"),
        (svg("&a;", before='<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
         "has a DOCTYPE"),
        (svg("&a;", before='<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'),
         "has a DOCTYPE"),
        (svg("&a;"), "is no SVG file: undefined entity"),
        (svg("<g>" * 70 + "</g>" * 70), "has too many elements"),
        (svg("<g/>" * 5001), "has too many elements"),
        (svg(USES), "draws too much again and again"),
        (svg('<g id="a"><use href="#a"/></g>'), "draws too much again and again"),
        (svg('<pattern id="a"><rect fill="url(#a)"/></pattern>'), "draws too much again and again"),
        (svg("".join(f'<use id="a{n}" href="#a{n + 1}"/>' for n in range(600))),
         "draws too much again and again"),
        (svg("<g>"), "is no SVG file: mismatched tag"),
        (svg(attributes=""), "says no size"),
        (svg(attributes='viewBox="0 0 0 9"'), "says no size"),
        (svg(attributes='viewBox="0 0 1e400 9"'), "says no size"),
        (svg(attributes=f'width="0.{"0" * 310}1" height="0.{"0" * 310}1"'), "says no size"),
        (svg(attributes='viewBox="a b c d"'), "says no size"),
        (b"<svg viewBox='0 0 9 9'/>", "does not begin with <svg>"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "does not begin with <svg>"),
        (b"<!doctype html><script>alert(1)</script>", "is no SVG file: syntax error"),
        (f'<?xml version="1.0" encoding="UTF-7"?>{GOOD}'.encode(), "is no SVG file: "),
        (GOOD.encode("utf-16"), "is neither an SVG nor a PNG file"),
        (b"<", "is no SVG file"),
        (b"", "is neither"),
        (b"GIF89a", "is neither"),
        (b"\xff\xd8\xff\xe0", "is neither"),
        (b"\x00\x00\x01\x00", "is neither"),
        (svg(" " * 25_000), "is larger than 24 kB"),
        (png(15, 32), "is 15 by 32 pixels"),
        (png(16, 2049), "is 16 by 2049 pixels"),
        (png(0, 16), "is a PNG file that is damaged"),
        (png()[:-4], "is a PNG file that is damaged"),
        (png()[:30], "is a PNG file that is damaged"),
        (png()[:40], "is a PNG file that is damaged"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG file that is damaged"),
        (png().replace(b"IDAT", b"IDAx"), "is a PNG file that is damaged"),
        (png() + b"<script>alert(1)</script>", "is a PNG file that is damaged"),
        (png(32, 32, chunk(b"acTL", b"\0" * 8)), "moves"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, bytes) else None,
)  # fmt: skip
def test_c163_what_is_more_than_a_picture_is_refused(content, words):
    """By the name of what it has, so that it can be taken out."""
    with pytest.raises(PictureRefused, match=re.escape(words)):
        pictures.of(content)


def test_all_that_is_wrong_is_said_at_once_and_each_thing_once():
    """Whoever saves it anew wants to know all of it."""
    evil = svg(
        '<script/><script/><g onclick="x()"/><a href="https://x.example/"/><style>@import "x";</style>',
        attributes="",
    )
    with pytest.raises(PictureRefused) as refused:
        pictures.of(evil)

    assert [each.partition(",")[0] for each in refused.value.reasons] == [
        "has the element <script>",
        "has <g onclick>",
        "has the element <a>",
        "has <a href> to something outside: all of a logo is in its file",
        "has '@import' in <style>",
        "says no size: give <svg> a viewBox",
    ]
    with pytest.raises(PictureRefused) as refused:
        pictures.of(svg("".join(f"<x{n}/>" for n in range(100))))
    assert len(refused.value.reasons) == 20


def test_what_is_drawn_a_few_times_is_taken():
    """As programs write it: a symbol that is used, a gradient that many have."""
    used = '<symbol id="a"><path/></symbol>' + '<use href="#a"/>' * 100
    shared = '<linearGradient id="b"><stop/></linearGradient>' + '<path fill="url(#b)"/>' * 100

    assert pictures.of(svg(used + shared)).width == 9


@pytest.mark.parametrize(("inside", "has"), [("<text>Meadow</text>", True), ("<path/>", False)])
def test_letters_are_noted(inside, has):
    """They look otherwise on each device."""
    assert pictures.of(svg(inside)).has_letters is has


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0" + b" " * 90_000, "JPEG"),
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\n\0WEBPVP8 ", "WebP"),
    ],
)
def test_a_picture_of_another_kind_is_named(content, kind):
    """Whatever its name ends in."""
    with pytest.raises(PictureRefused, match=f"it is a {kind}, save it as PNG"):
        pictures.of(content)


def test_the_file_that_cannot_be_used_is_named(tmp_path):
    """Whatever is wrong with it."""
    evil = tmp_path / "evil.svg"
    evil.write_bytes(svg("<script/>"))

    with pytest.raises(PictureRefused, match=re.escape(f"{evil} has the element <script>")):
        pictures.read(str(evil))
    for name in (str(tmp_path / "none.svg"), f"{tmp_path}/a\0b"):
        with pytest.raises(PictureRefused, match="cannot read "):
            pictures.read(name)
    os.mkfifo(tmp_path / "pipe.svg")
    for path in (tmp_path, tmp_path / "pipe.svg"):
        with pytest.raises(PictureRefused, match=f"{path} is not a regular file"):
            pictures.read(str(path))


@pytest.mark.parametrize(
    ("size", "shown"),
    [((160, 28), (160, 28)), ((640, 112), (160, 28)), ((32, 32), (28, 28)), ((1000, 10), (160, 2)),
     ((16, 2048), (1, 28)), ((0.5, 0.5), (28, 28))],
)  # fmt: skip
def test_a_logo_fills_its_line_and_is_not_bent(size, shown):
    """Its size is known before it is there, so nothing moves when it comes."""
    assert pictures.Picture(b"", "image/png", *size).shown_in(160, 28) == shown
