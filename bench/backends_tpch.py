# SPDX-License-Identifier: Apache-2.0
"""TPC-H in databases: tables with their usual keys and indexes, loaded from Parquet files and kept in the cache."""

import contextlib
import hashlib
import os
import pathlib
import sqlite3
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
from backends import DuckDB, Server

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "weir"

TPCH = {
    "region": ("r_regionkey", "r_regionkey BIGINT NOT NULL, r_name CHAR(25) NOT NULL, r_comment VARCHAR(152)"),
    "nation": (
        "n_nationkey",
        "n_nationkey BIGINT NOT NULL, n_name CHAR(25) NOT NULL, n_regionkey BIGINT NOT NULL, n_comment VARCHAR(152)",
    ),
    "part": (
        "p_partkey",
        "p_partkey BIGINT NOT NULL, p_name VARCHAR(55) NOT NULL, p_mfgr CHAR(25) NOT NULL, p_brand CHAR(10) NOT NULL,"
        " p_type VARCHAR(25) NOT NULL, p_size INTEGER NOT NULL, p_container CHAR(10) NOT NULL,"
        " p_retailprice DECIMAL(15,2) NOT NULL, p_comment VARCHAR(23) NOT NULL",
    ),
    "supplier": (
        "s_suppkey",
        "s_suppkey BIGINT NOT NULL, s_name CHAR(25) NOT NULL, s_address VARCHAR(40) NOT NULL, s_nationkey BIGINT NOT NULL,"
        " s_phone CHAR(15) NOT NULL, s_acctbal DECIMAL(15,2) NOT NULL, s_comment VARCHAR(101) NOT NULL",
    ),
    "partsupp": (
        "ps_partkey, ps_suppkey",
        "ps_partkey BIGINT NOT NULL, ps_suppkey BIGINT NOT NULL, ps_availqty INTEGER NOT NULL,"
        " ps_supplycost DECIMAL(15,2) NOT NULL, ps_comment VARCHAR(199) NOT NULL",
    ),
    "customer": (
        "c_custkey",
        "c_custkey BIGINT NOT NULL, c_name VARCHAR(25) NOT NULL, c_address VARCHAR(40) NOT NULL, c_nationkey BIGINT NOT NULL,"
        " c_phone CHAR(15) NOT NULL, c_acctbal DECIMAL(15,2) NOT NULL, c_mktsegment CHAR(10) NOT NULL,"
        " c_comment VARCHAR(117) NOT NULL",
    ),
    "orders": (
        "o_orderkey",
        "o_orderkey BIGINT NOT NULL, o_custkey BIGINT NOT NULL, o_orderstatus CHAR(1) NOT NULL,"
        " o_totalprice DECIMAL(15,2) NOT NULL, o_orderdate DATE NOT NULL, o_orderpriority CHAR(15) NOT NULL,"
        " o_clerk CHAR(15) NOT NULL, o_shippriority INTEGER NOT NULL, o_comment VARCHAR(79) NOT NULL",
    ),
    "lineitem": (
        "l_orderkey, l_linenumber",
        "l_orderkey BIGINT NOT NULL, l_partkey BIGINT NOT NULL, l_suppkey BIGINT NOT NULL, l_linenumber INTEGER NOT NULL,"
        " l_quantity DECIMAL(15,2) NOT NULL, l_extendedprice DECIMAL(15,2) NOT NULL, l_discount DECIMAL(15,2) NOT NULL,"
        " l_tax DECIMAL(15,2) NOT NULL, l_returnflag CHAR(1) NOT NULL, l_linestatus CHAR(1) NOT NULL,"
        " l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL,"
        " l_shipinstruct CHAR(25) NOT NULL, l_shipmode CHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL",
    ),
}
INDEXES = [
    "nation (n_regionkey)",
    "supplier (s_nationkey)",
    "partsupp (ps_suppkey)",
    "customer (c_nationkey)",
    "orders (o_custkey)",
    "orders (o_orderdate)",
    "lineitem (l_partkey, l_suppkey)",
    "lineitem (l_suppkey)",
    "lineitem (l_shipdate)",
]


def tpch_ddl(has_char=True):
    """CREATE TABLE of all. Without CHAR(n), which some pad with blanks, texts are VARCHAR(n)."""
    statements = []
    for name, (_, columns) in TPCH.items():
        statements.append(f"CREATE TABLE {name} ({columns if has_char else columns.replace(' CHAR(', ' VARCHAR(')})")
    return statements


def tpch_keys(has_keys_later):
    statements = []
    if has_keys_later:
        statements = [f"ALTER TABLE {name} ADD PRIMARY KEY ({key})" for name, (key, _) in TPCH.items()]
    else:
        statements = [f"CREATE UNIQUE INDEX {name}_key ON {name} ({key})" for name, (key, _) in TPCH.items()]
    return statements + [f"CREATE INDEX {'_'.join(w for w in i if w.isidentifier())} ON {on}" for i, on in split_indexes()]


def split_indexes():
    for on in INDEXES:
        yield on.replace("(", "").replace(")", "").replace(",", "").split(), on


def plain(table):
    """Without the layouts that some drivers do not take."""
    fields = []
    for field in table.schema:
        type = pa.string() if pa.types.is_string_view(field.type) or pa.types.is_dictionary(field.type) else field.type
        fields.append(pa.field(field.name, type, field.nullable))
    return table.cast(pa.schema(fields))


def load_postgresql(database, data):
    # Not CHAR(n): its padding is no part of TPC-H's answers.
    database.script(";".join(tpch_ddl(has_char=False)))
    for name in TPCH:
        table = plain(pq.read_table(data / f"{name}.parquet"))
        columns = ", ".join(table.column_names)
        # By way of a table that the driver makes: it does not convert 64-bit integers to INTEGER.
        database.ingest(f"new_{name}", table, mode="create")
        database.script(f"INSERT INTO {name} SELECT {columns} FROM new_{name}; DROP TABLE new_{name}")
    database.script(";".join(tpch_keys(has_keys_later=True)))
    database.script("VACUUM ANALYZE")


def load_sqlite(path, data):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + ";".join(tpch_ddl()))
        for name in TPCH:
            table = plain(pq.read_table(data / f"{name}.parquet"))
            columns = []
            for column in table.columns:
                if pa.types.is_decimal(column.type):
                    column = column.cast(pa.float64())
                elif pa.types.is_date(column.type):
                    column = column.cast(pa.string())
                columns.append(column.to_pylist())
            holes = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {name} VALUES ({holes})", zip(*columns))
        connection.executescript(";".join(tpch_keys(has_keys_later=False)) + "; ANALYZE")
        connection.commit()


def load_duckdb(drivers, path, data):
    database = DuckDB(drivers, path)
    statements = tpch_ddl() + [f"INSERT INTO {name} SELECT * FROM '{data}/{name}.parquet'" for name in TPCH]
    database.run(";".join([*statements, "CHECKPOINT"]))


def cached(name, make):
    """The path of what `make(path)` makes, kept until this file changes."""
    key = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]
    path = CACHE / f"databases-{key}" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{name}.new{os.getpid()}")
        make(new)
        os.rename(new, path)
    return path


def postgresql_template(drivers, data, scale):
    """The data directory of a server with the database `tpch`, stopped."""

    def make(path):
        server = Server(drivers)
        try:
            load_postgresql(server.create("tpch"), data)
            server.stop()
            subprocess.run(["cp", "-r", server.data, path], check=True)
        finally:
            server.close()

    return cached(f"postgresql-tpch-{scale}", make)
