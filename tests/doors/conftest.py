"""A broker at work: who tests of casework pages sign in as, and on which case."""

from typing import Any

import pytest

from referral.accounts.models import User
from referral.casework.models import Case
from tests.factories import Make


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
