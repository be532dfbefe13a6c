"""Letters by their pages: who may open them, what they hold, how a letter gets to the agency."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.changes.models import AuditEntry
from referral.directory.models import AnswerMode
from referral.referrals import replies
from referral.referrals.letters.models import Letter
from referral.referrals.letters.states import LetterState
from referral.referrals.lifecycle import Event
from tests.factories import Make
from tests.papers import walk_in, words
from tests.scenes import NAME, NUMBER, STORY, Scene

PERSONAL = (NAME, NUMBER, STORY, "Gang Fiktif")


def only(session: Session) -> Letter:
    return session.scalars(select(Letter)).one()


# The letter --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["id", "en"])
def test_a_letter_that_the_client_carries_holds_what_the_basis_names(
    scene: Scene, by: Any, lang: str
) -> None:
    referral = walk_in(scene, "name", "need")

    text = words(by(scene.broker), f"/referrals/{referral.id}/letter.pdf?lang={lang}")

    assert NAME in text
    assert not any(secret in text for secret in PERSONAL[1:])
    assert referral.number in text
    assert scene.case.office.name in text
    assert ("Permohonan layanan" if lang == "id" else "Request for service") in text


@pytest.mark.parametrize("mode", [AnswerMode.REPLIES, AnswerMode.DECISION])
def test_any_other_letter_names_nobody_until_the_agency_accepts(
    scene: Scene, by: Any, mode: AnswerMode
) -> None:
    scene.site.service.answer_mode = mode
    referral = scene.sent()
    broker = by(scene.broker)
    url = f"/referrals/{referral.id}/letter.pdf?lang=en"

    before = words(broker, url)
    page = broker.page(f"/referrals/{referral.id}/letter").text

    assert not any(secret in before + page for secret in PERSONAL)
    assert "13–17 years" in before
    assert "Kota Semarang" in before

    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day + timedelta(days=3))
    assert all(secret in words(broker, url) for secret in PERSONAL)


def test_a_letter_is_not_printed_once_the_basis_is_gone_or_the_referral_ended(
    scene: Scene, by: Any, session: Session, make: Make
) -> None:
    referral = walk_in(scene)
    ended = Scene(session, make, scene.now)
    declined = ended.sent()
    ended.take(declined, Event.DECLINE, reason="at_capacity")
    broker = by(ended.broker)
    assert broker.get(f"/referrals/{declined.id}/letter.pdf").status_code == 409

    broker = by(scene.broker)
    assert broker.get(f"/referrals/{referral.id}/letter.pdf").status_code == 200
    scene.consent(refused=True, now=scene.now + timedelta(seconds=1))
    session.commit()
    assert broker.get(f"/referrals/{referral.id}/letter.pdf").status_code == 409
    assert broker.get(f"/referrals/{referral.id}/letter").status_code == 409


def test_paper_is_for_the_worker_and_the_office_and_its_name_tells_of_nobody(
    scene: Scene, by: Any, make: Make
) -> None:
    referral = walk_in(scene)
    urls = [f"/referrals/{referral.id}/{name}.pdf" for name in ("letter", "handout")]
    for user in (
        scene.agency,
        make.user(),
        make.user(Role.SUPERVISOR),
        make.user(Role.PLANNER),
        make.user(Role.ADMINISTRATOR),
    ):
        browser = by(user)
        assert [browser.get(url).status_code for url in urls] == [404, 404], user.role

    for user in (scene.broker, make.user(Role.SUPERVISOR, office=scene.case.office)):
        browser = by(user)
        for url in urls:
            response = browser.get(url)
            assert response.status_code == 200
            assert response.headers["Cache-Control"] == "no-store"
            name = response.headers["Content-Disposition"]
            assert name.startswith("inline; filename=")
            assert not any(secret.split()[0] in name for secret in PERSONAL)


def test_printing_a_letter_is_seeing_the_person_and_changes_nothing_else(
    scene: Scene, by: Any, session: Session
) -> None:
    referral = walk_in(scene)
    broker = by(scene.broker)
    version = referral.version
    session.commit()
    read = select(func.count()).where(
        AuditEntry.action == "referral.read", AuditEntry.client_id == scene.case.client_id
    )
    before = session.scalar(read) or 0

    broker.get(f"/referrals/{referral.id}/letter.pdf")

    assert session.scalar(read) == before + 1
    session.refresh(referral)
    assert referral.version == version
    assert session.scalar(select(func.count()).select_from(Letter)) == 0


def test_the_letterhead_says_who_writes_and_who_signs(
    scene: Scene, by: Any, make: Make, session: Session
) -> None:
    referral = walk_in(scene)
    supervisor = make.user(Role.SUPERVISOR, office=scene.case.office)
    head = by(supervisor)
    head.submit(
        "/office/letterhead",
        {
            "parent": "Pemerintah Kota Contoh",
            "address": "Jalan Contoh 1",
            "phone": "024 1",
            "signatory_name": "Siti Contoh",
            "signatory_title": "Kepala Dinas",
            "signatory_nip": "1970",
            "number_pattern": "{number:03}/PS/{year}",
        },
    )

    text = words(by(scene.broker), f"/referrals/{referral.id}/letter.pdf?lang=id")

    for part in (
        "PEMERINTAH KOTA CONTOH",
        "Jalan Contoh 1 · Telepon 024 1",
        "NIP 1970",
        "Kepala Dinas, Siti Contoh",
    ):
        assert part in text, part
    refused = by(supervisor).post("/office/letterhead", data={"number_pattern": "PS/{year}"})
    assert refused.status_code == 422
    assert scene.case.office.letterhead["number_pattern"] == "{number:03}/PS/{year}"
    assert by(make.user(Role.ADMINISTRATOR)).get("/office/letterhead").status_code == 404


# Its way -----------------------------------------------------------------------------------------


def test_a_letter_goes_from_signature_to_the_agency_where_its_time_starts(
    scene: Scene, by: Any, make: Make, session: Session
) -> None:
    scene.agency.active = False  # nobody there signs in: only paper proves that it arrived
    scene.site.service.answer_mode = AnswerMode.DECISION
    referral = scene.sent()
    assert referral.delivered_at is None
    where = f"/referrals/{referral.id}"
    broker = by(scene.broker)
    broker.submit(f"{where}/letters", {"language": "id", "attachments": "1"})
    letter = only(session)

    supervisor = by(make.user(Role.SUPERVISOR, office=scene.case.office))
    queue = supervisor.page("/letters")
    assert referral.number in queue.text
    assert "For signature (1)" in " ".join(queue.text.split())
    today = scene.day.isoformat()
    supervisor.submit(
        f"{where}/letters/{letter.id}/sign",
        {
            "version": letter.version,
            "signatory_name": "Siti Contoh",
            "signatory_nip": "1970",
            "on": today,
        },
    )
    assert supervisor.post(
        f"{where}/letters/{letter.id}/hand_over", data={"version": letter.version, "handed_to": "agency", "on": today}
    ).status_code == 409  # fmt: skip

    broker = by(scene.broker)
    broker.submit(
        f"{where}/letters/{letter.id}/number", {"version": letter.version, "number": "460/7"}
    )
    text = words(broker, f"{where}/letter.pdf?lang=id")
    assert "460/7" in text
    assert "1 berkas" in text
    assert "Siti Contoh NIP 1970" in text
    broker.submit(
        f"{where}/letters/{letter.id}/hand_over",
        {"version": letter.version, "handed_to": "post", "on": today},
    )
    assert (letter.state, referral.delivered_at) == (LetterState.HANDED_OVER, None)
    page = broker.submit(
        f"{where}/letters/{letter.id}/deliver",
        {"version": letter.version, "on": today, "receiver": "Pak Contoh"},
    )

    assert "Pak Contoh" in page.text
    assert letter.state is LetterState.DELIVERED
    assert referral.delivered_at is not None
    assert "No letter is on its way" in by(scene.broker).page("/letters").text
    events = session.scalars(
        select(AuditEntry.action).where(AuditEntry.action.like("letter.%")).order_by(AuditEntry.seq)
    )
    assert set(events) == {
        f"letter.{one}" for one in ("made", "sign", "number", "hand_over", "deliver")
    }


def test_all_of_it_is_told_in_one_form_with_the_offices_own_number(
    scene: Scene, by: Any, session: Session
) -> None:
    scene.case.office.letterhead = {"number_pattern": "{number:03}/PS/{year}"}
    referral = walk_in(scene)
    broker, today = by(scene.broker), scene.day
    where = f"/referrals/{referral.id}"
    numbers = []
    for _round in range(2):
        broker.submit(f"{where}/letters", {"language": "id"})
        letter = session.scalars(select(Letter).order_by(Letter.made_at.desc()).limit(1)).one()
        broker.submit(
            f"{where}/letters/{letter.id}/all",
            {"version": letter.version, "signatory_name": "Rina", "on": today.isoformat(),
             "number": "", "handed_to": "client", "handed_on": today.isoformat()},
        )  # fmt: skip
        assert letter.state is LetterState.HANDED_OVER
        numbers.append(letter.number)
        broker.submit(
            f"{where}/letters/{letter.id}/void", {"version": letter.version, "note": "rusak"}
        )
    assert numbers == [f"001/PS/{today.year}", f"002/PS/{today.year}"]


def test_of_one_form_with_a_mistake_nothing_is_kept(
    scene: Scene, by: Any, session: Session
) -> None:
    referral = walk_in(scene)
    broker, today = by(scene.broker), scene.day
    where = f"/referrals/{referral.id}"
    broker.submit(f"{where}/letters", {"language": "id"})
    letter = only(session)

    answer = broker.post(
        f"{where}/letters/{letter.id}/all",
        data={"version": letter.version, "signatory_name": "Rina", "on": today.isoformat(), "number": "7",
              "handed_to": "client", "handed_on": (today + timedelta(days=2)).isoformat()},
    )  # fmt: skip

    assert answer.status_code == 422
    assert b'href="#all-handed_on"' in answer.data
    session.refresh(letter)
    assert (letter.state, letter.number) == (LetterState.FOR_SIGNATURE, None)


def test_a_number_is_given_once_and_a_stale_page_is_told(
    scene: Scene, by: Any, session: Session, make: Make
) -> None:
    taken = walk_in(scene)
    session.add(
        Letter(
            key=taken.key, referral=taken, office_id=taken.office_id, language="id",
            state=LetterState.DELIVERED, number="460/7", made_at=scene.now, made_by_id=scene.broker.id,
        )
    )  # fmt: skip
    session.commit()
    broker = by(scene.broker)
    where = f"/referrals/{taken.id}"
    broker.submit(f"{where}/letters", {"language": "id"})
    letter = session.scalars(select(Letter).where(Letter.number.is_(None))).one()
    before = letter.version
    sign = {"version": before, "signatory_name": "Rina", "on": scene.day.isoformat()}
    broker.submit(f"{where}/letters/{letter.id}/sign", sign)

    assert (
        broker.post(
            f"{where}/letters/{letter.id}/void", data={"version": before, "note": "x"}
        ).status_code
        == 409
    )
    doubled = broker.post(
        f"{where}/letters/{letter.id}/number", data={"version": letter.version, "number": "460/7"}
    )
    assert doubled.status_code == 422
    assert b"already has this number" in doubled.data
    assert broker.post(f"{where}/letters", data={"language": "id"}).status_code == 409


def test_a_copy_needs_a_consent_of_its_own_for_all_that_the_letter_says(
    scene: Scene, by: Any, make: Make, session: Session
) -> None:
    referral = walk_in(scene, "name", "need")
    enough, less, withdrawn = (
        make.organization(name=name) for name in ("Kelurahan A", "Dinas B", "Yayasan C")
    )
    scene.consent("name", "need", organization_id=enough.id)
    scene.consent("need", organization_id=less.id)
    scene.consent("name", "need", organization_id=withdrawn.id)
    session.flush()
    broker = by(scene.broker)
    where = f"/referrals/{referral.id}"

    page = broker.page(f"{where}/letter")
    offered = [tag["value"] for tag in page.select("input[name=copies]")]
    assert offered == [str(enough.id), str(withdrawn.id)]
    forged = broker.post(f"{where}/letters", data={"language": "id", "copies": [str(less.id)]})
    assert forged.status_code == 422
    broker.submit(f"{where}/letters", {"language": "id", "copies": offered})
    assert "Tembusan: 1. Kelurahan A 2. Yayasan C" in words(broker, f"{where}/letter.pdf?lang=id")

    scene.consent(organization_id=withdrawn.id, refused=True, now=scene.now + timedelta(seconds=1))
    session.commit()
    text = words(broker, f"{where}/letter.pdf?lang=id")
    assert "Kelurahan A" in text
    assert "Yayasan C" not in text


def test_letters_of_others_are_not_there(
    scene: Scene, by: Any, make: Make, session: Session
) -> None:
    referral = walk_in(scene)
    by(scene.broker).submit(f"/referrals/{referral.id}/letters", {"language": "id"})
    letter = only(session)
    step = {"version": letter.version, "note": "x"}
    other = Scene(session, make, scene.now)
    foreign = walk_in(other)
    for user in (make.user(), make.user(Role.SUPERVISOR), scene.agency, make.user(Role.PLANNER)):
        browser = by(user)
        assert (
            browser.post(
                f"/referrals/{referral.id}/letters/{letter.id}/void", data=step
            ).status_code
            == 404
        )
        assert browser.post(f"/referrals/{referral.id}/letters").status_code == 404
        found = browser.get("/letters")
        assert found.status_code == 404 or referral.number.encode() not in found.data
    # A letter is found under its own referral only.
    browser = by(other.broker)
    assert (
        browser.post(f"/referrals/{foreign.id}/letters/{letter.id}/void", data=step).status_code
        == 404
    )
    session.refresh(letter)
    assert letter.state is LetterState.FOR_SIGNATURE


def test_a_code_to_answer_with_is_printed_and_a_qr_only_where_others_reach_us(
    scene: Scene, by: Any, session: Session, app: Any
) -> None:
    referral = scene.sent()
    link = replies.issue(session, referral, now=scene.now)
    code = link.code
    session.commit()
    broker = by(scene.broker)
    url = f"/referrals/{referral.id}/letter.pdf?lang=en"
    before = app.config["SETTINGS"]
    try:
        app.config["SETTINGS"] = replace(before, PUBLIC_URL="")
        without = words(broker, url)
        app.config["SETTINGS"] = replace(before, PUBLIC_URL="https://jejaring.example.org")
        with_address = words(broker, url)
    finally:
        app.config["SETTINGS"] = before

    assert code in without
    assert "scan this code" not in without
    assert code in with_address
    assert "scan this code" in with_address
    # A walk-in service answers to nobody: its letter has no code.
    other = walk_in(Scene(session, scene.make, scene.now))
    assert "Reply code" not in words(
        by(other.case.broker), f"/referrals/{other.id}/letter.pdf?lang=en"
    )


def test_what_is_written_on_paper_is_found_in_no_address_and_no_log(
    scene: Scene, by: Any, session: Session
) -> None:
    referral = walk_in(scene)
    by(scene.broker).submit(f"/referrals/{referral.id}/letters", {"language": "id"})

    entries = session.scalars(select(AuditEntry).where(AuditEntry.action.like("letter.%")))

    for entry in entries:
        kept = json.dumps(
            {
                column.name: str(getattr(entry, column.key, ""))
                for column in AuditEntry.__table__.columns
            }
        )
        assert not any(secret in kept for secret in PERSONAL)
