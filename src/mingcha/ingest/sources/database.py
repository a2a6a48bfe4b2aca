"""A SQL database: tables and views, read inside one transaction with server-side cursors.

PostgreSQL and MariaDB/MySQL are tested against running servers. Oracle takes the same way through its thin
driver; what differs for it (address, driver, exact numbers, CLOBs) is tested without a server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mingcha.ingest.sources import options as opts
from mingcha.ingest.sources import parts, staging, texts, urls
from mingcha.kernel import errors

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select
    from sqlalchemy.engine import URL

FETCHED = 20_000
#: One state of all tables: rows written while we read belong to the next delivery.
_ISOLATION = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mariadb": "REPEATABLE READ",
              "oracle": "SERIALIZABLE", "sqlite": "SERIALIZABLE"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TablePart:
    """One table or view of a database."""

    connection: Connection
    url: URL
    table: str
    schema: str | None
    label: str
    names: tuple[str, ...]

    def probe(self, options: opts.ReadOptions) -> parts.Probe:
        """Return the columns; binary ones (pictures, documents) are left out and noted."""
        kept, left_out = self._columns()
        parts.check_header(label=self.label, names=[column["name"] for column in kept])
        return parts.Probe(
            columns=tuple(parts.SourceColumn(column["name"]) for column in kept),
            notes=tuple(f"binary_column:{name}" for name in left_out),
        )

    def stage(self, *, options: opts.ReadOptions, folder: Path, number: int) -> parts.Staged:
        """Read all rows, ordered by primary key where there is one; the line is the place in that order."""
        kept, left_out = self._columns()
        names = [column["name"] for column in kept]
        zone = ZoneInfo(options.timezone or opts.TIMEZONE)
        with _told(self.url, f"{self.label} cannot be read"):
            result = self.connection.execution_options(
                stream_results=True, max_row_buffer=FETCHED, yield_per=FETCHED
            ).execute(self._select(kept, str(zone)))
            with staging.Stage(folder=folder, number=number, columns=names) as stage:
                line = 0
                for rows in result.partitions(FETCHED):
                    for row in rows:
                        line += 1
                        self._row(stage, line, [texts.text_of(value, zone=zone) for value in row])
        return stage.staged(
            label=self.label, number=number, notes=tuple(f"binary_column:{name}" for name in left_out)
        )

    def _row(self, stage: staging.Stage, line: int, values: list[str | None]) -> None:
        """Keep a row; one with a NUL or half a surrogate pair is no text anybody can store."""
        try:
            text = "\x1f".join(value or "" for value in values)
            text.encode()
        except UnicodeEncodeError:
            text = "\x00"
        if "\x00" in text:
            shown = " | ".join(repr(value) for value in values)
            stage.broken(line, reason="bad_encoding", text=shown)
        else:
            stage.row(line, values)

    def _columns(self) -> tuple[list[Any], list[str]]:
        from sqlalchemy import LargeBinary, inspect

        with _told(self.url, f"{self.label} cannot be looked at"):
            columns = inspect(self.connection).get_columns(self.table, schema=self.schema)
        binary = [str(column["name"]) for column in columns if isinstance(column["type"], LargeBinary)]
        return [column for column in columns if column["name"] not in binary], binary

    def _select(self, columns: list[Any], zone: str) -> Select[Any]:
        from sqlalchemy import column, inspect, select, table

        with _told(self.url, f"{self.label} cannot be looked at"):
            key = inspect(self.connection).get_pk_constraint(self.table, schema=self.schema)
        values = [_as_read(self.url.get_backend_name(), item, zone) for item in columns]
        order: list[Any] = [column(name) for name in key.get("constrained_columns") or []]
        return select(*values).select_from(table(self.table, schema=self.schema)).order_by(*order)


@contextmanager
def opened(source: str, *, schema: str | None) -> Iterator[tuple[str, list[TablePart]]]:
    """Give the address without its password, and the tables and views of a database.

    Raises DataError when the database cannot be reached or the schema holds nothing.
    """
    import sqlalchemy

    url = urls.parse(source)
    name = urls.described(url)
    _exact_numbers(url)
    engine = sqlalchemy.create_engine(url, isolation_level=_ISOLATION[url.get_backend_name()])
    try:
        with _told(url, f"{name} cannot be reached"):
            connection = engine.connect()
        with connection:
            _read_only(connection, url)
            yield name, _tables(connection, url, schema, name)
    finally:
        engine.dispose()


def _tables(connection: Connection, url: URL, schema: str | None, name: str) -> list[TablePart]:
    from sqlalchemy import inspect

    with _told(url, f"{name} cannot be looked at"):
        inspector = inspect(connection)
        if schema is not None and schema not in inspector.get_schema_names():
            found: list[str] = []
        else:
            found = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    if not found:
        raise errors.DataError(
            f"{name} holds no table" + (f" in the schema {schema}" if schema else ""),
            why="there is nothing to take in",
            mend="check the database, the schema (source: schema: … in the mapping) and the user's rights",
        )
    return [
        TablePart(
            connection=connection,
            url=url,
            table=table,
            schema=schema,
            label=f"{schema}.{table}" if schema else table,
            names=(table, f"{schema}.{table}") if schema else (table,),
        )
        for table in sorted(set(found))
    ]


def _exact_numbers(url: URL) -> None:
    """Make the Oracle driver give NUMBER as Decimal and CLOB as text; the others do so by themselves."""
    if url.get_backend_name() == "oracle":
        import oracledb

        oracledb.defaults.fetch_decimals = True
        oracledb.defaults.fetch_lobs = False


def _read_only(connection: Connection, url: URL) -> None:
    """Forbid ourselves to write, where the database can be told so."""
    from sqlalchemy import text

    statements = {
        "postgresql": "SET TRANSACTION READ ONLY",
        "oracle": None,
        "sqlite": "PRAGMA query_only = 1",
    }
    statement = statements.get(url.get_backend_name(), "SET SESSION TRANSACTION READ ONLY")
    if statement is not None:
        with _told(url, f"{urls.described(url)} cannot be read"):
            connection.execute(text(statement))


def _as_read(backend: str, item: Any, zone: str) -> Any:
    """Return the column as it is asked for: moments as text, since Python knows no infinity or 0000-00-00."""
    from sqlalchemy import Date, DateTime, String, Text, cast, column, func

    moment = isinstance(item["type"], Date | DateTime)
    if backend == "postgresql" and moment:
        value: Any = column(item["name"])
        if getattr(item["type"], "timezone", False):
            return cast(func.timezone(zone, value), Text)
        return cast(value, Text)
    if backend in ("mysql", "mariadb") and moment:
        return cast(column(item["name"]), String(26))
    return column(item["name"])


@contextmanager
def _told(url: URL, what: str) -> Iterator[None]:
    """Turn what the driver raises into a message for people, in which the password does not stand."""
    from sqlalchemy import exc

    try:
        yield
    except (exc.SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        lines = urls.without_secrets(str(cause), url).strip().splitlines() or [type(cause).__name__]
        raise errors.DataError(
            f"{what}: {lines[0]}",
            why="the delivery would be incomplete",
            mend="check address, user, password and rights with another program, then try again",
        ) from None
