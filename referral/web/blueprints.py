"""Every area of the web, in one list."""

from referral.web import accounts, casework, office, pages, planning

BLUEPRINTS = (pages.bp, accounts.bp, office.bp, planning.bp, casework.bp)
