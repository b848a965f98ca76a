# SPDX-License-Identifier: Apache-2.0
"""The Flight SQL door's rules: statements, tickets, prepared statements, sessions, ingest, errors, ends."""

import base64
import threading
import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from flight import Client, any_of, any_value, door, field, fields, ingest_command, schema_of

LONG = "SELECT count(*) FROM generate_series(1, 100000000) AS a(i) CROSS JOIN generate_series(1, 100000) AS b(j) WHERE (i * j) % 7 = 3"
ENDLESS = "SELECT i, repeat('x', 1000) AS s FROM generate_series(1, 1000000000) AS t(i)"


@pytest.fixture(scope="module")
def address():
    with door() as address:
        yield address


@pytest.fixture
def client(address):
    with Client(address) as client:
        yield client


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def query(sql):
    return any_of("CommandStatementQuery", field(1, sql))


# ---- Statements and tickets ----


def test_the_schema_is_known_before_anything_runs(client):
    descriptor = flight.FlightDescriptor.for_command(query(LONG))
    started = time.monotonic()
    assert client.flight.get_schema(descriptor).schema.names == ["count(*)"]
    info = client.flight.get_flight_info(descriptor)
    assert info.schema.field(0).type == pa.int64()
    assert info.total_records == -1 and info.total_bytes == -1
    assert len(info.endpoints) == 1 and info.endpoints[0].locations == []
    assert time.monotonic() - started < 10
    cancel(client, info)


def test_columns_say_their_sql_types(client):
    info = client.info("CommandStatementQuery", field(1, "SELECT 1 AS n, 'x' AS s"))
    assert info.schema.field("n").metadata[b"ARROW:FLIGHT:SQL:TYPE_NAME"] == b"BIGINT"
    assert info.schema.field("s").metadata[b"ARROW:FLIGHT:SQL:TYPE_NAME"] == b"VARCHAR"


def test_a_ticket_is_good_once(client):
    info = client.info("CommandStatementQuery", field(1, "SELECT 1"))
    assert client.get(info.endpoints[0].ticket).read_all().num_rows == 1
    with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
        client.get(info.endpoints[0].ticket).read_all()


def test_a_ticket_is_good_on_another_connection(address, client):
    info = client.info("CommandStatementQuery", field(1, "SELECT 42 AS n"))
    with Client(address) as other:
        assert other.get(info.endpoints[0].ticket).read_all().column("n").to_pylist() == [42]


@pytest.mark.parametrize(
    "ticket, error, words",
    [
        (any_of("TicketStatementQuery", field(1, "0" * 32)), pa.ArrowKeyError, "no such ticket"),
        (any_of("TicketStatementQuery", field(1, "0" * 31)), pa.ArrowKeyError, "no such ticket"),
        (any_of("TicketStatementQuery", field(1, "0" * 32 + ":0")), pa.ArrowKeyError, "no such ticket"),
        (any_of("TicketStatementQuery", field(1, "0" * 32 + ":99999999999")), pa.ArrowKeyError, "no such ticket"),
        (any_of("TicketStatementQuery"), pa.ArrowKeyError, "no such ticket"),
        (any_of("CommandPreparedStatementQuery", field(1, "f" * 32)), pa.ArrowKeyError, "no such prepared"),
        (any_of("CommandStatementQuery", field(1, "SELECT 1")), pa.ArrowInvalid, "no ticket"),
        (any_of("CommandOfNobody"), pa.ArrowInvalid, "no ticket"),
        (b"", pa.ArrowInvalid, "google.protobuf.Any"),
        (b"SELECT 1", pa.ArrowInvalid, "not a valid Any"),
        (field(1, "type.googleapis.com/google.protobuf.Empty"), pa.ArrowInvalid, "google.protobuf.Any"),
    ],
)
def test_forged_and_broken_tickets_are_refused(client, ticket, error, words):
    with pytest.raises(error, match=words):
        client.get(ticket).read_all()


