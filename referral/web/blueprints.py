"""Every area of the web, in one list."""

from referral.web import accounts, office, pages, planning

BLUEPRINTS = (pages.bp, accounts.bp, office.bp, planning.bp)
