"""The pages and the command that keep listings true, for curators, brokers, agencies and anyone."""

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from sqlalchemy import select

from referral.accounts.models import Role, User
from referral.changes import outbox
from referral.changes.models import OutgoingMail
from referral.directory.kinds import ServiceStatus
from referral.directory.models import Phone
from referral.directory.upkeep import links
from referral.directory.upkeep.kinds import ChangeStatus, ClaimStatus, LinkPurpose, Proof
from referral.directory.upkeep.models import Claim, ListingChange, ListingLink, ListingReport
from referral.jobs.tasks import forget_claims
from tests.factories import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
URL = "https://jejaring.example.org"
NAME, EMAIL = "Sari Fiktif", "sari@klinik.example.org"


@pytest.fixture
def service(session, make):
    service = make.service(name="Klinik Zamrud", email="klinik@example.org").service
    session.add(Phone(service_id=service.id, number="024 6722565", type="voice"))
    session.commit()
    return service


@pytest.fixture
def curator(make):
    return make.user(Role.BROKER, granted=["listing:approve"])


@pytest.fixture
def with_public_url(app):
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, PUBLIC_URL=URL)
    yield
    app.config["SETTINGS"] = before


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """A browser need not wait between two forms, but where a test is about that."""
    monkeypatch.setattr("referral.web.upkeep.door.SECONDS_BETWEEN", 0)


def unchanged(session):
    """How many of what a link or form may write there is."""
    tables = (ListingChange, ListingReport, Claim, OutgoingMail)
    return [len(session.scalars(select(table)).all()) for table in tables]


# The service's own page ---------------------------------------------------------------------------


def test_a_broker_confirms_a_listing_in_one_tap_and_the_page_says_who_did(browser, service, make):
    browser.sign_in(make.user())

    page = browser.submit(f"/services/{service.id}/confirm")

    assert "pekerja sosial lewat telepon" in page.select_one(".verified").text
    assert "pekerja sosial lewat telepon" in browser.page("/directory?q=zamrud").text


def test_a_broker_keeps_the_number_that_was_answered(browser, service, make):
    browser.sign_in(make.user())

    wrong = browser.submit(f"/services/{service.id}/number", {"number": "halo"}, status=422)
    page = browser.submit(f"/services/{service.id}/number", {"number": "0812-0000-1234"})

    assert wrong.select_one(".has-error #number")["value"] == "halo"
    assert page.select_one("a[href='tel:+6281200001234']")
    assert page.select_one(".verified")


@pytest.mark.parametrize("role", [None, Role.AGENCY, Role.PLANNER, Role.SUPERVISOR])
def test_nobody_else_confirms_a_listing_or_opens_the_curators_lists(
    browser, session, service, make, role
):
    if role:
        browser.sign_in(make.user(role))
    status = 404 if role else 303
    claim = make._save(
        Claim(
            service_id=service.id,
            organization_id=service.organization_id,
            name=NAME,
            email=EMAIL,
            proof=Proof.MAIL,
            status=ClaimStatus.WAITING,
            attempts=0,
            made_at=make.now,
        )
    )

    for path in ("confirm", "number"):
        assert browser.post(f"/services/{service.id}/{path}").status_code == status
    for path in ("/checks", "/directory/reports", "/claims", f"/claims/{claim.id}/decide"):
        assert browser.get(path).status_code == status
    for path in (
        f"/checks/{service.id}",
        f"/checks/{service.id}/ask",
        "/checks/ask",
        *(f"/claims/{claim.id}/{what}" for what in ("call", "approve", "refuse")),
    ):
        assert browser.post(path, data={"said": "still_true"}).status_code == status
    session.refresh(service)
    assert service.assured_date is None
    assert unchanged(session) == [0, 0, 1, 0]


def test_a_report_names_a_part_and_a_doubt_shows_on_page_and_card(
    browser, session, service, make, curator
):
    with browser.session_transaction() as kept:
        kept["language"] = "en"
    browser.submit(f"/services/{service.id}/report", {"text": "Mati", "part": "phones"})
    report = session.scalars(select(ListingReport)).one()
    assert (report.field, report.reported_by_role) == ("phones", "public")
    report.is_quarantine = True
    session.commit()

    assert "In doubt since" in browser.page(f"/services/{service.id}").text
    assert "In doubt since" in browser.page("/directory?q=zamrud").select_one(".option").text

    browser.sign_in(curator)
    page = browser.page("/directory/reports")
    assert page.select_one(f"a[href='/listings/{service.id}/edit/contact']")
    browser.submit(f"/directory/reports/{report.id}/close", {"found": "right"})
    assert "In doubt since" not in browser.page(f"/services/{service.id}").text