def test_a_ticket_with_a_bit_changed_is_refused(client):
    info = client.info("CommandStatementQuery", field(1, "SELECT 1"))
    ticket = bytearray(info.endpoints[0].ticket.ticket)
    ticket[-1] ^= 1
    with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
        client.get(bytes(ticket)).read_all()
    assert client.get(info.endpoints[0].ticket).read_all().num_rows == 1


def test_a_path_is_a_table(client):
    client.update("CREATE TABLE by_path AS SELECT 7 AS n")
    descriptor = flight.FlightDescriptor.for_path("weir", "public", "by_path")
    info = client.flight.get_flight_info(descriptor)
    assert client.get(info.endpoints[0].ticket).read_all().column("n").to_pylist() == [7]


def test_updates_tell_how_many_rows_they_changed(client):
    assert client.update("CREATE TABLE counted (i BIGINT)") == 0
    assert client.update("INSERT INTO counted VALUES (1), (2), (3)") == 3
    assert client.query("SELECT sum(i) AS s FROM counted").column("s").to_pylist() == [6]


def test_a_query_is_no_update(client):
    with pytest.raises(pa.ArrowInvalid, match="is a query"):
        client.update("SELECT 1")


def test_a_statement_runs_when_it_is_got_and_not_before(client):
    client.update("CREATE TABLE lazy (i BIGINT)")
    info = client.info("CommandStatementQuery", field(1, "INSERT INTO lazy VALUES (1)"))
    assert client.query("SELECT * FROM lazy").num_rows == 0
    client.get(info.endpoints[0].ticket).read_all()
    assert client.query("SELECT * FROM lazy").num_rows == 1


def test_polling_finds_it_complete(client):
    # pyarrow has no call for it: grpcio asks.
    grpc = pytest.importorskip("grpc")
    channel = grpc.insecure_channel(client.address)
    poll = channel.unary_unary("/arrow.flight.protocol.FlightService/PollFlightInfo")
    answer = fields(poll(field(1, 2) + field(2, query("SELECT 1"))))
    channel.close()
    assert 2 not in answer and 1 in answer
    assert len(fields(answer[1][0])[3]) == 1


def test_exchange_is_answered_clearly(client):
    descriptor = flight.FlightDescriptor.for_command(b"x")
    with pytest.raises(pa.ArrowNotImplementedError, match="DoExchange"):
        writer, reader = client.flight.do_exchange(descriptor)
        reader.read_chunk()


def test_there_are_no_flights_to_list(client):
    assert list(client.flight.list_flights()) == []


def test_actions_are_listed(client):
    names = {action.type for action in client.flight.list_actions()}
    assert {"CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo", "SetSessionOptions"} <= names
    assert not any("Transaction" in name or "Substrait" in name for name in names)


# ---- Errors ----


@pytest.mark.parametrize(
    "sql, error, words",
    [
        ("SELEC 1", pa.ArrowInvalid, ["SQLSTATE 42601"]),
        ("SELECT nothing_of_that_name", pa.ArrowInvalid, ["SQLSTATE 42703", "position 8"]),
        ("SELECT * FROM nowhere", pa.ArrowKeyError, ["nowhere", "SQLSTATE 42P01"]),
        ("", pa.ArrowInvalid, []),
    ],
)
def test_errors_of_planning_have_code_state_and_position(client, sql, error, words):
    with pytest.raises(error) as raised:
        client.query(sql)
    for word in words:
        assert word in str(raised.value)


def test_errors_in_the_middle_of_rows_come_through(client):
    with pytest.raises(pa.ArrowException) as raised:
        client.query("SELECT CAST(CASE WHEN i = 90000 THEN 'no number' ELSE '1' END AS BIGINT) AS n FROM generate_series(1, 100000) AS t(i)")
    assert "no number" in str(raised.value) and "SQLSTATE" in str(raised.value)
    assert client.query("SELECT 1 AS n").num_rows == 1


