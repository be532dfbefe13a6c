"""How long a referral may wait for an answer, from the moment it is proven to have arrived. Pure.

Days count as calendar days; reminders, working days and holidays come with the jobs.
"""

from datetime import datetime, timedelta

_URGENT = timedelta(hours=72)
_DECIDE = {"remote": timedelta(days=30)}
_DECIDE_ELSEWHERE = timedelta(days=14)
_SILENT = {"remote": timedelta(days=60)}
_SILENT_ELSEWHERE = timedelta(days=30)


def decide_by(delivered_at: datetime, *, priority: str, profile: str) -> datetime:
    """When the agency's yes or no is due.

    priority   emergency, urgent or routine
    profile    of the office: city, regency or remote
    """
    if priority != "routine":
        return delivered_at + _URGENT
    return delivered_at + _DECIDE.get(profile, _DECIDE_ELSEWHERE)


def silent_from(delivered_at: datetime, *, priority: str, profile: str) -> datetime:
    """From when silence counts as an answer: the referral may be ended for want of one."""
    if priority != "routine":
        return delivered_at + _URGENT
    return delivered_at + _SILENT.get(profile, _SILENT_ELSEWHERE)
