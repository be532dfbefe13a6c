"""The queue of tasks, in its own file beside the database or on a Redis server, and who works it off."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer

from referral.config import Settings
from referral.jobs import tasks

THREADS = 2

#: What runs by itself, and when.
PERIODIC: tuple[tuple[Callable[[], Any], Any], ...] = (
    (tasks.deliver_letters, crontab()),
    (tasks.deliver_events, crontab()),
    (tasks.remind_agencies, crontab(minute="20")),
    (tasks.count_silence, crontab(minute="30", hour="17")),
    (tasks.notice_gaps, crontab(minute="50", hour="17")),
    (tasks.tell_of_changes, crontab(minute="*/10")),
    (tasks.forget_claims, crontab(minute="10", hour="19")),
    (tasks.find_duplicates, crontab(minute="40", hour="18")),
    (tasks.publish_fairness, crontab(minute="10", hour="20")),
    (tasks.publish_gaps, crontab(minute="30", hour="20")),
    (tasks.group_askers, crontab(minute="50", hour="20")),
    # Soon after a release, and once a night when the directory changed.
    (tasks.work_out_access, crontab(minute="15")),
    # What a stopped process left.
    (tasks.work_out_sites, crontab(minute="*/5")),
    (tasks.forget_sites, crontab(minute="20", hour="19")),
)


class Jobs:
    """The tasks of one application, callable by name to put them into the queue."""

    def __init__(self, app: Flask):
        self.queue = _queue(app.config["SETTINGS"])
        for function, when in PERIODIC:
            self.queue.periodic_task(when)(_in(app, function))
        self.deliver_letters = self._now(app, tasks.deliver_letters)
        self.work_out_access = self._now(app, tasks.work_out_access)
        self.work_out_sites = self._now(app, tasks.work_out_sites)
        self.import_file = self.queue.task()(_in(app, tasks.import_file))
        self.publish_fairness_of = self.queue.task()(_in(app, tasks.publish_fairness_of))
        self.publish_gaps_of = self.queue.task()(_in(app, tasks.publish_gaps_of))

    def _now(self, app: Flask, function: Callable[[], Any]) -> Callable[[], Any]:
        """The same as runs by itself, put into the queue by name."""
        task: Callable[[], Any] = self.queue.task(name=f"now_{function.__name__}")(
            _in(app, function)
        )
        return task

    def run(self) -> None:
        """Work tasks off until the process is told to stop."""
        Consumer(self.queue, workers=THREADS).run()

    def start(self) -> Consumer:
        """Work tasks off in threads of this process, which keeps its own handling of signals."""
        consumer = _InProcess(self.queue, workers=THREADS)
        consumer.start()
        return consumer


def _queue(settings: Settings) -> Huey:
    if settings.REDIS_URL:
        return RedisHuey("jejaring", url=settings.REDIS_URL, results=False)
    folder = Path(settings.JEJARING_INSTANCE)
    return SqliteHuey("jejaring", filename=str(folder / "jobs.db"), results=False)


class _InProcess(Consumer):  # type: ignore[misc]  # huey has no types
    def _set_signal_handlers(self) -> None:
        """A web server has its own."""


def _in(app: Flask, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any) -> Any:
        with app.app_context():
            return function(*args)

    return run


def init_app(app: Flask) -> None:
    app.extensions["jobs"] = Jobs(app)


def jobs() -> Jobs:
    """The jobs of the current application."""
    found: Jobs = current_app.extensions["jobs"]
    return found
