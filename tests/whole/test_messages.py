"""Every sentence of rules and operations is there in both languages, and every one of them is said."""

import ast
import csv
import importlib
import pkgutil
import re
import string
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

import referral
from referral.accounts.models import ClockProfile, LinkPurpose
from referral.accounts.permissions import SCOPES, Role
from referral.casework.models import (
    BasisKind,
    ClientKind,
    MeetingKind,
    Method,
    Protection,
    Purpose,
    Stage,
    Urgency,
    Visibility,
    WorkerRole,
)
from referral.casework.own.kinds import Ended, Published
from referral.changes.outbox import Why
from referral.core.errors import JejaringError
from referral.core.text import LANGUAGES, templates
from referral.directory import kinds
from referral.directory.duplicates import references
from referral.directory.duplicates.models import PairStatus
from referral.directory.hours import DAYS, ORDINALS
from referral.directory.hsds import shape
from referral.directory.hsds.exports import Format
from referral.directory.intake.models import RunStatus
from referral.directory.phones import TYPES
from referral.directory.upkeep import kinds as upkeep
from referral.directory.upkeep.editing import FIELDS
from referral.matching.asking import SEXES
from referral.matching.differences import FACTS as FACTS_TOLD
from referral.matching.differences import KINDS
from referral.matching.facts import Outcome
from referral.matching.gates import CHANGES
from referral.matching.recomputing import NUMBERS
from referral.matching.reference import rules as penalty_rules
from referral.matching.rules import FREE_ONLY, GATES, RULES_VERSION, open_only
from referral.matching.telling import BEARINGS
from referral.places.land import Crossing
from referral.planning.access.explaining import EXPLAINED
from referral.planning.disclosure.cells import Shown
from referral.planning.fairness.waiting import CUTS, MEASURES, UNKNOWN
from referral.planning.gaps.models import Audience, Measure
from referral.planning.maps import files as maps
from referral.planning.maps.question import Form as MapForm
from referral.planning.maps.question import Layer, Level
from referral.planning.maps.values import Kind as MapKind
from referral.planning.proposals.models import Answered, ProposalStatus
from referral.planning.rehearsal.trying import ROOM, Fit
from referral.planning.siting.questions import Aim, By
from referral.planning.siting.questions import Kind as SitingKind
from referral.planning.unmet.models import CallOutcome, Closing, Origin
from referral.planning.work import WorkState
from referral.referrals import kinds as feedback
from referral.referrals import replies
from referral.referrals.advocacy.models import AdvocacyKind, AdvocacyOutcome, HarmDecision
from referral.referrals.cards import CRITERIA, View
from referral.referrals.due import Due
from referral.referrals.letters.states import Carrier, Hand, LetterEvent, LetterField, LetterState
from referral.referrals.lifecycle import Actor, CodeList, Event, Field, Status
from referral.referrals.loop import Loop, NeedState
from referral.referrals.models import Channel, TaskKind
from referral.referrals.operations import OUTCOMES
from referral.referrals.tasks import Kept

ROOT = Path(__file__).resolve().parents[2]


