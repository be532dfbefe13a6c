"""Every area of the web, in one list."""

from referral.web import pages

BLUEPRINTS = (pages.bp,)
