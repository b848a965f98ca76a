# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests with databases; conftest.py imports them. What they are is in bench/backends.py."""

import os
import pathlib
import sys

import nasty
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from backends import Drivers, DuckDB, Server, SQLite  # noqa: E402
from backends_mysql import BY_BYTES, MySQLServer, load_tpch, mysql_template  # noqa: E402
from backends_tpch import cached, load_duckdb, load_postgresql, load_sqlite, postgresql_template  # noqa: E402


def need(drivers, name):
    """Skips the test, with the reason, where the database cannot be had."""
    reason = drivers.software.get(f"{name}-missing")
    if reason:
        pytest.skip(f"no {name}: {reason}")


@pytest.fixture(scope="session")
def drivers(tmp_path_factory):
    """The drivers' manifests; weir finds them by ADBC_DRIVER_PATH."""
    found = Drivers(tmp_path_factory.mktemp("drivers"))
    # For what runs in this process (weir_ctypes), and for programs started from it.
    os.environ["ADBC_DRIVER_PATH"] = str(found.directory)
    return found


@pytest.fixture(scope="session")
def server(drivers, tpch):
    """PostgreSQL with the database `tpch`."""
    need(drivers, "postgresql")
    server = Server(drivers, None if os.environ.get("WEIR_TPCH") else postgresql_template(drivers, tpch, "0.1"))
    try:
        if os.environ.get("WEIR_TPCH"):
            load_postgresql(server.create("tpch"), tpch)
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def mysql_server(drivers, tpch):
    """MariaDB with the database `tpch`."""
    need(drivers, "mysql")
    server = MySQLServer(drivers, None if os.environ.get("WEIR_TPCH") else mysql_template(drivers, tpch))
    try:
        if os.environ.get("WEIR_TPCH"):
            load_tpch(server, tpch)
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def sqlite_tpch(drivers, tpch, tmp_path_factory):
    path = tmp_path_factory.mktemp("sqlite") / "tpch.sqlite"
    if os.environ.get("WEIR_TPCH"):
        load_sqlite(path, tpch)
        return SQLite(drivers, path)
    return SQLite(drivers, cached("tpch-0.1.sqlite", lambda new: load_sqlite(new, tpch))).copy(path)


@pytest.fixture(scope="session")
def duckdb_tpch(drivers, tpch, tmp_path_factory):
    need(drivers, "duckdb")
    path = tmp_path_factory.mktemp("duckdb") / "tpch.duckdb"
    if os.environ.get("WEIR_TPCH"):
        load_duckdb(drivers, path, tpch)
        return DuckDB(drivers, path)
    return DuckDB(drivers, cached("tpch-0.1.duckdb", lambda new: load_duckdb(drivers, new, tpch))).copy(path)


@pytest.fixture(scope="session")
def nasty_databases(drivers, tmp_path_factory):
    """By name: the database that weir has, and one with the same rows for the bare driver."""
    directory = tmp_path_factory.mktemp("nasty")
    made = {}

    def make(name, request):
        if name not in made:
            need(drivers, name)
            if name == "postgresql":
                database = request.getfixturevalue("server").create("nasty")
                nasty.load(database)
                made[name] = database, database
            elif name == "mysql":
                server = request.getfixturevalue("mysql_server")
                made[name] = server.create("nasty"), server.create("direct", BY_BYTES)
                for database in made[name]:
                    nasty.load(database)
            else:
                kind = {"sqlite": SQLite, "duckdb": DuckDB}[name]
                database = kind(drivers, directory / f"nasty.{name}")
                nasty.load(database)
                made[name] = database, database.copy(directory / f"direct.{name}")
        return made[name]

    return make