def test_each_side_of_a_curators_work_says_how_much_waits_there(browser, service, curator):
    browser.submit(f"/services/{service.id}/report", {"text": "Mati", "part": "phones"})
    browser.submit(f"/services/{service.id}/suggest", {"field": "hours", "text": "kadang-kadang"})
    browser.submit(f"/services/{service.id}/claim", CLAIM)
    browser.sign_in(curator)

    page = browser.page("/directory/misses")

    counts = [
        (tab["href"], tab.select_one(".count").text if tab.select_one(".count") else None)
        for tab in page.select(".tabs a")
    ]
    assert counts == [
        ("/listings/review", "1"),
        ("/checks", None),
        ("/directory/reports", "1"),
        ("/claims", "1"),
        ("/directory/duplicates/", None),
        ("/directory/misses", None),
    ]
    assert [link["href"] for link in page.select(".mainnav [aria-current]")] == ["/listings/review"]


def test_words_that_are_no_value_send_the_curator_to_the_listing(
    browser, session, service, curator
):
    browser.submit(f"/services/{service.id}/suggest", {"field": "hours", "text": "kadang-kadang"})
    change = session.scalars(select(ListingChange)).one()
    browser.sign_in(curator)

    page = browser.page(f"/listings/review/{change.id}")

    assert page.select_one(f"#decision .btn-primary[href='/listings/{service.id}/check']")
    assert page.select("#decision button") == []
    assert page.select_one("form[action$='/refuse']")


# The queue ---------------------------------------------------------------------------------------


def test_a_curator_works_through_the_queue_by_phone(browser, session, service, make, curator):
    other = make.service(name="Panti Delima").service
    browser.sign_in(curator)
    page = browser.page("/checks")

    assert page.select_one("a[href='tel:+62246722565']")
    assert page.select_one(f"a[href='/listings/{service.id}/check']")
    assert "PUBLIC_URL" in page.select_one(".notice").text
    assert not page.select("form[action='/checks/ask']")

    browser.submit(f"/checks/{service.id}", {"said": "still_true"})
    page = browser.submit(f"/checks/{other.id}", {"said": "defunct"})

    assert page.select("main ul.cards") == []
    assert "Panti Delima" in page.select_one(".flashes").text
    way_back = browser.page(page.select_one(".flashes a")["href"])
    assert way_back.select_one("a[href$='/revert']")
    session.refresh(service)
    session.refresh(other)
    assert (service.status, service.assured_by_role) == (ServiceStatus.ACTIVE, "curator")
    assert (other.status, other.assured_by_role) == (ServiceStatus.DEFUNCT, "curator")
    change = session.scalars(select(ListingChange)).one()
    assert (change.service_id, change.status) == (other.id, ChangeStatus.PUBLISHED)


@pytest.mark.parametrize("said", ["", "active", "merged", "inactive"])
def test_a_curator_can_say_nothing_else_about_a_call(browser, session, service, curator, said):
    browser.sign_in(curator)

    page = browser.submit(f"/checks/{service.id}", {"said": said})

    assert page.select_one(".flashes .notice-bad")
    session.refresh(service)
    assert (service.status, service.assured_date) == (ServiceStatus.ACTIVE, None)


@pytest.mark.usefixtures("with_public_url")
def test_a_curator_writes_to_one_agency_or_to_the_next_twenty(
    browser, session, service, make, curator
):
    for _ in range(3):
        make.service(email="dinas@example.org")
    browser.sign_in(curator)

    browser.submit(f"/checks/{service.id}/ask")
    again = browser.submit(f"/checks/{service.id}/ask")
    browser.submit("/checks/ask")

    assert again.select_one(".flashes .notice-bad")
    to = sorted(session.scalars(select(OutgoingMail.to)).all())
    assert to == ["dinas@example.org"] * 3 + ["klinik@example.org"]


# Links by mail ------------------------------------------------------------------------------------


def link(session, service, purpose):
    token = links.issue(session, service.id, purpose, now=datetime.now(UTC))
    session.commit()
    return links.address("", purpose, token), token