def test_a_message_in_other_scripts_is_readable(client):
    with pytest.raises(pa.ArrowException, match="größe"):
        client.query('SELECT * FROM "größe"')


def test_a_statement_with_a_nul_is_refused(client):
    with pytest.raises(pa.ArrowInvalid, match="NUL"):
        client.query("SELECT 1\0; DROP TABLE x")


@pytest.mark.parametrize("name", ["BeginTransaction", "EndTransaction", "BeginSavepoint", "EndSavepoint"])
def test_transactions_are_refused_clearly(client, name):
    with pytest.raises(pa.ArrowNotImplementedError, match="no transactions"):
        client.action(name, any_of(f"Action{name}Request"))


def test_a_transaction_that_nobody_began_is_not_there(client):
    with pytest.raises(pa.ArrowKeyError, match="no such transaction"):
        client.rows("CommandStatementQuery", field(1, "SELECT 1"), field(2, "tx"))


def test_substrait_is_refused_clearly(client):
    with pytest.raises(pa.ArrowNotImplementedError, match="Substrait"):
        client.info("CommandStatementSubstraitPlan", field(1, b""))
    with pytest.raises(pa.ArrowNotImplementedError, match="Substrait"):
        client.action("CreatePreparedSubstraitPlan", b"")


def test_an_unknown_action_is_refused_clearly(client):
    with pytest.raises(pa.ArrowNotImplementedError, match="MakeCoffee"):
        client.action("MakeCoffee")


# ---- Prepared statements ----


def test_a_prepared_query_says_its_schemas_and_runs_again_and_again(client):
    prepared = client.prepare("SELECT i * $1 AS n FROM generate_series(1, 3) AS t(i) WHERE i >= $2 ORDER BY i")
    assert prepared.dataset.names == ["n"]
    assert prepared.parameters.names == ["1", "2"]
    assert not prepared.is_update
    for factor in (1, 10):
        prepared.bind(pa.table({"a": [factor], "b": [2]}))
        assert prepared.rows().column("n").to_pylist() == [2 * factor, 3 * factor]
        assert prepared.rows().column("n").to_pylist() == [2 * factor, 3 * factor]
    prepared.close()
    with pytest.raises(pa.ArrowKeyError, match="no such prepared"):
        prepared.rows()
    with pytest.raises(pa.ArrowKeyError, match="no such prepared"):
        prepared.close()


def test_each_row_of_parameters_is_a_run(client):
    prepared = client.prepare("SELECT $1 AS a, i FROM generate_series(1, 2) AS t(i) ORDER BY i")
    prepared.bind(pa.table({"0": pa.array([5, None, 7], pa.int64())}))
    assert prepared.rows().to_pylist() == [{"a": a, "i": i} for a in (5, None, 7) for i in (1, 2)]


def test_parameters_are_meant_by_name_where_all_are_named_and_else_by_place(client):
    prepared = client.prepare("SELECT CAST($x AS BIGINT) - CAST($y AS BIGINT) AS n")
    prepared.bind(pa.table({"y": [1], "x": [10]}))
    assert prepared.rows().column("n").to_pylist() == [9]
    prepared = client.prepare("SELECT CAST($1 AS BIGINT) - CAST($2 AS BIGINT) AS n")
    prepared.bind(pa.table({"0": [1], "1": [10]}))
    assert prepared.rows().column("n").to_pylist() == [-9]


def test_a_prepared_update_runs_for_each_row(client):
    client.update("CREATE TABLE many (i BIGINT, s VARCHAR)")
    prepared = client.prepare("INSERT INTO many VALUES ($1, $2)")
    assert prepared.is_update and prepared.dataset.names == []
    rows = pa.table({"0": list(range(50)), "1": [f"s{i}" if i % 3 else None for i in range(50)]})
    assert prepared.update(rows) == 50
    assert client.query("SELECT * FROM many ORDER BY i").column("s").to_pylist() == rows.column("1").to_pylist()
    assert prepared.update(rows.slice(0, 0)) == 0


