"""How the columns and words of somebody's table become ours. A mapping is a YAML file; see docs/directory.md. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import yaml

from referral.core.errors import Finding, Invalid
from referral.core.text import Message
from referral.directory import hours, hours_text, phones
from referral.directory.intake.bombs import mapping_in
from referral.directory.intake.listings import Listing, PrintedPhone
from referral.directory.kinds import (
    OLDEST_YEARS,
    AnswerMode,
    CapacityStatus,
    CategoryBasis,
    ContactMode,
    Remote,
    ServiceStatus,
    SystemType,
)

#: Our names for the columns of a table, as docs/directory.md explains them.
COLUMNS = (
    "id",
    "organization",
    "system_type",
    "facility_type",
    "name",
    "description",
    "category",
    "category_basis",
    "phone",
    "phone_type",
    "email",
    "url",
    "address",
    "city",
    "province",
    "place",
    "latitude",
    "longitude",
    "precision_km",
    "point_source",
    "accessibility",
    "schedule",
    "service_area",
    "remote",
    "confidential",
    "sex",
    "minimum_age",
    "maximum_age",
    "desil_max",
    "disability",
    "language",
    "required_document",
    "cost",
    "fee",
    "capacity",
    "status",
    "answer_mode",
    "contact_mode",
    "note",
    "source_url",
    "source_title",
    "source_date",
    "read_on",
)
_YES, _NO = ("yes", "ya", "true", "1"), ("", "no", "tidak", "false", "0")
#: columns that may tell where a place is
_WHERE = ("latitude", "longitude", "precision_km", "point_source", "place", "address", "city")
_BAR = re.compile(r"\|")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True)
class Point:
    """How far a point of this kind may be off, and what it was taken from."""

    km: float
    source: str


@dataclass(frozen=True)
class Known:
    """The codes a row may use; anything else is a finding."""

    categories: frozenset[str]
    documents: Mapping[str, str]
    disabilities: frozenset[str]
    #: how a facility of this type answers, where the row does not say
    answer_modes: Mapping[str, AnswerMode]


@dataclass(frozen=True)
class TableMapping:
    """One mapping file.

    columns      our column → theirs, or several of theirs of which the first filled one counts
    required     columns of theirs that a table must have to be read with this mapping
    values       our column → their word → ours
    points       their word for a point's kind → precision
    stated       categories that a row states itself: category, their column, text it contains
    """

    name: str
    source: str
    columns: Mapping[str, Sequence[str]]
    required: frozenset[str]
    values: Mapping[str, Mapping[str, str]]
    points: Mapping[str, Point]
    constants: Mapping[str, str] = field(default_factory=dict)
    separators: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    stated: Sequence[Mapping[str, str]] = ()
    #: the one format it is for; a table's is looked for by the heading
    format: str = "table"

    @classmethod
    def from_yaml(cls, path: Path) -> "TableMapping":
        """The mapping in a file. Raises Invalid where the file can't be one."""
        try:
            data = mapping_in(path)
            own = {name: [name] for name in COLUMNS}
            columns = own if not data["columns"] else _listed(data["columns"])
            unknown = sorted({*columns, *(data.get("constants") or {})} - set(COLUMNS))
            if unknown:
                raise ValueError(", ".join(unknown))
            return cls(
                name=path.stem,
                source=str(data["source"]),
                columns=columns,
                required=frozenset(
                    data.get("required") or (c for cs in columns.values() for c in cs)
                ),
                values={
                    column: {str(k): str(v) for k, v in words.items()}
                    for column, words in (data.get("values") or {}).items()
                },
                points={
                    str(k): Point(float(v["km"]), v["source"]) for k, v in data["points"].items()
                },
                constants={k: str(v) for k, v in (data.get("constants") or {}).items()},
                separators={k: re.compile(v) for k, v in (data.get("separators") or {}).items()},
                stated=data.get("stated") or (),
                format=str(data.get("format", "table")),
            )
        except OSError as error:
            raise Invalid(
                "directory.mapping.unreadable", field="mapping", name=path.name
            ) from error
        except (AttributeError, KeyError, TypeError, ValueError, re.error, yaml.YAMLError) as error:
            raise Invalid(
                "directory.mapping.bad", field="mapping", name=path.name, why=str(error)[:200]
            ) from error

    def fits(self, header: Iterable[str]) -> bool:
        return self.required <= set(header)

    def read(
        self, row: int, cells: Mapping[str, str | None], known: Known
    ) -> tuple[Listing | None, list[Finding]]:
        """The listing in one row and what is wrong with it; None where there is nothing to keep."""
        return _Reading(self, row, cells, known).listing()


