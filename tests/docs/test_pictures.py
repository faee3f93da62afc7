"""The pictures of the documentation are of the pages as they are."""

import importlib.util
import json
import re

import pytest

from support.markdown import DOCS, ROOT


def _command():
    spec = importlib.util.spec_from_file_location("take_pictures", DOCS / "take_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


take_pictures = _command()
TAKEN = json.loads(take_pictures.INDEX.read_text("utf-8"))
SHOWN = {
    found
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]
    for found in re.findall(r"pictures/([\w-]+)\.png", page.read_text("utf-8"))
}


@pytest.mark.parametrize("name", take_pictures.PICTURES_OF)
def test_a_picture_is_of_the_page_as_it_is(name):
    """Otherwise `python docs/take_pictures.py` takes it anew."""
    assert TAKEN[name] == take_pictures.digest(take_pictures.PICTURES_OF[name])


def test_every_picture_is_there_and_shown_and_small():
    files = {path.stem: path.stat().st_size for path in take_pictures.PICTURES.glob("*.png")}

    assert files.keys() == TAKEN.keys() == take_pictures.PICTURES_OF.keys() == SHOWN
    assert max(files.values()) < 130_000
