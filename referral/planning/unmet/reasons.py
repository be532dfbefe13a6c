"""Why nothing fitted, read off a match: the reason an unmet need starts with. Pure."""

from collections.abc import Mapping
from typing import Any

#: Nothing fits, and no single gate tells why.
UNCLEAR = "U99"
#: The reason that stands behind a gate when it alone keeps every service out.
GATE_REASONS = {
    "within": "U02",
    "jurisdiction": "U05",
    "age": "U05",
    "desil": "U05",
    "disability": "U05",
    "documents": "U06",
    "language": "U10",
    "accessibility": "U11",
    "sex": "U12",
    "open_only": "U09",
    "free_only": "U07",
}


def prefilled_reason(tally: Mapping[str, Any]) -> str | None:
    """The reason code a match run itself tells; None where the broker has to say.

    `tally` is the match's: considered, options, remote, no_capacity and failed {rule: services}.
    """
    if fitting := tally["options"] + tally["remote"]:
        return "U03" if tally["no_capacity"] == fitting else None
    failed = tally["failed"]
    active = tally["considered"] - failed.get("active", 0)
    if active <= 0:
        return "U01"
    if set(failed) - {"active"} == {"within"}:
        return "U02"
    everywhere = [
        rule for rule, count in failed.items() if count >= active and rule in GATE_REASONS
    ]
    return GATE_REASONS[everywhere[0]] if len(everywhere) == 1 else None


def reasons_of(tally: Mapping[str, Any]) -> tuple[str, ...]:
    """Why a match run found nobody with room, what weighs most first; () where it found somebody.

    U99 stands first where several gates did it together: the worker picks among those beside it.
    """
    if tally["options"] + tally["remote"] > tally["no_capacity"]:
        return ()
    sure = prefilled_reason(tally)
    if sure is not None:
        return (sure,)
    failed = sorted(tally["failed"].items(), key=lambda one: (-one[1], one[0]))
    known = [GATE_REASONS[rule] for rule, _ in failed if rule in GATE_REASONS]
    return tuple(dict.fromkeys([UNCLEAR, *known]))
