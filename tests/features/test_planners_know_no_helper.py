"""What planners are told of services names nobody who helps their neighbours, and knows of no private help."""

import numpy as np
import pytest
from sqlalchemy.orm import Session

from referral.directory.kinds import SystemType
from referral.directory.models import ServiceAtLocation
from referral.places.queries import gazetteer
from referral.planning.access import supply
from referral.planning.gaps.nearest import nearest
from referral.planning.proposals.evidence import gather
from tests.factories import Make

GAP = ("33.74", "FC05")


@pytest.fixture
def helper(make: Make) -> ServiceAtLocation:
    """Somebody's own help whom nobody outside the office may know."""
    organization = make.organization(name="Bu Sulastri Fiktif", system_type=SystemType.INFORMAL)
    return make.service("FC05", name="Bu Sulastri Fiktif", organization=organization)


def test_private_help_is_no_service_to_planners(
    session: Session, make: Make, helper: ServiceAtLocation
) -> None:
    found = nearest(session, gazetteer(session), [GAP])[GAP]
    sites = supply.read(session, gazetteer(session), now=make.now, category="FC05")

    assert (found.name, found.km, found.anywhere) == (None, None, 0)
    assert int(np.count_nonzero(sites.usable())) == 0


def test_a_proposal_keeps_no_name_of_people_who_may_take_their_word_back(
    session: Session, make: Make, helper: ServiceAtLocation
) -> None:
    helper.service.organization.made_public_on = make.now.date()
    session.flush()

    evidence = gather(session, *GAP)

    assert evidence["nearest"]["anywhere"] == 1
    assert evidence["nearest"]["km"] is not None
    assert "Sulastri" not in str(evidence)
