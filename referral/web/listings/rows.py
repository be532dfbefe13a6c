"""Lists of rows in a form: read as typed, and one added, taken out or moved by a button. No script is needed."""

from collections.abc import Mapping, Sequence

from werkzeug.datastructures import MultiDict

#: More rows than anybody needs; a form with more was not sent by a person.
MOST_ROWS = 60
#: Ends the name of a field that takes several values, kept in a row with spaces between them.
SEVERAL = "*"
Row = dict[str, str]


def typed(given: MultiDict[str, str], name: str, fields: Sequence[str]) -> list[Row]:
    """The rows of `name` as they were typed: fields `name-0-field`, as many as `name-count` says."""
    count = min(max(_whole(given.get(f"{name}-count", "")), 0), MOST_ROWS)
    return [
        {
            field.rstrip(SEVERAL): " ".join(given.getlist(_key(name, number, field)))
            for field in fields
        }
        for number in range(count)
    ]


def write(
    given: MultiDict[str, str],
    name: str,
    fields: Sequence[str],
    rows: Sequence[Mapping[str, str]],
) -> None:
    """Put rows into a form in place of those it holds."""
    for number in range(len(typed(given, name, fields))):
        for field in fields:
            given.poplist(_key(name, number, field))
    given[f"{name}-count"] = str(len(rows))
    for number, row in enumerate(rows):
        for field in fields:
            text = row.get(field.rstrip(SEVERAL), "")
            texts = text.split() if field.endswith(SEVERAL) else [text]
            given.setlist(_key(name, number, field), texts)


def is_blank(row: Row) -> bool:
    """Whether nothing was typed into a row; such a row is passed over."""
    return not any(value.strip() for value in row.values())


def press(
    given: MultiDict[str, str], button: str, lists: Mapping[str, Sequence[str]]
) -> str | None:
    """Do what a row button says (`phones.add`, `steps.up.2`); gives the id of the field to go on with.

    lists     name of a list → the fields of its rows
    Nothing happens, and None comes back, for a button that is none of these lists'.
    """
    name, _, deed = button.partition(".")
    verb, _, text = deed.partition(".")
    if name not in lists:
        return None
    fields = lists[name]
    rows = typed(given, name, fields)
    at = _whole(text)
    if verb == "add" and len(rows) < MOST_ROWS:
        rows.append({})
        at = len(rows) - 1
    elif verb == "remove" and 0 <= at < len(rows):
        del rows[at]
        at = min(at, len(rows) - 1)
    elif verb == "up" and 0 < at < len(rows):
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
        at -= 1
    elif verb == "down" and 0 <= at < len(rows) - 1:
        rows[at + 1], rows[at] = rows[at], rows[at + 1]
        at += 1
    else:
        return None
    write(given, name, fields, rows)
    return f"{name}-{at}-{fields[0]}" if rows else f"{name}-add"


def _whole(text: str) -> int:
    """The number that is typed; -1 for anything else, and for one that no form of ours holds."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _key(name: str, number: int, field: str) -> str:
    return f"{name}-{number}-{field.rstrip(SEVERAL)}"
