"""Database addresses: which driver reads them, and how to speak of them without the password."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

from mingcha.kernel import errors

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_SCHEME = re.compile(r"^[a-z][a-z0-9]*(\+[a-z0-9]+)?://", re.IGNORECASE)
_DRIVERS = {
    "postgresql": ("postgresql+psycopg", "psycopg"),
    "postgres": ("postgresql+psycopg", "psycopg"),
    "mysql": ("mysql+pymysql", "pymysql"),
    "mariadb": ("mariadb+pymysql", "pymysql"),
    "oracle": ("oracle+oracledb", "oracledb"),
    "sqlite": ("sqlite", "sqlite3"),
}
_SECRETS = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)


def is_url(source: str) -> bool:
    """Return whether `source` is a database address and not a path."""
    return _SCHEME.match(source) is not None


def parse(source: str) -> URL:
    """Return the address with the driver we use for its kind of database.

    Raises DataError for an address that cannot be understood or a kind we do not read, SetupError when
    the driver is not installed. Neither message holds the password.
    """
    from sqlalchemy import exc
    from sqlalchemy.engine import make_url

    scheme = source.split("://", 1)[0].split("+", 1)[0].lower()
    if scheme not in _DRIVERS:
        raise errors.DataError(
            f"{scheme}:// is not a database Mingcha reads",
            why="each kind of database is read through its own driver",
            mend=f"use one of {', '.join(sorted({'postgresql', 'mysql', 'mariadb', 'oracle', 'sqlite'}))}, "
            "or export the tables to files",
        )
    try:
        url = make_url(source)
    except (exc.ArgumentError, ValueError):
        raise errors.DataError(
            f"the {scheme} address cannot be understood",
            why="user, host and database are read from it",
            mend=f"write it as {scheme}://user:password@host:port/database; in a password, write @ : / % "
            "as %40 %3A %2F %25",
        ) from None
    drivername, module = _DRIVERS[scheme]
    if importlib.util.find_spec(module) is None:
        raise errors.SetupError(
            f"the driver {module} for {scheme} is not installed",
            why="the database is read through it",
            mend="install it with: pip install mingcha[db]",
        )
    return url.set(drivername=drivername)


def described(url: URL) -> str:
    """Return the address without password and without secrets among its parameters."""
    hidden = {name: "***" if _SECRETS.search(name) else value for name, value in url.query.items()}
    plain = url.set(drivername=url.get_backend_name(), query=hidden)
    return plain.render_as_string(hide_password=True)


def without_secrets(text: str, url: URL) -> str:
    """Return `text` with every secret of the address blotted out, as written and as encoded in it."""
    from urllib.parse import quote, quote_plus

    secrets = [str(url.password)] if url.password else []
    secrets += [str(value) for name, value in url.query.items() if _SECRETS.search(name)]
    for secret in secrets:
        for form in {secret, quote(secret, safe=""), quote_plus(secret)}:
            text = text.replace(form, "***")
    return text
