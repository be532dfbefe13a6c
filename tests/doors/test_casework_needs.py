"""From the story to confirmed needs, and help that is made by the worker."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework.models import Case, Need, Urgency
from referral.casework.operations import STORY_LIMIT
from referral.casework.stories import suggest
from referral.directory.reference import taxonomy
from referral.planning.unmet.models import UnmetNeed
from tests.factories import Make

TOLD = (
    "Anak saya umur 16 tahun, sudah sebulan murung dan depresi, tidak mau sekolah. "
    "Saya juga butuh penitipan anak untuk adiknya karena harus kerja."
)
SCRIPT = "<script>alert('x')</script>"


def needs_of(session: Session) -> list[Need]:
    return list(session.scalars(select(Need).order_by(Need.id)))


def test_a_story_proposes_needs_and_the_worker_confirms_some(
    mine: Any, session: Session, case: Case
) -> None:
    address = f"/cases/{case.id}"
    expected = suggest(TOLD, taxonomy())
    code, because = expected.needs[0].code, expected.needs[0].because

    page = mine.submit(f"{address}/story", {"story": TOLD})

    offered = [tag["value"] for tag in page.select('input[name="need"]')]
    assert offered == [need.code for need in expected.needs]
    assert page.select('input[name="need"][checked]') == [], "nothing is decided for the worker"
    assert because[0].text in [tag.text for tag in page.select(".story mark")]
    assert needs_of(session) == []
    page = mine.submit(f"{address}/proposals", {"need": code, f"urgency-{code}": "urgent"})
    [need] = needs_of(session)
    assert (need.category, need.urgency) == (code, Urgency.URGENT)
    assert need.because == [one.as_json() for one in because]
    assert page.select(f'form[action="/needs/{need.id}/match"]')


def test_the_words_behind_a_need_are_never_taken_from_the_form(
    mine: Any, session: Session, case: Case
) -> None:
    mine.submit(f"/cases/{case.id}/story", {"story": TOLD})

    mine.submit(f"/cases/{case.id}/proposals", {"other": "HE01", "because": "made up"})

    [need] = needs_of(session)
    assert (need.category, need.because) == ("HE01", None)


@pytest.mark.parametrize(
    "values", [{}, {"other": "XX99"}, {"other": "HE"}, {"need": "ZZ01"}, {"need": SCRIPT}]
)
def test_proposals_without_a_real_need_are_refused(
    mine: Any, session: Session, case: Case, values: dict[str, str]
) -> None:
    mine.submit(f"/cases/{case.id}/story", {"story": TOLD})

    mine.submit(f"/cases/{case.id}/proposals", values, status=422)

    assert needs_of(session) == []


def test_a_story_that_is_too_long_is_kept_and_named(
    mine: Any, session: Session, case: Case
) -> None:
    told = "a" * (STORY_LIMIT + 1)

    page = mine.submit(f"/cases/{case.id}/story", {"story": told}, status=422)

    assert page.select_one("#story").text == told
    assert page.select_one('.error-summary a[href="#story"]') is not None
    session.expire_all()
    assert case.story is None


def test_line_ends_count_once(mine: Any, session: Session, case: Case) -> None:
    told = "\r\n".join(["a"] * (STORY_LIMIT // 2))

    mine.submit(f"/cases/{case.id}/story", {"story": told})

    session.expire_all()
    assert len(case.story or "") == STORY_LIMIT - 1


def test_script_in_a_story_is_shown_as_text(mine: Any, case: Case) -> None:
    answer = mine.post(
        f"/cases/{case.id}/story", data={"story": f"{TOLD} {SCRIPT}"}, follow_redirects=True
    )

    assert SCRIPT not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_story_of_danger_shows_numbers_before_anything_else(mine: Any, case: Case) -> None:
    page = mine.submit(f"/cases/{case.id}/story", {"story": "Dia bilang mau bunuh diri malam ini."})

    main = page.select_one("main")
    assert main.find(["section", "h1"])["class"] == ["crisis"]
    assert main.select('.crisis a[href^="tel:"]')


def test_a_need_is_added_by_hand_and_found_by_search_without_javascript(
    mine: Any, session: Session, case: Case
) -> None:
    address = f"/cases/{case.id}/needs/new"

    found = mine.submit(address, {"search": "y", "words": "penitipan anak"})
    assert "FC05" in [tag["value"] for tag in found.select('input[name="category"]')]
    mine.submit(address, {"category": "FC05", "urgency": "routine", "severity": "3"})

    [need] = needs_of(session)
    assert (need.category, need.urgency, need.severity) == ("FC05", Urgency.ROUTINE, 3)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("category", {"category": ""}),
        ("category", {"category": "HE"}),
        ("category", {"category": SCRIPT}),
        ("urgency", {"urgency": "soon"}),
        ("severity", {"severity": "4"}),
        ("beneficiary", {"beneficiary": "somebody"}),
        ("note", {"note": "x" * 10_001}),
    ],
)
def test_a_bad_need_is_named_and_the_note_kept(
    mine: Any, session: Session, case: Case, field: str, values: dict[str, str]
) -> None:
    given = {"category": "FC05", "urgency": "routine", "note": "dua anak"} | values

    page = mine.submit(f"/cases/{case.id}/needs/new", given, status=422)

    assert page.select_one(f'.error-summary a[href="#{field}"]') is not None
    assert page.select_one("#note").text == given["note"]
    assert needs_of(session) == []


def test_an_emergency_need_opens_the_crisis_path(mine: Any, session: Session, case: Case) -> None:
    page = mine.submit(f"/cases/{case.id}/needs/new", {"category": "HE05", "urgency": "emergency"})

    session.expire_all()
    assert case.crisis_since is not None
    assert page.select_one("main").find(["section", "h1"])["class"] == ["crisis"]


def test_a_withdrawn_need_waits_for_nothing_and_can_not_be_closed_twice(
    mine: Any, session: Session, make: Make, case: Case
) -> None:
    need = make.need(case)
    unmet = UnmetNeed(
        need_id=need.id,
        office_id=case.office_id,
        category=need.category,
        reason="U01",
        origin="broker",
        opened_at=make.now,
    )
    session.add(unmet)
    session.commit()
    address = f"/cases/{case.id}/needs/{need.id}"

    mine.submit(f"{address}/withdraw")
    mine.submit(f"{address}/resolve", status=409)

    session.expire_all()
    assert need.withdrawn_at is not None
    assert (unmet.closed_at is not None, unmet.closed_as) == (True, "withdrawn")


def test_a_need_of_another_case_is_not_there(
    mine: Any, session: Session, make: Make, case: Case
) -> None:
    foreign = make.need()
    session.commit()

    mine.submit(f"/cases/{case.id}/needs/{foreign.id}/withdraw", status=404)
    mine.submit(f"/cases/{foreign.case_id}/needs/{foreign.id}/withdraw", status=404)
