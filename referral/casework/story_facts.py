"""Plain facts a story states in so many words: ages, sex, household, pregnancy, documents, place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from referral.casework.story_spans import Span, span
from referral.taxonomy.words import Word

_I = re.IGNORECASE

_YEARS = r"tahun|thn|th|taun|years?|yrs?|yo"
_MONTHS = r"bulan|bln|months?"
_AGE = re.compile(
    rf"\b(?:ber)?(?:umur|usia|umr)(?:nya|ku)?\s+(?:sekitar|baru|sudah|udah|sdh|kira-kira)?\s*"
    rf"(\d{{1,3}})\s*({_MONTHS}|{_YEARS})?\b"
    rf"|\baged?\s+(\d{{1,3}})\b"
    rf"|\b(\d{{1,3}})[\s-]*({_YEARS}|{_MONTHS})[\s-]*old\b"
    rf"|\b(?:i am|i'm|she is|he is|she's|he's)\s+(\d{{1,3}})\b(?!\s*(?:{_MONTHS}|weeks?))",
    _I,
)
#: "anak saya 3 tahun", "Ibu Sari (29 th)": an age only beside a person and not a duration.
_PERSON_AGE = re.compile(
    r"\b(anak|anaknya|anakku|bayi|balita|cucu|adik|kakak|ibu|bapak|ayah|nenek|kakek|suami|istri|"
    r"perempuan|laki-laki|lelaki|remaja|siswa|siswi|pelajar|klien|janda|duda|son|daughter|child|baby|"
    r"boy|girl|woman|man|client|student|mother|father|grandmother|grandfather)\b"
    rf"(?:\s+\w+){{0,2}}[\s,(]+(\d{{1,3}})\s*({_YEARS}|{_MONTHS})\b"
    r"(?!\s*(?:yang\s+)?(?:lalu|lebih|terakhir|ago|menikah|nikah|kerja))",
    _I,
)
#: "Rina, 16 tahun, kelas 2" and "Rina (16 th)".
_SET_APART_AGE = re.compile(rf"[,(]\s*(\d{{1,3}})\s*({_YEARS})\s*(?=[,.)])", _I)
_DURATION = re.compile(
    r"\b(sudah|selama|sejak|udah|sdh|for|since|baru|hamil|nikah|menikah)\s*$", _I
)
_WHO = (
    ("child", r"anak|anaknya|anakku|bayi|balita|cucu|putra|putri|son|daughter|child|baby|toddler"),
    ("elder", r"nenek|kakek|mbah|lansia|grandmother|grandfather"),
    ("spouse", r"suami|istri|husband|wife"),
    ("sibling", r"adik|kakak|brother|sister"),
)
_SEX = (
    ("female", r"perempuan|wanita|siswi|janda|gadis|seorang ibu|ibu tunggal|ibu rumah tangga"),
    ("female", r"woman|girl|female|single mother|widow|mother of"),
    ("male", r"laki-laki|lelaki|pria|duda|seorang bapak|seorang ayah|man|boy|male|single father"),
)
#: The sex of the one who speaks or is introduced, not of everybody named.
_SEX_OPENING = (
    r"(?:saya|aku|klien|seorang|korban|pasien|i am an?|i'm an?|client is an?|a|an)"
    r"(?:\s+(?:adalah|seorang|remaja|anak|\d+[\s-]*year[\s-]*old|young|single))*\s+"
)
_NUMBERS = {
    "satu": 1,
    "dua": 2,
    "tiga": 3,
    "empat": 4,
    "lima": 5,
    "enam": 6,
    "tujuh": 7,
    "delapan": 8,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
}
_N = r"(\d{1,2}|" + "|".join(_NUMBERS) + r")"
_CHILDREN = re.compile(
    rf"(?<!pukul )(?<!jam )\b{_N}\s+(?:orang\s+)?(?:anak|children|kids)\b|\banak(?:\s+saya|nya|ku)?\s+(?:ada\s+)?{_N}"
    rf"(?!\s*(?:{_YEARS}|{_MONTHS}|hari|minggu))(?!\d)\b",
    _I,
)
_HOUSEHOLD = re.compile(
    rf"\b(?:sekeluarga|serumah|keluarga|tanggungan|family of|household of)\s+(?:ada\s+)?{_N}\b"
    rf"(?:\s*(?:orang|jiwa|people))?|\b{_N}\s+(?:orang|jiwa|people)\s+(?:serumah|in the house)",
    _I,
)
_PREGNANT = re.compile(
    rf"\bhamil\b(?:\s+(?:sudah|jalan|masuk|ke))?(?:\s+{_N}\s*(?:{_MONTHS})\b)?"
    rf"|\b{_N}\s+months?\s+pregnant\b|\bpregnant\b",
    _I,
)
_NOT = r"(?:tidak|tdk|tak|gak|ga|nggak|enggak|belum|blm|tanpa|not|no|don't|doesn't|without)"
_BEFORE_NOT = re.compile(_NOT + r"\s+(?:\w+\s+)?$", _I)
_DOCUMENTS = (
    ("KTP", r"e?-?ktp|id card|identity card"),
    ("KK", r"kk|kartu keluarga|family card"),
    ("AKTA_KELAHIRAN", r"akt[ae](?:\s+(?:ke)?lahir(?:an)?)?|birth certificate"),
    ("NIK", r"nik"),
    ("BPJS", r"bpjs|kis|jkn|health insurance"),
)
_LACKS = (
    rf"(?:{_NOT}\s+(?:(?:punya|pny|ada|memiliki|have|has|any|an|a|dapat|buat)\s+){{0,2}})(?:DOC)\b"
    r"|\b(?:lost|missing)\s+(?:\w+\s+)?(?:DOC)\b"
    r"|\b(?:DOC)\b(?:\s+(?:saya|nya|kami|kesehatan|anak))?\s+(?:hilang|rusak|terbakar|hanyut|mati|"
    r"nonaktif|tidak aktif|gak aktif|ga aktif|tdk aktif|belum ada|tidak ada|expired|inactive)"
)
_HAS = (
    r"(?:(?:sudah|udah|sdh|already)\s+)?(?:punya|pny|memiliki|have|has)\s+(?:\w+\s+)?(?:DOC)\b"
    r"|\b(?:DOC)\b(?:\s+\w+)?\s+(?:sudah|masih)\s+aktif"
)
_DESIL = re.compile(r"\bdes[ia]l\s*(?:ke\s*-?)?\s*(\d{1,2})\b|\bdecile\s*(\d{1,2})\b", _I)
_DISABILITIES = (
    ("hearing", r"tuli|tunarungu|tuna rungu|deaf"),
    ("visual", r"tunanetra|tuna netra|buta(?! huruf)|blind"),
    ("physical", r"lumpuh|tunadaksa|tuna daksa|wheelchair|kursi roda|paralysed|amputasi"),
    ("intellectual", r"tunagrahita|tuna grahita|down syndrome"),
    ("mental", r"odgj|skizofrenia|schizophrenia|bipolar"),
    ("autism", r"autis|autism|autistic"),
)
_KIND = r"(?:kec|kecamatan|kab|kabupaten|kota|provinsi|prov|district|regency|city of)"
_VILLAGE = r"(?:kel|kelurahan|desa|ds)"
_NAME = r"[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+){0,3}"
#: "Kec. Banyumanik, Kota Semarang"; a village before it is in no gazetteer and is passed over.
_PLACE = re.compile(
    rf"\b(?i:{_KIND})\b\.?\s+{_NAME}(?:\s*,\s*(?:(?i:{_KIND})\b\.?\s+)?{_NAME}){{0,2}}"
)
_SMALL_PLACE = re.compile(rf"\b({_KIND}\b\.?)\s+([a-z'’-]{{3,}})(?:\s+([a-z'’-]{{3,}}))?")
_VILLAGE_NAME = re.compile(rf"\b{_VILLAGE}\b\.?\s+\S+", _I)
_BARE_PLACE = re.compile(
    r"\b(?:[Dd]i|[Dd]ari|[Aa]sal|[Ww]arga|[Ii]n|[Ff]rom|[Nn]ear)\s+"
    r"([A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+){0,2}(?:\s*,\s*[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+){0,2}){0,2})"
)
#: A long story names many places; only the first few are asked for.
MOST_PLACES = 6
SURE_WITH_KIND = 90.0
SURE_WITHOUT_KIND = 100.0


@dataclass(frozen=True)
class StoryPlace:
    """The one place the story names. `precision_km`: how far off the point may be."""

    code: str
    name: str
    lat: float | None
    lon: float | None
    precision_km: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Gazetteer(Protocol):
    """What the story box asks of `places.gazetteer.Gazetteer`.

    find     candidates with place, label, score (0 to 100) and missing (named parts not found)
    locate   the point that stands for a code (latitude, longitude, precision_km), or None
    """

    def find(self, text: str, /) -> Sequence[Any]: ...

    def locate(self, code: str, /) -> Any: ...


def find_place(text: str, gazetteer: Gazetteer) -> StoryPlace | None:
    """The place a story names, where there is no doubt; never a guess.

    Of several places the innermost is taken if it lies in all the others; else none is.
    """
    found: dict[str, str] = {}
    for phrase, least_score in _place_phrases(text):
        candidates = gazetteer.find(phrase)
        if len(candidates) != 1:
            continue
        only = candidates[0]
        if not only.missing and only.score >= least_score and _is_said_whole(phrase, only.label):
            found[only.place.code] = only.label
    if not found:
        return None
    code = max(found, key=len)
    if not all(code.startswith(other) for other in found):
        return None
    located = gazetteer.locate(code)
    return StoryPlace(
        code=code,
        name=found[code],
        lat=located.latitude if located else None,
        lon=located.longitude if located else None,
        precision_km=located.precision_km if located else None,
    )


def _is_said_whole(phrase: str, label: str) -> bool:
    """Whether every name in the phrase is in the place's own: "Harapan Jaya" is not Kec. Jaya."""
    known = {word.lower() for word in re.findall(r"\w+", label)}
    said = re.sub(rf"\b{_KIND}\b", " ", phrase, flags=_I)
    return all(word.lower() in known for word in re.findall(r"\w+", said))