def test_a_wrong_number_of_parameters_is_refused(client):
    prepared = client.prepare("SELECT CAST($1 AS BIGINT) + CAST($2 AS BIGINT)")
    with pytest.raises(pa.ArrowException):
        prepared.bind(pa.table({"a": [1]}))
        prepared.rows()
    with pytest.raises(pa.ArrowException):
        client.prepare("SELECT CAST($1 AS BIGINT)").rows()


def test_a_prepared_ddl_takes_effect_when_it_runs(client):
    prepared = client.prepare("CREATE TABLE prepared_made AS SELECT 1 AS one")
    assert prepared.is_update
    with pytest.raises(pa.ArrowKeyError):
        client.query("SELECT * FROM prepared_made")
    prepared.update()
    assert client.query("SELECT * FROM prepared_made").num_rows == 1


def test_a_session_has_a_bound_of_open_handles(client):
    with pytest.raises(pa.ArrowException, match="1000 tickets"):
        for _ in range(1001):
            client.info("CommandStatementQuery", field(1, "SELECT 1"))


# ---- Ingest ----


def test_ingest_creates_appends_replaces_and_fails(client):
    rows = pa.table({"i": pa.array([1, 2, None], pa.int64()), "s": ["a", None, "c"]})

    def load(name, table, *options):
        return client.put(ingest_command(name, *options), table)[1][0]

    with pytest.raises(pa.ArrowKeyError):
        load("loaded", rows, 2, 2)
    assert load("loaded", rows, 1, 1) == 3
    with pytest.raises(pa.ArrowException, match="loaded"):
        load("loaded", rows, 1, 1)
    assert load("loaded", rows.slice(1), 2, 2) == 2
    assert client.query("SELECT * FROM loaded").to_pylist() == rows.to_pylist() + rows.slice(1).to_pylist()
    assert load("loaded", rows.slice(2), 1, 3) == 1
    assert client.query("SELECT * FROM loaded").to_pylist() == rows.slice(2).to_pylist()
    assert load("loaded_too", rows, 1, 2) == 3
    with pytest.raises(pa.ArrowInvalid):
        load("loaded", rows, 2, 1)


def test_ingest_of_many_batches_is_whole(client):
    rows = pa.table({"i": list(range(300000)), "s": [f"row {i}" for i in range(300000)]})
    assert client.put(ingest_command("big"), rows)[1][0] == 300000
    got = client.query("SELECT count(*) AS n, sum(i) AS s, count(DISTINCT s) AS d FROM big").to_pylist()
    assert got == [{"n": 300000, "s": sum(range(300000)), "d": 300000}]


def test_a_compressed_ingest_is_taken(client):
    rows = pa.table({"i": list(range(1000)), "s": ["the same"] * 1000})
    for codec in ("lz4", "zstd"):
        options = flight.FlightCallOptions(write_options=pa.ipc.IpcWriteOptions(compression=codec))
        client.put(ingest_command(f"packed_{codec}"), rows, options)
        assert client.query(f"SELECT * FROM packed_{codec} ORDER BY i").to_pylist() == rows.to_pylist()


def test_an_ingest_that_is_given_up_leaves_no_table(client):
    rows = pa.table({"i": [1, 2, 3]})
    descriptor = flight.FlightDescriptor.for_command(ingest_command("given_up"))
    writer, _ = client.flight.do_put(descriptor, rows.schema)
    writer.write_table(rows)
    del writer
    until(lambda: not exists(client, "given_up") or client.query("SELECT * FROM given_up").num_rows in (0, 3))


def exists(client, table):
    try:
        client.query(f"SELECT * FROM {table}")
        return True
    except pa.ArrowKeyError:
        return False


def test_options_of_an_ingest_that_are_not_known_are_refused(client):
    with pytest.raises(pa.ArrowInvalid, match="no option"):
        option = field(1000, field(1, "fast") + field(2, "yes"))
        client.put(any_of("CommandStatementIngest", field(2, "t"), option), pa.table({"i": [1]}))


