"""What FHIR R4 (4.0.1) itself asks of the documents we give: its required value sets, and what must be there."""

from collections.abc import Mapping
from typing import Any

from referral.referrals.exchange.fhir import Resource

#: The required value sets of the elements we fill, as FHIR R4 lists them.
VALUE_SETS: Mapping[str, frozenset[str]] = {
    "Bundle.type": frozenset({"document"}),
    "Composition.status": frozenset({"preliminary", "final", "amended", "entered-in-error"}),
    "Task.status": frozenset(
        [
            "draft",
            "requested",
            "received",
            "accepted",
            "rejected",
            "ready",
            "cancelled",
            "in-progress",
            "on-hold",
            "failed",
            "completed",
            "entered-in-error",
        ]
    ),
    "Task.intent": frozenset(
        [
            "unknown",
            "proposal",
            "plan",
            "order",
            "original-order",
            "reflex-order",
            "filler-order",
            "instance-order",
            "option",
        ]
    ),
    "Task.priority": frozenset({"routine", "urgent", "asap", "stat"}),
    "ServiceRequest.status": frozenset(
        ["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"]
    ),
    "ServiceRequest.intent": frozenset(
        [
            "proposal",
            "plan",
            "directive",
            "order",
            "original-order",
            "reflex-order",
            "filler-order",
            "instance-order",
            "option",
        ]
    ),
    "ServiceRequest.priority": frozenset({"routine", "urgent", "asap", "stat"}),
    "Patient.gender": frozenset({"male", "female", "other", "unknown"}),
    "Location.mode": frozenset({"instance", "kind"}),
    "Consent.status": frozenset(
        ["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"]
    ),
}
#: What must be there, by resource.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Bundle": ("type", "identifier", "timestamp", "entry"),
    "Composition": ("status", "type", "date", "author", "title"),
    "Task": ("status", "intent", "focus", "for", "requester", "authoredOn"),
    "ServiceRequest": ("status", "intent", "subject"),
    "HealthcareService": ("providedBy", "name"),
    "Organization": ("name",),
    "Location": ("name",),
    "Patient": ("identifier",),
    "Consent": ("status", "scope", "category", "patient", "dateTime"),
}


def problems(bundle: Resource) -> list[str]:
    """What is wrong with a document by FHIR's own lists: codes outside a required value set, what is missing,
    references to what is not in it. Empty when nothing is.
    """
    found = _of_resource(bundle)
    entries = bundle.get("entry", [])
    here = {entry.get("fullUrl") for entry in entries}
    for entry in entries:
        resource = entry.get("resource", {})
        found += _of_resource(resource)
        found += [
            f"{resource.get('resourceType')}: {reference} is not here"
            for reference in _references(resource)
            if reference not in here
        ]
    if not entries or entries[0].get("resource", {}).get("resourceType") != "Composition":
        found.append("Bundle: a document begins with its Composition")
    return found


def _of_resource(resource: Mapping[str, Any]) -> list[str]:
    kind = resource.get("resourceType", "")
    if kind not in REQUIRED:
        return [f"{kind or 'something'} has no place here"]
    missing = [f"{kind}.{name} is missing" for name in REQUIRED[kind] if not resource.get(name)]
    wrong = [
        f"{kind}.{name}: {resource[name]} is not in the value set"
        for name in resource
        if f"{kind}.{name}" in VALUE_SETS and resource[name] not in VALUE_SETS[f"{kind}.{name}"]
    ]
    return missing + wrong


def _references(part: Any) -> list[str]:
    if isinstance(part, Mapping):
        own = [part["reference"]] if "reference" in part else []
        return own + [one for value in part.values() for one in _references(value)]
    if isinstance(part, list):
        return [one for value in part for one in _references(value)]
    return []
