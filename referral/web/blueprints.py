"""Every area of the web, in one list."""

from referral.web import (
    accounts,
    casework,
    directory,
    duplicates,
    matching,
    office,
    pages,
    planning,
    referrals,
    upkeep,
)

BLUEPRINTS = (
    pages.bp,
    accounts.bp,
    casework.bp,
    directory.bp,
    duplicates.bp,
    matching.bp,
    office.bp,
    planning.bp,
    referrals.bp,
    upkeep.bp,
)
