"""The page about mails names every template there is."""

import re

from support.markdown import DOCS
from synapse_nextgen_auth.web.templates import shipped


def test_every_template_of_a_mail_is_explained():
    """And no other."""
    rows = [
        line
        for line in (DOCS / "topics/mail.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    named = {name for row in rows for name in re.findall(r"`(\w+\.(?:html|txt))`", row)}

    assert named == {path.name for path in (shipped() / "emails").iterdir()}
