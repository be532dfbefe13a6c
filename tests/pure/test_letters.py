"""What stands on a letter and its slip, read from the set PDF."""

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from referral.core.text import LANGUAGES
from referral.directory.kinds import AnswerMode
from referral.referrals.cards import View
from referral.referrals.letters import pdf as typesetting
from referral.referrals.letters.handout import Option, handout_content
from referral.referrals.letters.letter import (
    Blind,
    LetterFacts,
    Letterhead,
    Released,
    Signatory,
    about_view,
    letter_content,
)
from referral.referrals.letters.pdf import pdf, pictures
from referral.referrals.letters.place import Place
from referral.referrals.letters.qr import modules

AT = datetime(2026, 11, 22, 3, 0, 5, 123456, tzinfo=UTC)
OFFICE = Letterhead(
    "Dinas Sosial Kota Contoh",
    "Pemerintah Kota Contoh",
    "Jalan Contoh No. 1",
    "(024) 000 0000",
    "kantor@contoh.example",
    "Contoh",
)
HEAD = Signatory(
    "Dra. Siti Contoh, M.Si.", "Kepala Dinas Sosial Kota Contoh", "19700101 199501 2 001"
)
FACTS = {
    "name": "Dewi Fiktif",
    "contact": "+6281200001234",
    "contact_rules": {"when": "sore", "name_to_use": "toko"},
    "age": 16,
    "sex": "female",
    "area": "Gang Fiktif 3",
    "need": "HE05",
    "story": "Baris pertama.\nBaris kedua.",
}
PERSONAL = ("Dewi Fiktif", "0812-0000-1234", "Gang Fiktif 3", "Baris pertama", "HE05", "16 tahun")
BLIND = Blind({"age": "pass", "documents": "unknown"}, "13-17", "Kota Semarang, Jawa Tengah")
HOSTILE = '#read("/etc/passwd") *x* $ #eval("1+1") <b> \\ _y_ `z` @ref'


def letter(**values: Any) -> LetterFacts:
    defaults: dict[str, Any] = {
        "office": OFFICE,
        "signatory": HEAD,
        "referral_number": "R-2026-00001",
        "number": "460/0123/XI/2026",
        "on": date(2026, 11, 22),
        "organization": "Puskesmas Contoh Lor",
        "service": "Poli Umum",
        "mode": AnswerMode.REPLIES,
        "priority": "routine",
        "about": BLIND,
        "accepted": False,
        "worker": "Rina Contoh",
        "seat": "Semarang",
        "declines": ["Layanan penuh", "Lainnya"],
    }
    return LetterFacts(**defaults | values)


def read(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


def words(made: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(made).pages).split())


def printed(facts: LetterFacts, lang: str = "id") -> str:
    return words(pdf("letter", letter_content(facts, lang), at=AT))


# The letter --------------------------------------------------------------------------------------


def test_a_letter_holds_what_an_official_letter_must_hold() -> None:
    text = printed(letter(copies=["Kelurahan Contoh", "Puskesmas Lain", "Dinas Contoh"]))

    for part in (
        "PEMERINTAH KOTA CONTOH Dinas Sosial Kota Contoh",
        "Jalan Contoh No. 1 · Telepon (024) 000 0000 · kantor@contoh.example",
        "Contoh, 22 November 2026",
        "460/0123/XI/2026",
        "Rahasia",
        "Permohonan layanan",
        "Yth. Pimpinan Puskesmas Contoh Lor Poli Umum di Semarang",
        "Dengan hormat,",
        "Kepala Dinas Sosial Kota Contoh, Dra. Siti Contoh, M.Si. NIP 19700101 199501 2 001",
        "Tembusan: 1. Kelurahan Contoh 2. Puskesmas Lain 3. Dinas Contoh",
        "Slip balasan Kepada Dinas Sosial Kota Contoh",
        "Nomor rujukan: R-2026-00001",
        "Kami dapat membantu. Kontak pertama pada tanggal:",
        "Layanan penuh",
        "Halaman 1 dari 1",
    ):
        assert part in text, part


def test_before_an_agency_accepts_its_letter_answers_its_conditions_and_names_nobody() -> None:
    text = printed(letter())

    assert "Umur sesuai syarat : ya" in text
    assert "Dokumen yang diminta ada : belum diketahui" in text
    assert "Kelompok umur : 13–17 tahun" in text
    assert not any(personal in text for personal in PERSONAL)
    assert "Mohon tidak menghubungi yang bersangkutan" in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_the_basis_released_stands_in_the_letter_and_nothing_else(lang: str) -> None:
    released = {name: FACTS[name] for name in ("name", "age")}
    text = printed(letter(about=Released(released), mode=AnswerMode.WALK_IN), lang)

    assert "Dewi Fiktif" in text
    assert ("16 tahun" if lang == "id" else "16 years") in text
    for hidden in ("0812", "Gang Fiktif", "Baris pertama", "perempuan", "female"):
        assert hidden not in text
    assert "Rina Contoh" in text  # everything goes through the worker


def test_a_number_stands_with_the_rules_that_make_it_safe() -> None:
    text = printed(letter(about=Released(FACTS, need="Layanan X"), mode=AnswerMode.WALK_IN))

    assert "0812-0000-1234" in text
    assert "Waktu menghubungi: sore. Sebut diri Anda: toko. Jangan meninggalkan pesan." in text
    assert "Mohon tidak menghubungi yang bersangkutan" not in text
    assert "Baris pertama. Baris kedua." in text
    assert "Kebutuhan : Layanan X" in text


def test_the_slip_tells_whoever_finds_it_nothing_about_the_client() -> None:
    slip = letter_content(letter(about=Released(FACTS), mode=AnswerMode.WALK_IN), "id")["slip"]

    assert not any(personal in repr(slip) for personal in (*PERSONAL, "Poli Umum"))


