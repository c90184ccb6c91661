"""Who acts and with which ids: a desk's roles and bindings laid over the service's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from conformance.endpoint.model import Binding, Role, ServiceTarget
from conformance.endpoint.secrets import plain

OPERATOR = "operator"
_OWNERS = {"account": "trading", "account2": "trading", "foreign": "bystander", "none.account": OPERATOR}


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk of a service, as a case sees it: the ids to fill in, and the roles to act as."""

    index: int
    bindings: Mapping[str, Binding]
    roles: Mapping[str, Role]
    common: frozenset[str] = frozenset()
    """Names of roles that all desks share, and so their sessions."""
    case: str = ""
    """The id of the case that has the desk now; "" between cases."""

    def key(self, role: str) -> str:
        """What tells the session of a role at this desk from every other."""
        return role if role in self.common else f"{role}#{self.index}"

    def for_case(self, case: str) -> Desk:
        """The same desk while this case has it."""
        return replace(self, case=case)

    def with_bindings(self, extra: Mapping[str, Binding]) -> Desk:
        """The same desk with some ids replaced or added."""
        return replace(self, bindings={**self.bindings, **extra})

    def owner(self, place: str, *, quotes: bool = False) -> str:
        """The role that may place orders (or quotes) in an account, by the name of its binding; else the operator.

        Where the target file has other roles, it is the one whose account it is.
        """
        name = place.removeprefix("${").removesuffix("}")
        maker = "marketmaker" if quotes or OPERATOR not in self.roles else OPERATOR
        owner = _OWNERS.get(name, maker if name.startswith("maker.") else OPERATOR)
        if owner in self.roles:
            return owner
        account = self.bindings.get(name)
        having = (role for role, one in sorted(self.roles.items()) if account is not None and one.account == account)
        return next(having, OPERATOR)


def desks_of(service: ServiceTarget) -> tuple[Desk, ...]:
    """Each desk of the target file; a single one where it names none."""
    common = frozenset(service.roles)
    if not service.desks:
        return (Desk(0, {**_accounts(service.roles), **plain(service.bindings)}, dict(service.roles), common),)
    return tuple(
        Desk(
            index,
            {**_accounts({**service.roles, **desk.roles}), **plain(service.bindings), **plain(desk.bindings)},
            {**service.roles, **desk.roles},
            common - frozenset(desk.roles),
        )
        for index, desk in enumerate(service.desks)
    )


def _accounts(roles: Mapping[str, Role]) -> dict[str, Binding]:
    """The default account of each role that has one, as `operator.account`."""
    return {f"{name}.account": role.account for name, role in roles.items() if role.account is not None}
