"""`flask match --receipt`: a stored receipt worked out again and compared with today.

Whoever runs commands on the machine is no worker of the case: nothing of the person is printed, and that
the receipt was read is written to the audit chain.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape

from referral.casework.models import Case
from referral.changes import audit
from referral.changes.actors import OPERATOR
from referral.cli.answering import FINDINGS, print_json, refuse
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError, NotFound
from referral.core.text import Message, render
from referral.extensions import db
from referral.matching.differences import Comparison, Difference
from referral.matching.models import MatchReceipt
from referral.matching.repeating import Repeated, repeat


def compare(receipt_id: str, *, as_json: bool, lang: str) -> int:
    """The exit code: 0 where today's answer is the receipt again, else FINDINGS."""
    try:
        found = repeat(db.session, _read(receipt_id))
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)
    if as_json:
        print_json(_json(found, lang))
    else:
        _show(found, lang)
    return 0 if found.is_equal else FINDINGS


def _read(receipt_id: str) -> MatchReceipt:
    """The receipt; that it is read is kept before anything of it is shown."""
    session = db.session
    take_write_lock(session)
    receipt = session.get(MatchReceipt, _id(receipt_id))
    if receipt is None:
        raise NotFound("match.receipt.unknown", field="receipt")
    case = session.get(Case, receipt.case_id) if receipt.case_id else None
    audit.record(
        session,
        "match_receipt.read",
        receipt,
        by=OPERATOR,
        now=datetime.now(UTC),
        client_id=case.client_id if case else None,
    )
    session.commit()
    return receipt


def _id(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise NotFound("match.receipt.unknown", field="receipt") from None


def _json(found: Repeated, lang: str) -> dict[str, Any]:
    def said(messages: tuple[Message, ...]) -> list[str]:
        return [render(message, lang) for message in messages]

    def difference(one: Difference) -> dict[str, Any]:
        return {
            "change": one.kind,
            "service_at_location_id": one.site_id,
            "service_id": one.service_id,
            "name": one.name,
            "rank": {"then": one.rank_then, "now": one.rank_now},
            "effective_km": {"then": one.effective_km_then, "now": one.effective_km_now},
            "reasons": [
                message.as_json() | {"because": render(message, lang)} for message in one.reasons
            ],
        }

    def comparison(one: Comparison) -> dict[str, Any]:
        return {
            "equal": one.is_equal,
            "general": said(one.general),
            "differences": [difference(each) for each in one.differences],
        }

    table, today = found.tables
    return {
        "receipt": str(found.receipt.id),
        "at": found.receipt.at.isoformat(),
        "equal": found.is_equal,
        "own_numbers": [
            {
                "service_at_location_id": one.where,
                "number": one.number,
                "kept": one.kept,
                "follows": one.follows,
            }
            for one in found.own_numbers
        ],
        "rules_version": {"then": found.rules[0], "now": found.rules[1]},
        "penalty_table": {
            "then": {"number": table.number, "shared": table.office_id is None},
            "now": {"number": today.number, "shared": today.office_id is None},
            "steps": {
                rule: {"then": then, "now": now}
                for rule, (then, now) in found.tables_differ.items()
            },
        },
        "directory_version": {"then": found.directory.then, "now": found.directory.now},
        "listings_changed": found.directory.listings_changed,
        "causes": said(found.causes),
        "same_table": comparison(found.answer),
        "todays_table": comparison(found.todays_table) if found.todays_table else None,
    }


def _show(found: Repeated, lang: str) -> None:
    console = Console(soft_wrap=True, highlight=False)

    def say(message: Message, indent: str = "") -> None:
        console.print(indent + escape(render(message, lang)))

    say(found.verdict)
    for message in (*found.own_number_sentences, *found.causes):
        say(message)
    _show_comparison(console, Message("repeat.heading"), found.answer, lang)
    if found.table_changed is not None:
        say(found.table_changed)
    if found.todays_table is not None:
        if found.todays_table.is_equal:
            say(Message("repeat.todays_table_same"))
        else:
            heading = Message("repeat.todays_table")
            _show_comparison(console, heading, found.todays_table, lang)


def _show_comparison(console: Console, heading: Message, one: Comparison, lang: str) -> None:
    if one.is_equal:
        return
    console.print(f"\n{escape(render(heading, lang))}")
    for message in one.general:
        console.print(escape(render(message, lang)))
    for difference in one.differences:
        console.print(escape(render(difference.sentence, lang)))
        for message in difference.told:
            console.print("  " + escape(render(message, lang)))