@pytest.mark.parametrize(
    ("mode", "accepted", "first"),
    [
        (AnswerMode.REPLIES, False, "Kami dapat membantu."),
        (AnswerMode.WALK_IN, False, "Pembawa surat sudah datang"),
        (AnswerMode.DECISION, False, "Disetujui dengan keputusan"),
    ],
)
def test_each_kind_of_service_gets_its_own_slip(
    mode: AnswerMode, accepted: bool, first: str
) -> None:
    ticks = letter_content(letter(mode=mode, accepted=accepted), "id")["slip"]["ticks"]

    assert ticks[0]["text"].startswith(first)
    assert [tick["choices"] for tick in ticks if tick["choices"]] == [["Layanan penuh", "Lainnya"]]


def test_what_is_not_known_is_a_line_to_fill_by_hand_and_an_ngo_has_no_nip() -> None:
    plain = letter(office=Letterhead("Yayasan Contoh"), signatory=Signatory(), number=None, on=None)
    text = printed(plain)

    assert "Nomor :" in text
    assert "NIP" not in text
    assert "None" not in text
    assert "Tembusan" not in text
    assert "Kode balasan" not in text


def test_a_code_and_a_qr_stand_only_where_there_is_an_address_to_answer_at() -> None:
    url = "https://jejaring.example.org/r/AbCdEf0123456789"
    with_code = letter_content(letter(reply_url=url, short_code="K7QM-4TXD"), "id")["slip"]
    without = letter_content(letter(), "id")["slip"]

    assert (with_code["code"]["text"], with_code["qr"]) == ("K7QM-4TXD", modules(url))
    assert (without["code"], without["qr"]) == (None, None)
    assert "K7QM-4TXD" in printed(letter(reply_url=url, short_code="K7QM-4TXD"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pdf_is_tagged_and_says_its_title_and_language(lang: str) -> None:
    made = read(pdf("letter", letter_content(letter(), lang), at=AT))
    root = made.trailer["/Root"]

    assert root["/Lang"] == lang
    assert root["/MarkInfo"]["/Marked"]
    assert made.metadata.title == (
        "Surat rujukan R-2026-00001" if lang == "id" else "Referral letter R-2026-00001"
    )
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert made.metadata.creation_date == AT.replace(microsecond=0)


def test_a_slip_that_does_not_fit_goes_to_the_next_page_whole() -> None:
    story = "Kalimat panjang tentang keadaan. " * 60
    about = Released(FACTS | {"story": story}, need="Layanan X")
    facts = letter(about=about, mode=AnswerMode.WALK_IN, copies=["A", "B", "C"])

    pages = [
        page.extract_text()
        for page in read(pdf("letter", letter_content(facts, "id"), at=AT)).pages
    ]

    assert len(pages) == 2
    assert "Slip balasan" not in pages[0]
    assert "Slip balasan" in pages[1]
    assert "Tanda tangan dan cap" in pages[1]
    assert "Halaman 2 dari 2" in pages[1]


# Values are data ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_that_look_like_markup_are_printed_as_they_stand(lang: str) -> None:
    facts = letter(
        office=Letterhead(HOSTILE, HOSTILE, HOSTILE),
        signatory=Signatory(HOSTILE, HOSTILE, HOSTILE),
        organization=HOSTILE,
        service=HOSTILE + " 2",
        number=HOSTILE,
        worker=HOSTILE,
        about=Released({"name": HOSTILE, "story": HOSTILE}),
        mode=AnswerMode.WALK_IN,
        copies=[HOSTILE],
        declines=[HOSTILE],
        short_code=HOSTILE,
    )
    text = printed(facts, lang).replace(" ", "")

    assert text.count('#read("/etc/passwd")*x*$#eval("1+1")<b>\\_y_`z`@ref') >= 11
    assert "root:" not in text
    sheet = handout_content(
        [Option(Place(HOSTILE, HOSTILE, [HOSTILE], HOSTILE, HOSTILE))], lang, start=None
    )
    assert "root:" not in words(pdf("handout", sheet, at=AT))
    assert '#read("/etc/passwd")*x*' in words(pdf("handout", sheet, at=AT)).replace(" ", "")


def test_what_no_paper_shows_is_left_out_and_a_script_without_a_font_still_gets_a_letter() -> None:
    assert typesetting.printable({"a": ["x\x00y\u202ez\x07", "a\tb\nc", 3]}) == {
        "a": ["xyz", "a\tb\nc", 3]
    }
    assert "nama\u202e" not in printed(letter(organization="nama\u202e\x00 lembaga"))
    assert "nama lembaga" in printed(letter(organization="nama\u202e\x00 lembaga"))

    strange = pdf("letter", letter_content(letter(organization="王 ꦱꦸꦫꦠ 😀"), "id"), at=AT)

    assert "Permohonan layanan" in words(strange)


def test_pages_can_be_looked_at() -> None:
    shown = pictures("letter", letter_content(letter(), "id"), ppi=40)

    assert [picture[:4] for picture in shown] == [b"\x89PNG"]


@pytest.mark.parametrize(
    ("view", "carried", "gets"),
    [
        (View.BLIND, False, "blind"),
        (View.BLIND, True, "released"),
        (View.RELEASED, False, "released"),
        (View.STUB, True, None),
        (View.STUB, False, None),
    ],
)
def test_identity_stands_in_a_letter_that_the_client_carries_or_that_follows_a_yes(
    view: View, carried: bool, gets: str | None
) -> None:
    released, blind = Released(FACTS), BLIND

    found = about_view(view, released, blind, carried=carried)

    assert found is {"blind": blind, "released": released, None: None}[gets]
