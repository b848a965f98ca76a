# SPDX-License-Identifier: Apache-2.0
"""Statements that are ended, in every way in which both doors let them be: the work stops, and nothing is left of it.

WEIR_CANCELS says how many times each way is gone (by default 50)."""

import os
import pathlib
import random
import re
import socket
import struct
import time

import grpc
import pytest

from flight import any_of, field
from http_server import HttpServer, until
from two_users import Flight, statement, tickets_of

N = int(os.environ.get("WEIR_CANCELS", "50"))
WARM = 30  # before anything is counted: caches, pools and arenas fill up once
MB = 1 << 20
LIMIT = 128 * MB  # of the server's statements

STREAM = "SELECT i, 'some text ' || i AS s FROM generate_series(1, 4000000000) t(i)"
COUNT = "SELECT count(*) AS n FROM generate_series(1, 1000000) a(i), generate_series(1, 1000000) b(j) WHERE (i * j) % 7 = 3"
SORT = "SELECT i, 'some text ' || i AS s FROM generate_series(1, 30000000) t(i) ORDER BY i % 1000003, i"  # spills
JOIN = "SELECT count(*) AS n FROM lake.t a JOIN lake.t b ON a.k = b.k"
QUERIES = [STREAM, COUNT, SORT, JOIN]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("cancel")
    with HttpServer(directory, "--flight-listen", "127.0.0.1:0", config=f"memory_limit: {LIMIT}\nlimits: {{ statements: 64 }}\n", flight=True) as server:
        server.flight_address = until(lambda: re.search(r"Flight SQL at grpc://(127.0.0.1:\d+)\n", server.said()), "the Flight SQL door")[1]
        assert server.sql("COPY (SELECT i, i % 10 AS k, 'row ' || i AS s FROM generate_series(1, 300000) t(i)) TO 'data/t.parquet'").status == 200
        (directory / "data" / "long.sql").write_text("SELECT a.i, b.s FROM t a JOIN t b ON a.k = b.k")
        yield server


@pytest.fixture(scope="module")
def client(server):
    with Flight(server.flight_address) as client:
        yield client


class Early:
    """Each end meets the statement at another place: before it runs, while it begins, at its first rows."""

    ms = 20

    @staticmethod
    def wait(server, sql, used):
        time.sleep(random.choice([0, 0.002, 0.01, 0.03]))


class Late:
    """The end comes in the middle of the work. A stream that nobody reads stands still by then."""

    ms = 1500

    @staticmethod
    def wait(server, sql, used):
        if sql is STREAM:
            time.sleep(0.1)
        else:
            until(lambda: server.cpu() - used >= 0.3, f"it works: {sql}")


def running(server, sql):
    """The id of a statement that runs."""
    mark = sql.replace("'", "''")
    return until(lambda: server.rows(f"SELECT query_id FROM system.queries WHERE state = 'running' AND sql = '{mark}'"), f"it runs: {sql}")[0][0]


def ended(call, *codes):
    """Reads the rest of a call, which must end by one of these."""
    with pytest.raises(grpc.RpcError) as caught:
        for _ in call:
            pass
    assert caught.value.code().name in codes, caught.value


# ---- The ways ----


def flight_cancel(server, client, sql, end):
    used = server.cpu()
    info = client.info(statement(sql)).messages[0]
    call = client.start("DoGet", field(1, tickets_of(info)[0]))
    end.wait(server, sql, used)
    assert client.action("CancelFlightInfo", field(1, info)).code in ("OK", "NOT_FOUND")
    ended(call, "CANCELLED", "NOT_FOUND")


def flight_reset(server, client, sql, end):
    used = server.cpu()
    call = client.start("DoGet", field(1, tickets_of(client.info(statement(sql)).messages[0])[0]))
    end.wait(server, sql, used)
    call.cancel()


def flight_deadline(server, client, sql, end):
    ticket = field(1, tickets_of(client.info(statement(sql)).messages[0])[0])
    ended(client.channel.unary_stream("/arrow.flight.protocol.FlightService/DoGet")(ticket, timeout=end.ms / 1000), "DEADLINE_EXCEEDED", "CANCELLED")


def flight_closed(server, client, sql, end):
    used = server.cpu()
    with Flight(server.flight_address) as own:
        call = own.start("DoGet", field(1, tickets_of(own.info(statement(sql)).messages[0])[0]))
        if sql is STREAM:
            next(call)
        end.wait(server, sql, used)


def flight_timeout(server, client, sql, end):
    with Flight(server.flight_address) as own:
        answer = own.action("SetSessionOptions", field(1, field(1, "weir.statement_timeout") + field(2, field(1, f"{end.ms}ms"))))
        cookie = re.search(r"arrow_flight_session_id=([0-9a-f]{32})", answer.metadata)[0]
        own.headers.append(("cookie", cookie))
        answer = own.info(statement(sql))
        assert answer.code == "OK", answer
        ended(own.start("DoGet", field(1, tickets_of(answer.messages[0])[0])), "DEADLINE_EXCEEDED", "CANCELLED")


def flight_killed(server, client, sql, end):
    used = server.cpu()
    own = f"/* {random.random()} */ {sql}"
    call = client.start("DoGet", field(1, tickets_of(client.info(statement(own)).messages[0])[0]))
    one = running(server, own)
    end.wait(server, sql, used)
    assert server.sql(f"KILL QUERY '{one}'").status == 200
    ended(call, "CANCELLED")


