"""Curators find, compare, merge and undo; others see none of it, and the address of a merged listing leads on."""

import csv

import pytest
from sqlalchemy import select

from referral.accounts.models import Role
from referral.directory.duplicates import finding
from referral.directory.duplicates.models import DuplicatePair, Merge, PairStatus
from referral.directory.kinds import ServiceStatus
from referral.directory.models import Address, Phone, Service

PLACE = (-1.5, 120.1)


@pytest.fixture
def pair(make, session, now):
    one = make.service("HE02", name="RSUD Kasih Bunda", at=PLACE, description="Rumah sakit kota")
    other = make.service(
        "HE02", name="Rumah Sakit Umum Daerah Kasih Bunda", at=PLACE, description="Rumah sakit"
    )
    for site, number in ((one, "0451 421421"), (other, "0451 999999")):
        session.add(Phone(service_id=site.service_id, number=number))
    session.flush()
    finding.find_for(session, one.service_id, now=now)
    return session.scalars(select(DuplicatePair)).one()


@pytest.fixture
def curator(browser, make):
    return browser.sign_in(make.user(Role.ADMINISTRATOR, language="en"))


def english(browser) -> None:
    browser.post("/language/en", data={"next": "/"})


def test_only_curators_may_look(browser, make, pair):
    for role in (Role.BROKER, Role.AGENCY, Role.PLANNER, Role.SUPERVISOR):
        browser.sign_in(make.user(role))
        for path in ("", str(pair.id), "merges"):
            assert browser.get(f"/directory/duplicates/{path}").status_code == 404


def test_the_list_names_both_and_why(curator, pair):
    english(curator)
    page = curator.page("/directory/duplicates/")

    (card,) = page.select("main .row-card")
    assert card.h2.text == "RSUD Kasih Bunda · Rumah Sakit Umum Daerah Kasih Bunda"
    assert "The names are the same." in card.text


def test_a_pair_is_merged_as_the_form_chose_and_can_be_undone(curator, pair, session):
    english(curator)
    page = curator.page(f"/directory/duplicates/{pair.id}")
    kept = page.select_one("input[name=keep]")["value"]
    assert "They have the same kinds of help" not in page.text
    ticked = {field["name"]: field["value"] for field in page.select("input[type=radio][checked]")}
    assert ticked["field-name"] == "kept"
    names = {str(one.id): one.name for one in session.scalars(select(Service))}

    done = curator.submit(
        f"/directory/duplicates/{pair.id}/merge",
        ticked | {"keep": kept, "field-description": "gone"},
    )

    merge = session.scalars(select(Merge)).one()
    assert str(merge.kept_id) == kept
    service = session.get_one(Service, merge.kept_id)
    assert service.name == names[kept]
    assert len(service.phones) == 2
    assert len(service.sites) == 1
    assert "The two are one listing now." in done.text
    assert names[str(merge.gone_id)] in curator.page("/directory/duplicates/merges").text

    moved = curator.get(f"/services/{merge.gone_id}")
    assert moved.status_code in (301, 303, 308)
    assert moved.location.endswith(f"/services/{kept}")

    back = curator.submit(f"/directory/duplicates/merges/{merge.id}/undo")
    assert "They are two listings again." in back.text
    assert session.get_one(Service, merge.gone_id).status is ServiceStatus.ACTIVE
    assert curator.get(f"/services/{merge.gone_id}").status_code == 200
    assert session.scalars(select(DuplicatePair)).one().status is PairStatus.OPEN


def test_the_other_one_may_be_kept_instead(curator, pair):
    page = curator.page(f"/directory/duplicates/{pair.id}?keep={pair.second_id}")

    assert page.select_one("input[name=keep]")["value"] == str(pair.second_id)


def test_two_that_are_not_the_same_are_not_shown_again(curator, pair, session, now):
    english(curator)
    page = curator.submit(f"/directory/duplicates/{pair.id}/different")

    assert "No pairs to decide" in page.text
    finding.keep(session, *finding.look(session), now=now)
    assert session.scalars(select(DuplicatePair)).one().status is PairStatus.DIFFERENT
    again = curator.submit(f"/directory/duplicates/{pair.id}/different")
    assert "already been decided" in again.text


