# SPDX-License-Identifier: Apache-2.0
"""
Planning and metadata calls that wait for a database: one whose catalog is locked, and one that does not answer at
all. They end within a second when the client ends them, in every way in which both doors let it, and nothing is left.
"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import threading
import time

import grpc
import pytest
from backends import Server
from databases import need
from flight import any_of, field
from http_server import HttpServer, until
from two_users import Flight, descriptor, statement, tickets_of
from waiting import SECONDS, Waiting, ends, under_way, waits

CONFIG = """  pg: { kind: adbc, driver: postgresql, url: "${env:PG_URI}", metadata_ttl: 1ms, connect_timeout: 5s }
limits: { statements: 64 }
"""
QUERY = "SELECT * FROM pg.public.t"


@pytest.fixture(scope="module")
def postgres(drivers):
    need(drivers, "postgresql")
    server = Server(drivers)
    try:
        server.script("CREATE TABLE t (i BIGINT); INSERT INTO t VALUES (1)")
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def house(postgres, tmp_path_factory):
    with HttpServer(tmp_path_factory.mktemp("waits"), "--flight-listen", "127.0.0.1:0", config=CONFIG, env={"PG_URI": postgres.database().uri()}, flight=True) as server:
        server.flight_address = until(lambda: re.search(r"Flight SQL at grpc://(127.0.0.1:\d+)\n", server.said()), "the Flight SQL door")[1]
        yield server


# ---- What they wait for ----


@contextlib.contextmanager
def locked(postgres):
    """Whoever asks for columns waits in the database, which can be told to end that."""
    with postgres.database().connect() as connection:
        connection.adbc_connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE pg_catalog.pg_attribute, pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE")
            try:
                yield
            finally:
                connection.rollback()


@contextlib.contextmanager
def hanging(postgres):
    """Nobody answers, not even whoever is asked to cancel."""
    processes = [postgres.process.pid, *children(postgres.process.pid)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def children(process):
    return [int(child) for child in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()]


# ---- What is asked ----

INCLUDE_SCHEMA = field(5, 1)
METADATA = {
    "GetDbSchemas": any_of("CommandGetDbSchemas", field(1, "pg")),
    "GetTables": any_of("CommandGetTables", field(1, "pg")),
    "GetTables with schemas": any_of("CommandGetTables", field(1, "pg") + INCLUDE_SCHEMA),
}
PATHS = {"/v1/tables": "/v1/tables", "one table": "/v1/tables/pg/public/t", "a path": "/v1/tables?path=/pg/public/t", "a directory": "/v1/files/pg/public"}


@pytest.fixture(params=[locked, hanging], ids=lambda how: how.__name__)
def blocked(request, house, postgres):
    """Afterwards nothing is left: no statement, no thread in a driver, no descriptor."""
    house.rows(QUERY)  # it is connected
    with request.param(postgres):
        yield
        until(lambda: not under_way(house), "nothing is under way", SECONDS)
    until(lambda: house.rows(QUERY) == [(1,)], "it is of use again")


def test_planning_is_ended_by_kill_query(house, blocked):
    waiting = Waiting(lambda: house.sql(QUERY))
    found = waits(house, "planning")
    since = time.monotonic()
    assert house.sql(f"KILL QUERY '{found}'").status == 200
    waiting.ends(since)


def test_planning_is_ended_by_kill_session(house, blocked):
    waiting = Waiting(lambda: house.sql(QUERY))
    found = waits(house, "planning")
    session = house.rows(f"SELECT session_id FROM system.queries WHERE query_id = '{found}'")[0][0]
    since = time.monotonic()
    assert house.sql(f"KILL SESSION '{session}'").status == 200
    waiting.ends(since)


def test_planning_over_http_is_ended_by_going_away(house, blocked):
    connection = house.socket()
    connection.sendall(b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(QUERY) + QUERY.encode())
    waits(house, "planning")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    ends(lambda: not under_way(house))


def test_planning_over_flight_is_ended_by_cancel(house, blocked):
    with Flight(house.flight_address) as client:
        call = client.channel.unary_unary("/arrow.flight.protocol.FlightService/GetFlightInfo").future(descriptor(statement(QUERY)))
        waits(house, "planning")
        call.cancel()
        ends(lambda: not under_way(house))


def test_a_ticket_that_is_cancelled_while_its_reader_waits_for_the_session(house, postgres):
    """The reader has redeemed the ticket, and its statement has not begun: neither is lost from sight."""
    with Flight(house.flight_address) as client, locked(postgres):
        answer = client.action("SetSessionOptions", field(1, field(1, "weir.statement_timeout") + field(2, field(1, "60s"))))
        client.headers.append(("cookie", re.search(r"arrow_flight_session_id=([0-9a-f]{32})", answer.metadata)[0]))
        info = client.info(statement("SELECT 1 AS one")).messages[0]
        planning = Waiting(lambda: client.info(statement(QUERY)))
        found = waits(house, "planning")
        outcomes = []
        reading = Waiting(lambda: outcomes.append(client.call("DoGet", field(1, tickets_of(info)[0]))))
        time.sleep(0.3)
        assert not outcomes
        assert client.action("CancelFlightInfo", field(1, info)).code == "OK"
        since = time.monotonic()
        assert house.sql(f"KILL QUERY '{found}'").status == 200
        planning.ends(since)
        reading.ends(since)
        assert outcomes[0].code == "CANCELLED", outcomes


@pytest.mark.parametrize("path", PATHS)
def test_metadata_over_http_is_ended_by_going_away(house, blocked, path):
    connection = house.socket()
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % PATHS[path].encode())
    until(lambda: house.metric("weir_http_requests_open") == 2, "it is under way")
    time.sleep(0.3)
    assert house.metric("weir_http_requests_open") == 2
    connection.close()
    ends(lambda: house.metric("weir_http_requests_open") == 1)


def get(client, command, **options):
    return client.channel.unary_stream("/arrow.flight.protocol.FlightService/DoGet")(field(1, command), **options)


@pytest.mark.parametrize("command", METADATA)
@pytest.mark.parametrize("how", ["cancel", "close", "deadline"])
def test_metadata_over_flight_is_ended(house, blocked, command, how):
    with Flight(house.flight_address) as client:
        call = get(client, METADATA[command], timeout=1 if how == "deadline" else None)
        if how == "deadline":
            with pytest.raises(grpc.RpcError) as caught:
                list(call)
            assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        else:
            waits(house)
            if how == "cancel":
                call.cancel()
            else:
                client.channel.close()
        ends(lambda: not under_way(house))


def test_nothing_is_left_of_many(house, postgres):
    def once(client):
        with locked(postgres):
            calls = [get(client, command) for command in METADATA.values()]
            waits(house)
            for call in calls:
                call.cancel()
            ends(lambda: not under_way(house))
        assert house.rows(QUERY) == [(1,)]

    def figures():
        return len(house.open_files()), house.n_threads()

    with Flight(house.flight_address) as client:
        for _ in range(3):
            once(client)
        until(house.is_quiet, "it is quiet")
        files, threads = figures()
        for _ in range(20):
            once(client)
        # Threads that waited for a driver wait ten seconds for other work.
        until(lambda: figures()[0] <= files and figures()[1] <= threads, f"no more than {files} descriptors and {threads} threads", 30)