def _listed(columns: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    return {ours: [t] if isinstance(t, str) else list(t) for ours, t in columns.items()}


def best_fit(mappings: Iterable[TableMapping], header: Sequence[str]) -> TableMapping:
    """The mapping that asks for most of this table's columns. Raises Invalid where none fits."""
    fitting = [one for one in mappings if one.format == "table" and one.fits(header)]
    if not fitting:
        raise Invalid(
            "directory.mapping.none", field="mapping", columns=", ".join(header)[:300] or "-"
        )
    return max(fitting, key=lambda mapping: (len(mapping.required), mapping.name))


class _Reading:
    """One row while it is read; collects the findings."""

    def __init__(
        self, mapping: TableMapping, row: int, cells: Mapping[str, str | None], known: Known
    ):
        self.mapping, self.row, self.cells, self.known = mapping, row, cells, known
        self.findings: list[Finding] = []

    def listing(self) -> tuple[Listing | None, list[Finding]]:
        source_id, name = self.text("id"), self.text("name")
        for column, value in (("id", source_id), ("name", name)):
            if not value:
                self.find(column, "", f"directory.import.no_{column}", severity="error")
        if not source_id or not name:
            return None, self.findings
        facility_type = self.text("facility_type")
        point, kind = self.point()
        minimum, maximum = self.ages()
        source_url, source_title = self.source()
        listing = Listing(
            row=self.row,
            source_id=source_id,
            name=name,
            organization=self.text("organization"),
            system_type=self.one_of(SystemType, "system_type") or SystemType.SOCIETAL,
            facility_type=facility_type,
            description=self.long_text("description"),
            categories=self.categories(),
            phones=self.phones(),
            email=self.email(),
            url=self.address_of("url"),
            address=self.text("address"),
            city=self.text("city"),
            province=self.text("province"),
            place=self.places(),
            point=point,
            precision_km=kind.km if point and kind else None,
            point_source=kind.source if point and kind else None,
            accessibility=self.several("accessibility"),
            openings=self.openings(),
            service_areas=self.several("service_area"),
            remote=self.remote(),
            confidential=self.truth("confidential"),
            sex=[s for s in self.several("sex") if self.is_known("sex", s, ("female", "male"))],
            minimum_age=minimum,
            maximum_age=maximum,
            desil_max=self.desil(),
            disabilities=[
                code
                for code in self.several("disability")
                if self.is_known("disability", code, self.known.disabilities)
            ],
            languages=self.languages(),
            documents=self.documents(),
            cost=self.text("cost"),
            fee=self.fee(),
            capacity=self.one_of(CapacityStatus, "capacity"),
            status=self.one_of(ServiceStatus, "status"),
            answer_mode=self.one_of(AnswerMode, "answer_mode")
            or self.known.answer_modes.get(facility_type or "", AnswerMode.REPLIES),
            contact_mode=self.one_of(ContactMode, "contact_mode") or ContactMode.DIRECT,
            note=self.long_text("note"),
            source_url=source_url,
            source_title=source_title,
            source_date=self.day("source_date"),
            read_on=self.day("read_on"),
        )
        if listing.confidential:
            self.findings = [
                replace(one, value="") if one.field in _WHERE else one for one in self.findings
            ]
        if listing.confidential and (listing.point or listing.address):
            # A refuge's true place is worth nothing here and can cost a life: it is not even stored.
            listing.point = listing.precision_km = listing.point_source = listing.address = None
            self.find("confidential", "", "directory.import.confidential")
        return listing, self.findings

    # cells

    def raw(self, column: str) -> str:
        for theirs in self.mapping.columns.get(column, ()):
            cell = self.cells.get(theirs)
            if cell:
                value = (cell if cell.isprintable() else _CONTROL.sub(" ", cell)).strip()
                if value:
                    return value
        return self.mapping.constants.get(column, "")

    def ours(self, column: str, value: str) -> str:
        return self.mapping.values.get(column, {}).get(value, value)

    def text(self, column: str) -> str | None:
        raw = self.raw(column)
        return " ".join(self.ours(column, raw).split()) or None if raw else None

    def long_text(self, column: str) -> str | None:
        return self.ours(column, self.raw(column)) or None

    def several(self, column: str) -> list[str]:
        raw = self.raw(column)
        if not raw:
            return []
        separator = self.mapping.separators.get(column, _BAR)
        pieces = (piece.strip() for piece in separator.split(raw))
        return list(dict.fromkeys(self.ours(column, piece) for piece in pieces if piece))

    def find(self, column: str, value: str, key: str, *, severity: str = "warning") -> None:
        self.findings.append(Finding(self.row, column, value[:80], Message(key), severity))

    # kinds of values

    def one_of(self, kind: type[Kind], column: str) -> Kind | None:
        value = self.text(column)
        if value is None:
            return None
        try:
            return kind(value.casefold())
        except ValueError:
            self.find(column, value, "directory.import.unknown_word")
            return None

    def is_known(self, column: str, value: str, words: Iterable[str]) -> bool:
        if value in words:
            return True
        self.find(column, value, "directory.import.unknown_word")
        return False

    def truth(self, column: str) -> bool:
        value = (self.text(column) or "").casefold()
        if value in _NO:
            return False
        if value not in _YES:
            # Unsure whether a place must stay secret: it stays secret.
            self.find(column, value, "directory.import.unknown_word")
        return True

    def number(self, column: str) -> float | None:
        text = (self.text(column) or "").replace(",", ".")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not abs(value) < float("inf"):
            self.find(column, text, "directory.import.no_number")
            return None
        return value

    def day(self, column: str) -> date | None:
        text = self.text(column)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.find(column, text or "", "directory.import.no_day")
            return None

    def address_of(self, column: str) -> str | None:
        text = self.text(column)
        if text is None:
            return None
        if re.fullmatch(r"https?://[^\s\"'<>]+", text):
            return text
        if re.fullmatch(r"[\w-]+(\.[\w-]+)+(/[^\s\"'<>]*)?", text):
            return f"https://{text}"
        self.find(column, text, "directory.import.no_address")
        return None

    def email(self) -> str | None:
        """The first address of the cell: HSDS has room for one."""
        texts = (self.text("email") or "").replace(",", " ").replace(";", " ").split()
        if not texts:
            return None
        if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", texts[0]):
            self.find("email", " ".join(texts), "directory.import.no_email")
            return None
        if len(texts) > 1:
            self.find("email", " ".join(texts), "directory.import.one_email")
        return texts[0]

    # columns

    def places(self) -> list[str]:
        cells = (
            str(self.cells.get(c) or "").strip() for c in self.mapping.columns.get("place", ())
        )
        return [self.ours("place", cell) for cell in cells if cell]

    def categories(self) -> dict[str, CategoryBasis]:
        basis = self.one_of(CategoryBasis, "category_basis") or CategoryBasis.STATED
        codes = self.several("category")
        if not codes:
            self.find("category", "", "directory.import.no_category")
        found = {}
        for code in codes:
            if code.upper() in self.known.categories:
                found[code.upper()] = basis
            else:
                self.find("category", code, "directory.import.unknown_category")
        for rule in self.mapping.stated:
            if rule["contains"] in str(self.cells.get(rule["column"]) or ""):
                found[rule["category"]] = CategoryBasis.STATED
        return found

    def phones(self) -> list[PrintedPhone]:
        kinds = self.several_in_order("phone_type")
        found: list[PrintedPhone] = []
        for place, printed in enumerate(self.several("phone")):
            number, extension = phones.split(printed)
            if not phones.is_number(number):
                self.find("phone", printed, "directory.import.no_phone")
                continue
            kind = kinds[place] if place < len(kinds) else "voice"
            if kind not in phones.TYPES:
                self.find("phone_type", kind, "directory.import.unknown_word")
                kind = "voice"
            found.append(PrintedPhone(number, extension, kind))
        return found

    def several_in_order(self, column: str) -> list[str]:
        """As `several`, keeping repetitions: the third type belongs to the third number."""
        return [self.ours(column, p.strip()) for p in self.raw(column).split("|") if p.strip()]

    def point(self) -> tuple[tuple[float, float] | None, Point | None]:
        printed = (self.raw("latitude"), self.raw("longitude"))
        if not any(printed):
            return None, None
        said = f"{printed[0]}, {printed[1]}"
        try:
            lat, lon = (float(text.replace(",", ".")) for text in printed)
        except ValueError:
            self.find("latitude", said, "directory.import.no_point")
            return None, None
        word = self.raw("point_source")
        kind = self.mapping.points.get(word) or self.mapping.points.get("")
        stated = self.number("precision_km")
        if stated is not None and stated >= 0:
            return (lat, lon), Point(stated, word or "facility")
        if stated is not None:
            self.find("precision_km", self.raw("precision_km"), "directory.import.no_number")
        if kind is None:
            self.find("point_source", word, "directory.import.unknown_point")
            return None, None
        return (lat, lon), kind

    def remote(self) -> Remote | None:
        """The first way named: a service by phone and online is one that a phone reaches."""
        ways = [w for w in self.several("remote") if self.is_known("remote", w, list(Remote))]
        return Remote(ways[0]) if ways else None

    def openings(self) -> list[hours.Opening]:
        text = self.text("schedule")
        if not text:
            return []
        try:
            return hours_text.parse(text)
        except ValueError:
            self.find("schedule", text, "directory.import.no_hours")
            return []

    def ages(self) -> tuple[float | None, float | None]:
        ages = {}
        for column in ("minimum_age", "maximum_age"):
            value = self.number(column)
            if value is not None and not 0 <= value <= OLDEST_YEARS:
                self.find(column, self.raw(column), "directory.import.no_age")
                value = None
            ages[column] = value
        low, high = ages["minimum_age"], ages["maximum_age"]
        if low is not None and high is not None and high < low:
            self.find("maximum_age", self.raw("maximum_age"), "directory.import.age_order")
            return None, None
        return low, high

    def desil(self) -> int | None:
        value = self.number("desil_max")
        if value is not None and (value != int(value) or not 1 <= value <= 10):
            self.find("desil_max", self.raw("desil_max"), "directory.import.no_desil")
            return None
        return None if value is None else int(value)

    def languages(self) -> list[str]:
        codes = [code.casefold() for code in self.several("language")]
        good = [code for code in codes if re.fullmatch(r"[a-z]{3}", code)]
        for code in codes:
            if code not in good:
                self.find("language", code, "directory.import.no_language")
        return good

    def documents(self) -> list[tuple[str | None, str]]:
        found: list[tuple[str | None, str]] = []
        for code in self.several("required_document"):
            if code.upper() in self.known.documents:
                found.append((code.upper(), self.known.documents[code.upper()]))
            else:
                self.find("required_document", code, "directory.import.unknown_document")
                found.append((None, code))
        return found

    def fee(self) -> str | None:
        fee = self.text("fee")
        return fee if fee and self.is_known("fee", fee, ("free", "paid")) else None

    def source(self) -> tuple[str | None, str | None]:
        """Address and title; a register without an address is named by its title alone."""
        url, title = self.text("source_url"), self.text("source_title")
        if url and not re.match(r"https?://", url):
            return None, title or url
        return self.address_of("source_url"), title
