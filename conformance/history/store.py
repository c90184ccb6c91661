"""The store: a database by its URL, brought to this tool's revision, and its transactions.

SQLite in a file, in WAL mode, or PostgreSQL. Writers stand in line: SQLite's `BEGIN IMMEDIATE`, an advisory lock of
PostgreSQL. Whatever a database fails with is told as a `StoreError` without the password of the URL; the transaction is
taken back.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from conformance.errors import ConformanceError, UsageError, need
from conformance.report.safe_text import shortened, visible

_LOCK = 0x0C0F
"""The number of the advisory lock that one writer at a time holds in PostgreSQL."""
_WAIT_S = 30
_CONNECT_S = 10
_MOST_SAID = 300


class StoreError(ConformanceError):
    """The store cannot be opened, read or written; nothing of the transaction was kept."""


class Store:
    """An open store; a context manager. Use `reading()` and `writing()` for its transactions."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self.engine.dialect.name == "sqlite"

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection in a transaction that sees one state of the store."""
        with self._told(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in the one transaction that may write now; all of it is kept, or nothing."""
        with self._told(), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                yield connection

    def vacuum(self) -> None:
        """Give the room of what was deleted back."""
        with self._told(), self.engine.connect() as connection:
            if self.is_sqlite:
                outside = connection.execution_options(outside=True)
                outside.execute(sa.text("VACUUM"))
                outside.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
            else:
                outside = connection.execution_options(isolation_level="AUTOCOMMIT")
                outside.execute(sa.text("VACUUM ANALYZE"))

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(_words(error), where=self.shown, hint=_hint(error)) from error


def open_store(url: str, *, create: bool = False) -> Store:
    """The store at a URL. With `create` it is made, or brought to the newest revision; else it must be there already.

    Raises `UsageError` for a URL that names no store, and `StoreError` for one that cannot be used.
    """
    store = open_bare(url, create=create)
    try:
        _check_revision(store, create=create)
    except BaseException:
        store.engine.dispose()
        raise
    return store


def revisions() -> tuple[Any, ...]:
    """All revisions of the tables, the newest first."""
    from alembic.script import ScriptDirectory

    return tuple(ScriptDirectory.from_config(_config()).walk_revisions())


def open_bare(url: str, *, create: bool = False) -> Store:
    """The same, whatever the revision of its tables."""
    parsed = parsed_url(url)
    engine = sa.create_engine(parsed, **_options(parsed))
    if engine.dialect.name == "sqlite":
        _check_file(engine.url, create=create)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return Store(engine)


def parsed_url(url: str) -> sa.URL:
    """The URL of a store, with the driver that is used. Raises `UsageError` for another one."""
    example = "Such as sqlite:///history.db or postgresql://USER@HOST/NAME."
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise UsageError("is no URL of a store", where="--store, --history", hint=example) from None
    if backend == "postgresql":
        need("history", "a store in PostgreSQL", "psycopg")
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(f"a store cannot be kept in {visible(backend)[:40]}", where="--store, --history", hint=example)
    if not parsed.database or parsed.database == ":memory:":
        raise UsageError("names no file that a store could be kept in", where="--store, --history", hint=example)
    return parsed.set(drivername="sqlite")


def _options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": _WAIT_S}}
    return {"connect_args": {"connect_timeout": _CONNECT_S}, "pool_pre_ping": True}


def _check_file(url: sa.URL, *, create: bool) -> None:
    name = str(url.database)
    if name.startswith("file:"):
        return  # its own options say whether it may be made
    path = Path(name)
    if create:
        with contextlib.suppress(OSError):  # opening it says what is wrong
            path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.is_file():
        raise StoreError("there is no store", where=str(path), hint="`conformance history add DIR` makes one.")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("outside"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _check_revision(store: Store, *, create: bool) -> None:
    from alembic.migration import MigrationContext

    known = [one.revision for one in revisions()]
    newest = known[0]
    with store.reading() as connection:
        has_runs = sa.inspect(connection).has_table("run")  # asked first: another process may be making it all just now
        current = MigrationContext.configure(connection).get_current_revision()
    if has_runs and current is None:
        raise StoreError("is a database of something else", where=store.shown, hint="Give another one.")
    if current == newest:
        return
    if current is not None and current not in known:
        raise StoreError(
            f"the store is of revision {visible(current)[:40]}, which this tool does not know",
            where=store.shown,
            hint="A newer version of the tool made it; use that one.",
        )
    if not create:
        words = "holds no runs yet" if current is None else f"is of the earlier revision {current}"
        hint = "`conformance history add` makes it, `conformance history upgrade` brings it up to date."
        raise StoreError(f"the store {words}", where=store.shown, hint=hint)
    upgrade(store)


def upgrade(store: Store, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction; two that try at once stand in line."""
    from alembic import command

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = _config()
    with store.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _words(error: SQLAlchemyError) -> str:
    if isinstance(error, NoSuchModuleError):
        return "no driver for it is installed"
    said = str(error.orig) if isinstance(error, DBAPIError) and error.orig is not None else type(error).__name__
    return f"the store does not work: {shortened(visible(' '.join(said.split())), _MOST_SAID)}"


_HINTS = {
    "readonly": "Nothing was kept. Make the file and its folder writable, or give another store.",
    "read-only": "Nothing was kept. Give a store that may be written.",
    "full": "Nothing was kept. Make room, and run it again.",
    "no space": "Nothing was kept. Make room, and run it again.",
    "not a database": "The file is something else; give another one.",
    "locked": "Nothing was kept. Another program holds it; run it again.",
}


def _hint(error: SQLAlchemyError) -> str:
    text = str(error).casefold()
    return next(
        (hint for word, hint in _HINTS.items() if word in text), "Nothing was kept; run it again once it works."
    )
