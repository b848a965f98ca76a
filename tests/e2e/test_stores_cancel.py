# SPDX-License-Identifier: Apache-2.0
"""Statements that wait for a store which does not answer end within a second, at whatever they wait."""

import http.server
import socket
import struct
import threading

import pytest
from http_server import HttpServer
from principals import LIBRARY, Session, WeirError
from waiting import Waiting, ends, under_way, until, waits

CSV = b"a,b\n1,x\n2,y\n"


class Store:
    """A web server and an S3 that holds back what `held` says, until it is closed."""

    def __init__(self, held):
        released = self.released = threading.Event()
        self.n_held = 0
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                if held(self):
                    store.n_held += 1
                    released.wait(60)
                    return
                self.send_response(200)
                self.send_header("content-length", str(len(CSV)))
                self.send_header("etag", '"one"')
                self.send_header("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(CSV)

            do_HEAD = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(30)


WEB = "SELECT sum(a) FROM 'http://127.0.0.1:{port}/x.csv'"
PLACES = {
    "the listing of a bucket": ("SELECT count(*) FROM 's3://bucket/x/*.csv'", lambda request: "list-type" in request.path),
    "the head of a file": (WEB, lambda request: request.command == "HEAD"),
    "the first bytes of a file": (WEB, lambda request: request.command == "GET"),
}


@pytest.fixture(params=PLACES)
def waiting(request, tmp_path):
    """A server with a statement that waits for the store, not begun yet."""
    sql, held = PLACES[request.param]
    store = Store(held)
    port = store.port
    config = (
        f"stores:\n  bucket: {{ url: 's3://bucket/', endpoint: 'http://127.0.0.1:{port}', region: x, allow_http: true, access_key_id: a, secret_access_key: b }}\n"
        f"  web: {{ url: 'http://127.0.0.1:{port}/', allow_http: true }}\n"
    )
    try:
        with HttpServer(tmp_path, config=config) as house:
            yield house, store, sql.format(port=port)
            until(lambda: not under_way(house), "nothing is under way")
            assert store.n_held > 0
            assert house.rows("SELECT 1 AS one") == [(1,)]
    finally:
        store.close()


def test_it_is_ended_by_kill(waiting):
    house, _, sql = waiting
    asking = Waiting(lambda: house.sql(sql))
    found = waits(house, "planning", "running")
    assert house.sql(f"KILL QUERY '{found}'").status == 200
    ends(lambda: not under_way(house))
    asking.join(20)
    assert asking.ended


def test_it_is_ended_by_going_away(waiting):
    house, _, sql = waiting
    connection = house.socket()
    connection.sendall(b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(sql) + sql.encode())
    waits(house, "planning", "running")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    ends(lambda: not under_way(house))


def test_the_look_up_for_a_plan_that_was_kept_is_ended_by_an_interrupt(tmp_path):
    is_held = threading.Event()
    store = Store(lambda request: is_held.is_set() and request.command == "HEAD")
    session = Session(LIBRARY, path=tmp_path)
    try:
        session.run(f"CREATE SECRET web (TYPE http, SCOPE 'http://127.0.0.1:{store.port}/', allow_http 'true')")
        sql = WEB.format(port=store.port)
        before = session.metrics()["plan_cache_hits"]
        assert [session.rows(sql) for _ in range(2)] == [[(3,)]] * 2
        assert session.metrics()["plan_cache_hits"] == before + 1
        is_held.set()
        errors = []

        def ask():
            try:
                session.rows(sql)
            except WeirError as error:
                errors.append(error)

        asking = Waiting(ask)
        until(lambda: store.n_held == 1, "it waits for the store")
        session.interrupt()
        ends(lambda: asking.ended)
        assert [error.sqlstate for error in errors] == ["57014"]
        is_held.clear()
        store.released.set()
        assert session.rows(sql) == [(3,)]
    finally:
        session.close()
        store.close()
