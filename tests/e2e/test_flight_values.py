# SPDX-License-Identifier: Apache-2.0
"""Every type that SQL can produce comes over Flight SQL with the same values."""

import datetime
import decimal

import pyarrow as pa
import pytest
from flight import Client, door

D = decimal.Decimal

# Arrow's name of a type, its text as arrow_cast takes it, a value as SQL has it, and what comes.
TYPES = [
    (pa.bool_(), "Boolean", "true", True),
    (pa.int8(), "Int8", "-128", -128),
    (pa.int16(), "Int16", "-32768", -32768),
    (pa.int32(), "Int32", "-2147483648", -(2**31)),
    (pa.int64(), "Int64", "-9223372036854775807", -(2**63) + 1),
    (pa.uint8(), "UInt8", "255", 255),
    (pa.uint16(), "UInt16", "65535", 65535),
    (pa.uint32(), "UInt32", "4294967295", 2**32 - 1),
    (pa.uint64(), "UInt64", "18446744073709551615", 2**64 - 1),
    (pa.float16(), "Float16", "1.5", 1.5),
    (pa.float32(), "Float32", "0.25", 0.25),
    (pa.float64(), "Float64", "1e300", 1e300),
    (pa.string(), "Utf8", "'née 🙂'", "née 🙂"),
    (pa.large_string(), "LargeUtf8", "'long'", "long"),
    (pa.binary(), "Binary", "'bytes'", b"bytes"),
    (pa.large_binary(), "LargeBinary", "'bytes'", b"bytes"),
    (pa.binary(3), "FixedSizeBinary(3)", "arrow_cast('abc', 'Binary')", b"abc"),
    (pa.date32(), "Date32", "'2024-02-29'", datetime.date(2024, 2, 29)),
    (pa.date64(), "Date64", "DATE '2024-02-29'", datetime.date(2024, 2, 29)),
    (pa.time32("s"), "Time32(Second)", "'23:59:58'", datetime.time(23, 59, 58)),
    (pa.time32("ms"), "Time32(Millisecond)", "'23:59:58.123'", datetime.time(23, 59, 58, 123000)),
    (pa.time64("us"), "Time64(Microsecond)", "'23:59:58.123456'", datetime.time(23, 59, 58, 123456)),
    (pa.time64("ns"), "Time64(Nanosecond)", "'00:00:01'", datetime.time(0, 0, 1)),
    (pa.timestamp("s"), "Timestamp(Second, None)", "'1969-12-31T23:59:59'", datetime.datetime(1969, 12, 31, 23, 59, 59)),
    (pa.timestamp("ms"), "Timestamp(Millisecond, None)", "'2024-01-02'", datetime.datetime(2024, 1, 2)),
    (pa.timestamp("us"), "Timestamp(Microsecond, None)", "'2024-01-02'", datetime.datetime(2024, 1, 2)),
    (pa.timestamp("ns"), "Timestamp(Nanosecond, None)", "'2024-01-02'", datetime.datetime(2024, 1, 2)),
    (
        pa.timestamp("us", "UTC"),
        'Timestamp(Microsecond, Some("UTC"))',
        "'2024-01-02T00:00:00Z'",
        datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),
    ),
    (pa.duration("s"), "Duration(Second)", "90", datetime.timedelta(seconds=90)),
    (pa.duration("ns"), "Duration(Nanosecond)", "1000", datetime.timedelta(microseconds=1)),
    (pa.month_day_nano_interval(), "Interval(MonthDayNano)", "INTERVAL '14 months 3 days 5 seconds'", pa.MonthDayNano([14, 3, 5 * 10**9])),
    (pa.decimal128(38, 10), "Decimal128(38, 10)", "'-1234567890.0123456789'", D("-1234567890.0123456789")),
    (pa.decimal256(76, 2), "Decimal256(76, 2)", "'12.50'", D("12.50")),
    (pa.list_(pa.field("item", pa.int64())), None, "[1, NULL, 3]", [1, None, 3]),
    (pa.large_list(pa.field("item", pa.int64())), "LargeList(Int64)", "[1, 2]", [1, 2]),
    (pa.list_(pa.field("item", pa.int64()), 2), "FixedSizeList(2, Int64)", "[1, 2]", [1, 2]),
]


@pytest.fixture(scope="module")
def client():
    with door() as address, Client(address) as client:
        yield client


def name_of(case):
    return str(case[0])


def expression(name, value):
    return f"arrow_cast({value}, '{name}')" if name else value


@pytest.mark.parametrize("case", TYPES, ids=name_of)
def test_a_value_and_a_null_come_back(client, case):
    type, name, sql, value = case
    one = expression(name, sql)
    table = client.query(f"SELECT i, CASE WHEN i <> 2 THEN {one} END AS v FROM generate_series(1, 3) AS t(i) ORDER BY i")
    assert same_type(table.schema.field("v").type, type), table.schema
    assert table.column("v").to_pylist() == [value, None, value]
    table.validate(full=True)


