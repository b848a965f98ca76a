# SPDX-License-Identifier: Apache-2.0
"""libweir as an ADBC driver, through the driver manager that Python has (adbc_driver_manager)."""

import concurrent.futures
import datetime
import decimal
import threading
import time
import warnings

import adbc_driver_manager as manager
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from adbc_driver_manager import dbapi
from conftest import PROGRAM

BUILD = PROGRAM.rsplit("/", 1)[0]
LIBRARY = f"{BUILD}/src/libweir.so"


def open_connection(**options):
    return dbapi.connect(driver=LIBRARY, db_kwargs=options, autocommit=True)


@pytest.fixture
def connection():
    with open_connection() as connection:
        yield connection


@pytest.fixture
def cursor(connection):
    with connection.cursor() as cursor:
        yield cursor


def clone(connection):
    """Another connection to the same database. The manager asks each for transactions first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return connection.adbc_clone()


def ask(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetchall()


# ---- Finding it ----


def test_the_manifest_is_found_by_name(monkeypatch):
    monkeypatch.setenv("ADBC_DRIVER_PATH", f"{BUILD}/src")
    with dbapi.connect(driver="weir", autocommit=True) as connection, connection.cursor() as cursor:
        assert ask(cursor, "SELECT 42") == [(42,)]


@pytest.mark.parametrize("entrypoint", ["AdbcDriverInit", "AdbcWeirInit"])
def test_both_entry_points_serve(entrypoint):
    with dbapi.connect(driver=LIBRARY, entrypoint=entrypoint, autocommit=True) as connection:
        with connection.cursor() as cursor:
            assert ask(cursor, "SELECT 42") == [(42,)]


def test_no_transactions_is_said(connection):
    with pytest.warns(Warning, match="autocommit"), dbapi.connect(driver=LIBRARY):
        pass
    with pytest.raises(manager.NotSupportedError, match="transactions"):
        connection.adbc_connection.set_autocommit(False)
    for end in (connection.adbc_connection.commit, connection.adbc_connection.rollback):
        with pytest.raises(manager.ProgrammingError, match="INVALID_STATE"):
            end()


# ---- Values ----

MOMENT = datetime.datetime(2026, 2, 3, 4, 5, 6, 789012)

COLUMNS = {
    "bool": (pa.bool_(), True, False),
    "int8": (pa.int8(), -128, 127),
    "int16": (pa.int16(), -32768, 32767),
    "int32": (pa.int32(), -(2**31), 2**31 - 1),
    "int64": (pa.int64(), -(2**63), 2**63 - 1),
    "uint8": (pa.uint8(), 0, 255),
    "uint16": (pa.uint16(), 0, 2**16 - 1),
    "uint32": (pa.uint32(), 0, 2**32 - 1),
    "uint64": (pa.uint64(), 0, 2**64 - 1),
    "float16": (pa.float16(), 0.5, -2.0),
    "float32": (pa.float32(), 0.25, -1e10),
    "float64": (pa.float64(), 0.1, float("inf")),
    "decimal128": (pa.decimal128(38, 10), decimal.Decimal("1.0000000001"), decimal.Decimal("-3.5000000000")),
    "decimal256": (pa.decimal256(50, 2), decimal.Decimal("123456789012345678901234567890.12"), decimal.Decimal("0.00")),
    "string": (pa.string(), "", "Ünïcödé \U0001f600"),
    "large_string": (pa.large_string(), "long", "x" * 1000),
    "binary": (pa.binary(), b"", b"\x00\xff"),
    "large_binary": (pa.large_binary(), b"a", b"\x00" * 100),
    "fixed_binary": (pa.binary(4), b"abcd", b"\x00\x01\x02\x03"),
    "date32": (pa.date32(), datetime.date(1, 1, 1), datetime.date(9999, 12, 31)),
    "date64": (pa.date64(), datetime.date(1970, 1, 1), datetime.date(2026, 2, 3)),
    "time32": (pa.time32("ms"), datetime.time(0), datetime.time(23, 59, 59, 999000)),
    "time64": (pa.time64("us"), datetime.time(0), datetime.time(23, 59, 59, 999999)),
    "timestamp": (pa.timestamp("us"), MOMENT, datetime.datetime(1900, 1, 1)),
    "timestamp_s": (pa.timestamp("s"), MOMENT.replace(microsecond=0), datetime.datetime(1900, 1, 1)),
    "timestamp_zone": (pa.timestamp("us", "UTC"), MOMENT.replace(tzinfo=datetime.timezone.utc), None),
    "duration": (pa.duration("ms"), datetime.timedelta(days=-1), datetime.timedelta(milliseconds=5)),
    "interval": (pa.month_day_nano_interval(), pa.MonthDayNano([1, -2, 3]), pa.MonthDayNano([0, 0, 0])),
    "list": (pa.list_(pa.int32()), [1, None, 3], []),
    "large_list": (pa.large_list(pa.string()), ["a"], [None]),
    "fixed_list": (pa.list_(pa.int64(), 2), [1, 2], [3, None]),
    "struct": (pa.struct({"x": pa.int32(), "y": pa.string()}), {"x": 1, "y": None}, {"x": None, "y": "z"}),
    "map": (pa.map_(pa.string(), pa.int32()), [("k", 1)], []),
    "null": (pa.null(), None, None),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_values_of_every_type_come_back_as_they_were(cursor, name):
    kind, first, second = COLUMNS[name]
    rows = pa.table({"v": pa.array([first, None, second], kind)})
    assert cursor.adbc_ingest("t", rows) == 3
    cursor.execute("SELECT v FROM t")
    assert cursor.fetch_arrow_table().equals(rows)
    cursor.execute("SELECT v FROM t WHERE 1 = 0")
    empty = cursor.fetch_arrow_table()
    assert empty.num_rows == 0 and empty.schema.types == [kind]


@pytest.mark.parametrize("name", ["string_view", "binary_view", "dictionary"])
def test_what_many_clients_cannot_read_is_not_what_queries_give(cursor, tmp_path, name):
    (known,) = ask(cursor, "SELECT count(*) FROM information_schema.df_settings WHERE name = 'weir.result_types'")
    if known == (0,):
        pytest.skip("this engine has no setting weir.result_types")
    array, expected = {
        "string_view": (pa.array(["a", None], pa.string_view()), pa.string()),
        "binary_view": (pa.array([b"a", None], pa.binary_view()), pa.binary()),
        "dictionary": (pa.array(["a", None]).dictionary_encode(), pa.string()),
    }[name]
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"v": array}), path)
    cursor.execute(f"SELECT v FROM '{path}'")
    rows = cursor.fetch_arrow_table()
    assert rows.schema.types == [expected]
    assert rows.column("v").to_pylist() == array.to_pylist()


def test_text_literals_are_plain_strings(cursor):
    cursor.execute("SELECT 'a' AS a, CAST(1 AS VARCHAR) AS b, upper('c') AS c")
    assert cursor.fetch_arrow_table().schema.types == [pa.string()] * 3


def test_many_rows_come_in_batches_and_all_of_them(cursor):
    cursor.execute("SELECT value AS n FROM generate_series(1, 1000000)")
    reader = cursor.fetch_record_batch()
    total, n_batches = 0, 0
    for batch in reader:
        total += batch.num_rows
        n_batches += 1
    assert total == 1000000 and n_batches > 1


# ---- Parameters ----


def test_parameters_are_bound_by_position(cursor):
    assert ask(cursor, "SELECT $2 AS b, $1 AS a", ("x", 2)) == [(2, "x")]
    assert ask(cursor, "SELECT $1 + 1 AS a", (2,)) == [(3,)]


def test_parameters_are_bound_by_name(cursor):
    assert ask(cursor, "SELECT $low + 1 AS a, $high AS b", {"high": "h", "low": 2}) == [(3, "h")]
    with pytest.raises(manager.ProgrammingError, match="nothing"):
        ask(cursor, "SELECT $low + 1 AS a, $high AS b", {"high": "h", "nothing": 2})
    assert ask(cursor, "SELECT $1 AS a", (7,)) == [(7,)]


def test_a_query_runs_for_each_row(cursor):
    rows = pa.table({"n": [1, 2, 3]})
    assert ask(cursor, "SELECT $1 * 2 AS n", rows) == [(2,), (4,), (6,)]


def test_many_rows_are_inserted_one_after_the_other(cursor):
    cursor.execute("CREATE TABLE t (a BIGINT, b VARCHAR)")
    cursor.executemany("INSERT INTO t VALUES ($1, $2)", [(1, "x"), (2, None)])
    assert cursor.rowcount == 2
    assert ask(cursor, "SELECT * FROM t ORDER BY a") == [(1, "x"), (2, None)]
    schema = cursor.adbc_prepare("SELECT * FROM t WHERE a = $1")
    assert schema.types == [pa.int64()]
    for value, expected in ((1, [(1, "x")]), (2, [(2, None)]), (3, [])):
        assert ask(cursor, "SELECT * FROM t WHERE a = $1", (value,)) == expected


def test_a_wrong_number_of_parameters_is_refused(cursor):
    for sql, parameters in (("SELECT $1", (1, 2)), ("SELECT $1, $2", (1,)), ("SELECT 1", (1,))):
        with pytest.raises(manager.ProgrammingError, match="parameter"):
            ask(cursor, sql, parameters)
    # What was bound to a failed execution is not there for the next one.
    with pytest.raises(manager.Error, match="[Pp]laceholder|parameter"):
        ask(cursor, "SELECT $1 + 1")


# ---- Errors ----


@pytest.mark.parametrize(
    "sql, kind, sqlstate, position",
    [
        ("SELEC 1", manager.ProgrammingError, "42601", "1"),
        ("SELECT nothing", manager.ProgrammingError, "42703", "8"),
        ("SELECT * FROM nowhere", manager.ProgrammingError, "42P01", "15"),
        ("SELECT CAST('x' AS INT)", manager.DataError, "22P02", None),
    ],
)
def test_errors_have_sqlstate_and_position(cursor, sql, kind, sqlstate, position):
    with pytest.raises(kind) as failure:
        ask(cursor, sql)
    assert failure.value.sqlstate == sqlstate
    details = dict(failure.value.details)
    assert details[b"sqlstate"] == sqlstate.encode()
    assert details.get(b"position") == (position and position.encode())


def test_an_error_in_the_middle_of_the_rows_is_told_in_full(cursor):
    cursor.execute("CREATE TABLE t AS SELECT value AS n FROM generate_series(0, 100000)")
    with pytest.raises(manager.DataError) as failure:
        ask(cursor, "SELECT 1 / (n - 99999) AS q FROM t")
    assert failure.value.sqlstate == "22012"
    assert ask(cursor, "SELECT 1") == [(1,)]


# ---- Ingest ----

ROWS = pa.table({"id": [1, 2], "name": ["a", None]})


def test_ingest_goes_by_name_and_casts(cursor):
    cursor.execute("CREATE TABLE t (name VARCHAR, id BIGINT, extra INT DEFAULT 5)")
    assert cursor.adbc_ingest("t", ROWS, mode="append") == 2
    narrow = pa.table({"id": pa.array([3], pa.int16())})
    assert cursor.adbc_ingest("t", narrow, mode="append") == 1
    assert ask(cursor, "SELECT id, name, extra FROM t ORDER BY id") == [(1, "a", 5), (2, None, 5), (3, None, 5)]
    with pytest.raises(manager.ProgrammingError, match="other"):
        cursor.adbc_ingest("t", pa.table({"other": [1]}), mode="append")


def test_ingest_has_every_mode(cursor):
    with pytest.raises(manager.ProgrammingError, match="NOT_FOUND"):
        cursor.adbc_ingest("t", ROWS, mode="append")
    cursor.adbc_ingest("t", ROWS, mode="create")
    with pytest.raises(manager.ProgrammingError, match="ALREADY_EXISTS"):
        cursor.adbc_ingest("t", ROWS, mode="create")
    cursor.adbc_ingest("t", ROWS, mode="create_append")
    assert ask(cursor, "SELECT count(*) FROM t") == [(4,)]
    cursor.adbc_ingest("t", pa.table({"z": [9]}), mode="replace")
    assert ask(cursor, "SELECT z FROM t") == [(9,)]


def test_ingest_into_a_schema_and_a_temporary_table(cursor):
    cursor.execute('CREATE SCHEMA "in here"')
    cursor.adbc_ingest("t", ROWS, db_schema_name="in here", catalog_name="weir")
    assert ask(cursor, 'SELECT count(*) FROM weir."in here".t') == [(2,)]
    cursor.adbc_ingest("u", ROWS, temporary=True)
    assert ask(cursor, "SELECT is_temporary FROM system.tables WHERE name = 'u'") == [(True,)]


def test_a_stream_is_ingested_and_so_is_a_result_of_the_same_database(connection, cursor):
    reader = pa.RecordBatchReader.from_batches(ROWS.schema, ROWS.to_batches() * 100)
    assert cursor.adbc_ingest("t", reader) == 200
    with connection.cursor() as other:
        other.execute("SELECT value AS n FROM generate_series(1, 300000)")
        assert cursor.adbc_ingest("n", other.fetch_record_batch()) == 300000
    assert ask(cursor, "SELECT sum(n) FROM n") == [(300000 * 300001 // 2,)]


def test_rows_that_fail_on_their_way_leave_nothing(cursor):
    def batches():
        yield ROWS.to_batches()[0]
        raise ValueError("the source broke")

    reader = pa.RecordBatchReader.from_batches(ROWS.schema, batches())
    with pytest.raises(manager.Error, match="the source broke"):
        cursor.adbc_ingest("t", reader)
    assert ask(cursor, "SELECT name FROM system.tables WHERE catalog = 'weir'") == []


def test_ingest_into_a_database(cursor, drivers, tmp_path):
    cursor.execute(f"ATTACH '{tmp_path}/x.sqlite' AS lite (TYPE adbc, DRIVER 'sqlite', CREATE true)")

    def ingest(rows, mode):
        return cursor.adbc_ingest("t", rows, mode=mode, catalog_name="lite", db_schema_name="main")

    assert ingest(ROWS, "create") == 2
    assert ingest(ROWS, "append") == 2
    assert ask(cursor, "SELECT count(*) FROM lite.main.t") == [(4,)]
    assert ingest(ROWS, "replace") == 2
    assert ask(cursor, "SELECT id, name FROM lite.main.t ORDER BY id") == [(1, "a"), (2, None)]
    with pytest.raises(manager.ProgrammingError, match="ALREADY_EXISTS"):
        ingest(ROWS, "create")


# ---- Metadata ----


@pytest.fixture
def catalog(cursor):
    cursor.execute("CREATE TABLE t (a BIGINT NOT NULL, b VARCHAR, PRIMARY KEY (a))")
    cursor.execute("CREATE VIEW v AS SELECT b FROM t")
    cursor.execute("CREATE SCHEMA s")
    cursor.execute("CREATE TABLE s.t (c DECIMAL(10, 2), d TIMESTAMP)")
    return cursor


def objects(connection, **filters):
    return connection.adbc_get_objects(**filters).read_all().to_pylist()


def names(connection, **filters):
    """What is found as "catalog.schema.table.column", as deep as it goes."""
    found = []
    for catalog in objects(connection, **filters):
        found.append([catalog["catalog_name"]])
        for schema in catalog["catalog_db_schemas"] or []:
            found.append([*found[-1][:1], schema["db_schema_name"]])
            for table in schema["db_schema_tables"] or []:
                found.append([catalog["catalog_name"], schema["db_schema_name"], table["table_name"]])
                for column in table["table_columns"] or []:
                    found.append([*found[-1][:3], column["column_name"]])
    return [".".join(name) for name in found]


def test_objects_at_every_depth(connection, catalog):
    assert names(connection, depth="catalogs") == ["system", "weir"]
    assert objects(connection, depth="catalogs")[0]["catalog_db_schemas"] is None
    assert names(connection, depth="db_schemas", catalog_filter="weir") == [
        "weir",
        "weir.information_schema",
        "weir.public",
        "weir.s",
    ]
    assert names(connection, depth="tables", db_schema_filter="_") == ["system", "weir", "weir.s", "weir.s.t"]
    assert names(connection, depth="all", catalog_filter="w%", table_name_filter="t", db_schema_filter="s") == [
        "weir",
        "weir.s",
        "weir.s.t",
        "weir.s.t.c",
        "weir.s.t.d",
    ]
    assert names(
        connection, depth="all", catalog_filter="weir", table_name_filter="t", db_schema_filter="public", column_name_filter="b"
    ) == ["weir", "weir.public", "weir.public.t", "weir.public.t.b"]
    assert names(connection, depth="tables", catalog_filter="weir", db_schema_filter="public", table_types_filter=["VIEW"]) == [
        "weir",
        "weir.public",
        "weir.public.v",
    ]
    assert names(connection, depth="all", catalog_filter="nowhere") == []


def test_columns_and_constraints_are_described(connection, catalog):
    (found,) = objects(connection, depth="all", catalog_filter="weir", db_schema_filter="public", table_name_filter="t")
    (table,) = found["catalog_db_schemas"][0]["db_schema_tables"]
    assert table["table_type"] == "TABLE"
    a, b = table["table_columns"]
    assert (a["ordinal_position"], a["xdbc_type_name"], a["xdbc_data_type"], a["xdbc_is_nullable"]) == (1, "BIGINT", -5, "NO")
    assert (b["ordinal_position"], b["xdbc_type_name"], b["xdbc_nullable"]) == (2, "VARCHAR", 1)
    assert table["table_constraints"] == [
        {
            "constraint_name": "t_pkey",
            "constraint_type": "PRIMARY KEY",
            "constraint_column_names": ["a"],
            "constraint_column_usage": None,
        }
    ]
    (found,) = objects(connection, depth="all", catalog_filter="weir", db_schema_filter="s")
    c, d = found["catalog_db_schemas"][0]["db_schema_tables"][0]["table_columns"]
    assert (c["xdbc_type_name"], c["xdbc_column_size"], c["xdbc_decimal_digits"]) == ("DECIMAL", 10, 2)
    assert (d["xdbc_type_name"], d["xdbc_sql_data_type"], d["xdbc_datetime_sub"]) == ("TIMESTAMP", 9, 3)


def test_the_schema_of_objects_is_that_of_the_specification(connection):
    schema = connection.adbc_get_objects(depth="catalogs").schema
    assert schema.names == ["catalog_name", "catalog_db_schemas"]
    db_schema = schema.field("catalog_db_schemas").type.value_type
    table = db_schema.field("db_schema_tables").type.value_type
    assert [field.name for field in table] == ["table_name", "table_type", "table_columns", "table_constraints"]
    column = table.field("table_columns").type.value_type
    assert column.num_fields == 19
    assert column.field("xdbc_data_type").type == pa.int16()
    assert column.field("xdbc_column_size").type == pa.int32()
    assert not table.field("table_name").nullable
    constraint = table.field("table_constraints").type.value_type
    assert constraint.field("constraint_column_names").type == pa.list_(pa.field("item", pa.string()))


def test_schemas_of_tables_are_those_of_their_rows(connection, catalog):
    assert connection.adbc_get_table_schema("t") == pa.schema(
        [pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.string())]
    )
    assert connection.adbc_get_table_schema("t", db_schema_filter="s").names == ["c", "d"]
    assert connection.adbc_get_table_schema("t", catalog_filter="weir", db_schema_filter="s").names == ["c", "d"]
    with pytest.raises(manager.ProgrammingError, match="NOT_FOUND"):
        connection.adbc_get_table_schema("nowhere")


def test_info_has_what_is_asked_for(connection):
    info = connection.adbc_get_info()
    assert info["vendor_name"] == "weir"
    assert info["driver_adbc_version"] == 1001000
    handle = connection.adbc_connection.get_info([0, 99999, 103])
    rows = pa.RecordBatchReader._import_from_c(handle.address).read_all().to_pylist()
    assert rows == [{"info_name": 0, "info_value": "weir"}, {"info_name": 103, "info_value": 1001000}]


def test_table_types(connection):
    assert connection.adbc_get_table_types() == ["SYSTEM TABLE", "TABLE", "VIEW"]


def test_statistics_are_those_of_footers(connection, cursor, tmp_path):
    parquet.write_table(pa.table({"n": [1, None, 3]}), tmp_path / "x.parquet")
    cursor.execute(f"ATTACH '{tmp_path}' AS lake")
    rows = connection.adbc_get_statistics(catalog_filter="lake", table_name_filter="x").read_all().to_pylist()
    (found,) = rows[0]["catalog_db_schemas"]
    statistics = {(s["column_name"], s["statistic_key"]): s["statistic_value"] for s in found["db_schema_statistics"]}
    assert statistics == {(None, 6): 3, ("n", 5): 1}
    assert connection.adbc_get_statistic_names().read_all().num_rows == 0


def test_a_source_that_is_away_keeps_nothing_else_from_being_listed(connection, cursor, tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    cursor.execute(f"ATTACH '{away}' AS away")
    cursor.execute("CREATE TABLE here (a INT)")
    away.rmdir()
    found = names(connection, depth="all", table_name_filter="here")
    assert "weir.public.here.a" in found and "away" in found
    with pytest.raises(manager.Error, match="away"):
        objects(connection, depth="tables", catalog_filter="away")


def test_the_current_catalog_and_schema_are_read_and_set(connection, catalog):
    assert (connection.adbc_current_catalog, connection.adbc_current_db_schema) == ("weir", "public")
    connection.adbc_current_db_schema = "s"
    assert ask(catalog, "SELECT count(c) FROM t") == [(0,)]
    connection.adbc_current_catalog = "system"
    assert connection.adbc_current_db_schema == "public"
    assert ask(catalog, "SELECT count(*) > 0 FROM tables") == [(True,)]


# ---- Partitions ----


def test_partitions_together_are_the_result(connection, cursor, tmp_path):
    for i in range(4):
        parquet.write_table(pa.table({"n": list(range(i * 1000, i * 1000 + 1000))}), tmp_path / f"{i}.parquet")
    partitions, schema = cursor.adbc_execute_partitions(f"SELECT n FROM '{tmp_path}/*.parquet'")
    assert schema.names == ["n"] and len(partitions) >= 1

    def read(partition):
        with connection.cursor() as other:
            other.adbc_read_partition(partition)
            return other.fetch_arrow_table().column("n").to_pylist()

    with concurrent.futures.ThreadPoolExecutor(len(partitions)) as pool:
        numbers = [n for part in pool.map(read, partitions) for n in part]
    assert sorted(numbers) == list(range(4000))
    with pytest.raises(manager.ProgrammingError, match="NOT_FOUND"):
        cursor.adbc_read_partition(partitions[0])


# ---- Cancel ----


def test_a_query_is_cancelled_from_another_thread(cursor):
    timer = threading.Timer(0.3, cursor.adbc_cancel)
    timer.start()
    start = time.monotonic()
    with pytest.raises(manager.OperationalError, match="CANCELLED"):
        ask(
            cursor,
            "SELECT count(*) FROM generate_series(1, 10000000) a(x), generate_series(1, 10000000) b(y)"
            " WHERE (x * y) % 7 = 3",
        )
    assert time.monotonic() - start < 3
    timer.join()
    assert ask(cursor, "SELECT 1") == [(1,)]


# ---- Databases ----


def test_a_workspace_is_kept_in_its_directory(tmp_path):
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "weir.yaml").write_text("threads: 2\n")
    (tmp_path / "x.csv").write_text("a\n1\n")
    for options in ({"uri": str(workspace)}, {"uri": f"file://{workspace}"}, {"adbc.weir.workspace": str(workspace)}):
        with open_connection(**options) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS t USING files OPTIONS (path '{tmp_path}/x.csv')")
            assert ask(cursor, "SELECT a FROM t") == [(1,)]
            assert ask(cursor, "SELECT value FROM system.settings WHERE name = 'threads'") == [("2",)]


def test_keys_of_the_configuration_are_options(tmp_path):
    (tmp_path / "my.yaml").write_text("memory_limit: 100MiB\n")
    options = {"adbc.weir.config": str(tmp_path / "my.yaml"), "adbc.weir.config.threads": "3"}
    with open_connection(**options) as connection, connection.cursor() as cursor:
        found = dict(ask(cursor, "SELECT name, value FROM system.settings WHERE name IN ('threads', 'memory_limit')"))
        assert found == {"threads": "3", "memory_limit": "100MiB"}


def test_settings_of_the_engine_are_options(cursor):
    options = {"adbc.weir.setting.datafusion.execution.batch_size": "10"}
    with open_connection(**options) as connection, connection.cursor() as own:
        assert ask(own, "SHOW datafusion.execution.batch_size")[0][1] == "10"
    assert ask(cursor, "SHOW datafusion.execution.batch_size")[0][1] == "8192"


def test_two_databases_and_two_connections_of_one(cursor):
    cursor.execute("CREATE TABLE t (a INT)")
    with open_connection() as other, other.cursor() as own:
        with pytest.raises(manager.ProgrammingError, match="NOT_FOUND"):
            ask(own, "SELECT * FROM t")
        with clone(other) as third, third.cursor() as shared:
            own.execute("CREATE TABLE u AS SELECT 5 AS a")
            assert ask(shared, "SELECT a FROM u") == [(5,)]


def test_threads_with_connections_of_their_own(connection):
    def work(i):
        with clone(connection) as own, own.cursor() as cursor:
            for j in range(20):
                assert ask(cursor, "SELECT $1 * $2 AS n", (i, j)) == [(i * j,)]
                cursor.adbc_ingest(f"t{i}", pa.table({"n": [j]}), mode="create_append")
            return ask(cursor, f"SELECT sum(n) FROM t{i}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [[(190,)]] * 8


def test_a_result_outlives_its_connection():
    with open_connection() as connection:
        statement = manager.AdbcStatement(connection.adbc_connection)
        statement.set_sql_query("SELECT value AS n FROM generate_series(1, 100000)")
        handle, _ = statement.execute_query()
        reader = pa.RecordBatchReader._import_from_c(handle.address)
        statement.close()
    assert reader.read_all().num_rows == 100000


def test_a_weir_in_a_weir_answers_and_does_not_hang(db):
    """Each has an engine of its own in the one process."""
    attach = f"ATTACH '' AS inner_weir (TYPE adbc, DRIVER '{LIBRARY}')"
    assert db.rows(f"{attach}; CREATE TABLE inner_weir.public.t AS SELECT 41 AS a; SELECT a + 1 FROM inner_weir.public.t", timeout=60) == [(42,)]
    db.fail(f"{attach}; SELECT * FROM inner_weir.public.extensions", 'no table "extensions"', timeout=60)
