"""What an area's code tells by itself: each level adds a part behind a dot. Pure."""

#: Characters of the code of a province and of a kab/kota, for a database that can only cut.
PROVINCE_LENGTH, REGENCY_LENGTH = 2, 5


def regency_of(code: str | None) -> str | None:
    """Code of the kab/kota that an area lies in or is; None for a province and for nothing."""
    parts = (code or "").split(".")
    return ".".join(parts[:2]) if len(parts) > 1 else None


def province_of(code: str) -> str:
    """Code of the province that an area lies in or is."""
    return code.partition(".")[0]


def holds(area: str, code: str) -> bool:
    """Whether the place with `code` is the area or lies in it; a regency holds its districts."""
    return code == area or code.startswith(area + ".")


def no_finer_than_regency(code: str | None) -> str | None:
    """The area as coarse as it may be told of a person or a refuge: its kab/kota, or the province it is."""
    return regency_of(code) or code