def test_put_of_something_else_is_refused(client):
    with pytest.raises(pa.ArrowNotImplementedError, match="CommandGetTables"):
        client.put(any_of("CommandGetTables"), pa.table({"i": [1]}))
    with pytest.raises(pa.ArrowInvalid):
        client.put(b"junk", pa.table({"i": [1]}))


# ---- Sessions ----


def options_of(client):
    (result,) = client.action("GetSessionOptions")
    entries = [fields(entry) for entry in fields(result).get(1, [])]
    return {entry[1][0].decode(): fields(entry[2][0])[1][0].decode() for entry in entries}


def set_option(client, key, value):
    """0, or the error's number: 1 a wrong name, 2 a wrong value."""
    body = field(1, field(1, key) + field(2, value))
    (result,) = client.action("SetSessionOptions", body)
    errors = fields(result).get(1, [])
    return fields(fields(errors[0])[2][0])[1][0] if errors else 0


def test_a_connection_is_a_session(address, client):
    client.update("CREATE SCHEMA apart")
    client.update("USE apart")
    assert client.query("SELECT 1 AS n").num_rows == 1
    assert options_of(client)["schema"] == "apart"
    with Client(address) as other:
        assert options_of(other)["schema"] == "public"


def test_a_cookie_is_a_session_on_every_connection(address):
    with Client(address, cookies=True) as first:
        first.query("SELECT 1")
        assert set_option(first, "compression", field(1, "zstd")) == 0
        assert list(first.cookies.jar) == ["arrow_flight_session_id"]
        with Client(address, cookies=True) as second:
            second.cookies.jar.update(first.cookies.jar)
            assert options_of(second)["compression"] == "zstd"
    with Client(address, cookies=True) as stranger:
        stranger.cookies.jar["arrow_flight_session_id"] = "0" * 32
        with pytest.raises(flight.FlightUnauthenticatedError, match="session"):
            stranger.query("SELECT 1")
        assert stranger.cookies.jar == {}
        assert stranger.query("SELECT 1 AS n").num_rows == 1


def test_options_are_set_and_read(client):
    assert set_option(client, "schema", field(1, "public")) == 0
    assert set_option(client, "compression", field(1, "lz4")) == 0
    assert set_option(client, "compression", field(1, "rot13")) == 2
    assert set_option(client, "endpoints", field(1, "0")) == 2
    assert set_option(client, "no.such.option", field(1, "x")) == 1
    assert set_option(client, "catalog", field(1, "no_such_catalog")) == 2
    assert set_option(client, "datafusion.execution.batch_size", field(1, "100")) == 0
    found = options_of(client)
    assert found["compression"] == "lz4" and found["datafusion.execution.batch_size"] == "100"
    assert found["catalog"] == "weir" and found["schema"] == "public"
    assert client.query("SELECT i FROM generate_series(1, 5000) AS t(i)").num_rows == 5000


def test_a_catalog_is_used_by_an_option(client):
    assert set_option(client, "catalog", field(1, "system")) == 0
    assert options_of(client)["catalog"] == "system"


def test_a_closed_session_is_over(address):
    with Client(address, cookies=True) as client:
        prepared = client.prepare("SELECT 1 AS n")
        (result,) = client.action("CloseSession")
        assert fields(result)[1][0] == 1
        assert client.cookies.jar == {}
        with pytest.raises(pa.ArrowKeyError, match="closed"):
            prepared.rows()
        assert client.query("SELECT 2 AS n").column("n").to_pylist() == [2]


def test_calls_of_one_session_at_the_same_time_are_served(client):
    results = []

    def ask(i):
        results.append(client.query(f"SELECT {i} AS n").column("n").to_pylist()[0])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(24))


