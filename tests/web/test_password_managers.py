"""What password managers make of our forms, by the rules that two of them go by.

Bitwarden tells fields by their type, then by names in lists (`autofill-constants.ts` of its browser
extension); KeePassXC-Browser takes a field for a one-time code by its `autocomplete`, or by parts of its
id and name (`totp-field.js`). Both look at what is on the page, whatever its language.
"""

import re
from html.parser import HTMLParser

import attrs
import pytest

from support import gallery
from support.pages import TEMPLATES

TEXTS = {"text", "email", "tel", "number"}
# Bitwarden: a password field whose names have one of these is none.
NO_PASSWORD = re.compile(
    "hint|captcha|findanything|forgot|totp|totpcode|2facode|approvals_code|mfacode|otc-code|onetimecode"
    "|otp-code|otpcode|onetimepassword|security_code|second-factor|twofactor|twofa|verificationcode"
)
# KeePassXC-Browser: a field with one of these in its id or name takes a one-time code, unless it has
# one of the others.
TAKES_CODES = re.compile(
    "2fa|2fpin|auth|challenge|code|idvpin|mfa|one_time_password|otp|token|twofa|two-factor|twofactor"
    "|verification_pin"
)
NO_CODES = re.compile(
    "email|password|username|(bank|coupon|postal|user|zip).*code|comment|author|error"
)


@attrs.frozen
class Field:
    """An input as a password manager sees it."""

    name: str
    its_id: str
    type: str
    autocomplete: frozenset
    is_hidden: bool
    longest: int | None = None

    @classmethod
    def of(cls, found):
        """Return it of the attributes of an element."""
        kind = found.get("type", "text")
        return cls(
            name=found.get("name") or "",
            its_id=found.get("id") or "",
            type=kind,
            autocomplete=frozenset((found.get("autocomplete") or "").split()),
            is_hidden=kind == "hidden" or "hidden" in found,
            longest=int(found["maxlength"]) if "maxlength" in found else None,
        )

    @property
    def names(self):
        return f"{self.name} {self.its_id}".lower()

    @property
    def is_for_codes_of_an_app(self):
        """Whether KeePassXC-Browser fills a one-time code in."""
        if "one-time-code" in self.autocomplete:
            return True
        is_one = self.type in {*TEXTS, "password"} - {"email"} and TAKES_CODES.search(self.names)
        fits = self.longest is None or self.longest >= 4
        return bool(is_one and fits and not NO_CODES.search(self.names) and not self.is_hidden)


class Forms(HTMLParser):
    """The fields of each form of a page."""

    def __init__(self, html):
        super().__init__()
        self.forms = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Keep the inputs of the form that is open."""
        if tag == "form":
            self.forms.append([])
        elif tag == "input" and self.forms:
            self.forms[-1].append(Field.of(dict(attrs)))


FORMS = {
    f"{name} {number}": fields
    for name, sample in gallery.SAMPLES.items()
    for number, fields in enumerate(Forms(TEMPLATES.render(sample)).forms)
}
WITH_PASSWORD = {
    name: fields
    for name, fields in FORMS.items()
    if any({"current-password", "new-password"} & field.autocomplete for field in fields)
}


def test_there_are_forms_to_look_at():
    assert len(WITH_PASSWORD) > 50
    assert len(FORMS) > 400


@pytest.mark.parametrize("name", WITH_PASSWORD)
def test_c391_a_password_has_the_name_that_it_belongs_to(name):
    """A field before it says whose it is, also where nobody types that: it is saved with that name."""
    fields = WITH_PASSWORD[name]
    [password] = [
        each for each in fields if {"current-password", "new-password"} & each.autocomplete
    ]
    [username] = [each for each in fields if "username" in each.autocomplete]

    assert password.type == "password"
    assert not NO_PASSWORD.search(password.names)
    assert fields.index(username) < fields.index(password)
    assert username.is_hidden or username.type in TEXTS
    assert username.its_id or username.name


def test_c391_one_time_codes_are_asked_for_where_they_are_and_nowhere_else():
    """No manager types the code of an app into a field for something else."""
    marked, taken = set(), set()
    for name, fields in FORMS.items():
        for field in fields:
            if "one-time-code" in field.autocomplete:
                marked.add((name.split()[0], field.name))
            if field.is_for_codes_of_an_app:
                taken.add((name.split()[0], field.name))

    assert ("FactorPage", "code") in marked
    # The token of a sign-up: whoever has no account yet has no app for it either.
    assert taken - marked == {("SignUpPage", "token")}


def test_c391_a_recovery_code_is_no_code_of_an_app():
    """Bitwarden knows it by its name, too."""
    [field] = {
        field
        for name, fields in FORMS.items()
        if name.startswith("FactorPage")
        for field in fields
        if "recovery" in field.names
    }

    assert not field.is_for_codes_of_an_app
    assert "off" in field.autocomplete
