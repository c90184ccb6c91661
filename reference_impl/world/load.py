"""Loading a world file: TOML in, a checked `World` out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import cast

from reference_impl.errors import WorldError
from reference_impl.world.fields import Table
from reference_impl.world.model import (
    Account,
    Instrument,
    Oms,
    OnCancel,
    Permission,
    TppWorld,
    User,
    World,
)
from reference_impl.world.states import read_states, read_tpp_order

PERMISSIONS = ("Operator", "Trading", "MarketMaker")
ON_CANCEL = ("succeed", "operation-failed", "server-error")
DEFAULT_SESSION_LIFETIME_S = 3600.0
_ALPHAPOINT = ("oms", "instruments", "accounts", "users")


def load_world(path: Path | None = None) -> World:
    """The world of a TOML file, or the bundled one; raises `WorldError` naming file and key."""
    if path is None:
        text = resources.files("reference_impl").joinpath("default_world.toml").read_text("utf-8")
        return parse_world(text, "default_world.toml")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(
            f"cannot be read: {error}", where=str(path), hint="Give --world a readable TOML file in UTF-8."
        ) from error
    return parse_world(text, str(path))


def world_schema() -> str:
    """The JSON Schema of world files, as text."""
    return resources.files("reference_impl.world").joinpath("world.schema.json").read_text("utf-8")


def parse_world(text: str, file: str) -> World:
    """The world that a TOML text describes; `file` is the name that errors carry."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorldError(f"not TOML: {error}", where=file, hint="Mend the syntax at that line.") from error
    root = Table(file, "", values)
    root.only(("session_lifetime_s", *_ALPHAPOINT, "tpp", "orders", "quotes", "states"))
    session_lifetime_s = root.seconds("session_lifetime_s", DEFAULT_SESSION_LIFETIME_S)
    served, tpp_served = any(key in values for key in _ALPHAPOINT), "tpp" in values
    if not served and not tpp_served:
        hint = "Give oms, instruments, accounts and users for AlphaPoint, or tpp, or both."
        raise WorldError("there is no service in it", where=file, hint=hint)
    oms = {number: _oms(number, table) for number, table in root.table("oms").numbered()}
    accounts = {number: _account(number, table, oms) for number, table in root.table("accounts").numbered()}
    instruments = {n: _instrument(n, table, oms) for n, table in root.table("instruments").numbered()}
    tpp = _tpp(root.table("tpp")) if tpp_served else TppWorld((), "", ())
    return World(
        session_lifetime_s=session_lifetime_s,
        oms=oms,
        instruments=instruments,
        accounts=accounts,
        users=_users(root.table("users"), accounts),
        tpp=tpp,
        states=read_states(root, accounts, instruments, tpp.orders),
        alphapoint_served=served,
        tpp_served=tpp_served,
    )


def _oms(number: int, table: Table) -> Oms:
    table.only(("name", "cancel_supported", "quoting_supported"))
    return Oms(
        oms_id=number,
        name=table.string("name", f"OMS {number}"),
        cancel_supported=table.boolean("cancel_supported", True),
        quoting_supported=table.boolean("quoting_supported", True),
    )


def _instrument(number: int, table: Table, oms: Mapping[int, Oms]) -> Instrument:
    table.only(("symbol", "base", "quote", "oms"))
    oms_ids = table.integers("oms")
    for oms_id in oms_ids:
        if oms_id not in oms:
            raise table.wrong("oms", "systems that the section oms declares", oms_id)
    base, quote = table.string("base"), table.string("quote")
    return Instrument(number, table.string("symbol", base + quote), base, quote, oms_ids)


def _account(number: int, table: Table, oms: Mapping[int, Oms]) -> Account:
    table.only(("oms", "on_cancel", "on_cancel_order"))
    oms_id = table.integer("oms")
    if oms_id not in oms:
        raise table.wrong("oms", "a system that the section oms declares", oms_id)
    on_cancel, on_cancel_order = (table.choice(key, ON_CANCEL, "succeed") for key in ("on_cancel", "on_cancel_order"))
    return Account(number, oms_id, cast(OnCancel, on_cancel), cast(OnCancel, on_cancel_order))


def _users(section: Table, accounts: Mapping[int, Account]) -> dict[str, User]:
    users = {name: _user(name, table, accounts) for name, table in section.tables()}
    owners: dict[int, str] = {}
    for name, user in users.items():
        first = owners.setdefault(user.user_id, name)
        if first != name:
            raise section.wrong(f"{name}.user_id", f"a number that {first} does not have", user.user_id)
    return users


def _user(name: str, table: Table, accounts: Mapping[int, Account]) -> User:
    table.only(("user_id", "password", "api_key", "api_secret", "permissions", "accounts", "default_account", "oms"))
    own = table.integers("accounts")
    if not own:
        raise table.wrong("accounts", "at least one account", list(own))
    for account_id in own:
        if account_id not in accounts:
            raise table.wrong("accounts", "accounts that the section accounts declares", account_id)
    default_account = table.integer("default_account", own[0])
    if default_account not in own:
        raise table.wrong("default_account", "one of the user's own accounts", default_account)
    return User(
        user_id=table.integer("user_id"),
        name=name,
        password=table.string("password", f"{name}-password"),
        api_key=table.string("api_key", f"{name}-key"),
        api_secret=table.string("api_secret", f"{name}-secret"),
        permissions=cast("frozenset[Permission]", frozenset(table.words("permissions", PERMISSIONS))),
        accounts=own,
        default_account=default_account,
        oms_id=table.integer("oms", accounts[default_account].oms_id),
    )


def _tpp(table: Table) -> TppWorld:
    table.only(("persons", "pin", "orders"))
    orders = tuple(read_tpp_order(entry) for entry in table.list_of_tables("orders"))
    return TppWorld(table.integers("persons"), table.string("pin", "1234"), orders)
