"""gunicorn's configuration under `make serve`: the web process works the tasks off too."""

from typing import Any


def post_worker_init(worker: Any) -> None:
    worker.jejaring_jobs = worker.wsgi.extensions["jobs"].start()


def worker_exit(_server: Any, worker: Any) -> None:
    worker.jejaring_jobs.stop(graceful=True)
