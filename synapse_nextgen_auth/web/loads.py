"""What a page loads beside its own files: nothing, but for the few pages that say so (C201).

The browser is told with the page, so that nothing else is ever loaded there.
"""

from synapse_nextgen_auth.records import frozen

_OURS = "'self'"


@frozen
class Loads:
    """Where scripts, styles, frames, connections and workers of a page may come from beside us.

    `tells_origin` lets a third party
    know on which site its script runs, as it wants to; of the page itself it learns nothing.
    """

    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    tells_origin: bool = False

    @property
    def directives(self) -> tuple[str, ...]:
        """The directives of a Content-Security-Policy for them; nothing else is allowed."""
        found = [
            "default-src 'none'",
            _directive("script-src", (_OURS, *self.scripts)),
            _directive("style-src", (_OURS, *self.styles)),
            "img-src 'self' data:",
        ]
        for name, sources in (
            ("frame-src", self.frames),
            ("connect-src", self.connections),
            ("worker-src", self.workers),
        ):
            if sources:
                found.append(_directive(name, sources))
        return tuple(found)

    @property
    def referrer(self) -> str:
        """What whoever is asked for a script learns of where it runs."""
        return "strict-origin" if self.tells_origin else "no-referrer"


def _directive(name: str, sources: tuple[str, ...]) -> str:
    return f"{name} {' '.join(sources)}"


NOTHING = Loads()
# Our own scripts ask this server.
ASKS_US = Loads(connections=(_OURS,))
# Our own scripts work beside the page. Browsers that know no `worker-src` would ask another directive.
WORKS = Loads(workers=(_OURS,))
