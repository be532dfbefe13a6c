"""Where a new resource should stand: the question, how far its answer is, the answer with its map, answers side by side."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from referral.core.errors import Invalid, NotFound
from referral.core.paging import page_of
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.jobs.queue import jobs
from referral.places.gazetteer import PROVINCE, REGENCY, Gazetteer
from referral.places.queries import gazetteer
from referral.planning.gaps import figures
from referral.planning.maps.palette import BETTER
from referral.planning.siting import ground, operations, queries
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import (
    LEAST_KM,
    MOST_KM,
    MOST_SITES,
    RADII_IN_AREA,
    Aim,
    By,
    Kind,
    Near,
    Question,
)
from referral.planning.work import WorkState
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.gaps.words import quarter_words
from referral.web.map_frames import framed, svg
from referral.web.naming import category_name, searchable_categories
from referral.web.siting.words import (
    NAMED,
    CasePage,
    km_words,
    people_words,
    share_words,
    short_name,
)

bp = Blueprint("siting", __name__, url_prefix="/gaps/siting")
Page = str | Answer | tuple[str, int]

#: Seconds after which the page of a question that is not answered yet asks again.
AGAIN_SECONDS = 3


@bp.get("")
@requires("proposal:write")
def index() -> str:
    """Kept answers, all or those of one gap; two to four of a gap can be compared."""
    area, category = _area(), _category()
    page = page_of(
        db.session,
        queries.cases(category=category, area=area),
        number=request.args.get("page", 1, type=int),
    )
    return render_template(
        "siting/index.html",
        page=page,
        cases=[CasePage(case) for case in page.items],
        now=datetime.now(UTC),
        area=area,
        category=category,
        is_one_gap=bool(area and category),
        words=_words(),
    )


@bp.route("/new", methods=["GET", "POST"])
@requires("proposal:write")
def new() -> Page:
    """Ask where a resource should stand; from a gap or an earlier case it is filled in."""
    earlier = _earlier()
    area = _area() or (earlier.area_code if earlier else None)
    category = _category() or (earlier.category if earlier else None)
    near = ground.usual(gazetteer(db.session), area) if area else None
    kinds = _service_kinds(category, area)
    if request.method == "POST":
        answers = Answers(request.form)
        question = _question(answers, area, category, kinds)
        if question is not None:
            now = datetime.now(UTC)
            try:
                case = operations.ask(db.session, question, by=g.user, now=now)
            except Invalid as error:
                answers.refused(error, "within", "kinds", "by", "area", "category", "going_on")
            else:
                if case.made_at < now and case.state is WorkState.DONE:
                    flash(_("This was worked out before, and nothing has changed since."), "info")
                return _to(case)
    else:
        answers = _as_asked(earlier, kinds) if earlier else _usual(near, kinds, area)
    return _form(answers, area, category, near, kinds), answers.status


def _to(case: SitingCase) -> Answer:
    """The page of a case, once it is saved; whoever works questions out hears of one that waits."""
    where, is_waiting = url_for(".show", case_id=case.id), case.state is WorkState.WAITING
    db.session.commit()
    if is_waiting:
        jobs().work_out_sites()
    return redirect(where, 303)


@bp.get("/<uuid:case_id>")
@requires("proposal:write")
def show(case_id: UUID) -> Page:
    """The answer: sites, who is reached, who is left out, and what hangs on the radius; until then how far it is."""
    case, now = queries.get(db.session, case_id), datetime.now(UTC)
    if case.state is WorkState.DONE:
        return _page("siting/show.html", CasePage(case, _sites()))
    failure, before = case.why_failed(), queries.before(db.session, case, now=now)
    how_far = f"{case.state}-{before}" if case.is_going_on(now) else ""
    if how_far and how_far == request.args.get("seen"):
        return "", 204  # a page that renews itself has nothing to change
    return render_template(
        "siting/unanswered.html",
        page=CasePage(case),
        case=case,
        is_own=case.made_by_id == g.user.id,
        how_far=how_far,
        failure=say(failure) if failure else None,
        before=before,
        again_seconds=AGAIN_SECONDS,
        words=_words(),
    )


@bp.post("/<uuid:case_id>/again")
@requires("proposal:write")
def again(case_id: UUID) -> Answer:
    """Ask once more what failed or was cut off."""
    case = queries.get(db.session, case_id)
    try:
        operations.ask_again(db.session, case, by=g.user, now=datetime.now(UTC))
    except Invalid as error:
        flash(say(error.message), "bad")
    return _to(case)


@bp.get("/<uuid:case_id>/print")
@requires("proposal:write")
def on_paper(case_id: UUID) -> str:
    """The same for paper, with the map as a picture."""
    return _page("siting/print.html", _case(case_id))


@bp.get("/<uuid:case_id>/map")
@requires("proposal:write")
def map_page(case_id: UUID) -> Response:
    """The map, for the frame in the page."""
    found = _case(case_id)
    return framed(found.shapes(), label=found.title, ramp=BETTER)


@bp.get("/<uuid:case_id>/map.svg")
@requires("proposal:write")
def picture(case_id: UUID) -> Response:
    """The map as one picture, for paper and for browsers without scripts."""
    found = _case(case_id)
    made = svg(found.shapes(), label=found.title, ramp=BETTER)
    return Response(made, mimetype="image/svg+xml")


@bp.get("/compare")
@requires("proposal:write")
def compare() -> Page:
    """Answers of one gap side by side."""
    ids = []
    for asked in request.args.getlist("case"):
        try:
            ids.append(UUID(asked))
        except ValueError:
            continue
    found = [CasePage(case) for case in queries.compared(db.session, ids)]
    if len(found) < 2:
        flash(_("Choose two to four cases of the same gap."), "bad")
        return redirect(url_for(".index"), 303)
    return render_template("siting/compare.html", cases=found, first=found[0], words=_words())


@bp.post("/<uuid:case_id>/delete")
@requires("proposal:write")
def delete(case_id: UUID) -> Answer:
    """Take one's own answer away."""
    case = queries.get(db.session, case_id)
    area, category = case.area_code, case.category
    operations.delete(db.session, case, by=g.user)
    db.session.commit()
    flash(_("The siting case is deleted."), "good")
    return redirect(url_for(".index", area=area, category=category), 303)


