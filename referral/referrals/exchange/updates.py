"""What an agency's own system says of a referral, read from a FHIR Task: which step that is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from referral.core.errors import Invalid
from referral.referrals.given import Given
from referral.referrals.lifecycle import Event, Status

LONGEST_NOTE = 4_000
#: digits; what is longer was counted by nobody
_LONGEST_VERSION = 9
#: which step leads to a status; the one before it decides where there are two
_STEPS: Mapping[Status, Event] = {
    Status.RECEIVED: Event.RECEIVE,
    Status.ACCEPTED: Event.ACCEPT,
    Status.REJECTED: Event.DECLINE,
    Status.IN_PROGRESS: Event.START,
    Status.ON_HOLD: Event.HOLD,
    Status.COMPLETED: Event.COMPLETE,
    Status.FAILED: Event.FAIL,
    Status.CANCELLED: Event.CANCEL,
}


@dataclass(frozen=True)
class Update:
    """One step as a Task told it; `version` is the one its sender had read."""

    event: Event
    given: Given
    version: int


def update_of(task: Mapping[str, Any], *, status: Status) -> Update:
    """The step that leads from the referral's `status` to the Task's.

    Read of it: status, meta.versionId, statusReason.coding[].code (our reason codes), note[].text,
    executionPeriod.start (first contact) and .end (day of the outcome), restriction.period.end (review day),
    output[].valueCodeableConcept.coding[].code (outcome). Raises Invalid naming the element.
    """
    if task.get("resourceType") != "Task":
        raise Invalid("exchange.not_a_task", field="resourceType")
    try:
        wanted = Status(str(task.get("status")))
    except ValueError:
        raise Invalid("exchange.status", field="status") from None
    version = str(_at(task, "meta", "versionId") or "")
    if not (version.isascii() and version.isdigit() and len(version) < _LONGEST_VERSION):
        raise Invalid("exchange.version", field="meta.versionId")
    given = Given(
        reason=_code(task.get("statusReason")),
        note=_note(task),
        first_contact_on=_day(task, "executionPeriod", "start"),
        outcome=next((_code(one) for one in _outputs(task)), None),
        outcome_on=_day(task, "executionPeriod", "end"),
        review_on=_day(task, "restriction", "period", "end"),
    )
    return Update(_event(status, wanted), given, int(version))


def _event(status: Status, wanted: Status) -> Event:
    if status is Status.ON_HOLD and wanted is not Status.ON_HOLD:
        ends = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
        return _STEPS[wanted] if wanted in ends else Event.RESUME
    if status is wanted:
        # The same status again carries news, or before the decision a question.
        return Event.REPORT if status is Status.IN_PROGRESS else Event.ASK
    if wanted not in _STEPS:
        raise Invalid("exchange.status", field="status")
    return _STEPS[wanted]


def _at(part: Any, *path: str) -> Any:
    for name in path:
        part = part.get(name) if isinstance(part, Mapping) else None
    return part


def _code(concept: Any) -> str | None:
    codings = _at(concept, "coding")
    if not isinstance(codings, list):
        return None
    return next((str(one["code"]) for one in codings if _at(one, "code")), None)


def _note(task: Mapping[str, Any]) -> str | None:
    notes = task.get("note")
    texts = [str(_at(one, "text") or "") for one in notes] if isinstance(notes, list) else []
    text = "\n".join(filter(None, texts)).strip()
    if len(text) > LONGEST_NOTE:
        raise Invalid("exchange.note_long", field="note", limit=LONGEST_NOTE)
    return text or None


def _outputs(task: Mapping[str, Any]) -> list[Any]:
    outputs = task.get("output")
    found = (
        [_at(one, "valueCodeableConcept") for one in outputs] if isinstance(outputs, list) else []
    )
    return [one for one in found if one is not None]


def _day(task: Mapping[str, Any], *path: str) -> date | None:
    said = _at(task, *path)
    if said is None:
        return None
    try:
        return date.fromisoformat(str(said)[:10])
    except ValueError:
        raise Invalid("exchange.day", field=".".join(path)) from None
