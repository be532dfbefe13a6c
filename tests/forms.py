"""Forms as a browser would send them."""

from typing import Any

from bs4 import BeautifulSoup
from werkzeug.datastructures import MultiDict


def form_of(page: BeautifulSoup) -> MultiDict[str, str]:
    """What a browser would send of the page's edit form as it stands."""
    given: MultiDict[str, str] = MultiDict()
    form = page.select_one("form.edit-form")
    assert form is not None
    for field in form.select("input[name]"):
        kind = field.get("type", "text")
        if kind not in ("checkbox", "radio") or field.has_attr("checked"):
            given.add(str(field["name"]), str(field.get("value", "")))
    for area in form.select("textarea[name]"):
        given.add(str(area["name"]), area.text.strip("\n"))
    for select_ in form.select("select[name]"):
        chosen = select_.select_one("option[selected]") or select_.select_one("option")
        given.add(str(select_["name"]), str(chosen["value"]) if chosen else "")
    return given


def typed_over(given: MultiDict[str, str], **typed: Any) -> MultiDict[str, str]:
    """The form with some of it typed over."""
    for name, value in typed.items():
        given.setlist(name, value if isinstance(value, list) else [value])
    return given
