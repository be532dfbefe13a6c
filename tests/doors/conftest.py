"""People at work: who tests of pages sign in as, on which case, and what a test of referrals starts from."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import Case
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def broker(make: Make) -> User:
    return make.user()


@pytest.fixture
def case(make: Make, broker: User) -> Case:
    return make.case(broker=broker)


@pytest.fixture
def mine(browser: Any, broker: User, case: Case) -> Any:
    """The browser of the broker whose case it is."""
    return browser.sign_in(broker)


@pytest.fixture
def scene(session: Session, make: Make) -> Scene:
    """As in life: now."""
    return Scene(session, make, datetime.now(UTC))


@pytest.fixture
def by(browser: Browser, session: Session) -> Callable[[User], Browser]:
    """`by(user)` gives a browser of their own, in English."""

    def signed_in(user: User) -> Browser:
        browser.post("/sign-out")
        session.commit()
        browser.get("/")
        with browser.session_transaction() as cookie:
            cookie.clear()
        browser.sign_in(user)
        browser.post("/language/en", data={"next": "/"})
        return browser

    return signed_in
