"""What a client may send people to our account pages for (CS API, account management; MSC4191)."""

import enum
import re
from urllib.parse import urlencode

import attrs


class Action(str, enum.Enum):
    """The actions that our pages know; the value is what clients put into the URL."""

    DEVICES_LIST = "org.matrix.devices_list"
    DEVICE_VIEW = "org.matrix.device_view"
    DEVICE_DELETE = "org.matrix.device_delete"


# What the same actions were called before the specification took them up.
_FORMER = {
    "org.matrix.sessions_list": Action.DEVICES_LIST,
    "org.matrix.session_view": Action.DEVICE_VIEW,
    "org.matrix.session_end": Action.DEVICE_DELETE,
    "sessions_list": Action.DEVICES_LIST,
    "session_view": Action.DEVICE_VIEW,
    "session_end": Action.DEVICE_DELETE,
}
_MAX_DEVICE_ID = 512
_SESSION = re.compile("[0-9a-f]{32}")


@attrs.frozen
class ActionRequest:
    """What somebody came to the account page for."""

    action: Action = Action.DEVICES_LIST
    device_id: str | None = None
    session: str | None = None

    @classmethod
    def read(
        cls, action: str | None, device_id: str | None, session: str | None = None
    ) -> "ActionRequest":
        """Read it from a link; what we do not know, or lacks its device, shows the list.

        `session` is ours alone: it names a session without a device.
        """
        if session is not None and _SESSION.fullmatch(session):
            return cls(session=session)
        known = {item.value: item for item in Action} | _FORMER
        wanted = known.get(action or "", Action.DEVICES_LIST)
        if not device_id or len(device_id) > _MAX_DEVICE_ID:
            return cls()
        return cls(wanted, device_id) if wanted is not Action.DEVICES_LIST else cls()

    @property
    def query(self) -> str:
        """The link's query, written anew from what was understood."""
        if self.session is not None:
            return urlencode({"session": self.session})
        if self.device_id is None:
            return urlencode({"action": self.action.value})
        return urlencode({"action": self.action.value, "device_id": self.device_id})