def _place_phrases(text: str) -> list[tuple[str, float]]:
    """Phrases that may name a place, with how sure the gazetteer must be of them."""
    named = {" ".join(match.group().split()): SURE_WITH_KIND for match in _PLACE.finditer(text)}
    for match in _SMALL_PLACE.finditer(text):
        kind, first, second = match.groups()
        for name in (f"{first} {second}" if second else "", first):
            if name:
                named.setdefault(f"{kind} {name}", SURE_WITH_KIND)
    # "Kec. X" says what it is; a bare name may also be a person's or a village's.
    bare_text = _VILLAGE_NAME.sub(" ", text)
    for match in _BARE_PLACE.finditer(bare_text):
        named.setdefault(" ".join(match.group(1).split()), SURE_WITHOUT_KIND)
    return list(named.items())[:MOST_PLACES]


def read_facts(text: str, words: Sequence[Word]) -> dict[str, Any]:
    """Facts by name, each with its value and its place in the text; only what is said is there.

    ages [{value, unit, who}], sex, children, household_size, pregnant, pregnant_months,
    lacks_documents [{value}], has_bpjs, desil, disabilities [{value}].
    """
    if not words:
        return {}
    facts: dict[str, Any] = {}
    ages = list(_ages(text))
    if ages:
        facts["ages"] = ages
    sexes = [
        _fact(value, span(text, m.start(1), m.end(1)))
        for value, forms in _SEX
        for m in re.finditer(rf"\b{_SEX_OPENING}({forms})\b", text, _I)
    ]
    if sexes and len({fact["value"] for fact in sexes}) == 1:
        facts["sex"] = min(sexes, key=lambda fact: fact["start"])
    for name, pattern, most in (("children", _CHILDREN, 20), ("household_size", _HOUSEHOLD, 40)):
        match = pattern.search(text)
        if match and 0 < (number := _number(match)) <= most:
            facts[name] = _fact(number, _whole(text, match))
    facts |= _pregnancy(text)
    facts |= _documents(text)
    match = _DESIL.search(text)
    if match and 1 <= _number(match) <= 10:
        facts["desil"] = _fact(_number(match), _whole(text, match))
    disabilities = [
        _fact(value, _whole(text, m))
        for value, forms in _DISABILITIES
        for m in [re.search(rf"\b(?:{forms})\b", text, _I)]
        if m
    ]
    if disabilities:
        facts["disabilities"] = disabilities
    return facts