# What a request asks -------------------------------------------------------------------------------


def _case(case_id: UUID) -> CasePage:
    """A case that is answered. Raises NotFound."""
    case = queries.get(db.session, case_id)
    if case.state is not WorkState.DONE:
        raise NotFound("siting.unanswered")
    return CasePage(case, _sites())


def _sites() -> int | None:
    return request.args.get("sites", type=int)


def _earlier() -> SitingCase | None:
    """The case whose question is asked in another way."""
    asked = request.args.get("case", "")
    try:
        return queries.get(db.session, UUID(asked)) if asked else None
    except ValueError:
        return None


def _page(template: str, found: CasePage) -> str:
    case: SitingCase = found.case
    return render_template(
        template,
        page=found,
        case=case,
        is_own=case.made_by_id == g.user.id,
        named=NAMED,
        until=case.made_at + operations.KEPT,
        words=_words(),
    )


def _words() -> dict[str, object]:
    return {
        "people": people_words,
        "km": km_words,
        "share": share_words,
        "area": short_name,
        "category": category_name,
        "quarter": quarter_words,
    }


def _given(name: str) -> str:
    return request.form.get(name) or request.args.get(name, "")


def _area() -> str | None:
    """The province or kab/kota that is asked about, if it is one."""
    code, places = _given("area"), gazetteer(db.session)
    return code if code in places and places.get(code).level <= REGENCY else None


def _category() -> str | None:
    code = _given("category")
    return code if code in taxonomy() else None


