"""What an agency says is wrong with its listing is nowhere shown as known until a curator has looked."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from referral.accounts.models import Role
from referral.changes.actors import SYSTEM
from referral.directory import queries
from referral.directory.kinds import Remote
from referral.directory.models import CostOption, Phone, Schedule
from referral.directory.search import Near, search
from referral.directory.upkeep import changes, reports
from referral.directory.upkeep.doubts import doubts
from referral.directory.upkeep.kinds import ChangeStatus, Part
from referral.directory.upkeep.listings import values_of
from referral.directory.upkeep.models import ListingReport
from referral.places.queries import gazetteer

HERE = Near(-6.99, 110.42, 0.1, "33.74")


@pytest.fixture
def service(session, make):
    """A free service for children, open all day, at a point."""
    service = make.service("FC05", name="Rumah Baca", maximum_age=12).service
    session.add(CostOption(service_id=service.id, option="free", amount=0.0))
    session.add(Schedule(service_id=service.id, freq="DAILY", opens_at="00:00", closes_at="24:00"))
    session.flush()
    return service


@pytest.fixture
def say_wrong(session, now):
    """The agency says a part of its listing is wrong."""

    def run(service_id, part, value=None):
        reports.report_from_answer(
            session,
            service_id,
            "Salah",
            part=part,
            value=value,
            is_doubted=True,
            by=SYSTEM,
            now=now,
        )

    return run


def found(session, now):
    """Which questions of the public search the one listing answers, with what its card says."""

    def names(**asked):
        page = search(session, category="FC05", **asked).page
        return [hit.listing.service.name for hit in page.items]

    (hit,) = search(session, words="rumah baca", near=HERE).page.items
    return {
        "open": names(open_at=now) != [],
        "free": names(free=True) != [],
        "for 40": names(age_years=40) != [],
        "km": hit.km is not None,
        "card": hit.listing.is_open(now),
    }


KNOWN = {"open": True, "free": True, "for 40": False, "km": True, "card": True}


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        (Part.HOURS, {"open": False, "card": None}),
        (Part.COST, {"free": False}),
        (Part.ELIGIBILITY, {"for 40": True}),
        (Part.ADDRESS, {"km": False}),
        (Part.DOCUMENTS, {}),
        (None, {"open": False, "card": None, "free": False, "for 40": True, "km": False}),
    ],
)
def test_search_and_cards_take_what_is_in_doubt_as_not_known(
    session, service, say_wrong, now, part, changed
):
    assert found(session, now) == KNOWN
    say_wrong(service.id, part)
    assert found(session, now) == KNOWN | changed

    (report,) = session.scalars(select(ListingReport)).all()
    reports.close(session, report, was_right=True, by=SYSTEM, now=now + timedelta(days=1))
    assert found(session, now) == KNOWN


@pytest.mark.parametrize(
    ("part", "value", "left"),
    [
        (Part.PHONES, None, []),
        (None, None, []),
        (Part.CATEGORIES, "EM01", []),
        (Part.HOURS, None, [("118", False)]),
        (Part.COST, None, [("118", True)]),
    ],
)
def test_an_emergency_number_in_doubt_is_not_given(session, make, say_wrong, part, value, left):
    doubted, sound = (
        make.service("EM01", name=name, at=None, remote=Remote.PHONE, facility_type="HOTLINE")
        for name in ("Ragu", "Pasti")
    )
    for site, number in ((doubted, "118"), (sound, "119")):
        session.add(Phone(service_id=site.service_id, number=number, type="hotline"))
        session.add(
            Schedule(service_id=site.service_id, freq="DAILY", opens_at="00:00", closes_at="24:00")
        )
    session.flush()
    say_wrong(doubted.service_id, part, value)

    numbers = queries.emergency_numbers(session)

    assert [(n.number, n.always_open) for n in numbers] == [*left, ("119", True)]


NEW_HOURS = {"hours": [{"days": ["MO"], "opens": "09:00", "closes": "12:00"}]}
NEW_KINDS = {"categories": ["HE05"]}


@pytest.mark.parametrize(
    ("told", "part", "value", "published_by", "values", "is_closed"),
    [
        (Role.AGENCY, Part.HOURS, None, "curator", NEW_HOURS, True),
        (Role.AGENCY, Part.HOURS, None, "agency", NEW_HOURS, True),
        (Role.BROKER, Part.HOURS, None, "curator", NEW_HOURS, True),
        (Role.BROKER, Part.HOURS, None, "agency", NEW_HOURS, False),
        (Role.AGENCY, Part.COST, None, "curator", NEW_HOURS, False),
        (Role.AGENCY, None, None, "curator", NEW_HOURS, False),
        (Role.AGENCY, Part.CATEGORIES, "FC", "curator", NEW_KINDS, True),
        (Role.AGENCY, Part.CATEGORIES, "HE05", "curator", NEW_KINDS, False),
    ],
)
def test_publishing_a_correction_closes_the_report_it_answers(
    session, make, service, now, told, part, value, published_by, values, is_closed
):
    service.organization.trusted = True
    session.flush()
    by = {
        "curator": make.user(Role.ADMINISTRATOR),
        "agency": make.user(Role.AGENCY, organization_id=service.organization_id),
    }[published_by]
    reports.report_from_answer(
        session,
        service.id,
        "Salah",
        part=part,
        value=value,
        is_doubted=True,
        by=make.user(told),
        now=now,
    )
    later = now + timedelta(hours=1)

    before = values_of(service)
    seen = {name: before[name] for name in values}
    change = changes.edit(
        session, service.id, values, gazetteer(session), seen=seen, by=by, now=later
    )

    assert change.status is ChangeStatus.PUBLISHED
    (report,) = session.scalars(select(ListingReport)).all()
    assert (report.closed_at == later) is is_closed
    assert (doubts(session, [service.id]) == {}) is is_closed
    if is_closed and change.values == NEW_HOURS:
        reports.report_wrong(
            session, service.id, "Masih salah", part=part, now=later + timedelta(hours=1)
        )
        changes.revert(session, change, gazetteer(session), by=by, now=later + timedelta(hours=2))
        assert len(reports.open_reports(session).items) == 1