@pytest.mark.parametrize("purpose", [LinkPurpose.STILL_TRUE, LinkPurpose.CLOSED, LinkPurpose.FIX])
def test_opening_a_link_changes_nothing(browser, session, service, purpose):
    address, token = link(session, service, purpose)
    before = service.version, unchanged(session)

    for _ in range(3):
        page = browser.page(address)
    browser.page(f"{address}&said=defunct&field=name&text=Lain")

    assert page.select_one("form[method=post] input[name=key]")["value"] == token
    session.refresh(service)
    assert (service.version, unchanged(session)) == before
    assert session.scalars(select(ListingLink.used_at)).all() == [None]


def test_one_press_says_that_a_listing_is_still_true_and_the_link_is_over(
    browser, session, service
):
    address, token = link(session, service, LinkPurpose.STILL_TRUE)

    done = browser.submit(address.split("?")[0], {"key": token})
    assert done.select_one(f"main a[href='/services/{service.id}']")
    browser.submit(address.split("?")[0], {"key": token}, status=404)
    browser.page(address, status=404)

    session.refresh(service)
    assert service.assured_by_role == "agency"


def test_closed_by_link_waits_in_the_curators_queue(browser, session, service):
    address, token = link(session, service, LinkPurpose.CLOSED)
    path = address.split("?")[0]

    browser.submit(path, {"key": token}, status=422)
    browser.submit(path, {"key": token, "said": "active"}, status=422)
    browser.submit(path, {"key": token, "said": "temporarily closed"})

    change = session.scalars(select(ListingChange)).one()
    assert (change.values, change.status, change.made_by_role) == (
        {"status": "temporarily closed"},
        ChangeStatus.WAITING,
        "agency",
    )
    session.refresh(service)
    assert (service.status, service.assured_date) == (ServiceStatus.ACTIVE, None)


def test_a_trusted_agency_fixes_its_listing_by_link(browser, session, service):
    service.organization.trusted = True
    address, token = link(session, service, LinkPurpose.FIX)
    path = address.split("?")[0]

    page = browser.page(f"{address}&field=phones")
    assert page.select_one("#text").text.strip() == "024 6722565"
    browser.submit(path, {"key": token, "field": "phones", "text": "024 6722565"}, status=422)
    browser.submit(path, {"key": token, "field": "phones", "text": "0812-0000-1234"})

    numbers = session.scalars(select(Phone.number).where(Phone.service_id == service.id)).all()
    assert numbers == ["0812-0000-1234"]
    browser.page(address, status=404)


def test_a_link_opens_nothing_but_its_own_purpose(browser, session, service):
    _address, token = link(session, service, LinkPurpose.STILL_TRUE)

    for path in ("closed", "fix", "claim", "verify", "still_true/x", ""):
        assert browser.get(f"/listing-links/{path}?key={token}").status_code == 404
    for key in ("", token[:-1], token.upper() + "0", "x" * 5000):
        assert browser.get(f"/listing-links/still-true?key={key}").status_code == 404


def test_a_links_page_is_kept_nowhere_and_tells_no_other_page_the_secret(browser, session, service):
    address, token = link(session, service, LinkPurpose.STILL_TRUE)

    answer = browser.get(address)

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "origin"
    asked = re.findall(r"""(?:href|src|action)="([^"]*)""", answer.text)
    assert asked
    assert not any(token in one for one in asked)


def test_the_access_log_of_make_serve_leaves_the_secret_out(browser, session, service, caplog):
    """The log line is made as gunicorn makes it, from the Makefile's own format."""
    address, token = link(session, service, LinkPurpose.STILL_TRUE)
    words = shlex.split((ROOT / "Makefile").read_text("utf-8").split("--access-logformat", 1)[1])
    path, query = address.split("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": address,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": f"{URL}{address}",
    }
    config = Config()
    config.set("accesslog", "-")
    log = Logger(config)
    response = type("Response", (), {"status": "200 OK", "headers": [], "sent": 10})()
    request = type("Request", (), {"headers": []})()
    taken = timedelta(milliseconds=3)
    atoms = log.atoms_wrapper_class(log.atoms(response, request, environ, taken))

    assert token not in words[0] % atoms
    assert path in words[0] % atoms
    assert token in atoms["r"]  # what the usual format would print
    assert token in atoms["f"]
    with caplog.at_level("DEBUG"):
        browser.get(address)
        browser.post(path, data={"key": token})
    assert token not in caplog.text


# Claims -------------------------------------------------------------------------------------------

CLAIM = {"name": NAME, "email": EMAIL, "proof": "phone"}


def claimed(browser, service, **values):
    return browser.post(f"/services/{service.id}/claim", data=CLAIM | values)


