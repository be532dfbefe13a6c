"""Sentences: rules give a key and parameters, a person gets a sentence in their language. Knows no Flask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_currency

from referral.core.country import COUNTRY

LANGUAGES = ("id", "en")
DEFAULT_LANGUAGE = "id"
_FOLDER = Path(__file__).parent / "messages"


@dataclass(frozen=True)
class Message:
    """A sentence not yet in any language. `params` hold numbers, dates, texts or other Messages."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"key": self.key, "params": _plain(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Message":
        return cls(data["key"], _revived(data["params"]))


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return {"message": value.as_json()}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (date, datetime)):
        return {"time" if isinstance(value, datetime) else "day": value.isoformat()}
    return value


def _revived(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {"message"}:
            return Message.from_json(value["message"])
        if value.keys() == {"time"}:
            return datetime.fromisoformat(value["time"])
        if value.keys() == {"day"}:
            return date.fromisoformat(value["day"])
        return {name: _revived(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_revived(item) for item in value]
    return value


@cache
def templates() -> dict[str, dict[str, str]]:
    """Every sentence template by key: {key: {language: template}}."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        for key, by_language in (yaml.safe_load(path.read_text("utf-8")) or {}).items():
            if key in found:
                raise ValueError(f"{path.name}: {key} is already a sentence elsewhere")
            found[key] = by_language
    return found


def render(message: Message, lang: str, *, zone: str = "UTC") -> str:
    """The sentence in `lang`; numbers, days and instants as people there write them."""
    template = templates()[message.key][lang]
    named = _names_in(template)
    return template.format(
        **{
            name: _spoken(value, lang, zone)
            for name, value in message.params.items()
            if name in named
        }
    )


@cache
def _names_in(template: str) -> frozenset[str]:
    """The parameters a sentence speaks of; some rules know more than the sentence they end in says."""
    return frozenset(name for _text, name, _spec, _kind in Formatter().parse(template) if name)


def named(key: str, otherwise: str) -> Message | str:
    """The words for a coded value; what is given where no list holds it."""
    return Message(key) if key in templates() else otherwise


class _Count(str):
    """A number in words; `{count:service|services}` gives the words that go with it, `{km:3}` more digits."""

    value: float
    lang: str

    def __new__(cls, value: float, lang: str) -> "_Count":
        self = super().__new__(cls, number(value, lang))
        self.value, self.lang = value, lang
        return self

    @property
    def is_one(self) -> bool:
        return self.value == 1

    def __format__(self, words: str) -> str:
        if not words:
            return str(self)
        if words.isdigit():
            return number(self.value, self.lang, digits=int(words))
        one, others = words.split("|")
        return one if self.is_one else others


def label(key: str, lang: str) -> str:
    """The words for a coded value: `label("referral.status.accepted", "id")`."""
    return templates()[key][lang]


def _spoken(value: Any, lang: str, zone: str) -> str:
    if isinstance(value, Message):
        return render(value, lang, zone=zone)
    if isinstance(value, bool) or value is None:
        raise TypeError("say it in words: a sentence has no place for true, false or nothing")
    if isinstance(value, (int, float)):
        return _Count(value, lang)
    if isinstance(value, datetime):
        return instant(value, lang, zone)
    if isinstance(value, date):
        return day(value, lang)
    if isinstance(value, (list, tuple)):
        return listed((_spoken(item, lang, zone) for item in value), lang)
    return str(value)


def number(value: float, lang: str, *, digits: int = 1) -> str:
    whole, _, part = f"{round(value, digits):,.{digits}f}".partition(".")
    group, decimal = _separators(lang)
    part = part.rstrip("0")
    return whole.replace(",", group) + (decimal + part if part else "")


@cache
def _separators(lang: str) -> tuple[str, str]:
    """What stands between thousands and before decimals: asked once, since a page writes hundreds of numbers."""
    symbols = _locale(lang).number_symbols["latn"]
    return str(symbols["group"]), str(symbols["decimal"])


@cache
def _locale(lang: str) -> Locale:
    return Locale.parse(lang)


def km(value: float, lang: str) -> str:
    """Distance as people say it: one decimal under 10 km, whole km above."""
    return f"{number(value, lang, digits=1 if value < 10 else 0)} km"


def km_range(ends: Sequence[float], lang: str) -> str:
    """A distance known only between two ends: "0–14 km"."""
    low, high = ends
    return f"{number(low, lang, digits=0)}–{km(high, lang)}"


def money(amount: int, lang: str) -> str:
    """An amount of the country's money in whole units: "Rp 1.500.000"."""
    return format_currency(
        amount, COUNTRY.currency, format="¤\u00a0#,##0", locale=_locale(lang), currency_digits=False
    )


def day(value: date, lang: str) -> str:
    return format_date(value, "d MMMM y", locale=_locale(lang))


def instant(value: datetime, lang: str, zone: str) -> str:
    return format_datetime(
        value,
        "d MMM y, HH.mm" if lang == "id" else "d MMM y, HH:mm",
        tzinfo=ZoneInfo(zone),
        locale=_locale(lang),
    )


def listed(items: Iterable[str], lang: str) -> str:
    return format_list(list(items), locale=_locale(lang))