@pytest.mark.parametrize("case", TYPES, ids=name_of)
def test_an_empty_result_has_its_type(client, case):
    type, name, sql, _ = case
    info = client.info("CommandStatementQuery", b"\x0a" + sized(f"SELECT {expression(name, sql)} AS v WHERE 1 = 0"))
    table = client.get(info.endpoints[0].ticket).read_all()
    assert table.num_rows == 0
    assert same_type(table.schema.field("v").type, type)
    assert info.schema.equals(table.schema)


def sized(text):
    data = text.encode()
    assert len(data) < 16384
    return bytes([len(data) & 0x7F | 0x80, len(data) >> 7]) + data


def same_type(a, b):
    """Names of a list's items are nobody's."""
    if pa.types.is_list(a) or pa.types.is_large_list(a) or pa.types.is_fixed_size_list(a):
        return type(a) is type(b) and same_type(a.value_type, b.value_type)
    return a == b


@pytest.mark.parametrize("name", ["Utf8View", "BinaryView", "Dictionary(Int32, Utf8)"])
def test_views_and_dictionaries_come_as_what_they_stand_for(client, name):
    table = client.query(f"SELECT arrow_cast('x', '{name}') AS viewed")
    assert table.schema.field("viewed").type in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary())
    assert table.column("viewed").cast(pa.string()).to_pylist() == ["x"]


def test_structs_maps_and_lists_in_lists_come_back(client):
    table = client.query(
        "SELECT named_struct('a', i, 'b', [named_struct('c', concat('x', i))]) AS s, "
        "map(['k', 'l'], [i, NULL]) AS m, [[i], [], NULL] AS l "
        "FROM generate_series(1, 2) AS t(i) ORDER BY i"
    )
    assert table.column("s").to_pylist() == [{"a": i, "b": [{"c": f"x{i}"}]} for i in (1, 2)]
    assert table.column("m").to_pylist() == [[("k", i), ("l", None)] for i in (1, 2)]
    assert table.column("l").to_pylist() == [[[i], [], None] for i in (1, 2)]


def test_null_alone_is_a_column(client):
    table = client.query("SELECT NULL AS n FROM generate_series(1, 3)")
    assert table.schema.field("n").type == pa.null()
    assert table.column("n").to_pylist() == [None, None, None]


def test_a_result_of_many_batches_is_whole(client):
    table = client.query("SELECT i, CASE WHEN i % 3 > 0 THEN concat('text ', i) END AS s, i % 2 = 0 AS b FROM generate_series(1, 100000) AS t(i) ORDER BY i")
    assert table.column("i").to_pylist() == list(range(1, 100001))
    assert table.column("s").to_pylist() == [f"text {i}" if i % 3 else None for i in range(1, 100001)]
    assert table.column("b").to_pylist() == [i % 2 == 0 for i in range(1, 100001)]


@pytest.mark.parametrize("limit, offset", [(1, 0), (7, 3), (8191, 8195), (20000, 12345)])
def test_slices_of_batches_are_right(client, limit, offset):
    table = client.query(
        f"SELECT * FROM (SELECT i, CASE WHEN i % 5 > 0 THEN concat('t', i) END AS s, [i, i + 1] AS l, i % 3 = 0 AS b "
        f"FROM generate_series(1, 50000) AS t(i) ORDER BY i LIMIT {limit} OFFSET {offset})"
    )
    numbers = list(range(offset + 1, offset + limit + 1))
    assert table.column("i").to_pylist() == numbers
    assert table.column("s").to_pylist() == [f"t{i}" if i % 5 else None for i in numbers]
    assert table.column("l").to_pylist() == [[i, i + 1] for i in numbers]
    assert table.column("b").to_pylist() == [i % 3 == 0 for i in numbers]


def test_wide_rows_come_in_messages_that_every_client_takes(client):
    info = client.info("CommandStatementQuery", b"\x0a" + sized("SELECT i, repeat(chr(97 + i % 26), 1000000) AS s FROM generate_series(1, 60) AS t(i) ORDER BY i"))
    reader = client.get(info.endpoints[0].ticket)
    seen = []
    for chunk in reader:
        assert chunk.data.nbytes < 16 << 20
        seen += zip(chunk.data.column("i").to_pylist(), chunk.data.column("s").to_pylist())
    assert len(seen) == 60
    assert all(s == chr(97 + i % 26) * 1000000 for i, s in seen)


def test_a_row_larger_than_a_message_comes_all_the_same(client):
    table = client.query("SELECT repeat('x', 20000000) AS s")
    assert table.column("s").to_pylist() == ["x" * 20000000]


@pytest.mark.parametrize("codec", ["lz4", "zstd", "none"])
def test_bodies_are_compressed_when_that_is_asked_for(client, codec):
    options = client.options(("weir-compression", codec))
    table = client.query("SELECT i, 'the same text' AS s FROM generate_series(1, 30000) AS t(i) ORDER BY i", options)
    assert table.column("i").to_pylist() == list(range(1, 30001))
    assert set(table.column("s").to_pylist()) == {"the same text"}


def test_a_statement_without_columns_gives_none(client):
    table = client.query("CREATE TABLE made (i BIGINT)")
    assert table.num_columns == 0 and table.num_rows == 0
    assert client.query("SELECT * FROM made").num_rows == 0
