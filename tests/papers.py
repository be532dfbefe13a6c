"""Paper as tests read it: a letter that a client carries, and the words of a PDF."""

import io

from pypdf import PdfReader

from referral.directory.models import AnswerMode
from referral.referrals.lifecycle import Event
from referral.referrals.models import Referral
from tests.conftest import Browser
from tests.scenes import Scene


def walk_in(scene: Scene, *fields: str) -> Referral:
    scene.site.service.answer_mode = AnswerMode.WALK_IN
    scene.consent(*fields)
    referral = scene.draft()
    scene.take(referral, Event.SEND)
    return referral


def words(browser: Browser, url: str) -> str:
    response = browser.get(url)
    assert response.status_code == 200, (url, response.status_code)
    assert response.mimetype == "application/pdf"
    pages = PdfReader(io.BytesIO(response.data)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())
