# SPDX-License-Identifier: Apache-2.0
"""The ADBC driver for Flight SQL with the door: what a Python user does."""

import threading
import time
import warnings

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager
import pyarrow as pa
import pytest
from flight import door


@pytest.fixture(scope="module")
def address():
    with door() as address:
        yield address


@pytest.fixture
def connection(address):
    # It warns that there are no transactions, which is so.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with dbapi.connect(f"grpc://{address}") as connection:
            yield connection


@pytest.fixture
def cursor(connection):
    with connection.cursor() as cursor:
        yield cursor


def test_rows_come_back(cursor):
    cursor.execute("SELECT i, CASE WHEN i % 2 = 0 THEN concat('t', i) END AS s FROM generate_series(1, 100000) AS t(i) ORDER BY i")
    table = cursor.fetch_arrow_table()
    assert table.column("i").to_pylist() == list(range(1, 100001))
    assert table.column("s").to_pylist() == [None if i % 2 else f"t{i}" for i in range(1, 100001)]


def test_an_empty_result_has_columns(cursor):
    cursor.execute("SELECT 1 AS a, 'x' AS b WHERE 1 = 0")
    assert cursor.fetch_arrow_table().schema.names == ["a", "b"]


def test_wide_rows_fit_the_drivers_messages(cursor):
    cursor.execute("SELECT repeat('x', 1000000) AS s FROM generate_series(1, 100) AS t(i)")
    assert sum(len(s) for s in cursor.fetch_arrow_table().column("s").to_pylist()) == 100 * 1000000


def test_parameters_are_bound_one_row_or_many(cursor):
    cursor.execute("CREATE TABLE bound (i BIGINT, s VARCHAR, f DOUBLE)")
    cursor.executemany("INSERT INTO bound VALUES ($1, $2, $3)", [(1, "a", 0.5), (2, None, 1.5), (3, "c", None)])
    assert cursor.rowcount == 3
    cursor.execute("SELECT * FROM bound WHERE i >= $1 AND i < $2 ORDER BY i", (2, 4))
    assert cursor.fetchall() == [(2, None, 1.5), (3, "c", None)]


def test_the_schema_is_had_without_running(cursor):
    schema = cursor.adbc_execute_schema("SELECT count(*) AS n FROM generate_series(1, 100000000000) AS t(i)")
    assert schema.names == ["n"]


def test_ingest_in_all_modes(cursor):
    rows = pa.table({"i": pa.array([1, None, 3], pa.int32()), "t": pa.array([0, 1, None], pa.timestamp("us"))})
    assert cursor.adbc_ingest("ingested", rows, mode="create") == 3
    assert cursor.adbc_ingest("ingested", rows, mode="append") == 3
    with pytest.raises(adbc_driver_manager.Error):
        cursor.adbc_ingest("ingested", rows, mode="create")
    assert cursor.adbc_ingest("ingested", rows.slice(1), mode="replace") == 2
    assert cursor.adbc_ingest("ingested", rows, mode="create_append") == 3
    cursor.execute("SELECT * FROM ingested")
    assert cursor.fetch_arrow_table().to_pylist() == rows.slice(1).to_pylist() + rows.to_pylist()


def test_the_catalog_is_listed_at_all_depths(connection, cursor):
    cursor.execute("CREATE TABLE listed (i BIGINT, s VARCHAR)")
    assert connection.adbc_get_table_types() and "TABLE" in connection.adbc_get_table_types()
    catalogs = [row["catalog_name"] for row in connection.adbc_get_objects(depth="catalogs").read_all().to_pylist()]
    assert "weir" in catalogs
    (found,) = connection.adbc_get_objects(
        depth="all", catalog_filter="weir", db_schema_filter="public", table_name_filter="list%"
    ).read_all().to_pylist()
    (schema,) = found["catalog_db_schemas"]
    (table,) = schema["db_schema_tables"]
    assert (table["table_name"], table["table_type"]) == ("listed", "TABLE")
    assert [column["column_name"] for column in table["table_columns"]] == ["i", "s"]
    assert [column["xdbc_type_name"] for column in table["table_columns"]] == ["BIGINT", "VARCHAR"]
    schema = connection.adbc_get_table_schema("listed")
    assert schema.names == ["i", "s"] and schema.field("i").type == pa.int64()


def test_the_server_says_what_it_is(connection):
    info = connection.adbc_get_info()
    assert info["vendor_name"] == "weir" and info["vendor_arrow_version"]


def test_errors_have_category_state_and_position(cursor):
    with pytest.raises(adbc_driver_manager.ProgrammingError) as raised:
        cursor.execute("SELECT nothing_of_that_name")
    error = raised.value
    assert error.status_code == adbc_driver_manager.AdbcStatusCode.INVALID_ARGUMENT
    assert "SQLSTATE 42703" in str(error)
    details = dict(error.details)
    assert details.get("weir-sqlstate") == b"42703" or (b"weir-sqlstate" in str(error.details).encode())


def test_cancelling_ends_the_work(cursor):
    def stop():
        time.sleep(0.5)
        cursor.adbc_cancel()

    thread = threading.Thread(target=stop)
    thread.start()
    started = time.monotonic()
    with pytest.raises(adbc_driver_manager.Error):
        cursor.execute("SELECT sum(a.i * b.j % 7) FROM generate_series(1, 100000000) AS a(i) CROSS JOIN generate_series(1, 100000) AS b(j)")
        cursor.fetch_arrow_table()
    thread.join()
    assert time.monotonic() - started < 5


def test_partitions_are_read_each_by_itself(address, connection):
    with connection.cursor() as cursor:
        partitions, schema = cursor.adbc_execute_partitions("SELECT i FROM generate_series(1, 1000) AS t(i)")
        assert schema.names == ["i"]
        got = []
        for partition in partitions:
            cursor.adbc_read_partition(partition)
            got += cursor.fetch_arrow_table().column("i").to_pylist()
        assert sorted(got) == list(range(1, 1001))


def test_several_endpoints_hold_the_whole_result(address, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        headers = {"adbc.flight.sql.rpc.call_header.weir-endpoints": "4"}
        with dbapi.connect(f"grpc://{address}", db_kwargs=headers) as connection, connection.cursor() as cursor:
            for k in range(8):
                cursor.execute(f"COPY (SELECT i + {k} * 10000 AS i FROM generate_series(1, 10000) AS t(i)) TO '{tmp_path}/part{k}.parquet'")
                cursor.fetchall() if cursor.description else None
            partitions, _ = cursor.adbc_execute_partitions(f"SELECT i FROM '{tmp_path}/*.parquet'")
            assert len(partitions) > 1
            cursor.execute(f"SELECT i FROM '{tmp_path}/*.parquet'")
            assert sorted(cursor.fetch_arrow_table().column("i").to_pylist()) == list(range(1, 80001))
            cursor.execute(f"SELECT i FROM '{tmp_path}/*.parquet' ORDER BY i")
            assert cursor.fetch_arrow_table().column("i").to_pylist() == list(range(1, 80001))
