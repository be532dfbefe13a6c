"""What coded things are called in the page's language: kinds of need, and areas."""

from flask_babel import gettext as _

from referral.directory import words
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.language import chosen


def category_name(code: str) -> str:
    """What a leaf or domain is called."""
    return taxonomy().get(code).name[chosen()]


def area_name(code: str | None) -> str | None:
    """An area with all it lies in; its code where it is not in the gazetteer, None where none is known."""
    return words.place_name(gazetteer(db.session), code) or None


def searchable_categories() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every domain with itself as the first choice and its leaves, for a search that may take either."""
    tree, lang = taxonomy(), chosen()
    return [
        (
            domain.name[lang],
            [
                (domain.code, _("All of: %(domain)s", domain=domain.name[lang])),
                *((leaf.code, leaf.name[lang]) for leaf in tree.leaves(domain.code)),
            ],
        )
        for domain in tree.domains()
    ]
