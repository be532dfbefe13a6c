"""What a figure says, in words: whom it counts, how many, and what stands in for one that may not be told."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.core.text import Message, label, render
from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer
from referral.planning.disclosure.cells import Cell, mark
from referral.planning.gaps.cuts import DIMENSIONS, UNKNOWN, Key
from referral.planning.gaps.figures import Told
from referral.planning.gaps.models import GapRelease
from referral.planning.unmet.models import Closing, UnmetReason


class Words:
    """Names the parts of figures in one language."""

    def __init__(self, session: Session, release: GapRelease, lang: str) -> None:
        self.release, self.lang = release, lang
        self._places = gazetteer(session)
        reasons = session.scalars(select(UnmetReason)).all()
        self._reasons = {one.code: {"id": one.name_id, "en": one.name_en} for one in reasons}
        self._axes = {one.axis for one in reasons}

    def area(self, code: str) -> str:
        """A kab/kota or province by name; also where no more than the province is known, or nothing."""
        wide, _, last = code.rpartition(".")
        if not code:
            return self._say("gaps.area.all")
        if last == UNKNOWN:
            return (
                self._say("gaps.area.unknown_in", area=self.area(wide))
                if wide
                else self._say("gaps.area.unknown")
            )
        return self._places.label(code) if code in self._places else code

    def category(self, code: str) -> str:
        if not code:
            return self._say("gaps.category.all")
        return taxonomy().get(code).name[self.lang] if code in taxonomy() else code

    def reason(self, code: str) -> str:
        """A coded reason, an axis of reasons, or how a wait ended."""
        if code in self._reasons:
            return self._reasons[code][self.lang]
        if code in self._axes:
            return label(f"gaps.axis.{code}", self.lang)
        if code in set(Closing):
            return label(f"gaps.closed.{code}", self.lang)
        return code or self._say("gaps.reason.all")

    def period(self, code: str) -> str:
        return code or self._say("gaps.period.all", quarter=self.release.quarter)

    def people(self, cell: Cell) -> str:
        """The count, or "<5", or a dash."""
        if cell.count is not None:
            return str(cell.count)
        return mark(cell.shown, self.release.threshold)

    def whom(self, key: Key) -> str:
        """All four parts of a figure in one line."""
        return "; ".join(getattr(self, name)(getattr(key, name)) for name in DIMENSIONS)

    def told(self, told: Told) -> str:
        """The sentence on a wanted figure: its count, or why not and which wider one stands in."""
        if told.key == told.wanted:
            return self._say("gaps.told.own", people=told.people or 0, whom=self.whom(told.wanted))
        why = "uncut" if told.own is None else told.own.shown.value
        first = self._say(
            f"gaps.told.{why}", whom=self.whom(told.wanted), threshold=self.release.threshold
        )
        if told.key is None:
            return f"{first} {self._say('gaps.told.none')}"
        wider = [
            getattr(self, name)(getattr(told.key, name))
            for name in DIMENSIONS
            if getattr(told.key, name) != getattr(told.wanted, name)
        ]
        return f"{first} " + self._say(
            "gaps.told.instead", people=told.people or 0, wider=", ".join(wider)
        )

    def _say(self, key: str, **params: object) -> str:
        return render(Message(key, params), self.lang)
