"""A referral as a FHIR R4 (4.0.1) document: plain resources, no profile is claimed. Pure.

What is told of the client is what the reader may see now; without it the Patient is a number. Our codes stand
in a system of our own; only FHIR's required value sets are used as FHIR's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from referral.referrals.lifecycle import Status

#: the code system of a list of ours
_OURS = "urn:jejaring:{}"
_CLOSED_STATUSES = (Status.REJECTED, Status.FAILED, Status.CANCELLED, Status.COMPLETED)
Resource = dict[str, Any]

_PRIORITIES = {"emergency": "stat", "urgent": "urgent", "routine": "routine"}
_REQUEST_STATUS = {
    Status.DRAFT: "draft",
    Status.ON_HOLD: "on-hold",
    Status.COMPLETED: "completed",
    Status.REJECTED: "revoked",
    Status.FAILED: "revoked",
    Status.CANCELLED: "revoked",
    Status.ENTERED_IN_ERROR: "entered-in-error",
}


@dataclass(frozen=True)
class Party:
    """An organization: the agency that is asked, or the office that asks."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Place:
    """Where the service is given; a confidential place has neither point nor address."""

    id: UUID
    name: str
    address: str | None
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class ConsentGiven:
    """The lawful ground by which the receiver may know what is told."""

    id: UUID
    given_at: datetime
    expires_on: date | None
    fields: Sequence[str]


@dataclass(frozen=True)
class Told:
    """One referral as its reader may see it.

    facts   what is told of the client, of cards.RELEASABLE; empty: the card is blind or closed
    card    the blind card: age_band, area_code, criteria
    reason  coded reason of a referral that ended or is on hold, and its words
    """

    id: UUID
    number: str
    status: Status
    priority: str
    authored_at: datetime
    modified_at: datetime
    version: int
    service_id: UUID
    service: str
    agency: Party
    office: Party
    facts: Mapping[str, Any]
    card: Mapping[str, Any]
    place: Place | None = None
    reason: tuple[str, str] | None = None
    consent: ConsentGiven | None = None
    first_contact_on: date | None = None
    outcome: tuple[str, str] | None = None


def document(told: Told, *, at: datetime) -> Resource:
    """The whole document: a Composition first, then what it speaks of."""
    resources = [
        _composition(told, at),
        task(told),
        _service_request(told),
        _healthcare_service(told),
        _organization(told.agency),
        _organization(told.office),
        _patient(told),
        *([_location(told.place)] if told.place else []),
        *([_consent(told, told.consent)] if told.consent else []),
    ]
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {
            "system": _OURS.format("document"),
            "value": f"{told.number}/{told.version}",
        },
        "timestamp": _instant(at),
        "entry": [{"fullUrl": _urn(one["id"]), "resource": one} for one in resources],
    }


def task(told: Told) -> Resource:
    """The Task alone: what is asked of whom, and how far it is."""
    made: Resource = {
        "resourceType": "Task",
        "id": str(told.id),
        "meta": {"versionId": str(told.version), "lastUpdated": _instant(told.modified_at)},
        "identifier": [_number(told)],
        "status": told.status.value,
        "intent": "order",
        "priority": _PRIORITIES[told.priority],
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]
        },
        "focus": _to(_request_id(told)),
        "for": _to(_patient_id(told)),
        "authoredOn": _instant(told.authored_at),
        "lastModified": _instant(told.modified_at),
        "requester": _to(told.office.id, told.office.name),
        "owner": _to(told.agency.id, told.agency.name),
    }
    if told.reason:
        made["statusReason"] = _concept("reason", *told.reason)
    if told.first_contact_on:
        made["executionPeriod"] = {"start": told.first_contact_on.isoformat()}
    if told.outcome:
        made["output"] = [
            {
                "type": {"text": "outcome"},
                "valueCodeableConcept": _concept("outcome", *told.outcome),
            }
        ]
    return made


def _composition(told: Told, at: datetime) -> Resource:
    listed = [
        _to(told.id),
        _to(_request_id(told)),
        _to(told.service_id),
        *([_to(told.place.id)] if told.place else []),
        *([_to(told.consent.id)] if told.consent else []),
    ]
    is_over = told.status in _CLOSED_STATUSES
    in_error = told.status is Status.ENTERED_IN_ERROR
    return {
        "resourceType": "Composition",
        "id": str(UUID(int=told.id.int ^ 1)),
        "status": "entered-in-error" if in_error else "final" if is_over else "preliminary",
        # LOINC's code for a referral note.
        "type": {"coding": [{"system": "http://loinc.org", "code": "57133-1"}]},
        "subject": _to(_patient_id(told)),
        "date": _instant(at),
        "author": [_to(told.office.id, told.office.name)],
        "title": told.number,
        "section": [{"title": told.number, "entry": listed}],
    }