def post(server, sql):
    connection = server.socket()
    body = sql.encode()
    connection.sendall(b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return connection


def drain(connection):
    """Reads until the server is done with the answer, which is no whole one."""
    data = b""
    while piece := connection.recv(MB):
        data = (data + piece)[-MB:]
        if data.startswith(b"HTTP/1.1 409") and b"\r\n\r\n" in data:
            break
    connection.close()
    assert b"HTTP/1.1 409" in data or not data.endswith(b"0\r\n\r\n"), data[-200:]


def http_deleted(server, client, sql, end):
    used = server.cpu()
    own = f"/* {random.random()} */ {sql}"
    connection = post(server, own)
    one = running(server, own)
    end.wait(server, sql, used)
    assert server.request("DELETE", f"/v1/queries/{one}").status == 202
    drain(connection)


def http_killed(server, client, sql, end):
    used = server.cpu()
    own = f"/* {random.random()} */ {sql}"
    connection = post(server, own)
    one = running(server, own)
    end.wait(server, sql, used)
    assert server.sql(f"KILL QUERY '{one}'").status == 200
    drain(connection)


def http_closed(server, client, sql, end):
    used = server.cpu()
    connection = post(server, sql)
    end.wait(server, sql, used)
    connection.close()


def http_aborted(server, client, sql, end):
    used = server.cpu()
    connection = post(server, sql)
    end.wait(server, sql, used)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def http_file_closed(server, client, sql, end):
    used = server.cpu()
    connection = server.socket()
    connection.sendall(b"GET /v1/files/lake/long.parquet HTTP/1.1\r\nHost: localhost\r\n\r\n")
    end.wait(server, sql, used)
    connection.close()


WAYS = [flight_cancel, flight_reset, flight_deadline, flight_closed, flight_timeout, flight_killed, http_deleted, http_killed, http_closed, http_aborted, http_file_closed]


# ---- What is left ----


def temporary(server):
    """Files that came of the work: what was spilled, spooled or is about to be."""
    found = {str(p) for p in server.directory.rglob("*") if p.is_file() and ("spill" in p.parts or "spool" in p.parts or p.suffix in (".tmp", ".part"))}
    return found | {link for link in server.open_files() if "(deleted)" in link}


def idle_after(server, start):
    """Seconds from `start` to the moment from which on the server uses no processor time."""
    while True:
        began, used = time.monotonic(), server.cpu()
        time.sleep(0.1)
        if server.cpu() - used <= 0.02:
            return max(0, began - start)
        assert time.monotonic() - start < 30, "the work goes on"


def figures(server):
    return {"open": server.open_files(), "threads": server.n_threads(), "memory": server.memory(), "files": temporary(server)}


def test_what_is_spilled_is_seen_and_goes(server):
    """That those below count temporary files at all."""
    connection = post(server, SORT)
    until(lambda: temporary(server), "it spills")
    connection.close()
    until(lambda: not temporary(server), "nothing is left", 5)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_work_ends_within_a_second(server, client, way):
    times = []
    for sql in QUERIES:
        way(server, client, sql, Late)
        times.append(idle_after(server, time.monotonic()))
    print(f"{way.__name__}: {max(times):.2f} s at most until nothing was done any more")
    assert max(times) < 1, times


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_is_left(server, client, way):
    random.seed(way.__name__)

    def go(n):
        for i in range(n):
            way(server, client, QUERIES[i % len(QUERIES)], Early)

    go(WARM)
    until(lambda: server.is_quiet(), "it is quiet")
    before = rest(server, None)
    start = time.monotonic()
    go(N)
    seconds = time.monotonic() - start
    idle = idle_after(server, time.monotonic())
    after = rest(server, before)
    # The allocator keeps what the last statements used, more or less of it. A leak stays, whatever runs next.
    for _ in range(5):
        if after["memory"] - before["memory"] < LIMIT:
            break
        go(WARM)
        after = rest(server, before)
    print(f"{way.__name__}: {N} in {seconds:.0f} s, then {idle:.2f} s; descriptors {len(before['open'])} -> {len(after['open'])}, threads {before['threads']} -> "
          f"{after['threads']}, memory {before['memory'] // MB} -> {after['memory'] // MB} MiB, files {len(before['files'])} -> {len(after['files'])}")  # fmt: skip
    assert after["memory"] - before["memory"] < LIMIT, (before, after)
    assert server.rows("SELECT count(*) AS n FROM system.queries WHERE state IN ('running', 'queued', 'planning')") == [(1,)]


def rest(server, before):
    """The figures when threads that have nothing to do have ended; not above those before, if there are any."""
    last = figures(server)

    def settled():
        nonlocal last
        now = figures(server)
        same = all(now[key] == last[key] for key in ("open", "threads", "files"))
        last = now
        if before is None:
            time.sleep(1)
            return same
        return len(now["open"]) <= len(before["open"]) and now["threads"] <= before["threads"] and now["files"] <= before["files"]

    try:
        until(settled, "it rests", 30)
    except AssertionError:
        raise AssertionError(f"{before} is now {last}") from None
    return last
