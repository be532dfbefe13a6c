"""The list of cases, opening one, the client's card, and the page of one case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework import handover
from referral.casework.models import Case, ClientKind, Stage
from referral.changes import audit
from referral.places import operations as places
from referral.planning.unmet import ledger
from tests.factories import Make

SCRIPT = "<script>alert('x')</script>"
PLACES = [
    {"kode": "33", "nama": "Jawa Tengah"},
    {"kode": "33.74", "nama": "Kota Semarang", "lat": "-6.99", "lon": "110.42"},
    {"kode": "33.74.11", "nama": "Banyumanik", "lat": "-7.06", "lon": "110.42"},
    {"kode": "33.22", "nama": "Kabupaten Semarang", "lat": "-7.14", "lon": "110.40"},
]


@pytest.fixture
def mine(browser: Any, broker: User, gazetteer: None) -> Any:
    """The browser of a signed-in broker who has a small gazetteer."""
    return browser.sign_in(broker)


@pytest.fixture
def gazetteer(session: Session) -> None:
    from referral.places.models import Place

    if session.get(Place, "33.74") is None:
        places.load(session, PLACES, source="test", now=datetime.now(UTC))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, Any]]:
    """Readings as they go to the audit chain: action, row, client."""
    found: list[tuple[str, Any, Any]] = []
    record = audit.record

    def spy(session: Session, action: str, subject: Any, **values: Any) -> Any:
        if action.endswith(".read"):
            found.append((action, subject.id, values["client_id"]))
        return record(session, action, subject, **values)

    monkeypatch.setattr(audit, "record", spy)
    return found


def only_case(session: Session) -> Case:
    return session.scalars(select(Case)).one()


def test_a_case_opens_with_nothing_but_its_kind(mine: Any, session: Session) -> None:
    page = mine.submit("/cases/new", {"kind": "community"})

    case = only_case(session)
    assert (case.client.kind, case.client.name, case.stage) == (
        ClientKind.COMMUNITY,
        None,
        Stage.INTAKE,
    )
    assert page.select_one("#story") is not None


def test_everything_told_at_intake_is_kept(mine: Any, session: Session) -> None:
    mine.submit(
        "/cases/new",
        {
            "kind": "person",
            "name": "Melati",
            "stays": "Kec. Banyumanik, Kota Semarang",
            "registered": "Kota Semarang",
            "contact_number": "0812 3456 7890",
            "contact_when": "sore",
            "contact_who": "kakaknya",
            "contact_name": "Ani",
            "contact_text": "no",
            "protections": ["violence"],
            "age_years": "16",
            "sex": "female",
            "desil": "2",
            "able_to_pay": "no",
            "disability": ["hearing"],
            "languages": ["ind", "jav"],
            "documents_lacking": ["KTP"],
        },
    )

    case = only_case(session)
    client = case.client
    assert client.name == "Melati"
    assert client.facts == {
        "age_years": 16,
        "sex": "female",
        "desil": 2,
        "disability": ["hearing"],
        "languages": ["ind", "jav"],
        "documents_lacking": ["KTP"],
        "able_to_pay": False,
    }
    assert client.stays_at is not None
    assert client.stays_at["text"] == "Kec. Banyumanik, Kota Semarang"
    assert client.stays_at["code"] == "33.74.11"
    assert client.registered_in == "33.74"
    assert case.protections == ["violence"]
    assert client.safe_contact == {
        "number": "+6281234567890",
        "when": "sore",
        "who_may_answer": "kakaknya",
        "name_to_use": "Ani",
        "may_leave_text": False,
        # Where there is violence only the worker contacts the client, unless told otherwise.
        "through_worker_only": True,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", ""),
        ("kind", "robot"),
        ("age_years", "-1"),
        ("age_years", "131"),
        ("age_years", "sixteen"),
        ("age_years", "9" * 400),
        ("desil", "0"),
        ("desil", "11"),
        ("sex", "'; DROP TABLE client; --"),
        ("contact_number", "call me"),
        ("contact_number", "12"),
        ("stays", "Negeri Antah Berantah"),
        ("stays", "x" * 301),
        ("registered", "Negeri Antah Berantah"),
        ("name", "n" * 201),
        ("disability", "sadness"),
        ("documents_lacking", "passport to the moon"),
    ],
)
def test_a_bad_answer_is_named_and_the_rest_is_kept(
    mine: Any, session: Session, field: str, value: str
) -> None:
    given = {"kind": "family", "name": "Keluarga Kenanga", "contact_when": "pagi"} | {field: value}

    page = mine.submit("/cases/new", given, status=422)

    linked = page.select_one(f'.error-summary a[href="#{field}"]')
    assert linked is not None
    assert page.select_one(f"#{field}") is not None, "the summary must lead to the field"
    assert page.select_one("#contact_when")["value"] == "pagi"
    if field != "name":
        assert page.select_one("#name")["value"] == "Keluarga Kenanga"
    assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_an_ambiguous_place_is_offered_and_not_guessed(mine: Any, session: Session) -> None:
    given = {"kind": "person", "stays": "Semarang"}

    page = mine.submit("/cases/new", given, status=422)

    offered = [tag["value"] for tag in page.select('input[name="stays_pick"]')]
    assert {"33.74", "33.22", "as_written"} <= set(offered)
    mine.submit("/cases/new", given | {"stays_pick": "33.22", "stays_pick_for": "Semarang"})
    assert (only_case(session).client.stays_at or {})["code"] == "33.22"


def test_a_choice_of_place_does_not_outlive_the_text_it_was_for(mine: Any) -> None:
    given = {
        "kind": "person",
        "stays": "Antah",
        "stays_pick": "33.22",
        "stays_pick_for": "Semarang",
    }

    mine.submit("/cases/new", given, status=422)


def test_an_unknown_place_can_be_kept_as_written(mine: Any, session: Session) -> None:
    text = "kolong jembatan Kali Garang"

    mine.submit(
        "/cases/new",
        {"kind": "person", "stays": text, "stays_pick": "as_written", "stays_pick_for": text},
    )

    assert only_case(session).client.stays_at == {"text": text}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("+44 20 7946 0958", "+442079460958"), ("+112", "112"), ("62811-2345-678", "+628112345678")],
)
def test_foreign_and_short_numbers_are_taken_with_a_plus(
    mine: Any, session: Session, typed: str, kept: str
) -> None:
    mine.submit("/cases/new", {"kind": "person", "contact_number": typed})

    assert (only_case(session).client.safe_contact or {})["number"] == kept


def test_the_same_number_in_another_case_is_mentioned(mine: Any) -> None:
    mine.submit("/cases/new", {"kind": "person", "contact_number": "0812 3456 7890"})

    page = mine.submit("/cases/new", {"kind": "person", "contact_number": "+62 812-3456-7890"})

    assert "KB-0001" in page.select_one(".flashes").text


def test_script_text_is_shown_as_text(mine: Any, session: Session) -> None:
    mine.submit("/cases/new", {"kind": "person", "name": SCRIPT})

    answer = mine.get(f"/cases/{only_case(session).id}")

    assert SCRIPT not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_the_name_is_in_neither_address_nor_title(
    mine: Any, session: Session, make: Make, broker: User
) -> None:
    case = make.case(broker=broker, client=make.client(broker.office, name="Melati"))
    session.commit()

    page = mine.page(f"/cases/{case.id}")

    assert page.title is not None
    assert case.number in page.title.text
    assert "Melati" not in page.title.text
    assert "Melati" in page.text


def test_reading_a_case_is_written_to_the_audit_chain(
    mine: Any, session: Session, make: Make, broker: User, reads: list[Any]
) -> None:
    case = make.case(broker=broker)
    session.commit()

    mine.page(f"/cases/{case.id}")
    mine.page("/cases")

    assert reads == [("case.read", case.id, case.client_id)] * 2


@pytest.mark.parametrize(
    "role", [Role.BROKER, Role.SUPERVISOR, Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR]
)
@pytest.mark.parametrize(
    "path", ["", "/client", "/story", "/needs/new", "/basis", "/contract", "/crisis", "/erase"]
)
def test_a_case_is_not_there_for_others(
    browser: Any, make: Make, role: Role, path: str, reads: list[Any]
) -> None:
    case = make.case()
    other: dict[str, Any] = {"organization": make.organization()} if role is Role.AGENCY else {}
    if role is Role.AGENCY:
        other = {"organization_id": other["organization"].id}
    browser.sign_in(make.user(role, **other))

    answer = browser.get(f"/cases/{case.id}{path}")

    assert answer.status_code == 404
    assert case.number not in answer.text
    assert reads == []


def test_a_supervisor_reads_the_cases_of_the_office_and_changes_none(
    browser: Any, session: Session, make: Make, broker: User
) -> None:
    case = make.case(broker=broker)
    need = make.need(case)
    browser.sign_in(make.user(Role.SUPERVISOR, office=broker.office))

    page = browser.page(f"/cases/{case.id}")

    assert page.select('form[action*="/match"]') == []
    assert browser.get(f"/cases/{case.id}/story").status_code == 404
    assert browser.post(f"/cases/{case.id}/needs/{need.id}/withdraw").status_code == 404
    assert case.number in browser.page("/cases").text


def test_crises_come_first_and_closed_cases_apart(
    mine: Any, session: Session, make: Make, broker: User
) -> None:
    older = make.case(broker=broker, crisis_since=make.now)
    newer = make.case(broker=broker, opened_at=make.now + timedelta(days=1))
    closed = make.case(broker=broker, stage=Stage.CLOSED)
    session.commit()

    shown = [tag.text for tag in mine.page("/cases").select("main h2 a")]
    ended = [tag.text for tag in mine.page("/cases?show=closed").select("main h2 a")]

    assert shown == [older.number, newer.number]
    assert ended == [closed.number]


def test_a_long_list_is_paged(mine: Any, session: Session, make: Make, broker: User) -> None:
    for _ in range(26):
        make.case(broker=broker)
    session.commit()

    first, second = mine.page("/cases"), mine.page("/cases?page=2")

    assert len(first.select("main .cards > li")) == 25
    assert first.select_one('a[rel="next"]')["href"] == "/cases?page=2"
    assert len(second.select("main .cards > li")) == 1


def test_an_empty_list_says_what_to_do(mine: Any) -> None:
    page = mine.page("/cases")

    assert page.select_one('.empty a[href="/cases/new"]') is not None


def test_the_client_card_is_changed_and_an_emptied_field_forgotten(
    mine: Any, session: Session
) -> None:
    mine.submit(
        "/cases/new",
        {"kind": "person", "name": "Melati", "stays": "Kota Semarang", "age_years": "16"},
    )
    case = only_case(session)
    case_id = case.id
    form = mine.page(f"/cases/{case_id}/client")
    assert form.select_one("#stays")["value"] == "Kota Semarang"

    page = mine.submit(
        f"/cases/{case_id}/client", {"name": "", "stays": "Kota Semarang", "age_years": "17"}
    )

    client = only_case(session).client
    assert (client.name, client.facts) == (None, {"age_years": 17})
    assert (client.stays_at or {})["code"] == "33.74"
    assert page.select_one(".flashes") is not None


def test_a_note_carries_the_role_and_a_bad_one_is_kept(mine: Any, session: Session) -> None:
    mine.submit("/cases/new", {"kind": "person"})
    case_id = only_case(session).id

    page = mine.submit(
        f"/cases/{case_id}/notes/new", {"text": "Bertemu wali kelas", "acted_as": "advocate"}
    )
    bad = mine.submit(f"/cases/{case_id}/notes/new", {"text": "x" * 10_001}, status=422)

    assert "Bertemu wali kelas" in page.select_one(".timeline").text
    assert len(bad.select_one("#text").text) == 10_001
    mine.submit(f"/cases/{case_id}/notes/new", {"text": "  "}, status=422)


def test_a_case_closes_and_a_new_contract_opens_it_again(mine: Any, session: Session) -> None:
    mine.submit("/cases/new", {"kind": "person"})
    case_id = only_case(session).id

    mine.submit(f"/cases/{case_id}/stage", {"stage": "closed"})
    assert only_case(session).stage is Stage.CLOSED
    mine.submit(f"/cases/{case_id}/stage", {"stage": "analysis"}, status=409)
    mine.submit(f"/cases/{case_id}/contract", {"method": "spoken"})

    assert (only_case(session).stage, only_case(session).closed_at) == (Stage.INTERVENTION, None)


def test_only_a_supervisor_erases_and_only_after_writing_the_number(
    browser: Any, session: Session, make: Make, broker: User
) -> None:
    client = make.client(broker.office, name="Melati", stays_at={"code": "33.74"})
    case = make.case(broker=broker, client=client)
    unmet = ledger.record_unmet(
        session, make.need(case, category="FC05"), reason="U01", by=broker, now=make.now
    )
    number, address = case.number, f"/cases/{case.id}"
    browser.sign_in(broker)
    assert browser.get(f"{address}/erase").status_code == 404
    assert unmet.area_code == "33.74"
    browser.post("/sign-out")
    browser.sign_in(make.user(Role.SUPERVISOR, office=broker.office))
    assert "Melati" in browser.page(address).text

    browser.submit(f"{address}/erase", {"number": "KB-9999"}, status=422)
    page = browser.submit(f"{address}/erase", {"number": number.lower()})

    assert "Melati" not in page.text
    assert only_case(session).client.name is None
    assert only_case(session).stage is Stage.CLOSED
    assert (client.area_code, unmet.area_code) == (None, None)
    assert browser.get(f"{address}/erase").status_code == 409


def test_consent_is_given_refused_and_withdrawn(mine: Any, session: Session, make: Make) -> None:
    organization = make.organization(name="Yayasan Contoh Pulih")
    session.commit()
    mine.submit("/cases/new", {"kind": "person"})
    address = f"/cases/{only_case(session).id}"
    given = {"purpose": "casework", "kind": "consent", "answer": "given", "method": "spoken"}

    mine.submit(f"{address}/basis", given)
    mine.submit(
        f"{address}/basis",
        given | {"purpose": "referral", "agency": organization.name, "fields": ["name", "age"]},
    )
    page = mine.submit(
        f"{address}/basis",
        given | {"purpose": "referral", "agency": organization.name, "answer": "refused"},
    )

    shown = page.select_one("#basis").text
    assert "Yayasan Contoh Pulih" in shown
    forms = page.select('#basis form[action*="/withdraw"]')
    assert len(forms) == 2, "a refusal can't be withdrawn"
    mine.submit(forms[-1]["action"])
    mine.submit(forms[-1]["action"], status=409)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("purpose", {"purpose": ""}),
        ("method", {"method": "telepathy"}),
        ("answer", {"answer": ""}),
        ("agency", {"purpose": "referral", "agency": "Tidak Ada"}),
        ("agency", {"purpose": "referral", "agency": ""}),
        ("fields", {"purpose": "referral", "agency": "Yayasan Contoh Pulih", "fields": []}),
        ("reason", {"kind": "vital_interest"}),
        ("expires_on", {"expires_on": "2020-01-31"}),
        ("expires_on", {"expires_on": "31-31-2026"}),
    ],
)
def test_a_basis_that_does_not_hold_is_refused(
    mine: Any, session: Session, make: Make, field: str, values: dict[str, Any]
) -> None:
    make.organization(name="Yayasan Contoh Pulih")
    session.commit()
    mine.submit("/cases/new", {"kind": "person"})
    given = {"purpose": "casework", "kind": "consent", "answer": "given", "method": "spoken"}

    page = mine.submit(
        f"/cases/{only_case(session).id}/basis",
        given | {"witness": "Bu Kader"} | values,
        status=422,
    )

    assert page.select_one(f'.error-summary a[href="#{field}"]') is not None
    assert page.select_one("#witness")["value"] == "Bu Kader"


def test_agencies_of_the_same_name_are_offered(mine: Any, session: Session, make: Make) -> None:
    first, second = (make.organization(name="Puskesmas Melati") for _ in range(2))
    ids = {str(first.id), str(second.id)}
    session.commit()
    mine.submit("/cases/new", {"kind": "person"})
    address = f"/cases/{only_case(session).id}/basis"
    given = {
        "purpose": "referral",
        "kind": "consent",
        "answer": "given",
        "method": "written",
        "agency": "Puskesmas Melati",
        "fields": "need",
    }

    page = mine.submit(address, given, status=422)

    assert {tag["value"] for tag in page.select('input[name="agency_pick"]')} == ids
    picked = sorted(ids)[0]
    mine.submit(address, given | {"agency_pick": picked, "agency_pick_for": "Puskesmas Melati"})


def test_giving_a_basis_leads_back_to_where_it_was_asked_for(mine: Any, session: Session) -> None:
    mine.submit("/cases/new", {"kind": "person"})
    address = f"/cases/{only_case(session).id}/basis"
    given = {"purpose": "casework", "kind": "consent", "answer": "given", "method": "spoken"}

    back = mine.post(address, data=given | {"next": "/referrals/new"})
    elsewhere = mine.post(address, data=given | {"next": "//evil.example"})

    assert back.headers["Location"] == "/referrals/new"
    assert elsewhere.headers["Location"].startswith("/cases/")


def test_a_contract_puts_needs_in_and_out_of_scope(
    mine: Any, session: Session, make: Make, broker: User
) -> None:
    case = make.case(broker=broker)
    inside, outside = make.need(case, category="HE05"), make.need(case, category="FC05")
    ids = (inside.id, outside.id)
    address = f"/cases/{case.id}/contract"
    session.commit()

    bad = mine.submit(
        address,
        {
            "in_scope": str(ids[0]),
            "method": "spoken",
            "terms": "Sampai kelas 3",
            "ends_on": "2020-01-31",
        },
        status=422,
    )
    assert bad.select_one("#terms").text == "Sampai kelas 3"
    page = mine.submit(
        address, {"in_scope": str(ids[0]), "method": "spoken", "terms": "Sampai kelas 3"}
    )

    from referral.casework.models import Need

    assert [session.get(Need, one).in_scope for one in ids] == [True, False]
    assert "Sampai kelas 3" in page.select_one("#contract").text
    mine.submit(address, {"in_scope": "not-a-need", "method": "spoken"}, status=422)


def test_an_organization_is_kept_out_silently(mine: Any, session: Session, make: Make) -> None:
    make.organization(name="Lembaga Paman")
    session.commit()
    mine.submit("/cases/new", {"kind": "person"})
    address = f"/cases/{only_case(session).id}/exclusions/new"

    mine.submit(address, {"organization": ""}, status=422)
    mine.submit(address, {"organization": "Tidak Ada"}, status=422)
    page = mine.submit(address, {"organization": "Lembaga Paman", "reason": "pelaku di sana"})

    kept = page.select_one("#people .no-print")
    assert "Lembaga Paman" in kept.text


def test_somebody_else_can_be_helped(mine: Any, session: Session) -> None:
    mine.submit("/cases/new", {"kind": "family"})
    address = f"/cases/{only_case(session).id}"

    bad = mine.submit(
        f"{address}/beneficiaries/new", {"label": "anak bungsu", "age_years": "-3"}, status=422
    )
    assert bad.select_one("#label")["value"] == "anak bungsu"
    mine.submit(f"{address}/beneficiaries/new", {"label": "", "age_years": "3"}, status=422)
    page = mine.submit(
        f"{address}/beneficiaries/new", {"label": "anak bungsu", "kind": "member", "age_years": "3"}
    )

    assert "anak bungsu" in page.select_one("#people").text
    assert only_case(session).beneficiaries[0].facts == {"age_years": 3}


def test_the_next_worker_reads_what_was_handed_over(
    mine: Any, session: Session, make: Make, broker: User
) -> None:
    before = make.user(office=broker.office)
    supervisor = make.user(Role.SUPERVISOR, office=broker.office)
    case = make.case(broker=before)
    handover.reassign(
        session, case, to=broker, note="Telepon sore saja", by=supervisor, now=make.now
    )
    session.commit()

    page = mine.page(f"/cases/{case.id}")

    assert "Telepon sore saja" in page.select_one(".timeline").text


def test_choices_are_in_the_language_of_the_reader_not_of_whoever_asked_first(
    mine: Any, case: Case
) -> None:
    form = f"/cases/{case.id}/beneficiaries/new"
    first = mine.get(form).text
    mine.post("/language/en", data={"next": "/"})
    second = mine.get(form).text

    assert ("Perempuan" in first, "Female" in first) == (True, False)
    assert ("Perempuan" in second, "Female" in second) == (False, True)
