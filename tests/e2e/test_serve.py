# SPDX-License-Identifier: Apache-2.0
"""weir serve: how it starts, reloads and ends."""

import http.client
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings

import pytest

from conftest import PROGRAM
from http_server import HttpServer, until

SLOW = "SELECT count(*) AS n FROM generate_series(1, 20000) a(i), generate_series(1, {}) b(j) WHERE (i * j) % 7 = 3"
HEAVY = SLOW.format(1000000)


def certificate(directory, name, subject="localhost", ca=None):
    """Writes NAME.pem and NAME.key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={subject}",
               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem"]
    if ca:
        command += ["-CA", directory / f"{ca}.pem", "-CAkey", directory / f"{ca}.key", "-addext", "basicConstraints=critical,CA:false"]
    subprocess.run(command, check=True, capture_output=True)


def serve(directory, *args, **env):
    return subprocess.run([PROGRAM, "serve", *map(str, args)], cwd=directory, capture_output=True, text=True, timeout=30,
                          env={**os.environ, "HOME": str(directory), "NO_COLOR": "1", **env})


# ---- Starting ----


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
@pytest.mark.parametrize("tls", [False, True])
def test_an_address_that_others_reach_needs_users_and_tls(tmp_path, listen, tls):
    certificate(tmp_path, "one")
    arguments = ["--set", f"tls.certificate={tmp_path}/one.pem", "--set", f"tls.key={tmp_path}/one.key"] if tls else []
    done = serve(tmp_path, "--http-listen", listen, "--flight-listen", "off", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert "there are no users" in done.stderr and listen in done.stderr
    assert ("there is no tls.certificate" in done.stderr) == (not tls)


@pytest.mark.parametrize("listen", ["127.0.0.1", "8080", ":8080", "127.0.0.1:x", "127.0.0.1:", "127.0.0.1:99999", "[::1:80", "::1:80", "nowhere.invalid:80", "127.0.0.1:80:80"])
def test_a_wrong_address_is_wrong_usage(tmp_path, listen):
    done = serve(tmp_path, "--http-listen", listen, "--flight-listen", "off")
    assert done.returncode == 2 and listen in done.stderr, done.stderr


def test_nothing_to_serve_is_wrong_usage(tmp_path):
    done = serve(tmp_path, "--http-listen", "off", "--flight-listen", "off")
    assert done.returncode == 2 and "http.listen and flight.listen are off" in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = serve(tmp_path, "--http-listen", listen, "--flight-listen", "off")
    assert done.returncode == 1 and f"cannot listen at {listen}: Address already in use" in done.stderr


def test_the_address_comes_from_flag_key_variable_and_file(tmp_path):
    (tmp_path / "weir.yaml").write_text("http: { listen: y }\nflight: { listen: off }\n")
    for arguments, env in ((["--http-listen", "x"], {}), (["--set", "http.listen=x"], {}), ([], {"WEIR_HTTP_LISTEN": "x"})):
        assert '"x" is no address' in serve(tmp_path, *arguments, **env).stderr
    assert '"y" is no address' in serve(tmp_path).stderr


def test_it_says_where_it_serves_and_nothing_else(tmp_path):
    with HttpServer(tmp_path) as server:
        assert re.fullmatch(r"weir serve: HTTP at http://127\.0\.0\.1:\d+/\n", server.said())


def test_it_takes_as_many_descriptors_as_it_may(tmp_path):
    def low():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096))

    with HttpServer(tmp_path, preexec_fn=low) as server:
        connections = [server.socket() for _ in range(600)]
        until(lambda: server.metric("weir_http_connections_open") >= 600, "all are taken")
        for connection in connections:
            connection.close()


# ---- Ending ----


def test_sigterm_lets_running_requests_end_and_refuses_others(tmp_path):
    with HttpServer(tmp_path) as server:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(server.sql(SLOW.format(20000))))
        before = server.cpu()
        thread.start()
        until(lambda: server.cpu() > before + 0.1, "the query runs")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.get("/ready").status == 503, "it drains")
        assert server.get("/health").status == 200
        refused = server.sql("SELECT 1")
        assert refused.status == 503 and refused.headers["Retry-After"] and refused.headers["Connection"] == "close"
        thread.join()
        assert answers[0].status == 200 and answers[0].json()["row_count"] == 1
        assert server.process.wait(10) == 0


def test_what_does_not_end_in_time_is_ended(tmp_path):
    with HttpServer(tmp_path, "--set", "drain_timeout=1s") as server:
        connection = server.socket()
        connection.sendall(f"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(HEAVY)}\r\n\r\n{HEAVY}".encode())
        before = server.cpu()
        until(lambda: server.cpu() > before + 0.2, "the query runs")
        start = time.monotonic()
        assert server.end() == 0
        assert 0.9 < time.monotonic() - start < 5


def test_a_second_signal_ends_it_at_once(tmp_path):
    with HttpServer(tmp_path) as server:
        connection = server.socket()
        connection.sendall(f"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(HEAVY)}\r\n\r\n{HEAVY}".encode())
        before = server.cpu()
        until(lambda: server.cpu() > before + 0.2, "the query runs")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "ending" in server.said(), "it drains")
        start = time.monotonic()
        assert server.end() == 128 + signal.SIGTERM
        assert time.monotonic() - start < 1


def test_ctrl_c_ends_it_with_130(tmp_path):
    with HttpServer(tmp_path) as server:
        assert server.end(signal.SIGINT) == 130


def test_idle_and_slow_connections_do_not_hold_the_end_up(tmp_path):
    with HttpServer(tmp_path, "--set", "drain_timeout=1s") as server:
        connections = [server.socket() for _ in range(20)]
        endless = "SELECT i FROM generate_series(1, 4000000000) t(i)"
        for connection in connections[:5]:
            connection.sendall(f"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(endless)}\r\n\r\n{endless}".encode())
            connection.recv(100)
        start = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - start < 5


def test_starting_and_ending_leave_nothing(tmp_path):
    with HttpServer(tmp_path) as server:
        server.rows("SELECT 1 AS a")
        server.get("/v1/files/system/extensions.parquet")
        assert server.sql("SELECT 1 AS a", "application/vnd.apache.parquet").status == 200
        assert server.end() == 0
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"data", "weir.yaml", "serve.err", ".weir"}, left


# ---- The service manager ----


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_hears_of_it(tmp_path, abstract):
    name = f"@weir-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(10)
        with HttpServer(tmp_path, env={"NOTIFY_SOCKET": name}) as server:
            assert manager.recv(100) == b"READY=1"
            server.process.send_signal(signal.SIGHUP)
            assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", manager.recv(100))
            assert manager.recv(100) == b"READY=1"
            server.process.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert server.process.wait(10) == 0


# ---- TLS ----


def ask(server, context, path="/health"):
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(), connection.sock.version()
    finally:
        connection.close()


def trusting(*files):
    context = ssl.create_default_context()
    for file in files:
        context.load_verify_locations(file)
    return context


def test_tls_reads_its_certificate_again(tmp_path):
    certificate(tmp_path, "one")
    certificate(tmp_path, "two")
    one, two = (tmp_path / "one.pem").read_bytes(), (tmp_path / "two.pem").read_bytes()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "big.bin").write_bytes(os.urandom(1 << 20) * 8)
    (tmp_path / "now.pem").write_bytes(one)
    (tmp_path / "now.key").write_bytes((tmp_path / "one.key").read_bytes())
    config = "tls: { certificate: now.pem, key: now.key }\n"
    with HttpServer(tmp_path, config=config) as server:
        assert server.scheme == "https"
        status, body, version = ask(server, trusting(tmp_path / "one.pem"))
        assert status == 200 and version == "TLSv1.3"
        assert ask(server, trusting(tmp_path / "one.pem"), "/v1/files/lake/big.bin")[1] == (tmp_path / "data" / "big.bin").read_bytes()
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(server, trusting(tmp_path / "two.pem"))
        # A key of another certificate, and no certificate at all: the old one stays.
        for wrong in (two, b"nonsense"):
            (tmp_path / "now.pem").write_bytes(wrong)
            server.process.send_signal(signal.SIGHUP)
            said = server.said().count("the certificates of before stay")
            until(lambda: server.said().count("the certificates of before stay") > said - 1 and "now.pem" in server.said(), "it complains")
            assert ask(server, trusting(tmp_path / "one.pem"))[0] == 200
        (tmp_path / "now.pem").write_bytes(two)
        (tmp_path / "now.key").write_bytes((tmp_path / "two.key").read_bytes())
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "read again" in server.said(), "it reloads")
        assert ask(server, trusting(tmp_path / "two.pem"))[0] == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(server, trusting(tmp_path / "one.pem"))
        old = trusting(tmp_path / "two.pem")
        with warnings.catch_warnings(action="ignore"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError):
            ask(server, old)
        assert server.end() == 0


def test_a_vanished_client_is_noticed_through_tls(tmp_path):
    certificate(tmp_path, "one")
    with HttpServer(tmp_path, "--set", f"tls.certificate={tmp_path}/one.pem", "--set", f"tls.key={tmp_path}/one.key") as server:
        context = trusting(tmp_path / "one.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=10)
        connection.request("POST", "/v1/sql", HEAVY)
        before = server.cpu()
        until(lambda: server.cpu() > before + 0.2, "the query runs")
        connection.close()

        def stands_still():
            used = server.cpu()
            time.sleep(0.3)
            return server.cpu() - used < 0.1

        until(stands_still, "the query has ended", 5)
        many = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=20)
        many.request("POST", "/v1/sql", "SELECT i FROM generate_series(1, 3000000) t(i)", {"Accept": "application/x-ndjson"})
        assert many.getresponse().read().count(b"\n") == 3000000


@pytest.mark.parametrize("settings, expected", [
    ({"tls.certificate": "one.pem"}, "needs tls.key too"), ({"tls.key": "one.key"}, "needs tls.certificate too"),
    ({"tls.client_ca": "one.pem"}, "needs tls.certificate too"), ({"tls.certificate": "no.pem", "tls.key": "one.key"}, "no.pem"),
    ({"tls.certificate": "one.pem", "tls.key": "two.key"}, "is not that of the certificate"), ({"tls.certificate": "one.key", "tls.key": "one.key"}, "one.key"),
])
def test_wrong_tls_files_are_told(tmp_path, settings, expected):
    certificate(tmp_path, "one")
    certificate(tmp_path, "two")
    arguments = [word for key, name in settings.items() for word in ("--set", f"{key}={tmp_path}/{name}")]
    done = serve(tmp_path, "--http-listen", "127.0.0.1:0", "--flight-listen", "off", *arguments)
    assert done.returncode in (1, 2) and expected in done.stderr, done.stderr


def test_plain_http_to_tls_and_tls_to_plain_http_are_survived(tmp_path):
    certificate(tmp_path, "one")
    with HttpServer(tmp_path, "--set", f"tls.certificate={tmp_path}/one.pem", "--set", f"tls.key={tmp_path}/one.key") as server:
        with server.socket() as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200" not in connection.recv(1000)
        assert ask(server, trusting(tmp_path / "one.pem"))[0] == 200


def test_the_settings_of_the_door_are_keys(tmp_path):
    found = subprocess.run([PROGRAM, "config", "show", "--format", "jsonl"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    keys = {json.loads(line)["key"] for line in found.splitlines()}
    assert {"http.listen", "http.max_body_bytes", "http.cors_origins", "drain_timeout"} <= keys