def test_an_agency_claims_its_listing_by_a_code_and_signs_in(
    app, browser, session, service, curator
):
    answer = claimed(browser, service)
    claim = session.scalars(select(Claim)).one()
    assert answer.location == f"/claims/{claim.id}"

    colleague = app.test_client().sign_in(curator)
    page = colleague.submit(f"/claims/{claim.id}/call")
    code = re.search(r"\d{8}", page.select_one("main .notice-wait").text)[0]
    assert code not in colleague.page(f"/claims/{claim.id}/decide").text

    browser.submit(f"/claims/{claim.id}/code", {"code": "00000000"}, status=422)
    browser.submit(f"/claims/{claim.id}/code", {"code": code})
    page = colleague.submit(f"/claims/{claim.id}/approve")
    address = page.select_one("#address")["value"]

    browser.submit(address, {"password": PASSWORD, "again": PASSWORD})
    user = session.scalar(select(User).where(User.email == EMAIL))
    browser.sign_in(user, PASSWORD)
    assert browser.page("/listings").select_one(f"a[href*='{service.id}']")


@pytest.mark.usefixtures("with_public_url")
def test_nobody_learns_from_a_claim_what_is_registered(browser, session, service, make):
    """The same words, whether or not the listing has an address and the person an account."""
    unknown = make.service(name="Klinik Zamrud", email=None).service
    make.user(Role.AGENCY, email=EMAIL)
    pages = []
    for one, email in ((service, EMAIL), (unknown, EMAIL), (service, "baru@example.org")):
        answer = claimed(browser, one, proof="mail", email=email)
        assert answer.status_code == 303
        page = browser.page(answer.location)
        pages.append(" ".join(page.select_one("main").text.split()))

    assert len(set(pages)) == 1
    assert [letter.to for letter in session.scalars(select(OutgoingMail))] == [
        "klinik@example.org"
    ] * 2


def test_only_curators_see_who_claims(app, browser, session, service, curator):
    claimed(browser, service, message="Saya bendahara")
    claim = session.scalars(select(Claim)).one()

    public = browser.page(f"/claims/{claim.id}").text + browser.page(f"/services/{service.id}").text
    assert not any(secret in public for secret in (NAME, EMAIL, "bendahara"))
    colleague = app.test_client().sign_in(curator)
    assert NAME not in colleague.page("/claims").text
    page = colleague.page(f"/claims/{claim.id}/decide").text
    assert all(secret in page for secret in (NAME, EMAIL, "bendahara"))


def test_a_claimant_reads_why_it_was_refused(app, browser, session, service, curator):
    claimed(browser, service)
    claim = session.scalars(select(Claim)).one()
    colleague = app.test_client().sign_in(curator)

    colleague.submit(f"/claims/{claim.id}/refuse", {"note": ""}, status=422)
    colleague.submit(f"/claims/{claim.id}/approve", {"note": ""}, status=422)
    colleague.submit(f"/claims/{claim.id}/refuse", {"note": "Tidak dikenal di sana"})

    assert "Tidak dikenal di sana" in browser.page(f"/claims/{claim.id}").text


@pytest.mark.parametrize("values", [{"name": ""}, {"email": "bukan"}, {"message": "x" * 2000}])
def test_a_claim_that_can_not_be_taken_keeps_what_was_typed(browser, session, service, values):
    (field,) = values
    page = browser.submit(f"/services/{service.id}/claim", CLAIM | values, status=422)

    assert page.select_one(f".has-error #{field}")
    assert session.scalars(select(Claim)).all() == []


# Suggestions --------------------------------------------------------------------------------------


def test_anyone_corrects_a_field_after_seeing_what_it_says(browser, session, service):
    page = browser.page(f"/services/{service.id}/suggest?field=phones")
    assert "024 6722565" in page.select_one("main ul").text

    page = browser.submit(
        f"/services/{service.id}/suggest", {"field": "phones", "text": "0812-0000-1234"}
    )

    assert page.select_one(".flashes .notice-good")
    change = session.scalars(select(ListingChange)).one()
    assert [phone["number"] for phone in change.values["phones"]] == ["0812-0000-1234"]
    assert (change.status, change.made_by_role) == (ChangeStatus.WAITING, "public")


@pytest.mark.parametrize("field", ["hours", "status", "categories", "cost", "none", ""])
def test_every_part_has_its_form(browser, service, field):
    page = browser.page(f"/services/{service.id}/suggest?field={field}")

    assert page.select_one("form[method=post] [name=text], form[method=post] [name=status]")


