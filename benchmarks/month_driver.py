"""What the simulated month is driven with: processes that are killed, a mailbox, a receiver of webhooks, a client."""

import email
import email.policy
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any
from urllib.parse import urlencode

from benchmarks.month_work import NOW_HEADER

Order = dict[str, Any]
ROOT = Path(__file__).parent.parent
START_SECONDS = 120


class Killed(Exception):
    """The process was killed before it answered: what it was told may have happened or not."""


class Nursery:
    """A process that has everything loaded and makes workers by forking: one that is killed is soon replaced."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.path = str(folder / "nursery")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.month_work", self.path], cwd=ROOT, env=env
        )
        deadline = time.monotonic() + START_SECONDS
        while not Path(self.path).exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the workers did not start")
            time.sleep(0.05)

    def line(self) -> socket.socket:
        """A line to a new worker."""
        line = socket.socket(socket.AF_UNIX)
        line.connect(self.path)
        return line

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Worker:
    """A process that does orders; another takes its place when it was killed."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery
        self._start()

    def _start(self) -> None:
        self.line = self.nursery.line()
        self.heard = self.line.makefile("r")
        self.pid: int = json.loads(self.heard.readline())["pid"]

    def do(self, order: Order, *, kill_after: float | None = None) -> Order:
        """Its answer. Raises Killed."""
        killer = threading.Timer(kill_after, self.kill) if kill_after is not None else None
        try:
            self.line.sendall((json.dumps(order, default=str) + "\n").encode())
            if killer is not None:
                killer.start()
            answer = self.heard.readline()
        except OSError:
            answer = ""
        if killer is not None:
            killer.join()
            self.close()
            self._start()
        if answer.endswith("\n"):
            told: Order = json.loads(answer)
            return told
        if killer is None:
            raise RuntimeError(f"a worker ended by itself over {order}")
        raise Killed

    def close(self) -> None:
        self.heard.close()
        self.line.close()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Web:
    """gunicorn with two processes; one of them, or all, are killed now and then."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env, self.port = env, free_port()
        self.kills = 0
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"),
                *("--workers", "2", "--worker-class", "gthread", "--threads", "4"),
                *(
                    "--no-control-socket",
                    "--preload",
                    "--log-level",
                    "critical",
                    "benchmarks.month_work:web()",
                ),
            ],
            cwd=ROOT,
            env=self.env,
            start_new_session=True,
        )

    def kill(self, *, whole: bool) -> None:
        """SIGKILL to one of its processes, which gunicorn starts again, or to all of them."""
        self.kills += 1
        if whole:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self._start()
            return
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for child in children.split()[:1]:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Caller:
    """Somebody with a browser or a system, who calls the web."""

    def __init__(self, web: Web, chance: Random) -> None:
        self.web, self.chance, self.cookie = web, chance, ""
        self.source = (
            f"127.{chance.randint(1, 250)}.{chance.randint(0, 250)}.{chance.randint(2, 250)}"
        )

    def call(
        self,
        method: str,
        path: str,
        now: datetime,
        body: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Status and text. Raises Killed where the line broke after the request may have been heard."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            line = http.client.HTTPConnection(
                "127.0.0.1", self.web.port, timeout=60, source_address=(self.source, 0)
            )
            try:
                line.connect()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
                continue
            try:
                sent = {NOW_HEADER: now.isoformat(), **(headers or {})}
                if self.cookie:
                    sent["Cookie"] = self.cookie
                line.request(method, path, body, sent)
                answer = line.getresponse()
                text = answer.read().decode()
            except (OSError, http.client.HTTPException):
                if method == "GET":
                    time.sleep(0.1)
                    continue  # a look changes nothing
                raise Killed from None
            finally:
                line.close()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self.cookie = value.partition(";")[0]
            return answer.status, text

    def form(self, path: str, key: str, now: datetime) -> tuple[int, dict[str, str]]:
        """The hidden fields of the first form that a link opens."""
        status, text = self.call("GET", f"{path}?{urlencode({'key': key})}", now)
        start = text.find('name="key"')
        form = text[max(text.rfind("<form", 0, start), 0) :] if start > 0 else ""
        form = form[: form.find("</form>")]
        return status, dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))

    def post(self, path: str, fields: dict[str, str], now: datetime) -> int:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.call("POST", path, now, urlencode(fields), headers)[0]


@dataclass
class Mailbox:
    """What arrived by SMTP; now and then it refuses."""

    chance: Random
    refuses: float
    #: Message-ID → arrivals
    arrivals: Counter[str] = field(default_factory=Counter)
    #: number of a referral → key of the link that was mailed
    links: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    #: whoever writes to such an address is never heard
    dead: str = "@gone.example"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        gone = envelope.rcpt_tos[0].endswith(self.dead)
        if gone or self.chance.random() < self.refuses:
            self.refused += 1
            return "451 not now"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        keys = re.findall(r"/reply\?key=([0-9a-f]{64})", text)
        numbers = re.findall(r"R-\d{4}-\d{5}", text + message["Subject"])
        if len(keys) == 1 and numbers:
            self.links[numbers[0]] = keys[0]
        self.arrivals[message["Message-ID"].strip()] += 1
        return "250 OK"


class Receiver:
    """Agencies' systems that take events; now and then they fail. Each event's signature is checked."""

    def __init__(self, chance: Random, fails: float) -> None:
        #: path → secret
        self.secrets: dict[str, str] = {}
        #: (path, event id) → arrivals
        self.arrivals: Counter[tuple[str, str]] = Counter()
        self.forged = self.failed = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fine = receiver.is_genuine(self.path, self.headers["Jejaring-Signature"], body)
                if not fine:
                    receiver.forged += 1
                if chance.random() < fails:
                    receiver.failed += 1
                    self.send_response(500)
                else:
                    receiver.arrivals[self.path, json.loads(body)["id"]] += 1
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def is_genuine(self, path: str, signed: str, body: bytes) -> bool:
        """As an agency would check it, from the documentation."""
        parts = dict(part.split("=", 1) for part in signed.split(","))
        content = parts["t"].encode() + b"." + body
        secret = self.secrets[path].encode()
        return hmac.compare_digest(
            hmac.new(secret, content, hashlib.sha256).hexdigest(), parts["v1"]
        )


class Pool:
    """Worker processes that take turns."""

    def __init__(self, nursery: Nursery, size: int) -> None:
        self.workers = [Worker(nursery) for _ in range(size)]
        self.free: Queue[Worker] = Queue()
        for worker in self.workers:
            self.free.put(worker)

    def do(self, order: Order, *, kill_after: float | None = None) -> Order:
        worker = self.free.get()
        try:
            return worker.do(order, kill_after=kill_after)
        finally:
            self.free.put(worker)

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
