"""How a service keeps its word, on cards and its page for workers; what clients let it hear only together, for it."""

from datetime import timedelta
from typing import Any

from bs4 import BeautifulSoup
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.directory.models import AnswerMode
from referral.extensions import db
from referral.matching.models import ServiceStanding
from referral.referrals import heard
from referral.referrals.feedback import record_feedback
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.models import Referral
from referral.referrals.pooled import Mark, Pool
from referral.web.track_records import track_records
from tests.conftest import Browser
from tests.factories import SEMARANG, Make
from tests.scenes import Scene

WORDS = "Kata-kata yang bisa dikenali"


def english(browser: Browser, user: Any) -> Browser:
    browser.post("/sign-out")
    if user is not None:
        browser.sign_in(user)
    browser.post("/language/en", data={"next": "/"})
    return browser


def text(page: BeautifulSoup, selector: str = "main") -> str:
    return " | ".join(" ".join(one.text.split()) for one in page.select(selector))


# Cards


def standing(session: Session, service_id: Any, **counts: int) -> None:
    session.add(ServiceStanding(service_id=service_id, **counts))
    session.flush()


def test_cards_tell_from_five_referrals_on_how_a_service_keeps_its_word(
    browser: Browser, scene: Scene, make: Make, session: Session
) -> None:
    known, few, new = scene.site, make.service("HE05"), make.service("HE05")
    standing(
        session,
        known.service_id,
        due=10,
        in_time=8,
        decided=4,
        accepted=4,
        claimed=9,
        asked=7,
        confirmed=6,
    )
    standing(session, few.service_id, due=1, in_time=1, decided=1, accepted=1)
    need = make.need(scene.case)
    scene.case.client.stays_at = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.5}
    page = english(browser, scene.broker).submit(f"/needs/{need.id}/match")
    cards = {
        card.select_one("h3 a").text: " | ".join(
            " ".join(fact.text.split()) for fact in card.select(".facts li")
        )
        for card in page.select(".options > li")
    }

    assert "Answers in time: 8 of 10 (65–93%)" in cards[known.service.name]
    assert "The agency says it helped 9 clients" in cards[known.service.name]
    assert "Clients confirm help: 6 of 7 (70–97%)" in cards[known.service.name]
    assert "Accepts referrals" not in cards[known.service.name]
    assert "Few referrals so far" in cards[few.service.name]
    assert "referrals" not in cards[new.service.name]


def test_the_services_own_page_tells_it_to_workers_and_to_nobody_else(
    browser: Browser, scene: Scene, make: Make, session: Session
) -> None:
    standing(session, scene.site.service_id, due=10, in_time=8)
    where = f"/services/{scene.site.service_id}"
    office = scene.broker.office
    readers = [scene.broker, make.user(Role.SUPERVISOR, office=office)]
    others = [None, scene.agency, make.user(Role.PLANNER), make.user(Role.ADMINISTRATOR)]

    assert ["Answers in time" in english(browser, one).page(where).text for one in readers] == [
        True,
        True,
    ]
    assert ["in time" in english(browser, one).page(where).text for one in others] == [False] * 4
    browser.post("/sign-out")
    browser.post("/language/id", data={"next": "/"})
    browser.sign_in(scene.broker)
    assert "Menjawab tepat waktu: 8 dari 10" in browser.page(where).text


def test_the_records_of_many_services_take_two_queries(
    app: Any, session: Session, make: Make
) -> None:
    sites = [make.service("HE05") for _ in range(5)]
    for site in sites:
        standing(session, site.service_id, due=6, in_time=3)
    ids = [site.service_id for site in sites]
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    session.expire_all()
    with app.test_request_context():
        found = track_records(ids)

    assert len(found) == 5
    assert len([one for one in asked if one.startswith("SELECT")]) == 2


# Feedback that is told only together


def told(scene: Scene, **values: Any) -> None:
    """One more client with a referral that was completed, and what they say."""
    one = Scene(scene.session, scene.make, scene.now)
    one.site, one.agency = scene.site, scene.agency
    referral = one.completed()
    defaults: dict[str, Any] = {
        "received": "yes",
        "form": "unwritten",
        "share": "pooled",
        "text": WORDS,
        "by": one.broker,
        "now": scene.now,
    }
    scene.now += timedelta(seconds=1)
    record_feedback(scene.session, referral, **defaults | values)


def pools(scene: Scene) -> list[Pool]:
    organization_id = scene.site.service.organization_id
    return [found for _service, found in heard.pools_of(scene.session, organization_id)]


def test_only_pooled_words_without_harm_count_and_in_fives(scene: Scene) -> None:
    for share in ("attributed", "no"):
        told(scene, share=share)
    told(scene, harmed=True, received="no")
    scene.session.get_one(ServiceStanding, scene.site.service_id).suspended = False
    for _ in range(4):
        told(scene, quality=4)
    before = pools(scene)
    told(scene, received="no", quality=2)
    told(scene, received="no", quality=1)

    assert before == []
    assert pools(scene) == [Pool(5, {"yes": 4, "no": 1}, {}, {"quality": Mark(3.6, 5)})]


def test_what_is_entered_in_error_after_its_release_stays_in_it(scene: Scene) -> None:
    for _ in range(5):
        told(scene)
    before = pools(scene)
    referral = scene.session.scalars(select(Referral).order_by(Referral.number)).first()
    assert referral is not None
    scene.now += timedelta(seconds=1)
    scene.take(referral, Event.VOID, note="keliru", by=referral.case.broker)

    assert before == [Pool(5, {"yes": 5}, {}, {})]
    assert pools(scene) == before


def test_the_agency_reads_counts_and_means_and_no_words(
    browser: Browser, scene: Scene, make: Make
) -> None:
    where = "/inbox/feedback"
    assert browser.sign_in(scene.agency).page("/inbox").select(f'a[href="{where}"]')
    for waited, quality in zip(("under_1h",) * 3 + ("over_2w",) * 2, (5, 5, 4, 4, 1), strict=True):
        told(scene, waited=waited, quality=quality)
    told(scene, received="no", text="Belum cukup")
    page = english(browser, scene.agency).page(where)
    rows = [[cell.text.strip() for cell in row.select("th, td")] for row in page.select("tbody tr")]
    elsewhere = english(browser, make.user(Role.AGENCY)).page(where)

    assert page.select_one("h2").text == scene.site.service.name
    assert ["Yes", "5"] in rows
    assert ["No", "0"] in rows
    assert ["Less than 1 hour", "3"] in rows
    assert ["More than 2 weeks", "2"] in rows
    assert ["Quality", "3.8", "5"] in rows
    assert "5 answers" in text(page)
    for words in (WORDS, "Belum cukup", "R-20"):
        assert words not in page.text
    assert elsewhere.select_one(".empty")
    for nobody in (scene.broker, make.user(Role.SUPERVISOR), make.user(Role.PLANNER)):
        assert english(browser, nobody).get(where).status_code == 404


def test_a_walk_in_service_is_not_measured_by_answers(scene: Scene, make: Make) -> None:
    walk_in = Scene(scene.session, make, scene.now, answer_mode=AnswerMode.WALK_IN)
    referral = walk_in.sent()
    walk_in.take(
        referral,
        Event.COMPLETE,
        outcome="received",
        outcome_on=walk_in.day,
        actor=Actor.BROKER,
        by=walk_in.broker,
    )
    counts = scene.session.get_one(ServiceStanding, walk_in.site.service_id)

    assert (counts.due, counts.decided, counts.claimed) == (0, 0, 1)
