"""A simulated week of referrals, with processes killed at random: everything is as the steps say."""

from pathlib import Path

from benchmarks import month


def test_in_a_month_of_kills_nothing_is_lost_doubled_or_late(tmp_path: Path) -> None:
    size = ["--referrals", "60", "--brokers", "4", "--agencies", "10", "--days", "8"]
    report = month.run([*size, "--hours", "8", "--kills", "60", "--seed", "3", "--quiet"], tmp_path)

    assert report["wrong"] == {name: [] for name in report["wrong"]}
    assert len(report["wrong"]) == 9
    assert report["referrals"] >= 55
    assert report["steps"] > report["referrals"]
    assert sum(report["killed"].values()) > 5
    assert report["mails"] > 20