def _fact(value: Any, found: Span, **more: Any) -> dict[str, Any]:
    return {"value": value, **more, **found.as_json()}


def _whole(text: str, match: re.Match[str]) -> Span:
    return span(text, match.start(), match.end())


def _number(match: re.Match[str]) -> int:
    said = next(group for group in match.groups() if group)
    return _NUMBERS.get(said.lower()) or int(said)


def _ages(text: str) -> Iterator[dict[str, Any]]:
    found: list[Span] = []
    for pattern in (_AGE, _PERSON_AGE, _SET_APART_AGE):
        for match in pattern.finditer(text):
            groups = [group for group in match.groups() if group]
            digits = next(group for group in groups if group.isdigit())
            at = match.start() + match.group().index(digits)
            here = span(text, at, match.end())
            if pattern is _PERSON_AGE and _DURATION.search(text[:at]):
                continue
            value = int(digits)
            months = any(re.fullmatch(_MONTHS, group, _I) for group in groups)
            if value > (60 if months else 120) or any(here.overlaps(other) for other in found):
                continue
            found.append(here)
            near = text[max(0, match.start() - 25) : at]
            yield _fact(value, here, unit="months" if months else "years", who=_who(near))


def _who(near: str) -> str | None:
    said = [
        (match.start(), who)
        for who, forms in _WHO
        for match in re.finditer(rf"\b(?:{forms})\b", near, _I)
    ]
    return max(said)[1] if said else None


def _pregnancy(text: str) -> dict[str, Any]:
    for match in _PREGNANT.finditer(text):
        if _BEFORE_NOT.search(text[: match.start()]):
            continue
        facts = {"pregnant": _fact(True, _whole(text, match))}
        if any(match.groups()) and 1 <= _number(match) <= 10:
            facts["pregnant_months"] = _fact(_number(match), _whole(text, match))
        return facts
    return {}


def _documents(text: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    lacks = []
    for value, forms in _DOCUMENTS:
        lacking = re.search(r"\b" + _LACKS.replace("DOC", forms), text, _I)
        if lacking:
            lacks.append(_fact(value, _whole(text, lacking)))
        if value != "BPJS":
            continue
        having = re.search(r"\b" + _HAS.replace("DOC", forms), text, _I)
        if lacking:
            facts["has_bpjs"] = _fact(False, _whole(text, lacking))
        elif having and not _BEFORE_NOT.search(text[: having.start()]):
            facts["has_bpjs"] = _fact(True, _whole(text, having))
    if lacks:
        facts["lacks_documents"] = lacks
    return facts
