"""The lake seen from Spark: a session set up to mean what DuckDB means, snapshots as temporary views.

    session = spark.start(scratch=Path("/tmp/spark"))     # one machine; on a cluster: spark.prepare(session)
    spark.attach(session, snapshot)                       # views of all contract tables
    names, rows = spark.ask(session, "SELECT … the portable subset …", schema=…)

PySpark is an extra: it is imported when first asked for, and SetupError says how to install it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.store import catalogue, dialect, views

SETTINGS: dict[str, str] = {
    # Moments of the contract are local wall time: never moved between zones, on whatever machine.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # An overflow is an error as on DuckDB, not a NULL that looks clean.
    "spark.sql.ansi.enabled": "true",
    # Decimals keep all their places; by default Spark cuts some off a product to make room in front.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.caseSensitive": "false",
    # Spark 4.3.0 trips over its own rule on queries that give one column twice under different names.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.RemoveRedundantAliases",
}
"""What a session must be told for rules to mean on it what they mean on DuckDB."""

Session = Any
"""A `pyspark.sql.SparkSession`; not named, because PySpark need not be there."""

_GLOB = re.compile(r"([\[\]{}*?\\])")


def start(
    *,
    scratch: Path,
    cores: int = 2,
    memory: str = "1g",
    partitions: int = 2,
    more: Mapping[str, str] | None = None,
) -> Session:
    """Return a Spark session on this machine, prepared; nothing listens beyond 127.0.0.1.

    Spark's own files go to `scratch`; `partitions` is the number of parts of a shuffle, `more` sets
    further options. Raises SetupError when PySpark or Java is missing. Call `session.stop()` when done.
    """
    sql = _pyspark()
    options = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": memory,
        "spark.local.dir": str(scratch / "blocks"),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        **(more or {}),
    }
    builder = sql.SparkSession.builder.master(f"local[{cores}]").appName("mingcha")
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        raise errors.SetupError(
            f"Spark does not start: {str(error).splitlines()[0]}",
            why="rules are asked on Spark through a Java process",
            mend="install Java 17 or newer and see that `java -version` works",
        ) from error
    prepare(session)
    return session


def prepare(session: Session) -> None:
    """Give a session the settings that rules rely on."""
    for name, value in SETTINGS.items():
        session.conf.set(name, value)


def attach(
    session: Session,
    snapshot: catalogue.Snapshot,
    *,
    tables: Iterable[str] | None = None,
    scheme: str = "file://",
) -> None:
    """Make a temporary view per contract table (or the named ones), as `snapshots.attach` does on DuckDB.

    `scheme` goes before the files' paths. Raises SetupError when a file of the snapshot is gone or cut.
    """
    for name in contract_load.contract().every if tables is None else tables:
        entry = snapshot.manifest.tables.get(name)
        files = entry.files if entry else ()
        for file in files:
            views.demand(snapshot.lake / file.path, file)
        view(session, table=name, files=[snapshot.lake / file.path for file in files], scheme=scheme)


def view(session: Session, *, table: str, files: Iterable[Path], scheme: str = "file://") -> None:
    """Make the temporary view of one contract table over Parquet files; columns they lack are NULL."""
    shape = {column.name: _kind(column.sql_type) for column in catalogue.table_of(table).columns}
    paths = [scheme + _GLOB.sub(r"\\\1", str(file.resolve())) for file in files]
    if paths:
        held = ", ".join(f"`{name}` {kind}" for name, kind in shape.items())
        frame = session.read.schema(held).parquet(*paths)
    else:
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS `{name}`" for name, kind in shape.items())
        frame = session.sql(f"SELECT {nothing} WHERE FALSE")
    frame.createOrReplaceTempView(table)


def _kind(sql_type: str) -> str:
    return {"VARCHAR": "STRING", "TIMESTAMP": "TIMESTAMP_NTZ"}.get(sql_type, sql_type)


def define(
    session: Session, *, name: str, sql: str, schema: Mapping[str, Mapping[str, str]], keep: bool = False
) -> None:
    """Make a temporary view of a query written for DuckDB; `keep` holds its rows once computed.

    Raises BookError when the query cannot be translated or Spark refuses it.
    """
    frame = _frame(session, sql, schema, source=name)
    if keep:
        # Not persist(): Spark does not know a kept query with CTEs again, and computes it for every reader.
        frame = frame.localCheckpoint()
    frame.createOrReplaceTempView(name)


def ask(
    session: Session, sql: str, *, schema: Mapping[str, Mapping[str, str]], source: str = "the query"
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and rows of a query written for DuckDB, asked on Spark.

    `schema` gives table -> column -> DuckDB type of all it may read. Raises BookError, naming `source`,
    when the query cannot be translated or Spark refuses it.
    """
    frame = _frame(session, sql, schema, source=source)
    try:
        return list(frame.columns), [tuple(row) for row in frame.collect()]
    except Exception as error:  # Python's and Java's complaints have no class in common
        raise _refused(error, source) from error


def kinds(session: Session, sql: str, *, schema: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return {column: Spark type} of a query written for DuckDB without running it; raises BookError."""
    frame = _frame(session, sql, schema, source="the query")
    return {field.name: field.dataType.simpleString() for field in frame.schema.fields}


def _frame(session: Session, sql: str, schema: Mapping[str, Mapping[str, str]], *, source: str) -> Any:
    text = dialect.to_spark(sql, schema=schema)
    try:
        return session.sql(text)
    except Exception as error:  # Python's and Java's complaints have no class in common
        raise _refused(error, source) from error


def _refused(error: Exception, source: str) -> errors.BookError:
    said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return errors.BookError(
        f"{source}: Spark refuses it: {said}",
        why="a rule must give the same findings on one machine and on a cluster",
        mend="write it in the portable subset of the rule book",
    )


def _pyspark() -> Any:
    try:
        import pyspark.sql
    except ImportError as error:
        raise errors.SetupError(
            "PySpark is not installed",
            why="asking rules on Spark needs it; on one machine DuckDB does the same without",
            mend="pip install 'mingcha[spark]'",
        ) from error
    return pyspark.sql
