"""Take the pictures that README and docs show, of the pages as they are now.

    python docs/take_pictures.py

Needs what the tests need, and Chromium. A test says when a page looks another way than its picture: what
each was made of stands in `docs/pictures/index.json`.
"""  # noqa: INP001 - a script beside the pages, not a package

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import attrs

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests"))
PICTURES = DOCS / "pictures"
INDEX = PICTURES / "index.json"
DESK, PHONE = (760, 760), (320, 640)


@attrs.frozen
class Picture:
    """A sample of a page, as somebody sees it: `size` in CSS pixels."""

    sample: str
    size: tuple[int, int] = DESK
    scheme: str = "light"
    lang: str = "en"


PICTURES_OF = {
    "sign-in": Picture("SignInPage ways"),
    "sign-in-dark": Picture("SignInPage ways", scheme="dark"),
    "account": Picture("OverviewPage plain", (1080, 760)),
    "account-dark": Picture("OverviewPage plain", (1080, 760), scheme="dark"),
    "consent": Picture("ConsentPage plain", PHONE),
    "devices": Picture("DevicesPage everything", PHONE),
    "factor": Picture("FactorPage plain", PHONE, scheme="dark"),
    "arabic": Picture("SignInPage plain", PHONE, lang="ar"),
    "device-code": Picture("DeviceGrantPage plain", PHONE),
}


def made_of(picture: Picture) -> str:
    """Return the page of a picture in one piece."""
    from support import gallery  # noqa: PLC0415 (after the path was set)

    html: str = gallery.whole(picture.sample, picture.lang)
    return html


def digest(picture: Picture) -> str:
    """Return what tells whether a picture is of the page as it is now."""
    seen = f"{picture.size} {picture.scheme} {made_of(picture)}"
    return hashlib.sha256(seen.encode("utf-8")).hexdigest()


def take(browser: Any, name: str, picture: Picture) -> None:
    """Write one picture."""
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=picture.scheme
    )
    page = context.new_page()
    page.set_content(made_of(picture))
    page.screenshot(path=PICTURES / f"{name}.png")
    context.close()


def main() -> None:
    """Take all of them, and write down what they were made of."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (the test finds it missing, too)

    from support.chromium import FLAGS  # noqa: PLC0415 (after the path was set)

    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        found = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=found, args=[*FLAGS])
        for name, picture in PICTURES_OF.items():
            take(browser, name, picture)
        browser.close()
    digests = {name: digest(picture) for name, picture in PICTURES_OF.items()}
    INDEX.write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
