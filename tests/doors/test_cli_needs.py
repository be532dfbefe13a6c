import json

import pytest

TEENAGER = "Rina, 16 tahun, depresi karena tekanan ujian. Katanya sudah tidak mau hidup lagi."


def test_a_story_is_answered_as_json_in_the_published_shape(cli):
    answer = cli("needs", "suggest", TEENAGER, "--json")

    assert answer.exit_code == 0
    assert list(answer.json) == [
        "id",
        "needs",
        "crisis",
        "crisis_because",
        "facts",
        "place",
        "unserved",
    ]
    assert {need["code"] for need in answer.json["needs"]} == {"HE05", "SS03", "EM06"}
    assert all(set(need) == {"code", "score", "because"} for need in answer.json["needs"])
    assert answer.json["crisis"] is True
    assert answer.json["crisis_because"] == [{"start": 60, "end": 75, "text": "tidak mau hidup"}]


def test_a_story_is_shown_to_a_person_with_the_crisis_first(cli):
    answer = cli("needs", "suggest", TEENAGER)

    assert answer.exit_code == 0
    assert answer.stdout.startswith("KRISIS")
    assert "HE05" in answer.stdout


def test_the_answer_can_be_in_english(cli):
    answer = cli("needs", "suggest", "Kambing saya dua.", "--lang", "en")

    assert answer.stdout == "No need is proposed.\n"


def test_markup_in_a_story_is_shown_as_text(cli):
    answer = cli("needs", "suggest", "butuh [bold]jaring ikan[/bold] dan [/] perahu")

    assert answer.exit_code == 0
    assert "[bold]jaring ikan[/bold]" in answer.stdout


def test_each_line_gives_one_line_and_a_bad_one_stops_nothing(cli, tmp_path):
    lines = [
        json.dumps({"id": "a", "text": "belum punya BPJS", "lang": "id"}),
        "{not json",
        json.dumps({"id": "c", "text": 5}),
        "[1, 2]",
        json.dumps({"id": "e", "text": "x", "lang": "jv"}),
        "",
        json.dumps({"id": 7, "text": ""}),
    ]
    file = tmp_path / "stories.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    answer = cli("needs", "suggest", "--jsonl", str(file), "--lang", "en")

    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.exit_code == 1
    assert [one["id"] for one in answers] == ["a", None, "c", None, "e", None, 7]
    assert [one["error"]["field"] if "error" in one else None for one in answers] == [
        None,
        None,
        "text",
        None,
        "lang",
        None,
        None,
    ]
    assert answers[1]["error"]["message"].startswith("Line 2 is not JSON")
    assert [need["code"] for need in answers[0]["needs"]] == ["SP01"]
    assert answers[6]["needs"] == []


def test_stories_come_from_stdin_too(cli):
    story = json.dumps({"id": "a", "text": "butuh kursi roda \ud83d"})

    answer = cli("needs", "suggest", "--jsonl", "-", stdin=story + "\n")

    assert answer.exit_code == 0
    assert [need["code"] for need in answer.json["needs"]] == ["HE11"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((), "text"),
        (("cerita", "--jsonl", "-"), "text"),
        (("--jsonl", "nowhere/at-all.jsonl"), "jsonl"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_the_argument(cli, arguments, field):
    answer = cli("needs", "suggest", *arguments, "--json", "--lang", "en")

    assert answer.exit_code == 2
    assert answer.json["error"]["field"] == field
    assert answer.json["error"]["message"]


def test_an_empty_text_is_no_mistake(cli):
    answer = cli("needs", "suggest", "", "--json")

    assert answer.exit_code == 0
    assert answer.json["needs"] == []


def test_help_shows_an_example(cli):
    assert "Example: flask needs suggest" in cli("needs", "suggest", "--help").stdout
