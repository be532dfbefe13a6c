"""Builds saved rows with sensible defaults: `make.service(category="HE05")`."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy.orm import Session

from referral.accounts.models import Office, Role, User
from referral.accounts.passwords import hashed
from referral.casework.models import Beneficiary, Case, Client, ClientKind, Need
from referral.changes.directory import announce
from referral.core.sealing import DataKey
from referral.directory.models import (
    CategoryBasis,
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.places.codes import no_finer_than_regency

PASSWORD = "a long enough password for tests"
Row = TypeVar("Row")
SEMARANG = (-6.9903, 110.4229)


class Make:
    """One builder per kind of row; only what matters to a test is written there."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now, self._count = session, now, 0

    def _save(self, row: Row) -> Row:
        self.session.add(row)
        self.session.flush()
        return row

    def _next(self) -> int:
        self._count += 1
        return self._count

    def office(self, **values: Any) -> Office:
        defaults = {"name": f"Kantor {self._next()} {uuid4().hex[:6]}", "area_code": "33.74"}
        return self._save(Office(key=DataKey.new(self.session), **defaults | values))

    def user(self, role: Role = Role.BROKER, **values: Any) -> User:
        if role in (Role.BROKER, Role.SUPERVISOR) and "office" not in values:
            values["office"] = self.office()
        if role is Role.AGENCY and "organization_id" not in values:
            values["organization_id"] = self.organization().id
        defaults: dict[str, Any] = {
            "name": f"Rina {self._next()}",
            "email": f"person{self._next()}.{uuid4().hex[:6]}@example.org",
            "password": hashed(PASSWORD),
            "fs_uniquifier": uuid4().hex,
            "role": role,
            "created_at": self.now,
        }
        return self._save(User(**defaults | values))

    def organization(self, **values: Any) -> Organization:
        return self._save(Organization(**{"name": f"Lembaga {self._next()}"} | values))

    def service(
        self,
        *categories: str,
        at: tuple[float, float] | None = SEMARANG,
        basis: CategoryBasis = CategoryBasis.STATED,
        confidential: bool = False,
        **values: Any,
    ) -> ServiceAtLocation:
        """A service at one place (`at` None: not placed), with its organization."""
        if "organization" not in values:
            values["organization"] = self.organization()
        service = self._save(
            Service(**{"name": f"Layanan {self._next()}", "last_modified": self.now} | values)
        )
        for code in categories or ("HE05",):
            self._save(ServiceCategory(service_id=service.id, code=code, basis=basis))
        place = {"latitude": at[0], "longitude": at[1], "precision_km": 0.5} if at else {}
        location = self._save(
            Location(area_code="33.74", confidential=confidential, point_source="facility", **place)
        )
        site = self._save(ServiceAtLocation(service=service, location=location))
        announce(self.session, service.id, now=self.now)
        self.session.flush()
        self.session.refresh(service)
        return site

    def client(self, office: Office | None = None, **values: Any) -> Client:
        office = office or self.office()
        code = (values.get("stays_at") or {}).get("code")
        defaults: dict[str, Any] = {
            "kind": ClientKind.PERSON,
            "created_at": self.now,
            "area_code": no_finer_than_regency(code),
        }
        return self._save(
            Client(office_id=office.id, key=DataKey.new(self.session), **defaults | values)
        )

    def case(
        self, *, broker: User | None = None, client: Client | None = None, **values: Any
    ) -> Case:
        broker = broker or self.user()
        assert broker.office is not None
        client = client or self.client(broker.office)
        defaults: dict[str, Any] = {"number": f"KB-{self._next():04}", "opened_at": self.now}
        return self._save(
            Case(
                key=client.key,
                client=client,
                office=broker.office,
                broker=broker,
                **defaults | values,
            )
        )

    def beneficiary(self, case: Case, **values: Any) -> Beneficiary:
        return self._save(Beneficiary(key=case.key, case_id=case.id, **{"kind": "member"} | values))

    def need(self, case: Case | None = None, **values: Any) -> Need:
        case = case or self.case()
        defaults: dict[str, Any] = {"category": "HE05", "assessed_at": self.now}
        return self._save(Need(key=case.key, case=case, **defaults | values))
