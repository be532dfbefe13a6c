"""How long to wait after failed sign-ins. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: older failures are forgotten
WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Patience:
    """`free` failures cost nothing; then `first` to wait, doubled with each further one, up to `most`."""

    free: int
    first: timedelta
    most: timedelta


#: Guessing at one account. The longest wait is short enough that a stranger can't shut anybody out for long.
ACCOUNT = Patience(free=5, first=timedelta(minutes=1), most=timedelta(minutes=15))
#: Guessing from one address at many accounts; a whole office may share it.
ORIGIN = Patience(free=30, first=timedelta(minutes=1), most=timedelta(minutes=15))


def locked_until(patience: Patience, failures: Sequence[datetime]) -> datetime | None:
    """When the next try is allowed after these failures, oldest first; None: at once."""
    beyond = len(failures) - patience.free
    if beyond < 0:
        return None
    doublings = min(beyond, 20)  # beyond `most` anyway, and a timedelta has an end
    return failures[-1] + min(patience.first * (1 << doublings), patience.most)
