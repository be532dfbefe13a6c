"""Answers that are kept in memory: made once, and no more of them than fit."""

from referral.core.kept import Kept


def test_an_answer_is_made_once_and_what_was_not_asked_for_longest_goes_first() -> None:
    kept: Kept[str] = Kept(2)
    made: list[str] = []

    def ask(key: str) -> str:
        return kept.once(key, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    said = [ask(key) for key in ("a", "b", "a", "c", "a", "b")]

    assert said == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]
    assert (kept.find("a"), kept.find("c")) == ("A", None)
    kept.forget()
    assert kept.find("a") is None
