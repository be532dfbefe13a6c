"""Somebody at a browser. Every page they come to is checked before they go on."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

ROOT = Path(__file__).resolve().parents[3]
AXE = (ROOT / "static" / "vendor" / "axe" / "axe.min.js").read_text("utf-8")
PICTURES = ROOT / "test-results"
#: what the README shows; written beside it, the others into `test-results`
SHOWN = frozenset(
    f"{name}.png"
    for name in (
        "gaps-1280-id",
        "gaps-360-id",
        "inbox-360-id",
        "listing-check-360-id",
        "listing-hours-1280-id",
        "listing-hours-360-id",
        "match-1280-id",
        "match-360-id",
        "match-filtered-1280-id",
        "plan-mother-1280-id",
        "plan-mother-360-id",
        "plan-teenager-1280-id",
        "plan-teenager-360-id",
        "review-decide-1280-id",
    )
)
#: a sentence's key where the sentence itself should stand
RAW_KEY = re.compile(
    r"\b(?:accounts|audit|casework|core|demo|directory|match|office|places|planning|referral)"
    r"\.[a-z_]+(?:\.[a-z_]+)*\b(?!@)"
)
SECONDS = 1000.0


@dataclass(frozen=True)
class Size:
    """How large the window is."""

    width: int
    height: int

    def as_viewport(self) -> Any:
        return {"width": self.width, "height": self.height}


PHONE, DESK = Size(360, 740), Size(1280, 900)
SIZES = (PHONE, DESK)


@dataclass
class Walk:
    """One server and everybody who visits it."""

    chromium: Browser
    address: str
    password: str
    contexts: list[BrowserContext] = field(default_factory=list)

    def visitor(self, language: str, size: Size, *, scripts: bool = True) -> "Visitor":
        context = self.chromium.new_context(
            base_url=self.address,
            viewport=size.as_viewport(),
            java_script_enabled=scripts,
            reduced_motion="reduce",
            locale="id-ID",
            timezone_id="Asia/Jakarta",
        )
        context.set_default_timeout(40 * SECONDS)
        self.contexts.append(context)
        visitor = Visitor(context.new_page(), size, self.address, scripts=scripts)
        if language != visitor.language:
            visitor.page.goto("/")
            visitor.speak(language)
        return visitor

    def signed_in(self, name: str, language: str, size: Size) -> "Visitor":
        """One of the demonstration's people, on the page they begin with."""
        visitor = self.visitor(language, size)
        visitor.sign_in(f"{name}@demo.example", self.password)
        return visitor

    def end(self) -> None:
        for context in self.contexts:
            context.close()


