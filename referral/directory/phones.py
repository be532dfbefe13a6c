"""Phone numbers as printed, and as a telephone dials them. Pure."""

import re

import phonenumbers

from referral.core.country import COUNTRY

#: HSDS's types, and two of ours: a short number that a whole region knows, and a chat
TYPES = ("text", "voice", "fax", "cell", "video", "pager", "textphone", "hotline", "whatsapp")
_EXTENSION = re.compile(
    r"^(?P<number>.*?\d)\s*(?:,|;|ext\.?|ekst\.?|pesawat|x)\s*(?P<ext>\d{1,6})$", re.I
)


def split(printed: str) -> tuple[str, str | None]:
    """Number and extension of `119 ext 8`."""
    found = _EXTENSION.match(printed.strip())
    return (found["number"].strip(), found["ext"]) if found else (printed.strip(), None)


def is_number(printed: str) -> bool:
    """Whether this can be a number at all: 3 to 15 digits and no letters."""
    digits = re.sub(r"\D", "", printed)
    return 3 <= len(digits) <= 15 and not re.search(r"[^\W\d_]", printed)


def dial(number: str, extension: str | None = None) -> str:
    """What `tel:` takes: short codes as they are, others in international form where they are valid.

    A pause comes before an extension.
    """
    digits = re.sub(r"[^\d+]", "", number)
    if len(digits.strip("+")) > 5:
        # Mobiles are often written with the calling code and without +, or without the leading 0.
        candidate = f"+{digits}" if digits.startswith(COUNTRY.calling_code) else digits
        try:
            parsed = phonenumbers.parse(candidate, COUNTRY.code)
        except phonenumbers.NumberParseException:
            pass
        else:
            if phonenumbers.is_valid_number(parsed):
                digits = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{digits},{extension}" if extension else digits
