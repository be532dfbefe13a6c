"""What can go wrong, said in the language of the work. No HTTP here."""

from dataclasses import dataclass
from typing import Any

from referral.core.text import Message, render


class JejaringError(Exception):
    """Anything a person can put right; its message is fit to show them.

    `field` names the form field, argument or column; `candidates` what could have been meant.
    """

    code = "error"

    def __init__(
        self,
        key: str,
        *,
        field: str | None = None,
        candidates: list[Any] | None = None,
        **params: Any,
    ):
        self.message = Message(key, params)
        self.field = field
        self.candidates = candidates or []
        super().__init__(render(self.message, "en"))

    def as_json(self, lang: str) -> dict[str, Any]:
        return {
            "error": {
                "code": self.code,
                "field": self.field,
                "message": render(self.message, lang),
                "candidates": self.candidates,
            }
        }


class NotFound(JejaringError):
    """Not there, or not there for this person: the two look alike from outside."""

    code = "not_found"


class Invalid(JejaringError):
    """A value that can't be taken; `field` says which."""

    code = "invalid"


class NotAllowed(JejaringError):
    """A step out of turn or by the wrong person."""

    code = "not_allowed"


class BasisMissing(NotAllowed):
    """Nothing lawful lets this information leave for this recipient."""

    code = "basis_missing"


class Stale(JejaringError):
    """Somebody changed the row since this person read it; both values travel in `candidates`."""

    code = "stale"


@dataclass(frozen=True)
class Finding:
    """One thing wrong with one row of an input; the rest of the input is kept."""

    row: int
    field: str
    value: str
    message: Message
    severity: str = "warning"
    #: which file of a package
    file: str = ""
