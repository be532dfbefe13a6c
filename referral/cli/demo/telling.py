"""How the demonstration tells what happens: who sees what, and what was checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from sqlalchemy.orm import Session

from referral.core.country import COUNTRY
from referral.core.errors import JejaringError
from referral.core.text import Message, instant, label, render

ZONE = COUNTRY.time_zone
WIDTH = 100
_WHO_WIDTH = 16


class Clock:
    """The demonstration's own time: it stands still until it is told to go on."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def after(self, **distance: float) -> datetime:
        self.now += timedelta(**distance)
        return self.now

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(ZONE)).date()


class Teller:
    """Prints the story in one language and keeps count of what was checked."""

    def __init__(self, lang: str, clock: Clock, console: Console | None = None) -> None:
        self.lang, self.clock = lang, clock
        self.console = console or Console(highlight=False)
        if self.console.width > WIDTH or not self.console.is_terminal:
            self.console.width = WIDTH
        self.passed = 0
        self.failed: list[str] = []

    def say(self, key: str, **params: Any) -> str:
        return render(Message(key, params), self.lang, zone=ZONE)

    def title(self, key: str, **params: Any) -> None:
        self.console.print()
        self.console.rule(f"[bold]{escape(self.say(key, **params))}", align="left")

    def step(self, key: str, **params: Any) -> None:
        """What happens next, and when."""
        at = instant(self.clock.now, self.lang, ZONE)
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_WHO_WIDTH + 2, style="bold cyan")
        grid.add_column(ratio=1)
        grid.add_row(at, escape(self.say(key, **params)))
        self.console.print(grid)

    def sees(self, role: str, *lines: str | Message) -> None:
        """What the person of a role has before them."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_WHO_WIDTH, style="bold magenta")
        grid.add_column(ratio=1)
        who = label(f"demo.who.{role}", self.lang)
        words = (
            render(line, self.lang, zone=ZONE) if isinstance(line, Message) else line
            for line in lines
        )
        grid.add_row(who, "\n".join(escape(line) for line in words))
        self.console.print(Padding(grid, (0, 0, 0, 2)))

    def check(self, holds: object, key: str, **params: Any) -> None:
        """Say what must be so, and whether it is."""
        words = self.say(key, **params)
        if holds:
            self.passed += 1
        else:
            self.failed.append(words)
        mark = "[green]✓[/]" if holds else "[bold red]✗[/]"
        # Two columns of hanging indent, so that a long sentence stays apart from the marks.
        grid = Table.grid(padding=(0, 1))
        grid.add_row(mark, f"[dim]{escape(words)}[/]" if holds else f"[red]{escape(words)}[/]")
        self.console.print(Padding(grid, (0, 0, 0, _WHO_WIDTH + 3)))

    @contextmanager
    def refuses(self, session: Session, because: str, key: str, **params: Any) -> Iterator[None]:
        """Check that what is tried inside is refused with the sentence `because`."""
        refused = None
        try:
            with session.begin_nested():
                yield
        except JejaringError as error:
            refused = error.message.key
        self.check(refused == because, key, **params)

    def end(self) -> None:
        self.console.print()
        for words in self.failed:
            self.console.print(f"[bold red]✗[/] {escape(words)}")
        if self.failed:
            self.console.print(
                self.say("demo.failed", failed=len(self.failed), passed=self.passed), style="bold"
            )
        else:
            self.console.print(self.say("demo.passed", passed=self.passed), style="bold green")
