"""Every area of the web, in one list."""

from referral.web import (
    accounts,
    casework,
    directory,
    downloads,
    listings,
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
    downloads.bp,
    listings.bp,
    matching.bp,
    office.bp,
    planning.bp,
    referrals.bp,
    upkeep.bp,
)
