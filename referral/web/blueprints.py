"""Every area of the web, in one list."""

from referral.web import (
    accounts,
    casework,
    directory,
    downloads,
    duplicates,
    imports,
    listings,
    matching,
    office,
    pages,
    penalties,
    planning,
    plans,
    receipts,
    referrals,
    upkeep,
)

BLUEPRINTS = (
    pages.bp,
    accounts.bp,
    casework.bp,
    directory.bp,
    downloads.bp,
    duplicates.bp,
    imports.bp,
    listings.bp,
    matching.bp,
    office.bp,
    penalties.bp,
    planning.bp,
    plans.bp,
    receipts.bp,
    referrals.bp,
    upkeep.bp,
)