def _service_kinds(category: str | None, area: str | None) -> list[tuple[str, int]]:
    if not category or not area:
        return []
    return ground.kinds_of_service(
        db.session, gazetteer(db.session), category, area, now=datetime.now(UTC)
    )


def _usual(near: Near | None, kinds: list[tuple[str, int]], area: str | None) -> Answers:
    """What fits most gaps."""
    is_published = figures.latest(db.session) is not None
    return Answers.of(
        within=near.within_km if near else None,
        aim=Aim.PEOPLE.value,
        by=(By.NEEDS if is_published else By.POPULATION).value,
        kinds=[Kind.AGENCY.value, Kind.SEAT.value],
        services=[kind for kind, _count in kinds],
        # What lies beyond a province would draw its sites to the border.
        beyond="" if area and gazetteer(db.session).get(area).level == PROVINCE else "y",
        same_island="y",
    )


def _as_asked(case: SitingCase, kinds: list[tuple[str, int]]) -> Answers:
    """What an earlier case asked."""
    asked = Question.from_json(case.category, case.area_code, case.question)
    there = [kind for kind, _count in kinds]
    return Answers.of(
        within=f"{asked.within_km:.0f}",
        aim=asked.aim.value,
        by=asked.by.value,
        kinds=[kind.value for kind in asked.kinds],
        services=there if asked.services is None else asked.services,
        beyond="y" if asked.beyond else "",
        same_island="y" if asked.same_island else "",
    )


def _question(
    answers: Answers, area: str | None, category: str | None, kinds: list[tuple[str, int]]
) -> Question | None:
    answers.require("category", category, _("Choose a kind of help from the list."))
    answers.require("area", area, _("Choose a province, kabupaten or kota from the list."))
    within = answers.whole("within", LEAST_KM, MOST_KM)
    answers.require("within", within, _("Write how far is near enough, in km."))
    aim = answers.choice("aim", [aim.value for aim in Aim])
    answers.require("aim", aim, _("Choose what is to be made best."))
    by = answers.choice("by", [by.value for by in By])
    answers.require("by", by, _("Choose who is counted."))
    sites = answers.choices("kinds", [kind.value for kind in Kind])
    answers.require("kinds", sites, _("Choose at least one kind of site."))
    known = [kind for kind, _count in kinds]
    services = answers.choices("services", known)
    if answers.errors or not (area and category and within and aim and by):
        return None
    return Question(
        category,
        area,
        within_km=float(within),
        aim=Aim(aim),
        kinds=tuple(kind for kind in Kind if kind.value in sites),
        by=By(by),
        # Every kind that is there: then what opens elsewhere in the country counts too. Not shown: all of them.
        services=None
        if set(services) == set(known) or "services_shown" not in request.form
        else tuple(services),
        beyond=answers.ticked("beyond"),
        same_island=answers.ticked("same_island"),
        most=MOST_SITES,
    )


def _form(
    answers: Answers,
    area: str | None,
    category: str | None,
    near: Near | None,
    kinds: list[tuple[str, int]],
) -> str:
    release = figures.latest(db.session)
    return render_template(
        "siting/new.html",
        answers=answers,
        area=area,
        category=category,
        near=near,
        parts=RADII_IN_AREA,
        kinds=kinds,
        release=release,
        areas=_areas(gazetteer(db.session)),
        categories=searchable_categories(),
        going_on=[
            CasePage(case)
            for case in queries.going_on(db.session, by=g.user, now=datetime.now(UTC))
        ],
        words=_words(),
    )


def _areas(places: Gazetteer) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each province with itself first and its kab/kota."""
    found = []
    for province in sorted(places.children(), key=lambda place: place.name):
        if province.level == PROVINCE:
            parts = [(place.code, place.name) for place in places.children(province.code)]
            whole = _("All of: %(domain)s", domain=province.name)
            found.append((province.name, [(province.code, whole), *parts]))
    return found