def test_a_refuges_address_is_no_part_that_is_asked(browser, session, make):
    site = make.service("EM07", name="Rumah Aman", confidential=True)
    session.commit()

    page = browser.page(f"/services/{site.service_id}/suggest?field=address")

    assert not page.select("#field option[value=address]")
    assert page.select_one("input[name=field]")["value"] == "phones"


def test_anyone_names_a_missing_service_and_a_curator_publishes_it(app, browser, session, curator):
    wrong = browser.submit("/directory/suggest", {"name": "Posyandu Mawar"}, status=422)
    assert wrong.select_one(".has-error #organization")
    browser.submit(
        "/directory/suggest",
        {"name": "Posyandu Mawar", "organization": "RW 05", "category": "HE05"},
    )

    change = session.scalars(select(ListingChange)).one()
    colleague = app.test_client().sign_in(curator)
    assert "Posyandu Mawar" in colleague.page("/listings/review").text
    page = colleague.page(f"/listings/review/{change.id}")
    assert "RW 05" in page.text
    assert change.status is ChangeStatus.WAITING


def test_a_machine_that_fills_in_every_field_is_thanked_for_nothing(browser, session, service):
    for path in (
        "/directory/suggest",
        f"/services/{service.id}/suggest",
        f"/services/{service.id}/claim",
    ):
        trap = {"website": "x", "name": "x", "organization": "x", "text": "x", "field": "name"}
        assert browser.post(path, data=trap | {"email": EMAIL}).status_code == 303

    assert unchanged(session) == [0, 0, 0, 0]


def test_a_browser_waits_between_two_forms(browser, session, service, monkeypatch):
    monkeypatch.setattr("referral.web.upkeep.door.SECONDS_BETWEEN", 30)
    browser.submit(f"/services/{service.id}/suggest", {"field": "name", "text": "Satu"})

    browser.submit(f"/services/{service.id}/suggest", {"field": "name", "text": "Dua"}, status=429)
    page = browser.submit(f"/services/{service.id}/claim", CLAIM, status=429)
    assert page.select_one(".flashes .notice-wait")
    assert page.select(".has-error, .error-summary") == []
    browser.submit(f"/services/{service.id}/report", {"text": "Tiga"}, status=429)

    assert unchanged(session) == [1, 0, 0, 0]


# The command --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("with_public_url")
def test_the_command_writes_letters_and_a_rehearsal_writes_none(cli, session, service):
    rehearsal = cli("directory", "ask-to-verify", "--dry-run", "--json")
    assert rehearsal.json == {"dry_run": True, "asked": [str(service.id)]}
    assert unchanged(session) == [0, 0, 0, 0]

    first = cli("directory", "ask-to-verify", "--limit", "3", "--lang", "en")
    second = cli("directory", "ask-to-verify")

    assert (first.exit_code, first.stdout) == (0, "1 letter waiting to leave.\n")
    assert (second.exit_code, second.stdout) == (0, "0 surat menunggu dikirim.\n")
    assert "still true?" in session.scalars(select(OutgoingMail.subject)).one()


def test_the_command_ends_with_2_where_links_would_lead_nowhere(cli, session, service):
    answer = cli("directory", "ask-to-verify", "--json")

    assert (answer.exit_code, answer.json["error"]["code"]) == (2, "not_allowed")
    assert "PUBLIC_URL" in answer.json["error"]["message"]


# The jobs -----------------------------------------------------------------------------------------


def test_a_job_deletes_what_decided_claims_say_about_people(app, browser, session, service):
    claimed(browser, service)
    claim = session.scalars(select(Claim)).one()
    claim.status, claim.decided_at = ClaimStatus.REFUSED, datetime.now(UTC) - timedelta(days=29)
    session.commit()

    address = f"/claims/{claim.id}"

    assert forget_claims() == 0
    assert browser.get(address).status_code == 200
    claim.decided_at -= timedelta(days=2)
    session.commit()
    assert forget_claims() == 1
    assert browser.get(address).status_code == 404


@pytest.mark.usefixtures("with_public_url")
def test_a_letter_that_left_keeps_no_words(cli, session, service):
    cli("directory", "ask-to-verify")
    letter = outbox.take(session, now=datetime.now(UTC) + timedelta(seconds=1))

    outbox.sent(session, letter, now=datetime.now(UTC))

    assert (letter.to, letter.text, letter.html) == ("klinik@example.org", "", None)
