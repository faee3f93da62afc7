"""One request on its way to what answers it: what is counted and written down of it."""

import logging

from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.late import Broken
from synapse_nextgen_auth.oauth.errors import OAuthError, unavailable
from synapse_nextgen_auth.oauth.wording import logged
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.site import Site

logger = logging.getLogger("synapse_nextgen_auth.web.dispatch")

STOPPING = unavailable("this process stops")
SEE_LOG = unavailable("see the log")


@frozen
class Request:
    """A request on its way; `label` is what the metrics call its path, `None` for no path of ours."""

    site: Site
    incoming: Incoming
    label: str | None

    def note(self, refusal: OAuthError) -> None:
        """Count a refusal, and write it down unless it is a device that waits, every five seconds."""
        self.count(refusal)
        if refusal.code != "authorization_pending":
            logger.info(
                "Refused %s %s from %s: %s",
                self.incoming.method,
                self.incoming.path,
                logged(self.incoming.address, 64),
                refusal,
            )

    def knows_why(self, error: Exception, where: str) -> bool:
        """Say whether that is known, and write it down in one line: it is no mistake of ours."""
        if isinstance(error, Broken):
            logger.error("Could not serve %s %s: %s", self.incoming.method, where, error)
            return True
        why = self.site.homeserver.why_away(error)
        if why is not None:
            logger.warning("No database for %s %s: %s", self.incoming.method, where, why)
        return why is not None

    def count(self, refusal: OAuthError) -> None:
        """Count a refusal by why; a path that is none of ours is no label."""
        if self.label is not None:
            self.site.homeserver.metrics.refusal(self.label, refusal.reason or refusal.code)
