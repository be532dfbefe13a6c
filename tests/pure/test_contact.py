"""Numbers under which a client may be reached."""

import pytest

from referral.casework.contact import normal_number, printed
from referral.core.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "kept", "shown"),
    [
        ("0812 3456 7890", "+6281234567890", "0812-3456-7890"),
        ("62812-3456-7890", "+6281234567890", "0812-3456-7890"),
        ("(024) 7460001", "+62247460001", "(024) 7460001"),
        ("+44 20 7946 0958", "+442079460958", "+44 20 7946 0958"),
        ("+112", "112", "112"),
    ],
)
def test_a_number_is_kept_in_one_form_and_shown_as_people_write_it(
    typed: str, kept: str, shown: str
) -> None:
    assert (normal_number(typed), printed(kept)) == (kept, shown)


@pytest.mark.parametrize(
    "typed", ["", "12", "112", "call me", "0812x", "1" * 16, "+", "<script>", "0812;DROP TABLE"]
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        normal_number(typed)

    assert refused.value.field == "contact_number"
