"""Forms that come to us stay as they are: we read them from the raw bytes (`web/forms.py`).

Twisted reads the form of every POST before anybody knows whom it is for, and throws a fifth of a
refresh's time at ours for nothing. It reads no form of a body that is not there, and takes the place
where the file with the body stands for its length.
"""

from synapse.http.site import SynapseRequest

from synapse_nextgen_auth.homeserver.startup import patches

# What Synapse asks of the length last of all before Twisted reads; not there before 1.145, where forms
# are read twice as ever.
_LAST = "_validate_content_length"


def leave_alone(prefix: str) -> None:
    """Let Twisted read no form that is posted below this path; all others it reads as ever."""
    check = getattr(SynapseRequest, _LAST, None)
    if check is None or check.__module__ == __name__:  # of another homeserver in this process
        return
    ours = prefix.encode("ascii") + b"/"

    def checked(request: SynapseRequest) -> None:
        check(request)
        if request.method == b"POST" and request.uri.startswith(ours) and request.content:
            request.content.seek(0)

    patches.instead(SynapseRequest, _LAST, checked)
