"""A listing that is closed, for a while, for good or into another, on every way that leads to listings."""

from typing import Any

import pytest

from referral.accounts.models import Role
from referral.changes import directory as changes
from referral.core.errors import NotAllowed
from referral.directory.hsds import exports
from referral.directory.kinds import ServiceStatus
from referral.directory.models import Phone
from referral.directory.queries import emergency_numbers
from referral.directory.search import search
from referral.directory.upkeep import checking
from referral.matching import operations as matching
from referral.places.queries import gazetteer
from referral.planning.gaps.nearest import nearest
from tests.scenes import Scene

ACTIVE, AWAY, INACTIVE, DEFUNCT, MERGED = (
    "active",
    "temporarily closed",
    "inactive",
    "defunct",
    "merged",
)
#: way → the states in which a listing is found there
FOUND: dict[str, set[str]] = {
    # what people look for, with a mark where it is closed for a while
    "search by name": {ACTIVE, AWAY},
    "search by kind of help": {ACTIVE, AWAY},
    "emergency numbers": {ACTIVE},
    # what a client is offered; a broker reads why the others are not
    "match: options": {ACTIVE},
    "match: why not": {AWAY, INACTIVE, DEFUNCT},
    "a new referral": {ACTIVE},
    # what planners count as help that is there
    "gap map: nearest": {ACTIVE},
    "gap map: anywhere": {ACTIVE},
    # what curators call and write to
    "listings to check": {ACTIVE, AWAY},
    "letters": {ACTIVE, AWAY},
    # what leaves the house tells the state; what was merged leaves as the other
    "API: list": {ACTIVE, AWAY, INACTIVE, DEFUNCT},
    "API: one": {ACTIVE, AWAY, INACTIVE, DEFUNCT, MERGED},
    "export": {ACTIVE, AWAY, INACTIVE, DEFUNCT},
    # an address that somebody kept still answers
    "own page": {ACTIVE, AWAY, INACTIVE, DEFUNCT},
    "own page leads to the other": {MERGED},
    "own page says that it is closed": {AWAY, INACTIVE, DEFUNCT},
    "card of a stored receipt": {ACTIVE, AWAY, INACTIVE, DEFUNCT, MERGED},
    "card of a stored receipt says that it is closed": {AWAY, INACTIVE, DEFUNCT, MERGED},
}


class World:
    """A service that was open when a receipt was written and is in some state now; and what finds it."""

    def __init__(self, browser: Any, session: Any, make: Any, now: Any, state: str) -> None:
        self.browser, self.session, self.now = browser, session, now
        self.scene = scene = Scene(
            session, make, now, name="Zamrud", facility_type="HOTLINE", email="z@example.org"
        )
        self.service = service = scene.site.service
        session.add(Phone(service_id=service.id, number="0800 111", type="hotline"))
        make._save(type(service.categories[0])(service_id=service.id, code="EM06"))
        session.refresh(service)
        self.receipt = matching.match(
            session,
            matching.query_for(session, scene.need, now=now),
            by=scene.broker,
            now=now,
            office=scene.case.office,
            case=scene.case,
            need=scene.need,
        )
        self.other = make.service("SS01", name="Delima", status=ServiceStatus.INACTIVE).service
        if state == MERGED:
            service.merged_into_id = self.other.id
        service.status = ServiceStatus(DEFUNCT if state == MERGED else state)
        curator = make.user(Role.ADMINISTRATOR)
        changes.record(session, service, service_id=service.id, by=curator, now=now)
        session.commit()

    def ways(self) -> dict[str, bool]:
        return {
            "search by name": self.is_among(search(self.session, words="Zamrud")),
            "search by kind of help": self.is_among(search(self.session, category="HE05")),
            "emergency numbers": any(
                one.service_id == self.service.id for one in emergency_numbers(self.session)
            ),
            **self.match(),
            "a new referral": self.can_be_referred_to(),
            **self.gaps(),
            "listings to check": any(
                one.listing.service.id == self.service.id
                for one in checking.due(self.session, today=self.now.date()).items
            ),
            "letters": self.service.id
            in dict(checking.to_ask_by_mail(self.session, limit=9, now=self.now)),
            **self.outside(),
            **self.pages(),
        }

    def is_among(self, results: Any) -> bool:
        hits = [*results.page.items, *results.remote]
        return any(hit.listing.service.id == self.service.id for hit in hits)

    def match(self) -> dict[str, bool]:
        query = matching.query_for(self.session, self.scene.need, now=self.now)
        content = matching.answer(self.session, query, zone="Asia/Jakarta")

        def holds(*parts: str) -> bool:
            return any(
                one["service_id"] == str(self.service.id) for part in parts for one in content[part]
            )

        return {
            "match: options": holds("options", "remote"),
            "match: why not": holds("why_not"),
        }

    def can_be_referred_to(self) -> bool:
        with self.session.begin_nested() as kept:
            try:
                self.scene.draft()
            except NotAllowed:
                return False
            finally:
                kept.rollback()
        return True

    def gaps(self) -> dict[str, bool]:
        pair = ("33.74", "HE05")
        found = nearest(self.session, gazetteer(self.session), [pair])[pair]
        placed = pair[0] in gazetteer(self.session)
        is_nearest = found.service_id == self.service.id if placed else bool(found.anywhere)
        return {"gap map: nearest": is_nearest, "gap map: anywhere": found.anywhere > 0}

    def outside(self) -> dict[str, bool]:
        listed = self.browser.get("/api/hsds/services").json["contents"]
        states = {one["id"]: one["status"] for one in listed}
        mine = str(self.service.id)
        assert states.get(mine, self.service.status) == self.service.status
        exported = {str(one["id"]) for one in exports.documents(self.session)}
        return {
            "API: list": mine in states,
            "API: one": self.browser.get(f"/api/hsds/services/{mine}").status_code == 200,
            "export": mine in exported,
        }

    def pages(self) -> dict[str, bool]:
        answer = self.browser.get(f"/services/{self.service.id}")
        own = answer.status_code == 200
        tag = 'class="tag tag-'
        self.browser.sign_in(self.scene.broker)
        page = self.browser.page(f"/receipts/{self.receipt.id}")
        card = page.select_one(f"a[href='/services/{self.service.id}']")
        words = card.find_parent("li").text if card else ""
        closed = ("Tutup sementara", "Tidak aktif", "Sudah tutup")
        return {
            "own page": own,
            "own page leads to the other": answer.location == f"/services/{self.other.id}",
            "own page says that it is closed": own and tag in answer.text,
            "card of a stored receipt": card is not None,
            "card of a stored receipt says that it is closed": any(c in words for c in closed),
        }


@pytest.mark.parametrize("state", [ACTIVE, AWAY, INACTIVE, DEFUNCT, MERGED])
def test_a_listing_is_found_where_its_state_allows(
    browser: Any, session: Any, make: Any, now: Any, state: str
) -> None:
    found = World(browser, session, make, now, state).ways()

    assert {way for way, is_found in found.items() if is_found} == {
        way for way, states in FOUND.items() if state in states
    }
    assert found.keys() == FOUND.keys()
