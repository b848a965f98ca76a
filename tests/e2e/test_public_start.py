# SPDX-License-Identifier: Apache-2.0
"""A server that other machines reach: it needs users and TLS, and says so; and the lines that `make demo-server` prints."""

import contextlib
import os
import pathlib
import re
import shlex
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from conftest import PROGRAM, Weir
from http_server import until
from two_users import Flight, basic, statement

ROOT = pathlib.Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def serving(directory, *args):
    """Runs `weir serve` for all addresses, and gives both ports."""
    said = directory / "serve.err"
    with said.open("w") as messages:
        process = subprocess.Popen([PROGRAM, "serve", "--http-listen", "0.0.0.0:0", "--flight-listen", "0.0.0.0:0", *map(str, args)], cwd=directory, stdout=subprocess.DEVNULL, stderr=messages)
    try:
        found = until(lambda: re.search(r"HTTP at https://0.0.0.0:(\d+)/\n.*Flight SQL at grpc\+tls://0.0.0.0:(\d+)\n", said.read_text()) or process.poll() is not None, "it serves")
        assert found is not True, said.read_text()
        yield int(found[1]), int(found[2])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def tls(certificates, *more):
    options = certificates.server
    return ["--set", f"tls.certificate={options['certificate']}", "--set", f"tls.key={options['key']}", *more]


@pytest.fixture
def house(tmp_path):
    """A workspace with a user."""
    (tmp_path / "weir.yaml").write_text("auth:\n  password: { memory: 1MiB, operations: 1 }\n")
    assert Weir(tmp_path).run("user", "add", "ada", input="secret\n").returncode == 0
    return tmp_path


def ask(port, certificates, authorization=None, own=None):
    """The status of a query over HTTPS, and its answer."""
    context = ssl.create_default_context(cafile=certificates.path("authority.pem"))
    if own:
        context.load_cert_chain(certificates.path(f"{own}.pem"), certificates.path(f"{own}.key"))
    request = urllib.request.Request(f"https://localhost:{port}/v1/sql", b"SELECT user_name FROM system.sessions WHERE door = 'http'", {"Accept": "text/csv"})
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ask_flight(port, certificates, headers=(), own=None):
    with Flight(f"localhost:{port}", headers, certificates.credentials(own)) as flight:
        return flight.info(statement("SELECT 1 AS a")).code


@pytest.mark.parametrize("door, listen", [("http", "0.0.0.0:0"), ("http", "[::]:0"), ("http", "*:0"), ("flight", "0.0.0.0:0"), ("flight", "[::]:0"), ("flight", "*:0")])
@pytest.mark.parametrize("users, encrypted", [(False, False), (True, False), (False, True)])
def test_what_is_missing_is_told_and_nothing_is_opened(tmp_path_factory, certificates, house, door, listen, users, encrypted):
    directory = house if users else tmp_path_factory.mktemp("nobody")
    other = "flight" if door == "http" else "http"
    options = tls(certificates) if encrypted else []
    done = subprocess.run([PROGRAM, "serve", f"--{door}-listen", listen, f"--{other}-listen", "127.0.0.1:0", *options], cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == "" and "weir serve:" not in done.stderr, done.stderr
    assert listen in done.stderr and ("users" in done.stderr) == (not users) and ("tls.certificate" in done.stderr) == (not encrypted), done.stderr
    assert "127.0.0.1" in done.stderr  # what to do


@pytest.mark.parametrize("listen", ["127.0.0.1:0,0.0.0.0:0", "0.0.0.0:0 , 127.0.0.1:0", " 0.0.0.0:0 ", "localhost:0,[::]:0"])
def test_one_public_address_among_several_is_refused(tmp_path, listen):
    done = subprocess.run([PROGRAM, "serve", "--flight-listen", listen, "--http-listen", "off"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "weir serve:" not in done.stderr and "which other machines reach" in done.stderr, done.stderr


def test_users_and_tls_may_be_open_to_others(house, certificates):
    with serving(house, *tls(certificates)) as (http, flight):
        right, wrong = basic("ada", "secret"), basic("ada", "wrong")
        assert ask(http, certificates, right) == (200, "user_name\nada\n")
        assert ask(http, certificates, wrong)[0] == ask(http, certificates)[0] == 401
        assert ask_flight(flight, certificates, [("authorization", right)]) == "OK"
        assert ask_flight(flight, certificates, [("authorization", wrong)]) == ask_flight(flight, certificates) == "UNAUTHENTICATED"
        # Without TLS there is nothing to talk to.
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://localhost:{http}/health", timeout=20)
        with Flight(f"localhost:{flight}", [("authorization", right)]) as plain:
            assert plain.info(statement("SELECT 1 AS a")).code == "UNAVAILABLE"


def test_a_certificate_is_a_user_by_its_subject(house, certificates):
    authority = ["--set", f"tls.client_ca={certificates.path('authority.pem')}"]
    certificates.make("bob", "/CN=bob", "authority")
    with (house / "weir.yaml").open("a") as file:
        file.write("  certificates: ['ada=CN=ada,O=Engines\\, Ltd']\n")
    with serving(house, *tls(certificates, *authority)) as (http, flight):
        assert ask(http, certificates, own="ada") == (200, "user_name\nada\n")
        assert ask_flight(flight, certificates, own="ada") == "OK"
        # One of the authority whose subject is nobody's, and none.
        for own in ("bob", None):
            assert ask(http, certificates, own=own)[0] == 401
            assert ask_flight(flight, certificates, own=own) == "UNAUTHENTICATED"
        # The right subject from another authority: HTTP takes it for none, gRPC ends the handshake.
        assert ask(http, certificates, own="mallory")[0] == 401
        assert ask_flight(flight, certificates, own="mallory") in ("UNAVAILABLE", "UNAUTHENTICATED")
        # Who has no certificate has a password.
        assert ask(http, certificates, basic("ada", "secret"))[0] == 200


# ---- make demo-server ----


@pytest.fixture(scope="module")
def lines():
    """What it prints to paste, by name."""
    build = pathlib.Path(PROGRAM).parent
    environment = {**os.environ, "WEIR_HTTP_LISTEN": "127.0.0.1:0", "WEIR_FLIGHT_LISTEN": "127.0.0.1:0"}
    process = subprocess.Popen([ROOT / "scripts" / "demo-server", build], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    try:
        found = {}
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
            name, _, rest = line.strip().partition(" ")
            found[name] = rest.strip()
        yield found
    finally:
        process.terminate()
        process.wait(60)


ANSWER = [("UA", 58665), ("B6", 54635), ("EV", 54173)]


def paste(line):
    """As a shell runs it, with the Python of the tests."""
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_line_for_python_answers(lines):
    assert eval(paste(lines["Python"])) == ANSWER


def test_the_line_for_curl_answers(lines):
    assert paste(lines["curl"]) == "carrier,flights\n" + "".join(f"{carrier},{n}\n" for carrier, n in ANSWER)


def test_the_line_for_jdbc_answers(lines):
    name, _, jar = subprocess.run([ROOT / "scripts" / "jdbc"], capture_output=True, text=True).stdout.strip().partition("=")
    if name != "jdbc":
        pytest.skip(jar)
    sql = shlex.split(lines["curl"])[-1]
    command = ["java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp", jar, ROOT / "tests" / "e2e" / "java" / "Ask.java", lines["JDBC"], sql]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == [f"{carrier}|{n}" for carrier, n in ANSWER], done.stderr[-2000:]
