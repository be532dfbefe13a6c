"""What the address of a gap page asks: read from GET parameters, and written back into them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from flask import current_app, request
from sqlalchemy import select

from referral.core.text import Message
from referral.directory.kinds import SystemType
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.places.gazetteer import PROVINCE
from referral.places.queries import gazetteer
from referral.planning.access import queries as access
from referral.planning.gaps import figures
from referral.planning.gaps.models import GapRelease
from referral.planning.maps.atlas import Atlas
from referral.planning.maps.hexmap import grid_of
from referral.planning.maps.question import (
    NEEDS,
    STORED,
    Form,
    Layer,
    Level,
    Question,
    fitted,
)
from referral.planning.unmet.models import UnmetReason

#: Layers for which the people who live somewhere must be known.
OF_RESIDENTS = (Layer.PER_100K, Layer.SERVICES_PER_100K)
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True)
class Asked:
    """A question as it can be answered.

    notes    what had to be taken wider, and why
    missing  why the layer can't be told; None where it can
    """

    question: Question
    atlas: Atlas
    notes: list[Message]
    missing: Message | None

    @property
    def release(self) -> GapRelease | None:
        return self.atlas.release


def asked() -> Asked:
    """What the request asks; unknown values count as not given."""
    release = figures.latest(db.session)
    atlas = Atlas(
        db.session,
        _question(),
        places=gazetteer(db.session),
        release=release,
        run=access.latest(db.session),
    )
    found = fitted(atlas.question, figures.tree_of(db.session), atlas.quarters)
    question, notes = found.question, list(found.notes)
    if question.form is Form.HEXAGONS:
        problem = _without_hexagons(question, atlas)
        if problem is not None:
            question = replace(question, form=Form.AREAS)
            notes.append(problem)
    atlas = Atlas(db.session, question, places=atlas.places, release=release, run=atlas.run)
    missing = _missing(atlas)
    if missing is None and atlas.run and atlas.run.release_id is None and question.layer in STORED:
        notes.append(Message("map.note.population_demand"))
    return Asked(question, atlas, notes, missing)


def parameters(question: Question, **changes: Any) -> dict[str, Any]:
    """The question as parameters of an address; what is as by default is left out."""
    default = Question()
    given = {
        "category": question.category,
        "reason": question.reason,
        "period": question.period,
        "system": question.system,
        "layer": question.layer,
        "shape": question.form,
        "level": question.level,
        "in": question.within,
    }
    usual = {"layer": default.layer, "shape": default.form, "level": default.level}
    kept = {name: str(value) for name, value in given.items() if value and value != usual.get(name)}
    return kept | {name: str(value) for name, value in changes.items() if value not in (None, "")}


def name_of(question: Question, release: GapRelease | None) -> str:
    """A file's name that carries the release and what was asked, in letters every machine takes."""
    parts = ["gaps", release.quarter if release else "no-release", question.layer.value]
    filters = (question.category, question.reason, question.period, question.system)
    parts += [part for part in (*filters, question.within) if part]
    parts.append(question.level.value if question.form is Form.AREAS else question.form.value)
    return "-".join(part.replace(".", "").replace("_", "") for part in parts).lower()


def _question() -> Question:
    given: Mapping[str, str] = request.args
    category, within, places = given.get("category", ""), given.get("in", ""), gazetteer(db.session)
    is_province = within in places and places.get(within).level == PROVINCE
    return Question(
        category=category if category in {term.code for term in taxonomy()} else "",
        reason=_reason(given.get("reason", "")),
        period=given.get("period", "")[:7],
        system=_of(SystemType, given.get("system", "")) or "",
        layer=_of(Layer, given.get("layer", "")) or Layer.UNMET,
        form=_of(Form, given.get("shape", "")) or Form.AREAS,
        level=_of(Level, given.get("level", "")) or Level.REGENCY,
        within=within if is_province else "",
    )


def _of(kind: type[_Choice], text: str) -> _Choice | None:
    return kind(text) if text in {one.value for one in kind} else None


def _reason(text: str) -> str:
    if not text:
        return ""
    rows = db.session.execute(select(UnmetReason.code, UnmetReason.axis))
    known = {name for row in rows for name in row}
    return text if text in known else ""


def _without_hexagons(question: Question, atlas: Atlas) -> Message | None:
    if question.layer in OF_RESIDENTS:
        return Message("map.note.no_population_hexagons")
    if not grid_of(atlas.places, question.within).cells:
        return Message("map.note.no_hexagons")
    return None


def _missing(atlas: Atlas) -> Message | None:
    layer = atlas.question.layer
    if layer in NEEDS and atlas.release is None:
        return Message("map.missing.release")
    if layer in STORED and atlas.run is None:
        return Message("map.missing.run")
    if layer in STORED and (
        atlas.overview is None or atlas.question.category not in atlas.overview.categories
    ):
        return Message("map.missing.category")
    if layer in OF_RESIDENTS and not has_population(atlas):
        return Message("map.missing.population")
    return None


def has_population(atlas: Atlas) -> bool:
    """Whether it is known of any area of the table how many people live there."""
    return any(area in atlas.places and atlas.places.get(area).population for area in atlas.areas)


def threshold(asked_for: Asked) -> int:
    """Smallest count that is shown."""
    usual: int = current_app.config["SETTINGS"].COUNT_THRESHOLD
    return asked_for.release.threshold if asked_for.release else usual
