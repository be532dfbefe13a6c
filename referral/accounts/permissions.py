"""Which role may do what: one table. Whose case or referral it is, is a matter of the query behind the page. Pure."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Protocol, TypeVar

View = TypeVar("View", bound=Callable[..., object])
#: the mark of a view that anyone may open
PUBLIC = "public"


class Role(StrEnum):
    BROKER = "broker"
    SUPERVISOR = "supervisor"
    AGENCY = "agency"
    PLANNER = "planner"
    ADMINISTRATOR = "administrator"


B, S, A, P, D = Role  # broker, supervisor, agency, planner, administrator (directory and accounts)

#: permission → who holds it. A planner sees counts and never a person; an administrator sees accounts
#: and listings and never a case.
HOLDERS: dict[str, frozenset[Role]] = {
    permission: frozenset(roles)
    for permission, roles in {
        # cases: a broker's own, a supervisor's office
        "case:open": (B,),
        "case:read": (B, S),
        "case:write": (B,),
        "case:reassign": (S,),
        "client:erase": (S,),
        "crisis:log": (B, S),
        "crisis:review": (S,),
        "match:run": (B,),
        "receipt:read": (B, S),
        "own_resource:write": (B,),
        # referrals: the sending side, and the agency that was asked
        "referral:send": (B,),
        "referral:read": (B, S, A),
        "referral:answer": (A,),
        "letter:sign": (B, S),
        "advocacy:write": (B, S),
        "feedback:record": (B,),
        "unmet:confirm": (B,),
        # counts
        "gap:read": (P,),
        "proposal:write": (P,),
        # what a change of a listing's rules would have meant for those who asked
        "rule:rehearse": (A, P),
        # how help is shared out, over all or in a supervisor's own office
        "fairness:read": (S, P),
        # how one's own office weighs options, and the ways it knows
        "penalty:edit": (S,),
        "route:edit": (B, S),
        # the directory
        "listing:approve": (D,),
        "listing:edit": (A,),
        "listing:import": (D,),
        # the house: a supervisor manages the brokers of one office, an administrator everybody
        "office:read": (S,),
        "office:manage": (D,),
        "account:manage": (S, D),
        "token:manage": (D,),
        # letters and events that did not arrive
        "outbox:manage": (D,),
        # one's own password and sign-ins
        "account:self": (B, S, A, P, D),
    }.items()
}

#: what a token of another system may be used for
SCOPES = frozenset({"match", "referral"})

#: what may be given to single people beside their role; who holds `listing:approve` is a curator
GRANTABLE = frozenset({"listing:approve"})

#: what shows or changes something about one client
PERSON_LEVEL = frozenset(
    {
        "case:open",
        "case:read",
        "case:write",
        "case:reassign",
        "client:erase",
        "crisis:log",
        "crisis:review",
        "match:run",
        "receipt:read",
        "own_resource:write",
        "referral:send",
        "referral:read",
        "referral:answer",
        "letter:sign",
        "advocacy:write",
        "feedback:record",
        "unmet:confirm",
    }
)


class Holder(Protocol):
    """Somebody with a role: a signed-in user."""

    @property
    def role(self) -> Role: ...
    @property
    def granted(self) -> Iterable[str]: ...


def permissions_of(holder: Holder) -> frozenset[str]:
    """Everything `holder` may do."""
    by_role = {permission for permission, roles in HOLDERS.items() if holder.role in roles}
    return frozenset(by_role | (GRANTABLE & set(holder.granted)))


def allows(holder: Holder, permission: str) -> bool:
    """Whether `holder` may do this. Raises KeyError for a permission that isn't in the table."""
    by_role = holder.role in HOLDERS[permission]
    return by_role or (permission in GRANTABLE and permission in holder.granted)


def requires(*permissions: str) -> Callable[[View], View]:
    """Marks a view: only people who hold one of `permissions` may open it; for others it is not there."""

    def mark(view: View) -> View:
        view.permissions = permissions  # type: ignore[attr-defined]  # a mark on a function
        return view

    return mark


def public(view: View) -> View:
    """Marks a view that anyone may open without an account."""
    return requires(PUBLIC)(view)


def requires_scope(scope: str) -> Callable[[View], View]:
    """Marks a view for other systems: only a token that holds `scope` opens it, whoever is signed in besides."""
    if scope not in SCOPES:
        raise KeyError(scope)

    def mark(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]  # a mark on a function
        return view

    return mark


def changes_nothing(view: View) -> View:
    """Marks a view that only reads, whatever the method: it waits for no writer and needs no form's token."""
    view.changes_nothing = True  # type: ignore[attr-defined]  # a mark on a function
    return view
