"""The story box on stories of our own. The gold set was written beside the lexicon: see docs/stories.md."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from referral.casework.lexicon import Lexicon, spelled_out
from referral.casework.stories import suggest
from referral.taxonomy.tree import shipped

DATA = Path(__file__).parent / "data"
GOLD = [
    json.loads(line)
    for name in ("stories.jsonl", "stories_later.jsonl", "stories_held_out.jsonl")
    for line in (DATA / name).read_text("utf-8").splitlines()
]

TEENAGER_ID = (
    "Rina, 16 tahun, kelas 2 SMA. Sejak orang tuanya sering bertengkar dan mau cerai, ia depresi, "
    "susah tidur dan menangis tiap malam. Tekanan ujian membuat nilainya anjlok. "
    'Kemarin ia bilang ke guru BK: "Saya sudah tidak mau hidup lagi."'
)
TEENAGER_EN = (
    "A 16-year-old girl is depressed because her parents fight all the time, and the exam pressure "
    "at school is too much for her. She said she no longer wants to live."
)
MOTHER_ID = (
    "Saya ibu tunggal dengan satu anak umur 3 tahun. Kerja cuci gosok, uang tidak cukup untuk "
    "sebulan. Anak tidak ada yang jaga waktu saya kerja. Saya capek sekali mengurus anak sendirian, "
    "kadang saya bentak. Ingin ikut kelompok ibu-ibu supaya bisa saling cerita."
)
MOTHER_EN = (
    "I am a single mother and money is tight. My 3 year old has nobody to watch him while I work. "
    "I am exhausted raising him alone and would like to join a support group."
)


def read(text, **options):
    return suggest(text, shipped(), **options)


def codes(text, **options):
    return [need.code for need in read(text, **options).needs]


@pytest.mark.parametrize("story", [TEENAGER_ID, TEENAGER_EN], ids=["id", "en"])
def test_the_teenager_gets_mental_health_school_and_family_and_the_crisis_is_seen(story):
    suggestion = read(story)

    assert {"HE05", "SS03", "FC01", "EM06"} == {need.code for need in suggestion.needs}
    assert suggestion.crisis
    assert any("hidup" in s.text or "to live" in s.text for s in suggestion.crisis_because)
    assert [age["value"] for age in suggestion.facts["ages"]] == [16]


@pytest.mark.parametrize("story", [MOTHER_ID, MOTHER_EN], ids=["id", "en"])
def test_the_single_mother_gets_money_day_care_parenting_and_a_group_and_no_crisis(story):
    suggestion = read(story)

    assert {"SA01", "FC05", "FC02", "CD01"} <= {need.code for need in suggestion.needs}
    assert not suggestion.crisis
    assert suggestion.crisis_because == ()
    assert [(age["value"], age["unit"]) for age in suggestion.facts["ages"]] == [(3, "years")]
    assert suggestion.facts["sex"]["value"] == "female"


@pytest.mark.parametrize("story", GOLD, ids=lambda story: story["id"])
def test_a_gold_story_gets_its_needs_among_the_first_three(story):
    suggestion = read(story["text"])

    first = [need.code for need in suggestion.needs[:3]]
    assert [code for code in story["expect"] if code not in first] == []
    if not story["expect"]:
        assert first == []
    if story["crisis"] is not None:
        assert suggestion.crisis is story["crisis"]


def test_the_gold_stories_cover_all_nine_domains():
    domains = Counter(story["domain"] for story in GOLD if story["expect"])

    assert set(domains) == {term.code for term in shipped().domains()}
    assert sum(domains.values()) >= 40


def test_every_span_is_a_place_in_the_unmodified_text():
    text = "😀 É Tolong… sy blm pny BPJS‼ anak-anak blm makan 😢, nenek 70 thn di Kota Semarang"

    suggestion = read(text)

    assert [need.code for need in suggestion.needs] == ["SP01", "SA02"]
    spans = [span for need in suggestion.needs for span in need.because]
    assert [span.text for span in spans] == ["blm pny BPJS", "blm makan"]
    assert all(text[span.start : span.end] == span.text for span in spans)
    facts = [f for v in suggestion.facts.values() for f in (v if isinstance(v, list) else [v])]
    assert all(text[fact["start"] : fact["end"]] == fact["text"] for fact in facts)


def test_needs_come_in_descending_score_between_0_and_1_and_at_most_five():
    suggestion = read(" ".join(story["text"] for story in GOLD))

    scores = [need.score for need in suggestion.needs]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)


@pytest.mark.parametrize(
    "story",
    [
        "sudah punya BPJS",
        "Alhamdulillah BPJS sudah aktif.",
        "Tidak perlu sembako, tidak butuh bantuan beras.",
        "Bukan minta sembako.",
        "utang sudah lunas",
        "Dulu depresi, sekarang sudah sembuh",
        "Dia tidak pernah dipukul suaminya.",
        "Sudah tidak dipukuli lagi, sekarang sudah rukun.",
        "I already have health insurance.",
        "She does not need food aid.",
    ],
)
def test_what_is_denied_unwanted_or_settled_is_no_need(story):
    suggestion = read(story)

    assert suggestion.needs == ()
    assert not suggestion.crisis


@pytest.mark.parametrize(
    ("story", "code"),
    [
        ("belum punya BPJS", "SP01"),
        ("sy blm pny bpjs", "SP01"),
        ("BPJS saya mati padahal mau berobat", "SP01"),
        ("BPJS saya sudah tidak aktif", "SP01"),
        ("sudah sebulan tidak makan nasi, beras habis", "SA02"),
        ("tdk ada yg jagain ank wkt sy krj", "FC05"),
        ("butuh kursi rodaa", "HE11"),
        ("depresii berat", "HE05"),
        ("gaji blm dibyr 3 bln", "IN02"),
        ("no health insurance", "SP01"),
    ],
)
def test_what_is_lacking_is_a_need_also_in_short_spelling(story, code):
    assert codes(story)[:1] == [code]


@pytest.mark.parametrize(
    "story",
    [
        "aku udah ga tahan pengen mati",
        "lebih baik saya mati",
        "tdk ingin hdup lg",
        "sudah tidak sanggup, mau bunuh diri",
        "Saya sudah selesai dengan semuanya. Mau gantung diri.",
        "dia menyayat tangannya lagi",
        "I want to die",
        "she keeps cutting herself",
        "anak umur 5 tahun dirantai bapaknya",
        "balita sendirian di rumah, pintunya dikunci",
        "suami mengancam pakai pisau",
        "rumah terbakar, masih ada orang di dalam",
        "kami terjebak banjir di atap",
        "ayah tidak sadarkan diri",
        "dia disekap di rumah majikan",
    ],
)
def test_danger_to_life_is_a_crisis_however_short_the_story(story):
    suggestion = read(story)

    assert suggestion.crisis
    assert suggestion.crisis_because


@pytest.mark.parametrize(
    "story",
    [
        "mati lampu dari tadi",
        "capeknya setengah mati",
        "ikut sosialisasi pencegahan bunuh diri",
        "tidak ada niat bunuh diri",
        "I do not want to die",
        "pukul 7 anak saya bangun",
        "ikan bakar di warung",
        "saya ingin hidup sehat",
        "mau ngadu soal gaji",
        "motor dicuri bulan lalu, mau lapor polisi",
        "nobody answers my applications",
        "beli tali jemuran",
    ],
)
def test_everyday_words_are_no_crisis(story):
    assert not read(story).crisis


def test_a_denied_crisis_does_not_hide_another():
    suggestion = read("Tidak ada niat bunuh diri, tapi suami mencekik saya tadi malam.")

    assert suggestion.crisis
    assert [need.code for need in suggestion.needs] == ["EM07"]


def test_wants_that_no_category_answers_are_kept_apart():
    suggestion = read("Butuh alat pancing untuk melaut. Belum punya BPJS.")

    assert [span.text for span in suggestion.unserved] == ["Butuh alat pancing untuk melaut"]
    assert [need.code for need in suggestion.needs] == ["SP01"]


@pytest.mark.parametrize("story", ["", "   \n\t", "…!?", "123 456"])
def test_an_empty_text_has_no_needs(story):
    assert read(story).as_json() == {
        "needs": [],
        "crisis": False,
        "crisis_because": [],
        "facts": {},
        "place": None,
        "unserved": [],
    }


@pytest.mark.parametrize(
    "story",
    [
        "<script>alert('x')</script>",
        "'; DROP TABLE clients; --",
        "{{ 7*7 }} ${jndi:ldap://x} %s %n",
        "\ud83d lone surrogate \u0000 nul",
        "١٢٣ تومان 中文 ฉัน",
    ],
)
def test_script_and_sql_text_is_only_text(story):
    suggestion = read(story)

    assert suggestion.needs == ()
    assert not suggestion.crisis


def test_a_rambling_story_of_ten_thousand_characters_keeps_its_one_need():
    noise = "Kambing saya dua, kerbau satu, lalu lihat kupu-kupu di kebun pagi hari. "
    story = noise * 70 + "Oh ya, BPJS kami belum punya. " + noise * 70

    suggestion = read(story)

    assert len(story) > 10_000
    assert [need.code for need in suggestion.needs] == ["SP01"]


def test_the_same_words_again_are_shown_but_do_not_count_twice():
    once = read("belum punya BPJS").needs[0]
    twice = read("belum punya BPJS. Pokoknya belum punya BPJS.").needs[0]

    assert twice.score == once.score
    assert len(twice.because) == 2


def test_a_language_hint_weighs_but_does_not_shut_out():
    mixed = "anak saya di-bully dan butuh daycare untuk adiknya"

    assert set(codes(mixed)) == set(codes(mixed, lang="en")) == {"SS03", "FC05"}
    hinted = {need.code: need.score for need in read("belum punya BPJS", lang="en").needs}
    assert hinted["SP01"] < read("belum punya BPJS").needs[0].score


FACTS = [
    ("Rina, 16 tahun, kelas 2", {"ages": [16]}),
    ("bayi umur 8 bulan", {"ages": [8]}),
    ("nenek 70 thn", {"ages": [70]}),
    ("sudah 3 tahun menganggur", {}),
    ("A 29-year-old woman", {"ages": [29], "sex": "female"}),
    ("Saya janda dengan tiga anak", {"sex": "female", "children": 3}),
    ("anak 2, sekeluarga 4 orang", {"children": 2, "household_size": 4}),
    ("istri hamil 7 bulan", {"pregnant": True, "pregnant_months": 7}),
    ("dia tidak hamil", {}),
    (
        "belum punya KTP, BPJS mati",
        {"lacks_documents": ["KTP", "BPJS"], "has_bpjs": False},
    ),
    ("sudah punya BPJS", {"has_bpjs": True}),
    ("desil 2", {"desil": 2}),
    ("adik tuli", {"disabilities": ["hearing"]}),
]


@pytest.mark.parametrize(("story", "expected"), FACTS, ids=[story for story, _ in FACTS])
def test_a_fact_is_taken_only_where_it_is_said(story, expected):
    facts = read(story).facts

    values = {
        name: [one["value"] for one in fact] if isinstance(fact, list) else fact["value"]
        for name, fact in facts.items()
    }
    assert values == expected


@dataclass(frozen=True)
class FakePlace:
    code: str


@dataclass(frozen=True)
class FakeCandidate:
    place: FakePlace
    label: str
    score: float = 100.0
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class FakePoint:
    latitude: float = -7.06
    longitude: float = 110.42
    precision_km: float = 4.0


class FakeGazetteer:
    """Knows one Banyumanik, two places called Bandung and a lookalike of Rina."""

    def find(self, text):
        if "Banyumanik" in text:
            return [FakeCandidate(FakePlace("33.74.11"), "Kec. Banyumanik, Kota Semarang")]
        if "Bandung" in text:
            return [FakeCandidate(FakePlace(code), "Bandung") for code in ("32.04", "32.73")]
        if "Ternate" in text:
            return [FakeCandidate(FakePlace("82.71"), "Kota Ternate, Maluku Utara")]
        return [FakeCandidate(FakePlace("99.99"), "Rinca", score=88)]

    def locate(self, code):
        return FakePoint() if code == "33.74.11" else None


def test_a_place_named_without_doubt_is_found():
    suggestion = read("Tinggal di Kec. Banyumanik, Kota Semarang.", gazetteer=FakeGazetteer())

    assert suggestion.as_json()["place"] == {
        "code": "33.74.11",
        "name": "Kec. Banyumanik, Kota Semarang",
        "lat": -7.06,
        "lon": 110.42,
        "precision_km": 4.0,
    }


@pytest.mark.parametrize(
    "story",
    [
        "Tinggal di Bandung.",
        "Titip salam dari Rina.",
        "Tidak tahu.",
        "Desa Banyumanik Baru",
        "Dulu di Kec. Banyumanik, lalu pindah ke Kota Ternate.",
    ],
)
def test_a_place_is_never_guessed(story):
    assert read(story, gazetteer=FakeGazetteer()).place is None


def test_a_lexicon_row_whose_small_words_carry_it_is_refused(tmp_path):
    path = tmp_path / "lexicon.csv"
    path.write_text(
        "kind,value,weight,polarity,lang,phrases\n"
        "stop,,,,id,saja\n"
        + "".join(
            f"word,{kind},,,id,kata{kind}\n"
            for kind in ("negator", "not_yet", "want", "done", "over", "healed")
        )
        + "crisis,EM06,0.9,problem,id,mati saja\n",
        encoding="utf-8",
    )

    with pytest.raises(ValueError, match="mati saja"):
        Lexicon.load(shipped(), path)


def test_braces_spell_out_every_choice():
    assert spelled_out("{a,b} c {d,e}") == ["a c d", "a c e", "b c d", "b c e"]