def listed(name: str) -> list[dict[str, str]]:
    with (ROOT / "directory_data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes(name: str) -> list[str]:
    return [row["code"] for row in listed(name)]


def axes() -> set[str]:
    with (ROOT / "directory_data" / "unmet_reasons.csv").open(encoding="utf-8", newline="") as file:
        return {row["axis"] for row in csv.DictReader(file)}


#: what screens call the members of an enum
LABELS: dict[type[StrEnum], str] = {
    Aim: "siting.aim",
    By: "siting.by",
    SitingKind: "siting.kind",
    Actor: "referral.actor",
    Answered: "planning.answered",
    AdvocacyKind: "advocacy.kind",
    AdvocacyOutcome: "advocacy.outcome",
    BasisKind: "casework.basis",
    Channel: "referral.channel",
    Closing: "gaps.closed",
    ClientKind: "casework.kind",
    ClockProfile: "accounts.profile",
    CallOutcome: "unmet.outcome",
    Carrier: "letter.carrier",
    Ended: "casework.own_ended",
    Event: "referral.event",
    Field: "referral.missing",
    HarmDecision: "advocacy.harm",
    Layer: "map.layer",
    Level: "map.level",
    Audience: "map.audience",
    MapForm: "map.form",
    LetterEvent: "letter.event",
    LetterField: "letter.missing",
    LetterState: "letter.state",
    Due: "day.due",
    Kept: "task.kept",
    Loop: "referral.loop",
    Measure: "gaps.measure",
    MeetingKind: "casework.meeting.kind",
    TaskKind: "task.kind",
    Method: "casework.method",
    NeedState: "referral.need",
    Outcome: "referral.criterion.verdict",
    Origin: "unmet.origin",
    ProposalStatus: "planning.status",
    Why: "outbox.because",
    Protection: "casework.protection",
    Published: "casework.publishes",
    Purpose: "casework.purpose",
    Role: "accounts.role",
    Stage: "casework.stage",
    Status: "referral.status",
    Urgency: "casework.urgency",
    Visibility: "casework.visibility",
    WorkerRole: "casework.acted_as",
    feedback.Explanation: "referral.explanation",
    feedback.Form: "referral.form",
    feedback.Received: "referral.received",
    feedback.Share: "referral.share",
    feedback.Wait: "referral.waited",
    kinds.AnswerMode: "directory.answer_mode",
    kinds.CapacityStatus: "directory.capacity",
    kinds.ContactMode: "directory.contact_mode",
    kinds.Remote: "directory.remote",
    kinds.ServiceStatus: "directory.status",
    kinds.SystemType: "directory.system_type",
    upkeep.Assurer: "upkeep.assurer",
    upkeep.ChangeKind: "listing.kind",
    upkeep.ChangeStatus: "listing.status",
    upkeep.ClaimStatus: "upkeep.claim_status",
    upkeep.Part: "listing.field",
    upkeep.Proof: "upkeep.claim_proof",
}

#: enums whose members steer and are never shown by themselves
UNSEEN: set[type[StrEnum]] = {
    Hand,  # as whom a letter is moved; a page names the person
    WorkState,  # sentences of a page: templates/siting/unanswered.html, templates/gaps/access.html
    RunStatus,  # a tag with an icon: templates/directory/_import_state.html
    CodeList,
    LinkPurpose,
    PairStatus,
    references.How,
    Shown,
    Fit,  # what a group is told as: a number, or “cannot be told”
    View,
    Crossing,  # a sentence of its own each: referral/matching/explanation.py
    MapKind,  # how a value is known; see map.kind for those that are said
    kinds.CategoryBasis,
    kinds.Criterion,
    replies.Purpose,
    upkeep.LinkPurpose,
    shape.Kind,
    Format,  # a file on a page of its own words: referral/web/downloads.py
}

#: tables whose rows a merge may change: those it moves, and three that it changes besides
MERGED = {
    *(one.table for one in references.REFERENCES if one.how is not references.How.STAYS),
    *("attribute", "exclusion", "service"),
}

ACCESS_HEADS = (
    *("areas", "covered", "covered_areas", "nearest_km", "places", "of_asked", "of_residents"),
    *("cost", "farther", "share", "people_share", "median_km"),
)

FACTS = ("name", "contact", "age", "sex", "area", "need", "story")

#: what stands on the one page of a proposal
SAID_ON_PAPER = (
    *("missing", "people", "why", "nearest", "where", "plan", "partners", "budget", "schedule"),
    *("contact", "annex", "north", "reason", "remedy", "page", "of", "kicker", "title"),
    *("why_of", "no_why", "capacity", "no_capacity", "none", "once", "yearly", "no_source", "done"),
    *("total", "per_person", "no_budget", "site", "site_only", "reached", "left_out", "none_left"),
    *("left_out_all", "map", "map_note", "map_note_rough", "no_sites"),
)

#: what can be wrong with a row that an import reads
IMPORT_FINDINGS = (
    *("age_order", "confidential", "dangling", "dangling_row", "foreign", "foreign_part"),
    *("kept_local", "left_without_id", "no_age", "no_category", "no_day", "no_hsds", "no_instant"),
    *("no_json", "no_list", "no_name", "no_number", "no_object", "no_point", "no_row_id"),
    *("no_time", "no_uuid", "not_text", "null_island", "off_earth", "refused"),
    *("row_twice", "site_twice", "unknown_code", "unknown_place", "unmapped_term"),
    *("belongs_to_nothing", "cells", "column_left", "column_unknown", "no_email", "no_pattern"),
    *(
        "no_url",
        "no_weekday",
        "no_year",
        "outside_area",
        "outside_country",
        "row_without",
        "same_row",
        "swapped_used",
    ),
    *("unknown_category", "unknown_term"),
)

#: keys put together where they are used, and all that can stand in the gap
FAMILIES: dict[str, Iterable[str]] = {f"{prefix}.{{}}": kind for kind, prefix in LABELS.items()} | {
    "rehearsal.rule.{}": (set(CHANGES) - {"within", "free_only"}) | {ROOM},
    "siting.head.{}": ("at", "mean", "people", "share", "sites"),
    "siting.nobody.{}": By,
    "access.demand.{}": ("areas", "asked", "residents"),
    "access.head.{}": ACCESS_HEADS,
    **{f"access.measure.{{}}.{part}": EXPLAINED for part in ("caution", "name", "plain", "source")},
    "accounts.organization.{}": ("ambiguous", "missing", "unknown"),
    "accounts.token.scope.{}": SCOPES,
    "accounts.token.state.{}": ("active", "expired", "revoked"),
    "accounts.zone.{}": ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"),
    "advocacy.note.{}": AdvocacyKind,
    "casework.consent_text.{}": Purpose,
    "place.boundary.{}": (
        *("code", "no_shape", "unreadable", "crossed", "not_on_earth", "no_area", "elsewhere"),
    ),
    "map.axis.{}": sorted({row["axis"] for row in listed("unmet_reasons.csv")}),
    "map.certificate.{}": (*maps.PARTS, *maps.AUDIT, *maps.HEADS, "digest"),
    "map.kind.{}": ("zero", "small", "withheld", "no_data", "none_anywhere"),
    "map.measure.{}": Measure,
    "map.people.{}": ("small", "withheld"),
    "map.gap.{}": ("none", "unknown"),
    "map.plain.{}": Layer,
    "map.plan.{}": ("proposed", "in_development", "funded", "opened"),
    "map.short.{}": Layer,
    "casework.field.{}": FACTS,
    "casework.language.{}": LANGUAGES,
    "casework.member.{}": ("member", "group"),
    "casework.severity.{}": ("1", "2", "3"),
    "casework.own_text.{}": Visibility,
    "casework.sex.{}": SEXES,
    "category.{}": codes("taxonomy.csv"),
    "day.said.{}": (Event.ASK, Event.REPORT, Event.CONFIRM),
    "task.missing.{}": TaskKind,
    "duplicates.address.{}": ("district", "village"),
    "duplicates.field.{}": (*references.FIELDS, *references.CHOSEN),
    "duplicates.report.{}": ("score", "pair", "why"),
    "duplicates.rows.{}": MERGED,
    "duplicates.{}.same": ("phone", "email", "host"),
    "duplicates.{}.shared_by": ("phone", "email", "host"),
    "demo.answer.{}": Outcome,
    "demo.fact.{}": (*FACTS, "for_whom"),
    "demo.rule.{}": CRITERIA,
    "demo.sex.{}": SEXES,
    "demo.who.{}": ("agency", "broker", "client", "nobody", "planner", "supervisor"),
    "directory.eligibility.{}": SEXES,
    "directory.fee.{}": ("free", "paid"),
    "directory.import.no_{}": ("id", "name"),
    "directory.import.{}": IMPORT_FINDINGS,
    "directory.import.osm.{}": ("nameless", "no_help", "not_yet_there"),
    "directory.mapping.{}": ("no_folder", "not_for_this"),
    "directory.phone.{}": TYPES,
    "directory.point.{}": ("facility", "village", "kecamatan", "regency", "province"),
    "fairness.cut.{}": CUTS,
    "fairness.group.{}": (
        "everybody.everybody",
        *(f"sex.{sex}" for sex in (*SEXES, UNKNOWN)),
        *(f"age.{age}" for age in ("0-17", "18-24", "25-59", "60+", UNKNOWN)),
        *(f"disability.{one}" for one in ("recorded", "none", UNKNOWN)),
        "area.unknown",
    ),
    "fairness.what.{}": MEASURES,
    "gaps.audit.{}": ("certificate", "count", "cut", "exposed"),
    "gaps.axis.{}": axes(),
    "gaps.told.{}": ("small", "uncut", "withheld"),
    "hours.day.{}": DAYS,
    "hours.nth.{}": [str(number) for number in ORDINALS],
    "listing.capacity.{}": ("available", "maximum"),
    "listing.field.{}": FIELDS,
    "listing.holidays.{}": ("closed", "open"),
    "match.coverage.{}": ("far", "near"),
    "match.bearing.{}": BEARINGS,
    "match.fact.room.{}": kinds.CapacityStatus,
    "match.group.{}": ("0", "1", "2", "3"),
    "match.list.{}": ("options", "remote", "why_not"),
    "match.no.{}": ("U07", "U08", "U09", "U10", "U11", "U12", "U13", "U16", "U17", "U99"),
    "match.topic.{}": [*CRITERIA, "accessibility", "open_only", "free_only", "room"],
    "match.near_miss.{}": [*CHANGES, "several"],
    "match.learn.{}": ["age_years", "sex", "desil", "disability", "registered"],
    "match.word.{}": (*SEXES, *codes("disabilities.csv")),
    "match.{}.would_fit": [gate.rule for gate in (*GATES, open_only(), FREE_ONLY)],
    "match.rules_version.{}": [str(version) for version in range(1, RULES_VERSION + 1)],
    "needs.report.{}": ("code", "need", "score", "because"),
    "place.row.{}": ("code", "level", "name", "parent", "point", "number", "zone", "twice"),
    "planning.opening.{}": ("name", "organization", "address", "hours", "phones"),
    "planning.empty.{}": ("partner", "task", "item"),
    "proposals.axis_remedy.{}": axes() - {"client"},
    "proposals.case.by.{}": ("needs", "population"),
    "proposals.case.{}": SAID_ON_PAPER,
    "proposals.coverage.{}": ("people", "areas"),
    "proposals.did.{}": (
        *("made", "revised", "moved", "moved_back", "handed_over", "commented"),
        *("partner_added", "partner_answered", "partner_taken_out"),
        *("task_added", "task_done", "task_undone", "task_taken_out"),
        *("line_added", "line_paid", "line_taken_out"),
    ),
    "proposals.open.{}": ("capacity", "partner", "budget", "source", "people", "tasks"),
    "proposals.release.{}": Audience,
    "proposals.people.{}": ("nobody", "some", "small", "withheld"),
    "penalties.rule.{}": penalty_rules(),
    "penalties.why.{}": penalty_rules(),
    "referral.criterion.{}": CRITERIA,
    "reply.mail.{}.subject": ("asks", "reminds"),
    "reply.mail.{}.why": ("asks", "reminds"),
    "cli.usage.{}": ("file", "missing", "value"),
    "language.{}": codes("languages.csv"),
    "document.{}": codes("documents.csv"),
    "place.coverage.{}": (
        "level",
        "placed",
        "total",
        "sources",
        "provinces",
        "regencies",
        "districts",
    ),
    "referral.fact.{}": FACTS,
    "letter.priority.{}": ("emergency", "urgent"),
    "letter.rule.{}": ("when", "who_may_answer", "name_to_use"),
    "letter.tick.{}": ("accept", "ask", "came", "decision", "decline", "helped"),
    "referral.mode.{}": kinds.AnswerMode,
    "referral.outcome.{}": OUTCOMES,
    "referral.party.{}": ("both", "client", "directory", "provider", "system"),
    "referral.sex.{}": SEXES,
    "repeat.change.{}": KINDS,
    "repeat.fact.{}": {*FACTS_TOLD.values(), "other"},
    "repeat.gate.{}": CHANGES,
    "repeat.kind.{}": KINDS,
    "repeat.number.{}": NUMBERS,
    "repeat.outcome.{}": Outcome,
    "upkeep.letter.verify.{}": ("closed", "fix", "still_true"),
    "upkeep.said_by.{}": ("import", "public", "system", *Role),
    "upkeep.suggest.{}": ("name", "organization"),
}

#: put together in the same way, but never shown
NO_SENTENCES = {"letter.{}", "referral.{}"}  # the kinds of audit entries


@cache
def areas() -> str:
    return "|".join(sorted({key.split(".")[0] for key in templates()}))


@cache
def trees() -> dict[Path, ast.Module]:
    paths = sorted((ROOT / "referral").rglob("*.py"))
    return {path: ast.parse(path.read_text("utf-8")) for path in paths}


@cache
def pages() -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in sorted((ROOT / "templates").rglob("*.html"))}


