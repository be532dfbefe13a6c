"""Who does something, as every operation is told: `by=`."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


class Actor(Protocol):
    """A signed-in user, or one of the standing actors below."""

    @property
    def id(self) -> UUID | None: ...
    @property
    def role(self) -> str: ...


@dataclass(frozen=True)
class StandingActor:
    """An actor that is no person."""

    role: str
    id: None = None


SYSTEM = StandingActor("system")
PUBLIC = StandingActor("public")
#: who runs commands on the machine itself
OPERATOR = StandingActor("operator")
