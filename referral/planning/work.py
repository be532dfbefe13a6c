"""Work that a page asks for and a job does: how far it is, and how one tells that it was cut off."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from referral.core.text import Message

#: Work of which nothing was heard for so long was stopped from outside, as by a restart.
SILENT = timedelta(minutes=10)


class WorkState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class Work:
    """The columns of a row that says how far a piece of work is."""

    state: Mapped[WorkState] = mapped_column(index=True)
    #: when it was asked for
    made_at: Mapped[datetime]
    #: when a job last said that it is at it
    heard_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    #: key and parameters of the message that says why it failed
    failure: Mapped[dict[str, Any] | None]

    def is_cut_off(self, now: datetime) -> bool:
        """Whether it was stopped from outside: it says that it is worked on, and nothing is heard of it."""
        heard_at = self.heard_at or self.made_at
        return self.state is WorkState.WORKING and now - heard_at > SILENT

    def is_going_on(self, now: datetime) -> bool:
        """Whether it waits for its turn or is worked on."""
        is_open = self.state in (WorkState.WAITING, WorkState.WORKING)
        return is_open and not self.is_cut_off(now)

    def why_failed(self) -> Message | None:
        return Message.from_json(self.failure) if self.failure else None

    def wait(self, now: datetime) -> None:
        """It is asked for, perhaps again."""
        self.state, self.made_at = WorkState.WAITING, now
        self.heard_at = self.ended_at = self.failure = None

    def begin(self, now: datetime) -> None:
        self.state, self.heard_at = WorkState.WORKING, now

    def end(self, failure: Message | None, now: datetime) -> None:
        self.state = WorkState.FAILED if failure else WorkState.DONE
        self.failure = failure.as_json() if failure else None
        self.heard_at = self.ended_at = now