@cache
def literals() -> frozenset[str]:
    """Every string written in code and templates."""
    code = {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return frozenset(code | {text for page in pages().values() for text in _quoted(page)})


def _quoted(page: str) -> list[str]:
    return re.findall(r"""["']([\w.-]+)["']""", page)


def put_together() -> Iterator[tuple[str, str]]:
    """Keys with a gap, as `referral.status.{}`, and where they are put together."""
    key = re.compile(rf"(?:{areas()})\.[\w.{{}}/-]*")
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
                )
                if key.fullmatch(text := "".join(map(str, parts))):
                    yield text, f"{path.relative_to(ROOT)}:{node.lineno}"
    for path, page in pages().items():
        for text in re.findall(rf"""["']((?:{areas()})\.[\w.-]*)["']\s*~""", page):
            yield text + "{}", str(path.relative_to(ROOT))
        for text in re.findall(r"""\blabelled\(["']([^"']+)["']\)""", page):
            yield text + ".{}", str(path.relative_to(ROOT))


def in_families() -> set[str]:
    return {key.format(value) for key, values in FAMILIES.items() for value in values}


def kinds_of(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from kinds_of(child)


def import_everything() -> None:
    for module in pkgutil.walk_packages(referral.__path__, "referral."):
        importlib.import_module(module.name)


def placeholders(sentence: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(sentence) if name}


def test_every_sentence_is_there_in_both_languages_with_the_same_placeholders() -> None:
    wrong = {
        key: sentences
        for key, sentences in templates().items()
        if sorted(sentences) != sorted(LANGUAGES)
        or not all(isinstance(sentence, str) for sentence in sentences.values())
        or len({frozenset(placeholders(sentence)) for sentence in sentences.values()}) > 1
    }

    assert wrong == {}


def test_no_sentence_is_written_twice() -> None:
    """YAML would quietly keep the last."""
    keys = [
        key
        for path in (ROOT / "referral" / "core" / "messages").glob("*.yaml")
        for key in re.findall(
            r"^([^\s#:][^:\n]*(?::[^ \n]+)?):(?=\s)", path.read_text("utf-8"), re.MULTILINE
        )
    ]

    assert sorted(keys) == sorted(templates())


def test_no_sentence_is_empty_but_the_one_for_nothing() -> None:
    empty = {key for key, sentences in templates().items() if not all(sentences.values())}

    assert empty == {"match.empty"}


def test_a_key_that_is_asked_for_is_there() -> None:
    import_everything()
    askers = {"Message", "label"} | {kind.__name__ for kind in kinds_of(JejaringError)}
    asked = {
        node.args[0].value: f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in askers
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    for path, page in pages().items():
        for key in re.findall(r"""\blabel\(["']([^"']+)["']\)""", page):
            asked[key] = str(path.relative_to(ROOT))

    assert {key: where for key, where in asked.items() if key not in templates()} == {}


def test_a_key_that_is_put_together_belongs_to_a_family_and_every_family_is_used() -> None:
    used = dict(put_together())

    assert {key: used[key] for key in set(used) - set(FAMILIES) - NO_SENTENCES} == {}
    assert (set(FAMILIES) | NO_SENTENCES) - set(used) == set()


def test_every_member_of_a_family_has_its_sentence() -> None:
    assert sorted(in_families() - set(templates())) == []


def test_every_sentence_is_said_somewhere() -> None:
    assert sorted(set(templates()) - literals() - in_families()) == []


def test_every_enum_is_either_labelled_or_unseen() -> None:
    import_everything()
    ours = {kind for kind in kinds_of(StrEnum) if kind.__module__.startswith("referral.")}

    assert ours == set(LABELS) | UNSEEN
    assert set(LABELS) & UNSEEN == set()
