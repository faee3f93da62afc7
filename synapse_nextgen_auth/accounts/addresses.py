"""Addresses of mailboxes: what somebody types is one address in one spelling, or none (C257).

Look-up and delivery go by the same text, so nobody is found by one spelling and written to by another.
It is Synapse's own spelling (MSC2265) wherever both know the address; a domain in other letters becomes
what the domain name system knows it by (RFC 5891).
"""

import re

LONGEST = 254  # RFC 5321 section 4.5.3.1.3, with the brackets

# What no header of a mail reads as anything else than one mailbox.
_PLAIN = re.compile(r"""[!-~]+@[!-~]+""")
_MARKS = frozenset(',;:<>()"\\')
_OWN = ("local", "localhost", "test")


def deliverable(kept: str) -> str | None:
    """Return to what mail goes for an address of an account; `None` where it would go to another one.

    Synapse keeps whatever has an @ in it, and its sender reads it as the header of a mail.
    """
    if kept.count("@") != 1:
        return None
    is_plain = _PLAIN.fullmatch(kept) is not None and not _MARKS & set(kept)
    return kept if is_plain else canonical(kept)


def canonical(typed: str) -> str | None:
    """Return the one address that somebody typed; `None` where it is none that mail goes to.

    Mail goes through Synapse, which writes addresses in ASCII: so a name before the @ in other letters
    is none here.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 (its expressions take a while)

    address = typed.strip()
    if not address.isprintable() or not 0 < len(address) <= LONGEST:
        return None
    # What no mail server of the internet may be called is what one of one's own network may be.
    suffix = ".example" if address.rpartition("@")[2].lower().endswith(_OWN) else ""
    try:
        # Nobody asks the domain name system: a mail server does that, later and elsewhere.
        found = validate_email(
            address + suffix,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            check_deliverability=False,
            globally_deliverable=False,
            strict=True,
        )
    except EmailNotValidError:
        return None
    canonical = f"{found.ascii_local_part}@{found.ascii_domain}".lower().removesuffix(suffix)
    return canonical if len(canonical) <= LONGEST else None
