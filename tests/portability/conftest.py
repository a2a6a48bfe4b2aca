"""One Spark for all tests of portability: it starts once and is set to be quick on few rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

QUICK = {
    # Compiling Java for each query, and planning anew in the middle of it, cost more than a few rows do.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("pyspark.sql", reason="PySpark is an extra and is not installed")
    from mingcha.store import spark

    # PySpark logs each query that Spark refuses, with its whole plan.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    session = spark.start(scratch=tmp_path_factory.mktemp("spark"), more=QUICK)
    yield session
    session.stop()
