"""Phone numbers as printed and as dialled."""

import pytest

from referral.directory.phones import dial, is_number, split


@pytest.mark.parametrize(
    ("printed", "dialled"),
    [
        ("119 ext 8", "119,8"),
        ("112", "112"),
        ("(024) 6722565", "+62246722565"),
        ("0812 6000 6810", "+6281260006810"),
        ("62 812-4125-6237", "+6281241256237"),
        ("+62 811 3855 472", "+628113855472"),
        ("021-171", "021171"),
        ("(0967) 533616 EXT. 533781", "+62967533616,533781"),
    ],
)
def test_a_printed_number_can_be_dialled_from_anywhere(printed, dialled):
    assert dial(*split(printed)) == dialled


@pytest.mark.parametrize("text", ["", "12", "(1)", "lihat situs", "0812345678901234567"])
def test_what_can_be_no_number_is_seen(text):
    assert not is_number(text)
