"""Who a provider's answer is of: its own name, and how it calls the person."""

from typing import Any

from synapse_nextgen_auth.homeserver.people.providers import statements

# The ids that a provider gives its people are text; longer ones are no honest provider's (C269).
_LONGEST_ID = 255


def check_subject(found: object) -> None:
    """Raise `ValueError` for what says nobody's id; Synapse makes a text of anything (C269).

    Absent it would be "None", and everybody the same person. GitHub's are numbers.
    """
    if isinstance(found, bool) or not isinstance(found, (str, int)) or found == "":
        raise ValueError("the provider does not say who this is")


def refuse_id(remote_user_id: object) -> str | None:
    """Say what is wrong with how a provider calls somebody; otherwise it is compared byte for byte."""
    if not isinstance(remote_user_id, str) or not remote_user_id:
        return "nothing"
    if len(remote_user_id) > _LONGEST_ID:
        return "too much"
    return None if statements.is_storable(remote_user_id) else "NUL"


def is_mixed_up(request: Any, metadata: Any, others: frozenset[str] | None) -> bool:
    """Say whether an answer is not of the provider that was asked (RFC 9207 section 2.4, C262).

    Whoever says that it names itself does so. Who does not say so, and names somebody else, is somebody
    else. But what an operator calls the issuer of a provider without OpenID Connect is compared with
    nothing: there only the name of one of the `others` tells.
    """
    own = metadata.get("issuer", "")
    said = [each.decode("utf-8", "replace") for each in (request.args or {}).get(b"iss", [])]
    if metadata.get("authorization_response_iss_parameter_supported"):
        return said != [own]
    return any(each != own and (others is None or each in others) for each in said)