def test_a_choice_that_is_none_is_refused_and_nothing_changes(curator, pair, session):
    for wrong in ({"field-name": "both"}, {"site-x": "y"}, {f"site-{pair.id}": str(pair.id)}):
        curator.submit(f"/directory/duplicates/{pair.id}/merge", wrong, status=409)
    assert session.scalars(select(Merge)).all() == []


def test_the_page_of_a_pair_does_not_tell_a_confidential_place(curator, make, session, now):
    sites = [
        make.service("EM07", name="Rumah Aman Melati", at=PLACE, confidential=True)
        for _ in range(2)
    ]
    for site in sites:
        session.add(Phone(service_id=site.service_id, number="0451 421421"))
        session.add(
            Address(
                location_id=site.location_id,
                address_1="Jalan Tersembunyi 9",
                city="Palu",
                state_province="Sulawesi Tengah",
                postal_code="",
                country="ID",
            )
        )
    session.flush()
    finding.find_for(session, sites[0].service_id, now=now)
    pair = session.scalars(select(DuplicatePair)).one()

    for path in ("/directory/duplicates/", f"/directory/duplicates/{pair.id}"):
        page = curator.page(path)
        assert "Tersembunyi" not in page.text
        assert "120.1" not in str(page)


def test_the_command_brings_the_queue_up_to_date_and_prints_the_best(cli, make, pair):
    answer = cli("directory", "duplicates", "--json", "--lang", "en", "--limit", "1").json

    assert (answer["candidates"], answer["added"], answer["dropped"]) == (1, 0, 0)
    (found,) = answer["pairs"]
    assert {found["first"], found["second"]} == {
        "RSUD Kasih Bunda",
        "Rumah Sakit Umum Daerah Kasih Bunda",
    }
    assert found["score"] > 0.9
    assert {"key", "points", "because"} == set(found["reasons"][0])
    words = cli("directory", "duplicates", "--lang", "en")
    assert "1 may be one: 0 new" in words.stdout.replace("\n", " ")
    high = cli("directory", "duplicates", "--json", "--minimum-score", "1").json
    assert (high["candidates"], high["dropped"]) == (0, 1)


def test_importing_a_source_again_does_not_bring_back_what_was_merged(
    cli, curator, session, tmp_path, now
):
    path = tmp_path / "layanan.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "category", "address", "latitude", "longitude", "phone"])
        writer.writerow(
            ["a1", "RSUD Kasih Bunda", "HE02", "Jl. Mawar 1", -1.5, 120.1, "0451 421421"]
        )
        writer.writerow(["a2", "RS Umum Daerah Kasih Bunda", "HE02", "Jl. Mawar 1", -1.5, 120.1, "0451 999999"])  # fmt: skip
    cli("directory", "import", str(path), "--source", "uji")
    rows = {one.source_id: one.id for one in session.scalars(select(Service))}
    first, second = sorted((rows["a1"], rows["a2"]))
    finding.keep(session, *finding.look(session, minimum_score=0.0), now=now)
    pair = session.scalars(
        select(DuplicatePair).where(
            DuplicatePair.first_id == first, DuplicatePair.second_id == second
        )
    ).one()
    curator.submit(f"/directory/duplicates/{pair.id}/merge", {"keep": str(rows["a1"])})

    again = cli("directory", "import", str(path), "--source", "uji", "--json").json

    session.expire_all()
    assert (again["created"], again["updated"], again["findings"]) == (0, 0, [])
    gone = session.get_one(Service, rows["a2"])
    assert (gone.status, gone.merged_into_id) == (ServiceStatus.DEFUNCT, rows["a1"])
    assert sorted(p.number for p in session.get_one(Service, rows["a1"]).phones) == [
        "0451 421421",
        "0451 999999",
    ]
