# SPDX-License-Identifier: Apache-2.0
"""Where requests of the engine may go: decoys that are never touched."""

import http.server
import ipaddress
import socket
import threading

import pytest

BODY = b"a,b\n1,x\n2,y\n"


class Server:
    """Answers every request with `answer(handler)`, and keeps what was asked."""

    def __init__(self, answer, address="127.0.0.1"):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                asked.append(self.path)
                answer(self)

            do_HEAD = do_PUT = do_GET

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(30)


def file(handler):
    handler.send_response(200)
    handler.send_header("content-length", str(len(BODY)))
    handler.send_header("etag", '"one"')
    handler.send_header("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(BODY)


def to(port, host="127.0.0.1", status=302):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("location", f"http://{host}:{port}{handler.path}")
        handler.send_header("content-length", "0")
        handler.end_headers()

    return answer


def secret(port):
    return f"CREATE SECRET web (TYPE http, SCOPE 'http://127.0.0.1:{port}/', allow_http true, max_retries 1);"


def closed(*hosts):
    return ("--set", "policy.preset=server", "--set", "policy.hosts=" + ",".join(hosts))


def test_nothing_is_asked_without_tls_unless_that_is_allowed(db):
    with Server(file) as door:
        host = f"127.0.0.1:{door.port}"
        db.fail(f"SELECT * FROM 'http://{host}/x.csv'", f"http://{host} has no TLS", "allow_http", "x.csv")
        keys = f"endpoint 'http://{host}', region 'x', access_key_id 'a', secret_access_key 'b'"
        db.fail(f"CREATE SECRET s (TYPE s3, SCOPE 's3://b/', {keys}); SELECT * FROM 's3://b/x.csv'", f"http://{host} has no TLS", "s3://b/x.csv")
        assert door.asked == []
        assert db.rows(secret(door.port) + f"SELECT sum(a) FROM 'http://{host}/x.csv'") == [(3,)]


def test_without_a_policy_an_answer_may_send_on(db):
    with Server(file) as decoy, Server(to(decoy.port)) as door:
        assert db.rows(secret(door.port) + f"SELECT sum(a) FROM 'http://127.0.0.1:{door.port}/x.csv'") == [(3,)]
        assert decoy.asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_listed_host_cannot_send_on_to_another(db, status):
    with Server(file) as decoy, Server(to(decoy.port, status=status)) as door:
        sql = secret(door.port) + f"SELECT * FROM 'http://127.0.0.1:{door.port}/x.csv'"
        db.fail(sql, "permission denied", "policy.hosts", args=closed(f"127.0.0.1:{door.port}"))
        assert door.asked and decoy.asked == []
        db.fail(sql, "permission denied", "policy.hosts", args=("--set", f"policy.hosts=127.0.0.1:{door.port}"))
        assert decoy.asked == []


def test_a_listed_host_may_send_on_to_a_listed_one(db):
    with Server(file) as target, Server(to(target.port)) as door:
        sql = secret(door.port) + f"SELECT sum(a) FROM 'http://127.0.0.1:{door.port}/x.csv'"
        assert db.rows(sql, *closed(f"127.0.0.1:{door.port}", f"127.0.0.1:{target.port}")) == [(3,)]
        assert target.asked


def test_a_listed_host_that_is_in_a_private_network_is_not_asked(db):
    name = socket.gethostname()
    try:
        address = sorted(found[4][0] for found in socket.getaddrinfo(name, None, socket.AF_INET))[0]
    except OSError:
        pytest.skip("this machine's name is not known to itself")
    if ipaddress.ip_address(address).is_global or name == "localhost":
        pytest.skip("this machine's name stands for a public address")
    with Server(file, address) as decoy:
        sql = f"SELECT * FROM 'https://{name}:{decoy.port}/x.csv'"
        db.fail(sql, "permission denied", address, args=closed(f"{name}:{decoy.port}"))
        assert decoy.asked == []
        # Its address is listed: now what it lacks is TLS.
        said = db.fail(sql, args=(*closed(f"{name}:{decoy.port}", address), "--timeout", "5s"))
        assert "permission denied" not in said
