"""A broker, a client who agreed, a need and an agency that can answer: what tests of referrals start from."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import agreements
from referral.casework import operations as casework
from referral.casework.models import BasisKind, Purpose
from referral.referrals import operations, queries
from referral.referrals.given import Given
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.loop import NeedState, need_state
from referral.referrals.models import Referral
from tests.factories import Make

NAME, NUMBER, STORY = "Dewi Fiktif", "0812-0000-1234", "Cerita yang hanya untuk pekerja sosial"
JAKARTA = ZoneInfo("Asia/Jakarta")
FIELDS = ("name", "contact", "age", "sex", "area", "need", "story")


class Scene:
    """A broker with a client who agreed, a need, an agency with an account, and its service."""

    def __init__(self, session: Session, make: Make, now: datetime, **service: Any) -> None:
        self.session, self.make, self.now = session, make, now
        self.broker = make.user()
        self.case = make.case(broker=self.broker)
        self.need = make.need(self.case)
        self.site = make.service("HE05", **service)
        self.agency = make.user(Role.AGENCY, organization_id=self.site.service.organization_id)
        client = self.case.client
        client.name, client.facts = NAME, {"age_years": 16, "sex": "female"}
        client.stays_at = {"text": "Gang Fiktif 3", "code": "33.74.11.1002"}
        self.case.story = STORY
        casework.set_safe_contact(session, self.case, {"number": NUMBER, "when": "sore"})
        agreements.agree_contract(
            session,
            self.case,
            terms="",
            in_scope=[self.need.id],
            method="spoken",
            by=self.broker,
            now=now,
        )
        session.flush()

    def consent(self, *fields: str, **values: Any) -> None:
        defaults: dict[str, Any] = {
            "kind": BasisKind.CONSENT,
            "purpose": Purpose.REFERRAL,
            "fields": fields or FIELDS,
            "organization_id": self.site.service.organization_id,
            "method": "spoken",
            "language": "id",
            "by": self.broker,
            "now": self.now,
        }
        agreements.give_basis(self.session, self.case.client, **defaults | values)

    def draft(self, **values: Any) -> Referral:
        defaults: dict[str, Any] = {
            "known_service_reason": "dikenal baik",
            "by": self.broker,
            "now": self.now,
        }
        return operations.draft(self.session, self.need, self.site, **defaults | values)

    def sent(self) -> Referral:
        self.consent()
        referral = self.draft()
        self.take(referral, Event.SEND)
        return referral

    def take(self, referral: Referral, event: Event, **values: Any) -> None:
        """A step as its usual actor takes it; `given` fields may come flat."""
        names = set(Given.__dataclass_fields__)
        given = Given(**{name: values.pop(name) for name in names & set(values)})
        if event in (Event.SEND, Event.VOID):
            defaults: dict[str, Any] = {"actor": Actor.BROKER, "by": self.broker}
        else:
            defaults = {"actor": Actor.AGENCY, "by": self.agency}
        defaults |= {"now": self.now, "version": referral.version, "given": given}
        operations.take_step(self.session, referral, event, **defaults | values)

    def accepted(self) -> Referral:
        referral = self.sent()
        self.take(referral, Event.ACCEPT, first_contact_on=self.day + timedelta(days=3))
        return referral

    def completed(self) -> Referral:
        referral = self.accepted()
        self.take(referral, Event.START, first_contact_on=self.day, note="sudah bertemu")
        self.take(referral, Event.COMPLETE, outcome="received", outcome_on=self.day)
        return referral

    @property
    def day(self) -> date:
        """Today in Jakarta, which is tomorrow in London from five in the afternoon."""
        return self.now.astimezone(JAKARTA).date()

    def state(self) -> NeedState:
        return need_state(
            queries.traces(self.session, [self.need.id])[self.need.id],
            unmet=False,
            withdrawn=self.need.withdrawn_at is not None,
        )
