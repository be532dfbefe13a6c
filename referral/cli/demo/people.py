"""Fictional people and their stories, for `flask demo` and for the cases of a demonstration instance.

Nobody here exists. Numbers begin with 0812-0000, which no story of a real person has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from referral.casework.models import ClientKind, Urgency

REGENCY, REGENCY_CODE = "Kota Semarang", "33.74"


@dataclass(frozen=True)
class Fictional:
    """Somebody invented. `stories` by language; `child_age_years` of the child a need is about."""

    name: str
    number: str
    place: str
    kind: ClientKind = ClientKind.PERSON
    age_years: int | None = None
    sex: str | None = None
    stories: Mapping[str, str] | None = None
    protections: tuple[str, ...] = ()
    child_age_years: int | None = None
    desil: int | None = None
    urgency: Urgency = Urgency.ROUTINE

    def story(self, lang: str) -> str:
        return (self.stories or {})[lang]


TEENAGER = Fictional(
    name="Kinanti Contoh",
    number="+6281200000016",
    place="Kec. Banyumanik",
    age_years=16,
    sex="female",
    protections=("child",),
    stories={
        "id": "Kinanti, 16 tahun, tinggal bersama ibunya di Banyumanik. Sejak ayah dan ibunya bertengkar"
        " terus dan ayahnya pergi dari rumah, ia depresi, tidak bisa tidur dan mengurung diri. Ujian makin"
        " dekat, nilainya turun, dan ia tidak kuat lagi dengan tekanan sekolah. Kemarin ia bilang kepada"
        " temannya bahwa ia tidak ingin hidup lagi.",
        "en": "Kinanti, 16, lives with her mother in Banyumanik. Since her parents fight all the time and"
        " her father left home, she feels depressed, can't sleep and stays in her room. Exams are coming,"
        " her grades fell and she can't bear the pressure at school any more. Yesterday she told a friend"
        " that she no longer wants to live.",
    },
)
MOTHER = Fictional(
    name="Sekarwangi Contoh",
    number="+6281200000029",
    place="Kec. Banyumanik",
    age_years=29,
    sex="female",
    desil=2,
    child_age_years=3,
    stories={
        "id": "Sekarwangi, 29 tahun, ibu tunggal di Banyumanik. Upah cuci setrika habis sebelum akhir bulan"
        " dan ia belum pernah dapat bansos karena belum terdaftar DTSEN. Ada tawaran masuk pabrik konveksi,"
        " tetapi anaknya yang 3 tahun tidak ada yang jaga; ia mencari penitipan anak yang murah. Ia"
        " kewalahan mengasuh sendirian, gampang marah lalu menyesal. Ia ingin ikut kelompok ibu-ibu untuk"
        " saling menguatkan.",
        "en": "Sekarwangi, 29, is a single mother in Banyumanik. Her pay for washing and ironing is gone"
        " before the end of the month, and she never got social assistance because she is not registered in"
        " DTSEN. A garment factory would take her, but nobody can watch her child of 3; she is looking for a"
        " cheap day care. She is overwhelmed by parenting alone, gets angry and is sorry afterwards. She"
        " would like to join a mothers' support group in the neighbourhood.",
    },
)
#: single parents of the same city whose small children nobody watches while they work
PARENTS = (
    Fictional("Wulandari Contoh", "+6281200000031", "Kec. Tembalang", age_years=24, sex="female",
              child_age_years=2, desil=3),
    Fictional("Bagaskara Contoh", "+6281200000032", "Kec. Banyumanik", age_years=35, sex="male",
              child_age_years=4, desil=4),
    Fictional("Puspitasari Contoh", "+6281200000033", "Kec. Gunungpati", age_years=22, sex="female",
              child_age_years=1, desil=1, urgency=Urgency.URGENT),
    Fictional("Handarini Contoh", "+6281200000034", "Kec. Candisari", age_years=31, sex="female",
              child_age_years=3, desil=2),
    Fictional("Rahmawati Contoh", "+6281200000035", "Kec. Tembalang", age_years=27, sex="female",
              child_age_years=5, desil=3),
)  # fmt: skip
FAMILY = Fictional(
    name="Keluarga Pamungkas Contoh",
    number="+6281200000041",
    place="Kec. Tembalang",
    kind=ClientKind.FAMILY,
    desil=3,
    stories={
        "id": "Sejak bapak di-PHK, keluarga Pamungkas dengan tiga anak menunggak SPP, dan bapak ibunya"
        " bertengkar hampir tiap malam. Mereka ingin dibantu berbicara lagi satu sama lain.",
        "en": "Since the father lost his job the Pamungkas family with three children owes school fees, and"
        " the parents quarrel almost every night. They want help to talk to each other again.",
    },
)
COMMUNITY = Fictional(
    name="Warga RT 09 Contoh",
    number="+6281200000051",
    place="Kec. Gunungpati",
    kind=ClientKind.COMMUNITY,
    stories={
        "id": "Sumur warga RT 09 kering setiap kemarau; empat puluh rumah membeli air bersih dari tangki.",
        "en": "The wells of RT 09 run dry every dry season; forty homes buy clean water from a tank lorry.",
    },
)
CASE_PEOPLE = (TEENAGER, MOTHER, FAMILY, COMMUNITY, *PARENTS)
