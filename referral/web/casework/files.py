"""What every page of a case does: open the file for this person, note that it was read, save and go back."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, g, redirect, url_for
from werkzeug.wrappers import Response

from referral.casework import queries
from referral.casework.models import Case, Need, Stage
from referral.core.errors import NotAllowed, NotFound
from referral.directory import reference
from referral.extensions import db
from referral.planning.unmet.queries import confirmed_unmet
from referral.referrals.loop import NeedState, need_state
from referral.referrals.queries import traces
from referral.taxonomy.tree import Term
from referral.web.language import chosen
from referral.web.reading import seen

bp = Blueprint("casework", __name__)
Page = str | Response | tuple[str, int]

#: how a need's state is coloured; a word says the same
NEED_TONE = {
    NeedState.OPEN: "wait",
    NeedState.REFERRED: "active",
    NeedState.IN_SERVICE: "active",
    NeedState.SERVED: "wait",
    NeedState.MET: "good",
    NeedState.PARTLY_MET: "wait",
    NeedState.DISPOSITION: "bad",
    NeedState.UNMET: "bad",
    NeedState.WITHDRAWN: "neutral",
    NeedState.RESOLVED_OTHERWISE: "good",
}
#: states in which a search may still help
LOOKING = frozenset({NeedState.OPEN, NeedState.PARTLY_MET, NeedState.DISPOSITION, NeedState.UNMET})
ENDED = frozenset({NeedState.MET, NeedState.WITHDRAWN, NeedState.RESOLVED_OTHERWISE})


def now() -> datetime:
    return datetime.now(UTC)


def file_of(case_id: UUID) -> Case:
    """The case, where it is this person's; that they read it is noted."""
    case = queries.get_case(db.session, g.user, case_id)
    seen(case, client_id=case.client_id)
    return case


def file_to_change(case_id: UUID) -> Case:
    """The case, where something can still be added to it."""
    case = file_of(case_id)
    if case.client.erased_at is not None:
        raise NotAllowed("casework.erased")
    return case


def need_in(case: Case, need_id: UUID) -> Need:
    """A need of this case. Raises NotFound."""
    need = next((need for need in case.needs if need.id == need_id), None)
    if need is None:
        raise NotFound("casework.no_need")
    return need


def saved(case: Case, sentence: str, *, part: str | None = None) -> Response:
    """Commit, say what happened and go to the case, or to a part of its page."""
    db.session.commit()
    flash(sentence, "good")
    return redirect(url_for("casework.case", case_id=case.id, _anchor=part), 303)


def term(code: str) -> Term:
    return reference.taxonomy().get(code)


def category_choices() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Every leaf by domain, with the words it is found by, for the category picker."""
    tree, lang = reference.taxonomy(), chosen()
    return [
        (
            domain.name[lang],
            [
                (
                    leaf.code,
                    leaf.name[lang],
                    " ".join((leaf.code, *leaf.synonyms["id"], *leaf.synonyms["en"])),
                )
                for leaf in tree.leaves(domain.code)
            ],
        )
        for domain in tree.domains()
    ]


def is_leaf(code: str) -> bool:
    return code in reference.taxonomy() and term(code).level > 1


def to_look_for(case: Case, states: Mapping[UUID, NeedState]) -> list[Need]:
    """The needs of a case that help may be looked for now."""
    if case.stage is Stage.CLOSED:
        return []
    return [need for need in case.needs if need.in_scope and states[need.id] in LOOKING]


def need_states(needs: Iterable[Need]) -> dict[UUID, NeedState]:
    """Where each need stands, derived from its referrals, its open unmet record and the worker's word."""
    needs = list(needs)
    ids = [need.id for need in needs]
    found = traces(db.session, ids)
    unmet = confirmed_unmet(db.session, ids)
    return {
        need.id: need_state(
            found[need.id],
            unmet=need.id in unmet,
            withdrawn=need.withdrawn_at is not None,
            resolved_otherwise=need.resolved_otherwise_at is not None,
        )
        for need in needs
    }
