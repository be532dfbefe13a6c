"""What stands on a client's sheet, read from the set PDF; messages to copy, and the drawing of the way."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely
from pypdf import PdfReader

from referral.core.text import LANGUAGES
from referral.referrals.letters.chat import chat_text
from referral.referrals.letters.discretion import telling_words, tells
from referral.referrals.letters.handout import Option, handout_content
from referral.referrals.letters.pdf import pdf
from referral.referrals.letters.place import Place
from referral.referrals.letters.sketch import Spot, drawing

AT = datetime(2026, 11, 22, 3, 0, 5, 123456, tzinfo=UTC)


def read(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


def words(made: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(made).pages).split())


CLINIC = Place(
    "Poli Kesehatan Jiwa",
    "Puskesmas Contoh Lor",
    ["(024) 000 0001"],
    "Jalan Contoh Raya 12",
    "Kota Semarang, Jawa Tengah",
    [("Senin–Kamis", "07.30–14.00"), ("Jumat", "07.30–11.00")],
    [("KTP", None), ("Surat rujukan", "dari dokter")],
    ["Loket pendaftaran: KTP"],
    latitude=-6.955,
    longitude=110.42,
    precision_km=0.2,
)
REFUGE = Place("Rumah Teduh", "Yayasan Contoh", ["129"], "Jalan Rahasia 1", "Kota X", confidential=True,
               latitude=-6.9, longitude=110.4)  # fmt: skip
HOME = Spot(-6.995, 110.40, 0.5)
UNSAID = telling_words(["Layanan kesehatan jiwa", "ODGJ", "Kesehatan"])


def sheet(places: Sequence[Place], lang: str = "id", **values: Any) -> str:
    options = [Option(place, "4,9 km", 4.9, "timur laut") for place in places]
    content = handout_content(options, lang, **{"start": HOME} | values)
    return words(pdf("handout", content, at=AT))


def test_a_sheet_says_how_to_get_there_in_large_print() -> None:
    text = sheet([CLINIC])

    for part in (
        "Informasi layanan",
        "Poli Kesehatan Jiwa",
        "(024) 000 0001",
        "Jalan Contoh Raya 12 Kota Semarang, Jawa Tengah",
        "Jarak garis lurus sekitar 4,9 km, ke arah timur laut.",
        "Senin–Kamis 07.30–14.00",
        "KTP",
        "Loket pendaftaran: KTP",
        "Selamat pagi. Saya ingin bertanya tentang layanan di sini.",
        "Mulai",
        "5 km",
        "Gambar kasar tanpa jalan.",
    ):
        assert part in text, part


def test_no_print_on_a_sheet_is_smaller_than_14_points() -> None:
    sizes: set[float] = set()
    content = handout_content([Option(CLINIC, "4,9 km", 4.9), Option(REFUGE)], "id", start=HOME)
    for page in read(pdf("handout", content, at=AT)).pages:
        page.extract_text(
            visitor_text=lambda text, _cm, tm, _font, size: (
                sizes.add(round(abs(size * tm[3]), 1)) if text.strip() else None
            )
        )

    assert min(sizes) >= 14
    assert max(sizes) >= 26  # phone numbers


@pytest.mark.parametrize("lang", LANGUAGES)
def test_for_a_client_with_limits_a_sheet_tells_nothing_of_the_need_or_the_office(
    lang: str,
) -> None:
    text = sheet([CLINIC], lang, unsaid=UNSAID).casefold()

    for telling in (
        "rujuk",
        "referral",
        "jiwa",
        "mental",
        "sosial",
        "social",
        "mulai",
        "start",
        "dewi",
    ):
        assert telling not in text, telling
    assert "puskesmas contoh lor" in text
    assert "(024) 000 0001" in text
    assert (
        "tanyakan hal lain kepada orang" if lang == "id" else "ask the person who gave you"
    ) in text


def test_a_place_whose_every_name_tells_is_only_a_place() -> None:
    office = Place("Layanan HIV", "Dinas Sosial", ["129"], "Dinas Sosial lantai 2", "Kota X")

    text = sheet([office], unsaid=UNSAID)

    assert "Tempat 1" in text
    assert "129" in text
    assert "Sosial" not in text
    assert "HIV" not in text


def test_a_confidential_place_has_a_phone_and_no_address_distance_or_drawing() -> None:
    text = sheet([REFUGE])

    assert "129" in text
    assert "Diberikan lewat telepon." in text
    for secret in ("Jalan Rahasia", "Kota X", "4,9 km", "Mulai", "garis lurus"):
        assert secret not in text, secret


def test_what_is_not_known_is_said_so() -> None:
    bare = Place("Layanan A", "Layanan A")

    text = sheet([bare])

    assert "Nomor telepon belum diketahui. Datang langsung." in text
    assert "Belum diketahui. Telepon dulu sebelum berangkat." in text
    assert text.count("Layanan A") == 1


def test_several_places_have_numbers_and_a_page_each() -> None:
    content = handout_content([Option(CLINIC, "4,9 km", 4.9), Option(REFUGE)], "en", start=HOME)
    pages = [page.extract_text() for page in read(pdf("handout", content, at=AT)).pages]

    assert len(pages) == 2
    assert "1. Poli Kesehatan Jiwa" in pages[0]
    assert "2. Rumah Teduh" in pages[1]


# Messages ----------------------------------------------------------------------------------------


def test_a_message_holds_address_hours_what_to_bring_and_phone() -> None:
    assert chat_text(CLINIC, "id") == (
        "*Poli Kesehatan Jiwa*\nPuskesmas Contoh Lor\n\n"
        "Jalan Contoh Raya 12\nKota Semarang, Jawa Tengah\n\n"
        "Telepon: (024) 000 0001\n\n"
        "Jam buka:\nSenin–Kamis: 07.30–14.00\nJumat: 07.30–11.00\n\n"
        "Bawa:\n- KTP\n- Surat rujukan (dari dokter)"
    )


def test_a_message_for_a_client_with_limits_leaves_out_the_lines_that_tell() -> None:
    text = chat_text(CLINIC, "id", unsaid=UNSAID)

    assert text.startswith("Puskesmas Contoh Lor\n\nJalan Contoh Raya 12")
    assert text.endswith("Bawa:\n- KTP")
    only_telling = Place("A", "A", documents=[("Surat rujukan", None)])
    assert "Bawa" not in chat_text(only_telling, "id", unsaid=UNSAID)


def test_a_message_of_a_confidential_place_has_no_address() -> None:
    text = chat_text(REFUGE, "en")

    assert "The address is given by phone. Call first." in text
    assert "Jalan Rahasia" not in text
    assert "Kota X" not in text


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("Surat Rujukan", True),
        ("Harus dirujuk", True),
        ("UPTD PPA", True),
        ("Dinas Sosial", True),
        ("Klinik VCT", True),
        ("Poli kesehatan jiwa", True),
        ("Puskesmas Contoh", False),
        ("Jalan Kesehatan 3", True),
        ("odgj-center", True),
        ("Jalan Pahlawan", False),
    ],
)
def test_which_lines_tell(text: str, telling: bool) -> None:
    assert tells(text, UNSAID) is telling


# The drawing -------------------------------------------------------------------------------------


def test_a_drawing_keeps_distances_in_scale_and_everything_inside() -> None:
    land = shapely.box(100, -10, 120, -6.96)

    drawn = drawing(HOME, [Spot(-6.955, 110.42)], [land], width=170, height=62)

    (x1, y1), (x2, y2) = drawn["start"]["at"], drawn["places"][0]["at"]
    per_km = drawn["scale"]["length"] / drawn["scale"]["km"]
    assert ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 / per_km == pytest.approx(4.98, abs=0.05)
    assert x2 > x1
    assert y2 < y1  # north is up
    for x, y in [*drawn["land"][0], (x1, y1), (x2, y2)]:
        assert -0.1 <= x <= 170.1
        assert -0.1 <= y <= 62.1
    assert drawn["scale"]["km"] in (1, 2, 5)


def test_a_place_that_may_be_anywhere_around_gets_a_ring() -> None:
    vague = Place("A", "A", latitude=-6.955, longitude=110.42, precision_km=9.0)
    content = handout_content([Option(vague, "0–14 km", 4.9)], "id", start=HOME)

    option = content["options"][0]

    assert option["way"] == "Jarak garis lurus sekitar 0–14 km."
    assert option["map"]["places"][0]["unsure"] > option["map"]["scale"]["length"]
