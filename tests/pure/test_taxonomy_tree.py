import pytest

from referral.core.text import render
from referral.taxonomy.tree import UnknownCategory, shipped


def codes(terms):
    return [term.code for term in terms]


def test_the_tree_has_nine_domains_and_eighty_leaves_with_the_users_four_first():
    domains = shipped().domains()

    assert codes(domains) == ["HE", "VR", "SA", "EM", "FC", "SP", "CD", "SS", "IN"]
    assert len(shipped()) == 89
    assert sum(len(shipped().leaves(domain.code)) for domain in domains) == 80


def test_a_term_carries_both_languages_its_crisis_mark_and_its_hint():
    term = shipped().get("EM09")

    assert (term.level, term.parent) == (2, "EM")
    assert term.name == {
        "id": "Penyelamatan darurat anak",
        "en": "Acute child protection and rescue",
    }
    assert "anak dikurung" in term.synonyms["id"]
    assert "child locked up" in term.synonyms["en"]
    assert term.crisis_default
    assert term.eligibility_hint == "age <18"


def test_a_domain_gives_its_leaves_and_a_leaf_gives_itself():
    taxonomy = shipped()

    assert codes(taxonomy.leaves("VR")) == ["VR01", "VR02", "VR03", "VR04", "VR05", "VR06"]
    assert codes(taxonomy.leaves("he05")) == ["HE05"]


@pytest.mark.parametrize(
    ("code", "candidate"), [("HE5", "HE05"), ("depresi", "HE05"), ("titip anak", "FC05")]
)
def test_an_unknown_code_is_refused_with_what_was_probably_meant(code, candidate):
    with pytest.raises(UnknownCategory) as caught:
        shipped().get(code)

    assert candidate in caught.value.candidates
    assert caught.value.as_json("id")["error"]["code"] == "unknown_category"
    assert code in render(caught.value.message, "id")


def test_a_code_like_nothing_is_refused_without_a_guess():
    with pytest.raises(UnknownCategory) as caught:
        shipped().get("<script>")

    assert caught.value.candidates == []


@pytest.mark.parametrize(
    ("typed", "lang", "first"),
    [
        ("bpjs mati", "id", "SP01"),
        ("kursi roda", "id", "HE11"),
        ("kursi rda", "id", "HE11"),
        ("pisikolog", "id", "HE05"),
        ("modal usha", "id", "VR04"),
        ("kdrt", "id", "EM07"),
        ("menitipkan anak", "id", "FC03"),
        ("day care", "en", "FC05"),
        ("depressed", "en", "HE05"),
        ("whelchair", "en", "HE11"),
        ("he05", "en", "HE05"),
    ],
)
def test_search_finds_the_category_by_name_synonym_or_typo(typed, lang, first):
    assert shipped().search(typed, lang)[0].code == first


def test_search_finds_a_category_while_it_is_being_typed():
    assert "HE10" in codes(shipped().search("fisiot", "id"))
    assert codes(shipped().search("kes", "id"))[0] == "HE"


def test_search_gives_at_most_the_asked_number_and_nothing_for_nothing():
    assert len(shipped().search("bantuan", "id", limit=3)) == 3
    assert shipped().search("   ", "id") == []
    assert shipped().search("'; DROP TABLE", "id") == []
