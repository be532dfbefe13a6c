"""Numbers under which a client may be reached. Pure."""

import re

import phonenumbers

from referral.core.country import COUNTRY
from referral.core.errors import Invalid


def normal_number(typed: str) -> str:
    """The number in one form, so that the same number is found again: +62…, or a short code as it is.

    A foreign or short number is taken when it begins with +. Raises Invalid.
    """
    digits = re.sub(r"[^\d]", "", typed)
    if re.search(r"[^\d\s()+./-]", typed) or not 3 <= len(digits) <= 15:
        raise Invalid("casework.number", field="contact_number")
    is_foreign = typed.strip().startswith("+")
    # Mobiles are often written with the calling code and without +.
    candidate = f"+{digits}" if is_foreign or digits.startswith(COUNTRY.calling_code) else digits
    try:
        parsed = phonenumbers.parse(candidate, COUNTRY.code)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is not None and phonenumbers.is_valid_number(parsed):
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    if is_foreign:
        return f"+{digits}" if len(digits) > 6 else digits
    raise Invalid("casework.number", field="contact_number")


def printed(number: str) -> str:
    """A kept number as people write it: spaced, ours without the country code."""
    try:
        parsed = phonenumbers.parse(number, COUNTRY.code)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed):
        return number
    form = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if parsed.country_code == phonenumbers.country_code_for_region(COUNTRY.code)
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return str(phonenumbers.format_number(parsed, form))