def test_a_handshake_gives_a_token_that_is_a_session(address):
    with Client(address) as client:
        header, token = client.flight.authenticate_basic_token(b"anyone", b"anything")
        assert header == b"authorization" and token.startswith(b"Bearer ")
    with Client(address, [("authorization", token.decode())]) as first:
        first.query("CREATE SCHEMA of_token")
        first.query("USE of_token")
    with Client(address, [("authorization", token.decode())]) as second:
        assert options_of(second)["schema"] == "of_token"


# ---- Ends ----


def cancel(client, info):
    tickets = b"".join(field(3, field(1, field(1, endpoint.ticket.ticket))) for endpoint in info.endpoints)
    (result,) = client.action("CancelFlightInfo", field(1, tickets))
    return fields(result)[1][0]


def test_a_ticket_that_is_cancelled_is_over(client):
    info = client.info("CommandStatementQuery", field(1, "SELECT 1"))
    assert cancel(client, info) == 1
    with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
        client.get(info.endpoints[0].ticket).read_all()
    with pytest.raises(pa.ArrowKeyError):
        cancel(client, info)


def test_a_running_query_is_cancelled_by_its_info(client):
    info = client.info("CommandStatementQuery", field(1, LONG))
    ended = []

    def read():
        # Not read_all, which makes an interrupt of the whole program of a call that is cancelled.
        with pytest.raises(flight.FlightCancelledError):
            client.get(info.endpoints[0].ticket).read_chunk()
        ended.append(time.monotonic())

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    asked = time.monotonic()
    assert cancel(client, info) == 1
    thread.join(20)
    assert ended and ended[0] - asked < 1.5


def test_a_deadline_ends_the_work(client):
    started = time.monotonic()
    with pytest.raises(flight.FlightTimedOutError):
        client.query(LONG, client.options(timeout=0.5))
    assert time.monotonic() - started < 5
    assert client.query("SELECT 1 AS n").num_rows == 1


def test_a_stream_that_is_given_up_ends_the_query(address, client):
    for _ in range(20):
        info = client.info("CommandStatementQuery", field(1, ENDLESS))
        reader = client.get(info.endpoints[0].ticket)
        reader.read_chunk()
        reader.cancel()
        del reader
    assert client.query("SELECT 1 AS n").num_rows == 1


def test_a_closed_connection_ends_the_query(address):
    for _ in range(5):
        with Client(address) as client:
            info = client.info("CommandStatementQuery", field(1, ENDLESS))
            client.get(info.endpoints[0].ticket).read_chunk()
    with Client(address) as client:
        assert client.query("SELECT 1 AS n").num_rows == 1


def test_an_endpoint_is_renewed_until_it_is_redeemed(client):
    info = client.info("CommandStatementQuery", field(1, "SELECT 5 AS n"))
    ticket = info.endpoints[0].ticket
    (endpoint,) = client.action("RenewFlightEndpoint", field(1, field(1, field(1, ticket.ticket))))
    again = fields(fields(endpoint)[1][0])[1][0]
    assert client.get(again).read_all().column("n").to_pylist() == [5]
    with pytest.raises(pa.ArrowKeyError):
        client.action("RenewFlightEndpoint", field(1, field(1, field(1, ticket.ticket))))


def test_a_prepared_statement_may_run_while_it_is_still_read_only_once(client):
    prepared = client.prepare(ENDLESS)
    ticket = any_of("CommandPreparedStatementQuery", field(1, prepared.handle))
    reader = client.get(ticket)
    reader.read_chunk()
    with pytest.raises(pa.ArrowInvalid, match="still being read"):
        client.get(ticket).read_chunk()
    reader.cancel()


# ---- Who may open what ----


def test_an_address_that_others_reach_is_refused_without_users_and_tls(tmp_path):
    with pytest.raises(AssertionError, match="users .*TLS"):
        with door("--listen", "0.0.0.0:0"):
            pass
    with pytest.raises(AssertionError, match="users .*TLS"):
        with door("--listen", "[::]:0"):
            pass
