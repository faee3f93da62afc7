"""How often somebody may do something: a bucket that each action fills and that leaks."""

from synapse_nextgen_auth.clock import is_ahead
from synapse_nextgen_auth.records import frozen

# What one action fills; the rest of a second's leak is not lost by rounding.
DROP = 1_000_000
_LARGEST = 10**9


@frozen
class Rate:
    """`burst` actions at once, and `per_second` in the long run."""

    per_second: float
    burst: int

    @property
    def capacity(self) -> int:
        """How much fits in."""
        return min(max(1, self.burst), _LARGEST) * DROP

    @property
    def leak(self) -> int:
        """How much leaks in a second."""
        return min(max(1, int(self.per_second * DROP)), self.capacity)

    @property
    def empty_after(self) -> int:
        """In how many seconds a full bucket is empty."""
        return -(-self.capacity // self.leak)

    def times(self, many: int) -> "Rate":
        """Return the rate at which `many` as this one may do something together."""
        return Rate(self.per_second * many, self.burst * many)

    def level(self, stored: int, *, at: int, now: int) -> int:
        """Return what is left of a level that was stored `at`; nothing of one from the future."""
        if is_ahead(at, now) or at <= now - self.empty_after:
            return 0
        return max(0, stored - max(0, now - at) * self.leak)

    def wait(self, level: int) -> int | None:
        """Return in how many seconds one more fits in, `None` if it does now."""
        too_much = level + DROP - self.capacity
        return None if too_much <= 0 else -(-too_much // self.leak)