def _service_request(told: Told) -> Resource:
    made: Resource = {
        "resourceType": "ServiceRequest",
        "id": str(_request_id(told)),
        "status": _REQUEST_STATUS.get(told.status, "active"),
        "intent": "order",
        "priority": _PRIORITIES[told.priority],
        "subject": _to(_patient_id(told)),
        "authoredOn": _instant(told.authored_at),
        "requester": _to(told.office.id, told.office.name),
        "performer": [_to(told.service_id, told.service)],
    }
    if "need" in told.facts:
        made["code"] = _concept("category", told.facts["need"], None)
    if told.place:
        made["locationReference"] = [_to(told.place.id)]
    if told.consent:
        made["supportingInfo"] = [_to(told.consent.id)]
    if "story" in told.facts:
        made["note"] = [{"text": told.facts["story"]}]
    return made


def _healthcare_service(told: Told) -> Resource:
    made: Resource = {
        "resourceType": "HealthcareService",
        "id": str(told.service_id),
        "active": True,
        "providedBy": _to(told.agency.id, told.agency.name),
        "name": told.service,
    }
    if told.place:
        made["location"] = [_to(told.place.id)]
    return made


def _organization(party: Party) -> Resource:
    return {"resourceType": "Organization", "id": str(party.id), "name": party.name}


def _location(place: Place) -> Resource:
    made: Resource = {
        "resourceType": "Location",
        "id": str(place.id),
        "name": place.name,
        "mode": "instance",
    }
    if place.address:
        made["address"] = {"text": place.address}
    if place.latitude is not None and place.longitude is not None:
        made["position"] = {"latitude": place.latitude, "longitude": place.longitude}
    return made


def _patient(told: Told) -> Resource:
    """The person as far as they are told of; without facts a number that means nothing elsewhere."""
    facts = told.facts
    made: Resource = {
        "resourceType": "Patient",
        "id": str(_patient_id(told)),
        "identifier": [_number(told)],
    }
    if "name" in facts:
        made["name"] = [{"text": facts["name"]}]
    if "contact" in facts:
        made["telecom"] = [{"system": "phone", "value": facts["contact"]}]
    if "sex" in facts:
        made["gender"] = facts["sex"]
    if "area" in facts:
        made["address"] = [{"text": facts["area"]}]
    if not facts and told.card.get("age_band"):
        made["extension"] = [
            {"url": _OURS.format("age-band"), "valueString": told.card["age_band"]}
        ]
    elif "age" in facts:
        made["extension"] = [{"url": _OURS.format("age"), "valueDecimal": facts["age"]}]
    return made


def _consent(told: Told, consent: ConsentGiven) -> Resource:
    made: Resource = {
        "resourceType": "Consent",
        "id": str(consent.id),
        "status": "active",
        "scope": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                    "code": "patient-privacy",
                }
            ]
        },
        # LOINC's code for a privacy consent.
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": _to(_patient_id(told)),
        "dateTime": _instant(consent.given_at),
        "organization": [_to(told.office.id, told.office.name)],
        "policyRule": {"text": ", ".join(consent.fields)},
    }
    if consent.expires_on:
        made["provision"] = {"period": {"end": consent.expires_on.isoformat()}}
    return made


def _patient_id(told: Told) -> UUID:
    """A number of this referral alone: two referrals of one person can't be joined by it."""
    return UUID(int=told.id.int ^ 2)


def _request_id(told: Told) -> UUID:
    return UUID(int=told.id.int ^ 3)


def _number(told: Told) -> Resource:
    return {"system": _OURS.format("referral"), "value": told.number}


def _to(identifier: UUID, name: str | None = None) -> Resource:
    return {"reference": _urn(identifier)} | ({"display": name} if name else {})


def _urn(identifier: UUID | str) -> str:
    return f"urn:uuid:{identifier}"


def _concept(system: str, code: str, words: str | None) -> Resource:
    made: Resource = {"coding": [{"system": _OURS.format(system), "code": code}]}
    return made | ({"text": words} if words else {})


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
