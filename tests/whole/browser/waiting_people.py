"""An instance with a planner, brokers of two offices, and people of theirs whom nothing helps yet. Nobody here exists.

Run with a folder: makes the instance there and prints the addresses of needs by broker as JSON.
"""

import json
import sys
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework import operations as casework
from referral.casework.models import Need
from referral.config import Settings
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.planning.unmet import ledger
from referral.reference import load_reference
from tests.factories import Make

#: who asks for what, where: six and one who is erased before anybody counts in one kab, two and three elsewhere
BIG, SMALL, OTHER = "33.74", "33.22", "33.01"
DAY_CARE, MEDICINE = "FC05", "HE05"


def fill(session: Session) -> dict[str, list[str]]:
    """Cases with one need each; gives by broker those for day care, which nobody has recorded as unmet yet."""
    make = Make(session, datetime.now(UTC))
    make.user(Role.PLANNER, email="planner@demo.example", name="Perencana Rekaan")
    brokers = [
        make.user(email=f"broker{number}@demo.example", name=f"Pekerja Rekaan {number}")
        for number in (1, 2)
    ]
    supervisor = make.user(Role.SUPERVISOR, email="lead@demo.example", office=brokers[0].office)
    waiting: dict[str, list[str]] = {}
    for number in range(6):
        broker = brokers[number % 2]
        need = _need(make, broker, BIG, DAY_CARE, f"Klien Rekaan {number}")
        waiting.setdefault(broker.email, []).append(str(need.id))
    for number, area in enumerate((SMALL, SMALL, OTHER, OTHER, OTHER)):
        broker = brokers[number % 2]
        need = _need(make, broker, area, MEDICINE, f"Klien Lain {number}")
        now = datetime.now(UTC)
        ledger.record_unmet(session, need, reason="U01", by=broker, now=now)
    erased = _need(make, brokers[0], BIG, DAY_CARE, "Klien Yang Dihapus")
    ledger.record_unmet(session, erased, reason="U01", by=brokers[0], now=datetime.now(UTC))
    casework.erase_client(session, erased.case.client, by=supervisor, now=datetime.now(UTC))
    return waiting


def _need(make: Make, broker: User, area: str, category: str, name: str) -> Need:
    stays = {"code": area, "lat": -7.0, "lon": 110.4, "precision_km": 6.0}
    client = make.client(broker.office, name=name, stays_at=stays)
    need = make.need(
        make.case(broker=broker, client=client), category=category, assessed_at=datetime.now(UTC)
    )
    casework.set_safe_contact(make.session, need.case, {"number": "0800 000 000", "when": "sore"})
    return need


def main(folder: str) -> None:
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": folder}))
    with app.app_context():
        alembic.upgrade()
        load_reference(db.session, now=datetime.now(UTC))
        waiting = fill(db.session)
        db.session.commit()
    sys.stdout.write(json.dumps(waiting))


if __name__ == "__main__":
    main(sys.argv[1])
