"""Referrals between systems: out as FHIR R4 documents, an answer in as a Task, events to who wants to hear."""
