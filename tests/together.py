"""Several things done at the same moment, each in a thread of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Result = TypeVar("Result")


def together(works: Sequence[Callable[[], Result]]) -> list[Result]:
    """What each gives, in order; all start at once. Raises the first error there was."""
    ready = Barrier(len(works))

    def start(work: Callable[[], Result]) -> Result:
        ready.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(start, works))