class Visitor:
    """One window. `problems` holds what the browser complained about since the last check."""

    def __init__(self, page: Page, size: Size, address: str, *, scripts: bool) -> None:
        self.page, self.size, self.scripts = page, size, scripts
        self.language = "id"
        self.problems: list[str] = []
        self._host = urlsplit(address).netloc
        self._open_requests: set[Request] = set()
        page.on("request", self._asked)
        page.on("requestfinished", lambda request: self._open_requests.discard(request))
        page.on("requestfailed", self._failed)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on(
            "response",
            lambda answer: (
                self.problems.append(f"{answer.status} {answer.url}")
                if answer.status >= 500 or (answer.status >= 400 and "/static/" in answer.url)
                else None
            ),
        )
        self._devtools = page.context.new_cdp_session(page) if scripts else None

    def _asked(self, request: Request) -> None:
        self._open_requests.add(request)
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob", "about") and url.netloc != self._host:
            self.problems.append(f"left the machine: {request.url}")

    def _failed(self, request: Request) -> None:
        self._open_requests.discard(request)
        # Going on while the icon is still on its way ends that request: nobody's fault.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url} {request.failure}")

    def _said(self, message: ConsoleMessage) -> None:
        # A refused form is answered with 4xx, which the browser reports like an error.
        if message.type == "error" and "status of 4" not in message.text:
            self.problems.append(f"console: {message.text}")

    # Going about

    def open(self, path: str) -> "Visitor":
        self.page.goto(path)
        return self.check()

    def follow(self, locator: str | Locator) -> "Visitor":
        """Click what leads to another page."""
        with self.page.expect_navigation():
            self.find(locator).click()
        return self.check()

    def submit(self, form: str, /, **fields: str | list[str]) -> "Visitor":
        """Fill in the form with this selector and send it with its first button."""
        scope = self.page.locator(form)
        for name, value in fields.items():
            self.answer(scope, name, value)
        return self.follow(scope.locator("button:not([name])").first)

    def answer(self, scope: Locator, name: str, value: str | list[str]) -> None:
        """Give a field its value, whatever kind of field it is; what is folded away is unfolded."""
        control = scope.locator(f'[name="{name}"]:not([type="hidden"])').first
        folds = control.locator("xpath=ancestor::details[not(@open)]/summary").filter(visible=True)
        while folds.count():  # the outermost first; wide windows fold some of them never
            folds.first.click()
        if control.evaluate("field => field.localName") == "select":
            control.select_option(str(value))
        elif control.get_attribute("type") in ("radio", "checkbox"):
            wanted = value if isinstance(value, list) else [value]
            for box in scope.locator(f'input[name="{name}"]').all():
                self.tick(box, box.get_attribute("value") in wanted)
        else:
            control.fill(str(value))

    def tick(self, box: Locator, on: bool = True) -> None:
        """Mark a box or an option by its words, which cover it; an option is left by marking another."""
        is_on = box.is_checked()
        if is_on != on and (on or box.get_attribute("type") == "checkbox"):
            self.page.locator(f'label[for="{box.get_attribute("id")}"]').click()
            assert box.is_checked() is on

    def find(self, locator: str | Locator) -> Locator:
        return self.page.locator(locator) if isinstance(locator, str) else locator

    def text(self, selector: str = "main") -> str:
        return self.page.locator(selector).first.inner_text()

    def sign_in(self, email: str, password: str) -> "Visitor":
        self.open("/sign-in")
        return self.submit('main form[action$="/sign-in"]', email=email, password=password)

    def speak(self, language: str) -> None:
        self.settle()
        with self.page.expect_navigation():
            self.page.locator(f'form.lang button[lang="{language}"]').click()
        self.language = language

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    # Checking

    def check(self) -> "Visitor":
        """The page stands as it should at both widths: no complaint, no scrolling sideways, nothing axe calls serious."""
        self.settle()
        found = list(self.problems)
        self.problems.clear()
        if self.scripts:
            page_language = self.page.locator("html").get_attribute("lang")
            if page_language != self.language:
                found.append(f"page speaks {page_language}")
            found += [f"raw key: {key}" for key in RAW_KEY.findall(self._words())]
            self._evaluate(AXE)
            for size in (self.size, *(one for one in SIZES if one != self.size)):
                self.page.set_viewport_size(size.as_viewport())
                found += [f"{size.width} px: {one}" for one in self._at_this_width()]
            self.page.set_viewport_size(self.size.as_viewport())
            found += self.problems
            self.problems.clear()
        assert found == [], (self.path, self.language, found)
        return self

    def _words(self) -> str:
        """What the page says, addresses left out."""
        return re.sub(r"\S+(?:@|://)\S+", "", self.page.locator("body").inner_text())

    def _at_this_width(self) -> list[str]:
        wide, inner = self.page.evaluate(
            "() => [document.scrollingElement.scrollWidth, innerWidth]"
        )
        found = [f"{wide} px wide"] if wide > inner else []
        for rule in self.page.evaluate(
            "async () => (await axe.run({resultTypes: ['violations'], iframes: false, preload: false})).violations"
            ".filter(({impact}) => ['serious', 'critical'].includes(impact))"
            ".map(({id, nodes}) => ({id, at: nodes.map(({target}) => target.join(' ')).slice(0, 3),"
            " why: nodes[0].failureSummary}))"
        ):
            found.append(f"axe {rule['id']} at {rule['at']}: {rule['why']}")
        return found

    def settle(self) -> None:
        """Wait until nothing is loaded any more: scripts fetch maps and pickers after the page is there."""
        self.page.wait_for_load_state("load")
        quiet = 0
        for _wait in range(1600):
            quiet = 0 if self._open_requests else quiet + 1
            if quiet == 3:
                return
            self.page.wait_for_timeout(25)
        self.problems.append(f"still loading: {[one.url for one in self._open_requests]}")

    def _evaluate(self, script: str) -> None:
        """Run a script beside the page's own content policy, which stays in force for the page."""
        assert self._devtools is not None
        answer = self._devtools.send(
            "Runtime.evaluate", {"expression": script, "allowUnsafeEvalBlockedByCSP": True}
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]

    # Pictures

    def picture(
        self, name: str, sizes: tuple[Size, ...] = SIZES, *, at: str = "body", above: int = 0
    ) -> None:
        """The window at each width, for people to look at: from the top, or from the element `at`.

        Taken only when the environment says where to (`SCREENSHOTS`, a folder): most of the time goes into waiting.
        """
        assert self.page.locator(at).count()
        shown = os.environ.get("SCREENSHOTS")
        if not shown:
            return
        PICTURES.mkdir(exist_ok=True)
        for size in sizes:
            self.page.set_viewport_size(size.as_viewport())
            self.page.evaluate(
                "([at, above]) => scrollTo(0, document.querySelector(at).getBoundingClientRect().top"
                " + scrollY - above)",
                [at, above],
            )
            # A map draws its coast again a moment after its size changed.
            self.page.wait_for_timeout(400)
            file = f"{name}-{size.width}-{self.language}.png"
            image = self.page.screenshot(path=PICTURES / file)
            if file in SHOWN:
                folder = Path(shown)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(image)
        self.page.set_viewport_size(self.size.as_viewport())
