"""What was made last, kept in the memory of this process: a bounded number of answers that never change. Pure."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_Made = TypeVar("_Made")


class Kept(Generic[_Made]):
    """Answers by key; where there are more than `most`, those go that were not asked for longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._lock = Lock()

    def find(self, key: Hashable) -> _Made | None:
        with self._lock:
            if key not in self._made:
                return None
            self._made.move_to_end(key)
            return self._made[key]

    def keep(self, key: Hashable, made: _Made) -> None:
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)

    def once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """The answer that is kept, or a new one. None counts as no answer."""
        made = self.find(key)
        if made is None:
            made = make()
            self.keep(key, made)
        return made

    def forget(self) -> None:
        with self._lock:
            self._made.clear()
