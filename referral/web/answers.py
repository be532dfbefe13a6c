"""What somebody typed into a form: read, checked, and kept for showing again."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from referral.core.errors import Invalid
from referral.web.formatting import say
from referral.web.language import zone

SHORT = 200  # characters of a line: names, places, days
LONG = 10_000  # characters of a telling
FIRST_YEAR, LAST_YEAR = 1900, 2100


class Answers:
    """The fields of one form. Reading a field checks it; what is wrong waits in `errors` by field."""

    def __init__(self, given: MultiDict[str, str] | None = None) -> None:
        self.given: MultiDict[str, str] = given if given is not None else MultiDict()
        self.errors: dict[str, str] = {}

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A form filled in with what is known: lists are several choices, True is yes, False no."""
        given: MultiDict[str, str] = MultiDict()
        for name, value in values.items():
            if isinstance(value, bool):
                given[name] = "yes" if value else "no"
            elif isinstance(value, (list, tuple)):
                given.setlist(name, [str(one) for one in value])
            elif value is not None:
                given[name] = str(value)
        return cls(given)

    # What a page shows again

    def shown(self, name: str) -> str:
        return self.given.get(name, "")

    def chosen(self, name: str) -> list[str]:
        return self.given.getlist(name)

    def error(self, name: str) -> str | None:
        return self.errors.get(name)

    @property
    def summary(self) -> list[tuple[str, str]]:
        return list(self.errors.items())

    @property
    def status(self) -> int:
        return 422 if self.errors else 200

    # What a door takes from them

    def wrong(self, name: str, sentence: str) -> None:
        """The first thing wrong with a field is the one that is said."""
        self.errors.setdefault(name, sentence)

    def refused(self, error: Invalid, *fields: str) -> None:
        """Keeps what an operation refuses beside its field; raises it again where no field here is meant."""
        if error.field is None or (fields and error.field not in fields):
            raise error
        self.wrong(error.field, say(error.message))

    @contextmanager
    def refusing(self, *fields: str) -> Iterator[None]:
        """Keeps what an operation inside refuses beside its field, as `refused` does."""
        try:
            yield
        except Invalid as error:
            self.refused(error, *fields)

    def text(self, name: str, *, longest: int = SHORT) -> str | None:
        """The text without spaces around it; None when empty."""
        # Browsers send line ends as two characters; people count one.
        text = self.given.get(name, "").replace("\r\n", "\n").strip()
        if len(text) > longest:
            over = len(text) - longest
            self.wrong(
                name,
                ngettext(
                    "This is %(num)s character too long. Shorten it; nothing you wrote is lost.",
                    "This is %(num)s characters too long. Shorten it; nothing you wrote is lost.",
                    over,
                ),
            )
        return text or None

    def whole(self, name: str, lowest: int, highest: int) -> int | None:
        """A whole number between the two; None when empty or wrong."""
        typed = self.given.get(name, "").strip()
        if not typed:
            return None
        digits = typed.removeprefix("-")
        is_number = digits.isascii() and digits.isdigit() and len(digits) < 9
        if not is_number or not lowest <= int(typed) <= highest:
            self.wrong(
                name,
                _(
                    "Write a whole number from %(lowest)s to %(highest)s.",
                    lowest=lowest,
                    highest=highest,
                ),
            )
            return None
        return int(typed)

    def choice(self, name: str, allowed: Container[str]) -> str | None:
        """One of `allowed`; None when none was chosen."""
        chosen = self.given.get(name, "")
        if chosen and chosen not in allowed:
            self.wrong(name, _("Choose one of the answers on the page."))
        return chosen if chosen in allowed and chosen else None

    def choices(self, name: str, allowed: Container[str]) -> list[str]:
        """Every chosen one of `allowed`, once."""
        chosen = list(dict.fromkeys(self.given.getlist(name)))
        if any(one not in allowed for one in chosen):
            self.wrong(name, _("Choose from the answers on the page."))
        return [one for one in chosen if one in allowed]

    def yes_no(self, name: str) -> bool | None:
        return {"yes": True, "no": False}.get(self.choice(name, ("yes", "no")) or "")

    def ticked(self, name: str) -> bool:
        return bool(self.given.get(name))

    def day(self, name: str) -> date | None:
        """A day as browsers send it; None when empty or no day of the calendar."""
        typed = self.given.get(name, "").strip()
        if not typed:
            return None
        try:
            return date.fromisoformat(typed)
        except ValueError:
            self.wrong(name, _("Write the date as year-month-day, such as 2026-11-30."))
            return None

    def instant(self, name: str) -> datetime | None:
        """A moment typed in the office's zone; None when empty or none."""
        typed = self.given.get(name, "").strip()
        if not typed:
            return None
        try:
            moment = datetime.fromisoformat(typed)
            # Beyond these years a change of zone leaves the calendar.
            if not FIRST_YEAR <= moment.year <= LAST_YEAR:
                raise ValueError
        except ValueError:
            self.wrong(name, _("Write date and time, such as 2026-11-30 14:20."))
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone()))

    def require(self, name: str, value: Any, sentence: str) -> None:
        if value in (None, "", []):
            self.wrong(name, sentence)
