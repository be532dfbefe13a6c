"""Every setting there is. docs/settings.md is checked against this class."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from referral.core.crypto import KeyRing, new_key

ROOT = Path(__file__).parent.parent


def setting(help: str, **options: Any) -> Any:  # noqa: A002 - reads well where it is used
    return field(metadata={"help": help}, **options)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A default is safe in production and fit to publish; a secret has none and is made once per instance."""

    JEJARING_ENV: str = setting(
        "`development` or `production`. Production makes no secrets and takes no demo people.",
        default="development",
    )
    JEJARING_INSTANCE: str = setting(
        "Folder of what this installation makes: database and secrets.",
        default=str(ROOT / "instance"),
    )
    DATABASE_URL: str = setting(
        "SQLAlchemy address of the database. Empty: `jejaring.db` in the instance folder.",
        default="",
    )
    REPLICA_URL: str = setting(
        "SQLAlchemy address of a copy of the database that follows it and is only read: what planners' measures are worked out from. Empty: the database itself.",
        default="",
    )
    SECRET_KEY: str = setting("Signs sessions and forms. Made once in development.", default="")
    MASTER_KEYS: str = setting(
        "JSON object of base64 master keys by id; the last one wraps, all unwrap. Made once in development.",
        default="",
    )
    INDEX_SECRET: str = setting(
        "Secret of the blind index over sealed values. Made once in development.", default=""
    )
    COOKIE_SECURE: bool = setting(
        "Send cookies over https only. Off by default in development, where `make serve` is plain http.",
        default=False,
    )
    PROXIES: int = setting(
        "How many proxies of your own stand in front, each adding who asked to `X-Forwarded-For`. 0: the header is not believed.",
        default=0,
    )
    GEOCODER: str = setting(
        "`gazetteer` (offline) or `nominatim` (asks the server in NOMINATIM_DOMAIN).",
        default="gazetteer",
    )
    NOMINATIM_DOMAIN: str = setting(
        "Host of the Nominatim server to ask when GEOCODER is `nominatim`.", default=""
    )
    PUBLIC_URL: str = setting(
        "Address of this installation as others reach it, as `https://jejaring.example.org`. Empty: letters with links are not written.",
        default="",
    )
    MAIL_SERVER: str = setting(
        "Host of the mail server (SMTP). Empty: no mail leaves, letters wait.", default=""
    )
    MAIL_PORT: int = setting("Port of the mail server.", default=587)
    MAIL_TLS: bool = setting("Ask the mail server for an encrypted line (STARTTLS).", default=True)
    MAIL_USERNAME: str = setting("Name to sign in to the mail server with.", default="")
    MAIL_PASSWORD: str = setting("Password to sign in to the mail server with.", default="")
    MAIL_SENDER: str = setting("Address that mail comes from.", default="jejaring@localhost")
    COUNT_THRESHOLD: int = setting("Smallest count other than zero that planners see.", default=5)
    MAP_TILES: str = setting(
        "Address of background pictures for planners' maps, as `https://tiles.example.org/{z}/{x}/{y}.png`. Empty: none, and no other machine learns what is looked at.",
        default="",
    )
    MAP_ATTRIBUTION: str = setting(
        "Whom to name for these pictures, as their owner asks for.", default=""
    )
    API_RATE: str = setting(
        "How often each token may ask the match API, as `60 per minute`; each process counts for itself without REDIS_URL.",
        default="60 per minute",
    )
    REDIS_URL: str = setting(
        "Redis server that carries jobs and counts limits for several machines, as `redis://localhost:6379/0`. Empty: none is needed.",
        default="",
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """The settings in `env`. Names every missing or bad one at once and refuses to start."""
        values: dict[str, Any] = {}
        wrong = []
        for each in fields(cls):
            text = env.get(each.name, "").strip()
            if not text:
                continue
            try:
                values[each.name] = _READ[str(each.type)](text)
            except ValueError:
                wrong.append(f"{each.name} ({text!r} is not {each.type})")
        production = values.get("JEJARING_ENV") == "production"
        if values.get("JEJARING_ENV", "development") not in ("development", "production"):
            wrong.append("JEJARING_ENV (development or production)")
        if production:
            values.setdefault("COOKIE_SECURE", True)
            wrong += [name for name in _SECRETS if not values.get(name)]
        if wrong:
            raise RuntimeError(f"Set these right first: {', '.join(wrong)} (docs/settings.md)")
        if not production:
            folder = Path(values.get("JEJARING_INSTANCE", cls.JEJARING_INSTANCE))
            values = _instance_secrets(folder) | values
        return cls(**values)

    @property
    def database_url(self) -> str:
        """Where the database is; a relative SQLite path counts from the working directory."""
        if not self.DATABASE_URL:
            return f"sqlite:///{Path(self.JEJARING_INSTANCE) / 'jejaring.db'}"
        url = make_url(self.DATABASE_URL)
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            url = url.set(database=str(Path(url.database).absolute()))
        return url.render_as_string(hide_password=False)

    @property
    def keyring(self) -> KeyRing:
        masters = {
            name: base64.b64decode(key) for name, key in json.loads(self.MASTER_KEYS).items()
        }
        return KeyRing(masters, list(masters)[-1], base64.b64decode(self.INDEX_SECRET))


def _truth(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(text)


_READ: dict[str, Callable[[str], Any]] = {"str": str, "bool": _truth, "int": int}
_SECRETS = ("SECRET_KEY", "MASTER_KEYS", "INDEX_SECRET")


def _instance_secrets(folder: Path) -> dict[str, str]:
    """The secrets of this instance, made on first use and readable by its owner alone."""
    path = folder / "secrets.json"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "MASTER_KEYS": json.dumps({"m1": base64.b64encode(new_key()).decode()}),
            "INDEX_SECRET": base64.b64encode(new_key()).decode(),
        }
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was first
            pass
        else:
            with os.fdopen(handle, "w") as file:
                json.dump(made, file)
    found: dict[str, str] = json.loads(path.read_text("utf-8"))
    return found
