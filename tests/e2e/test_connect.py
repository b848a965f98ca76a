# SPDX-License-Identifier: Apache-2.0
"""weir --connect: the program and its shell against a running `weir serve`."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

import pexpect
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from conftest import PROGRAM, Weir
from http_server import HttpServer, until
from test_shell import ENDLESS, PROMPT, Shell

ALL_TYPES = """SELECT 1::tinyint AS i8, 2::smallint AS i16, 3 AS i64, 1.5::float AS f32, 2.5 AS f64, 12.34::decimal(10, 2) AS d, true AS b, 'é\u2028' AS t,
    arrow_cast('bytes', 'Binary') AS bin, DATE '2026-01-02' AS day, TIMESTAMP '2026-01-02 03:04:05.678901' AS ts, INTERVAL '2' DAY AS iv,
    [1, NULL, 3] AS list, struct(1 AS x, 'y' AS y) AS st, NULL AS n, CAST(NULL AS varchar) AS nt"""


class Server(HttpServer):
    def __init__(self, directory, *args, listen="127.0.0.1:0", **kwargs):
        super().__init__(directory, "--flight-listen", listen, *args, flight=True, **kwargs)
        found = until(lambda: re.search(r"Flight SQL at ((grpc(?:\+tls)?)://(127.0.0.1:(\d+)))\n", self.said()), "the Flight SQL door")
        self.uri, self.scheme, self.address, self.flight_port = found[1], found[2], found[3], int(found[4])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("connect")
    (directory / "data").mkdir()
    (directory / "data" / "people.csv").write_text("id,name\n1,Ada\n2,\n3,Grace\n")
    with Server(directory) as running:
        yield running


@pytest.fixture
def remote(server, tmp_path):
    """Runs `weir ... --connect` in an empty directory of its own."""

    class Remote(Weir):
        def run(self, command, *args, **kwargs):
            return super().run(command, "--connect", server.uri, *args, **kwargs)

    return Remote(tmp_path)


# ---- Statements ----


@pytest.mark.parametrize("format", ["table", "csv", "tsv", "json", "jsonl", "markdown", "line"])
def test_a_result_looks_as_it_does_here(remote, db, format):
    assert remote.ok(ALL_TYPES, "--format", format) == db.ok(ALL_TYPES, "--format", format)


@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows", "csv"])
def test_a_result_goes_into_a_file(remote, tmp_path, extension):
    path = tmp_path / f"out.{extension}"
    remote.ok("SELECT value AS n, CASE WHEN value % 2 = 0 THEN NULL ELSE 'odd' END AS t FROM generate_series(1, 100000)", "-o", path)
    if extension == "parquet":
        table = pyarrow.parquet.read_table(path)
    elif extension == "csv":
        assert len(path.read_text().splitlines()) == 100001
        return
    else:
        opener = pyarrow.ipc.open_file if extension == "arrow" else pyarrow.ipc.open_stream
        table = opener(path.read_bytes()).read_all()
    assert table.num_rows == 100000 and sorted(table["n"].to_pylist()) == list(range(1, 100001))
    assert table["t"].null_count == 50000


def test_a_null_is_written_as_asked(remote):
    assert remote.ok("SELECT NULL AS a, 'x' AS b", "--format", "csv", "--null", "-", "--no-header") == "-,x\n"


def test_an_empty_result_has_its_columns(remote):
    assert remote.ok("SELECT 1 AS a, 'x' AS b WHERE false", "--format", "csv") == "a,b\n"


def test_parameters_go_along_in_queries_and_changes(remote):
    rows = remote.rows("SELECT $a + 1 AS n, $b AS t, $c AS z", "--param", "a=41", "--param", "b=it's", "--param", "c=null")
    assert rows == [(42, "it's", None)]
    remote.ok("CREATE TABLE given(a bigint, t varchar)")
    remote.ok("INSERT INTO given VALUES ($1, $2)", "--param", "1=7", "--param", "2=seven")
    assert remote.rows("SELECT * FROM given WHERE a = $1", "--param", "1=7") == [(7, "seven")]
    assert remote.rows("SELECT * FROM given") == [(7, "seven")]
    remote.fail("SELECT $nobody", "--param nobody=VALUE")


def test_statements_of_a_script_share_a_session(remote, tmp_path):
    (tmp_path / "script.sql").write_text(
        "CREATE TEMPORARY VIEW seen AS SELECT 5 AS a;\nSET datafusion.execution.batch_size = 1234;\n.mode csv\nSELECT a FROM seen;\nSHOW datafusion.execution.batch_size;\n"
    )
    done = remote.run("sql", "-f", "script.sql")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "a\n5\nname,value\ndatafusion.execution.batch_size,1234\n"


def test_a_setting_is_the_sessions_and_a_key_is_not(remote):
    assert remote.rows("SHOW datafusion.execution.batch_size", "--set", "datafusion.execution.batch_size=99") == [("datafusion.execution.batch_size", "99")]
    assert 'did you mean "datafusion.execution.batch_size"' in remote.run("sql", "--set", "datafusion.execution.batch_sise=99", "SELECT 1").stderr
    done = remote.run("sql", "--set", "http.listen=off", "SELECT 1")
    assert done.returncode == 2 and "http.listen is a key of the server's configuration" in done.stderr


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1 FROM nope", "SELEC 1", "SELECT nope\n FROM generate_series(1, 2)", "SELECT 1/0", "SELECT CAST('é' AS INT)", "SELECT 1 FROM 'missing.csv'",
     "SELECT CAST(value::varchar || 'x' AS INT) FROM generate_series(5, 5)", "DROP TABLE nope"],
)
def test_an_error_is_the_one_that_would_be_here(remote, db, sql):
    here, there = db.run("sql", sql), remote.run("sql", sql)
    assert (there.returncode, there.stdout) == (here.returncode, here.stdout) == (1, "")
    # Paths of relative names are the server's.
    assert there.stderr.splitlines()[0].split(":")[0] == "error"
    if "missing" not in sql:
        assert there.stderr == here.stderr


def test_an_error_in_the_middle_of_the_rows_ends_the_result(remote, tmp_path):
    sql = "SELECT CASE WHEN value < 900000 THEN 1 ELSE CAST('x' || value::varchar AS INT) END FROM generate_series(1, 1000000)"
    done = remote.run("sql", "-o", "out.parquet", sql)
    assert done.returncode == 1 and "(22P02)" in done.stderr and not list(tmp_path.glob("*.parquet*"))


def test_cat_and_describe_ask_the_server(remote):
    assert remote.run("cat", "/lake/people.csv").stdout == "id,name\n1,Ada\n2,\n3,Grace\n"
    assert remote.run("cat", "/lake/people.csv", "--sql", "SELECT count(name) AS n FROM data").stdout == "n\n2\n"
    described = remote.run("describe", "/lake/people.csv", "--format", "csv").stdout.splitlines()
    assert [line.split(",")[0] for line in described[1:]] == ["id", "name"]
    remote.ok("CREATE TABLE dotted(only_column int)")
    assert "only_column" in remote.run("describe", "weir.public.dotted").stdout


def test_ls_lists_what_the_servers_sql_shows(remote, server):
    logs = server.directory / "data" / "logs"
    logs.mkdir()
    (logs / "x.csv").write_text("a\n1\n")
    (logs / "note.txt").write_text("no table")
    remote.ok("CREATE TABLE listed(i int); CREATE VIEW glance AS SELECT 1 AS i; CREATE SCHEMA hollow")
    names = remote.run("ls").stdout.splitlines()
    assert names == remote.run("ls", "/").stdout.splitlines() and {"lake/", "system/", "weir/"} <= set(names)
    assert remote.run("ls", "/lake").stdout == "logs/\npeople.csv\n"
    assert remote.run("ls", "/lake/", "-R").stdout == "logs/\nlogs/x.csv\npeople.csv\n"
    assert {"listed,table", "glance,view"} <= set(remote.run("ls", "/weir/public", "--format", "csv").stdout.splitlines())
    assert remote.run("ls", "/lake", "--format", "csv").stdout == "name,kind\nlogs,series\npeople.csv,csv\n"
    assert remote.run("ls", "/weir/hollow").stdout == ""
    both = remote.run("ls", "/lake/logs", "/weir/hollow", "/lake/people.csv")
    assert both.stdout == "/lake/logs:\nx.csv\n\n/weir/hollow:\n\n/lake/people.csv\n", both
    for wrong, word in (("/nope", "/v1/files/nope"), ("/lake/nope", "no such"), ("lake", "begins with a slash"), ("/it's \"quoted\"", "no such")):
        done = remote.run("ls", wrong)
        assert done.returncode == 1 and done.stdout == "" and word in done.stderr, done


def test_tables_are_copied_and_removed_by_path(remote):
    assert remote.run("mkdir", "/weir/box").returncode == 0
    assert "42P06" in remote.run("mkdir", "/weir/box").stderr
    assert remote.run("mkdir", "-p", "/weir/box").returncode == 0
    assert remote.run("cp", "/lake/people.csv", "/weir/box/people").returncode == 0
    assert remote.run("cat", "/weir/box/people").stdout == "id,name\n1,Ada\n2,\n3,Grace\n"
    done = remote.run("cp", "/lake/people.csv", "/weir/box/people")
    assert done.returncode == 1 and "-f replaces it" in done.stderr
    assert remote.run("cp", "-f", "/lake/people.csv", "/weir/box/people").returncode == 0
    assert remote.run("cp", "weir.box.people", '/weir/box/o"dd; name').returncode == 0
    assert remote.run("ls", "/weir/box").stdout == 'o"dd; name\npeople\n'
    remote.ok("CREATE VIEW weir.box.v AS SELECT 1 AS i")
    assert remote.run("rm", "/weir/box/v", '/weir/box/o"dd; name').returncode == 0
    assert remote.run("ls", "/weir/box").stdout == "people\n"
    done = remote.run("rm", "/weir/box")
    assert done.returncode == 1 and "2BP01" in done.stderr
    assert remote.run("rm", "-r", "/weir/box").returncode == 0
    assert "box" not in remote.run("ls", "/weir").stdout
    assert remote.run("rm", "/weir/box").returncode == 1
    assert remote.run("rm", "-f", "/weir/box").returncode == 0


def test_what_sql_cannot_do_names_what_can(remote, server):
    for arguments, word in (
        (["cp", "/lake/people.csv", "/lake/copy.csv"], "COPY"),
        (["cp", "/lake/people.csv", "here.csv"], "weir cat --connect"),
        (["cp", "/lake/people.csv", "/lake/people.csv", "/weir/public/x"], "one table at a time"),
        (["mkdir", "/lake"], "schemas"),
        (["mkdir", "/lake/a/b"], "schemas"),
        (["rm", "/lake/people.csv"], "its tables are files"),
    ):
        done = remote.run(*arguments)
        assert done.returncode == 1 and word in done.stderr, done
    assert (server.directory / "data" / "people.csv").exists() and not (server.directory / "data" / "copy.csv").exists()


def test_every_row_of_a_large_result_comes(remote):
    out = remote.ok("SELECT value FROM generate_series(1, 2000000)", "--format", "csv", "--no-header")
    assert sum(map(int, out.split())) == 2000000 * 2000001 // 2


def test_a_reader_that_goes_away_ends_it_quietly(remote, server):
    command = f"{PROGRAM} sql --connect {server.uri} --format csv 'SELECT value FROM generate_series(1, 100000000)' | head -2; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, env=remote.env)
    assert done.stdout == "value\n1\n0\n" or done.stdout.endswith("\n0\n") and done.stderr == ""


# ---- Ending early ----


def running(server):
    return server.rows("SELECT count(*) FROM system.queries WHERE state = 'running' AND door = 'flight'")[0][0]


def test_ctrl_c_ends_the_statement_on_the_server(remote, server):
    process = remote.start("sql", "--connect", server.uri, ENDLESS)
    try:
        until(lambda: running(server) == 1, "the statement runs")
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130 and out == "" and err == "interrupted\n"
        until(lambda: running(server) == 0, "the server stops")
        assert time.monotonic() - start < 10
    finally:
        process.kill()


def test_a_time_limit_ends_the_statement_on_the_server(remote, server):
    done = remote.run("sql", "--timeout", "700ms", ENDLESS)
    assert done.returncode == 1 and "cancelled after 0.7 s" in done.stderr and "(57014)" in done.stderr
    until(lambda: running(server) == 0, "the server stops")


def test_a_client_that_is_killed_ends_its_statement(remote, server):
    process = remote.start("sql", "--connect", server.uri, ENDLESS)
    until(lambda: running(server) == 1, "the statement runs")
    process.kill()
    process.communicate()
    until(lambda: running(server) == 0, "the server stops")


def test_a_server_that_hangs_is_left_by_ctrl_c(db, tmp_path):
    with Server(tmp_path) as hung:
        process = db.start("sql", "--connect", hung.uri, ENDLESS)
        try:
            until(lambda: running(hung) == 1, "the statement runs")
            hung.process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            assert process.returncode == 130 and err == "interrupted\n"
        finally:
            process.kill()
            hung.process.send_signal(signal.SIGCONT)


def test_it_leaves_no_session_behind(remote, server):
    def sessions():
        return server.rows("SELECT count(*) FROM system.sessions WHERE door = 'flight'")[0][0]

    before = sessions()
    for _ in range(3):
        remote.ok("SELECT 1")
    until(lambda: sessions() <= before, "the sessions are closed")


# ---- The shell ----


@pytest.fixture
def shell(weir, server, tmp_path):
    opened = []

    def start(*arguments, uri=None, **options):
        opened.append(Shell(weir, tmp_path, "--connect", uri or server.uri, *arguments, **options))
        opened[-1].banner = opened[-1].wait()
        return opened[-1]

    yield start
    for each in opened:
        each.child.close(force=True)


def test_the_shell_says_where_it_is_and_answers_in_a_box(shell, server):
    s = shell()
    assert f"connected to {server.uri}" in s.banner
    out = s.run("SELECT 1 AS n, 'x' AS t;")
    assert "│     n │ t       │" in out and "│ int64 │ varchar │" in out and "(1 row)" in out
    assert s.leave() == 0


def test_the_shells_commands_ask_the_server(shell, remote):
    remote.ok("CREATE OR REPLACE TABLE of_the_server(a int, b varchar)")
    s = shell()
    assert "of_the_server" in s.run("\\d")
    assert "of_the_server" in s.run(".tables of_the%")
    out = s.run("\\d of_the_server")
    assert "a" in out and "b" in out
    assert "lake" in s.run("\\l")
    assert "lake" in s.run(".mount")
    assert "`_`" not in s.run(".help")
    s.run(".mode csv")
    assert "a,b" in s.run("SELECT * FROM of_the_server;").replace("\n", " ")


def test_an_error_points_at_its_place_and_the_shell_goes_on(shell):
    s = shell()
    out = s.run("SELECT nope;")
    assert "error: " in out and "LINE 1: SELECT nope" in out and "^" in out and "SQLSTATE" not in out
    assert "(1 row)" in s.run("SELECT 1;")


def test_ctrl_c_cancels_the_statement_and_not_the_shell(shell, server):
    s = shell()
    for _ in range(3):
        s.child.sendline(ENDLESS)
        until(lambda: running(server) == 1, "the statement runs")
        s.child.sendintr()
        assert "cancelled" in s.wait()
        until(lambda: running(server) == 0, "the server stops")
    assert "(1 row)" in s.run("SELECT 1;")


def test_rows_that_come_show_as_progress(shell):
    s = shell()
    s.child.sendline("SELECT count(*), max(a.value) FROM generate_series(1, 100000) a, generate_series(1, 100000000) b;")
    s.child.expect(r"rows? read")
    s.child.sendintr()
    s.child.expect("cancelled")


def test_the_servers_names_are_completed(shell, remote):
    remote.ok("CREATE OR REPLACE TABLE zebra_table(a int)")
    s = shell()
    s.keys("SELECT * FROM zebra_t\t")
    s.child.send(";\r")
    assert "(0 rows)" in s.wait()


def test_the_session_goes_on_when_the_connection_was_lost(shell, server, tmp_path):
    with Relay(server.flight_port) as relay:
        s = shell(uri=f"grpc://127.0.0.1:{relay.port}")
        s.run("CREATE TEMPORARY VIEW mine AS SELECT 77 AS a;")
        relay.cut()
        out = s.run("SELECT a FROM mine;")
        assert "77" in out and "note" not in out


def test_a_new_session_is_told(shell, tmp_path):
    with Server(tmp_path) as first:
        s = shell(uri=first.uri)
        s.run("CREATE TEMPORARY VIEW mine AS SELECT 77 AS a;")
    out = s.run("SELECT 1;")
    assert "error: " in out and "(08" in out
    with Server(tmp_path, listen=first.address):
        assert "new session" in s.run("SELECT 1;")
        assert "not found" in s.run("SELECT a FROM mine;")
        assert "(1 row)" in s.run("SELECT 1;")


class Relay:
    """Passes bytes on to a port, until it is cut."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            self.open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    @staticmethod
    def pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            for each in (one, other):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def cut(self):
        for each in self.open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()


# ---- Who asks, and TLS ----


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, certificates):
    """A server with TLS, where ada has a password and a key, and clients' certificates are taken."""
    directory = tmp_path_factory.mktemp("guarded")
    (directory / "weir.yaml").write_text("mounts: {}\n")
    here = Weir(directory)
    assert here.run("user", "add", "ada", input="correct horse\n").returncode == 0
    key = here.run("user", "key", "add", "ada", "--format", "csv").stdout.splitlines()[1].split(",")[1]
    tls = [f"tls.certificate={certificates.path('server.pem')}", f"tls.key={certificates.path('server.key')}", f"tls.client_ca={certificates.path('authority.pem')}"]
    with Server(directory, *(word for each in tls for word in ("--set", each))) as running:
        running.key = key
        yield running


@pytest.fixture
def ask(guarded, certificates, tmp_path):
    def run(*args, user="ada@", ca="authority", sql="SELECT 1 AS a", host=None, **env):
        return subprocess.run(
            [PROGRAM, "sql", "--connect", f"grpc+tls://{user}{host or guarded.address}", *(["--tls-ca", certificates.path(f"{ca}.pem")] if ca else []), *args, "--format", "csv", sql],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1", **env},
        )

    return run


def test_a_password_comes_from_the_environment_or_a_file(ask, tmp_path):
    assert ask(WEIR_PASSWORD="correct horse").stdout == "a\n1\n"
    (tmp_path / "secret").write_text("correct horse\n")
    assert ask("--password-file", "secret").stdout == "a\n1\n"
    for wrong in ("wrong", "", "correct horse "):
        done = ask(WEIR_PASSWORD=wrong)
        assert done.returncode == 3 and done.stdout == "" and "28" in done.stderr and (not wrong or wrong.strip() not in done.stderr)


def test_a_password_is_asked_for_at_the_terminal_and_not_shown(guarded, certificates, tmp_path):
    child = pexpect.spawn(
        PROGRAM, ["sql", "--connect", f"grpc+tls://ada@{guarded.address}", "--tls-ca", certificates.path("authority.pem"), "SELECT 40 + 2 AS a"],
        encoding="utf-8", timeout=30, cwd=str(tmp_path), env={**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1", "TERM": "dumb"})
    child.expect_exact("Password of ada: ")
    until(lambda: not child.getecho(), "the terminal hides what is typed")
    child.sendline("correct horse")
    child.expect_exact("42")
    assert "horse" not in child.before
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_without_a_terminal_a_missing_password_is_wrong_usage(ask):
    done = ask()
    assert done.returncode == 2 and "WEIR_PASSWORD" in done.stderr


def test_a_key_is_a_token(ask, guarded, tmp_path):
    assert ask(user="", WEIR_TOKEN=guarded.key).stdout == "a\n1\n"
    (tmp_path / "key").write_text(guarded.key + "\n")
    assert ask("--token-file", "key", user="").stdout == "a\n1\n"
    done = ask(user="", WEIR_TOKEN=guarded.key[:-1])
    assert done.returncode == 3 and guarded.key[:-1] not in done.stderr


def test_users_are_kept_on_the_server(guarded, certificates, tmp_path):
    def user(*words, input="", who="ada"):
        return subprocess.run(
            [PROGRAM, "user", *words, "--connect", f"grpc+tls://{who}@{guarded.address}", "--tls-ca", certificates.path("authority.pem")],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, input=input, start_new_session=True,
            env={**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1", "WEIR_PASSWORD": passwords[who]},
        )

    passwords = {"ada": "correct horse"}
    here = Weir(guarded.directory)
    here.ok("GRANT admin TO ada")
    try:
        assert user("add", "bob", input="battery staple\n").returncode == 0
        assert {line.split(",")[0] for line in user("list", "--format", "csv").stdout.splitlines()} >= {"ada", "bob"}
        added = user("key", "add", "bob", "--label", "laptop", "--expires", "1d", "--format", "csv")
        assert added.returncode == 0 and "only time" in added.stderr
        assert "laptop" in user("key", "list").stdout
        passwords["bob"] = "battery staple"
        refused = user("add", "eve", input="some password\n", who="bob")
        assert refused.returncode == 1 and "42501" in refused.stderr and "some password" not in refused.stderr
        assert user("password", "bob", input="another one\n").returncode == 0
        assert user("list", who="bob").returncode == 3
        assert user("remove", "bob").returncode == 0
        assert "bob" not in user("list").stdout
    finally:
        here.ok("REVOKE admin FROM ada")


def test_nobody_is_refused_where_users_are(ask):
    done = ask(user="")
    assert done.returncode == 3 and "28000" in done.stderr


def test_a_client_certificate_is_shown(ask, guarded, certificates):
    done = ask("--tls-certificate", certificates.path("ada.pem"), "--tls-key", certificates.path("ada.key"), user="")
    assert done.returncode in (0, 3) and "TLS" not in done.stderr, done.stderr
    done = ask("--tls-certificate", certificates.path("mallory.pem"), "--tls-key", certificates.path("mallory.key"), user="", WEIR_TOKEN=guarded.key)
    assert done.returncode == 3 and "TLS" in done.stderr


def test_a_server_that_nobody_vouches_for_is_not_talked_to(ask):
    for ca in ("stranger", None):
        done = ask(ca=ca, WEIR_PASSWORD="correct horse")
        assert done.returncode == 3 and done.stdout == "" and "certificate" in done.stderr, done.stderr


def test_a_certificate_of_another_name_is_refused(ask, guarded):
    done = ask(host=f"127.0.0.2:{guarded.flight_port}", WEIR_PASSWORD="correct horse")
    assert done.returncode == 3
    done = ask(host=f"localhost:{guarded.flight_port}", WEIR_PASSWORD="correct horse")
    assert done.returncode == 0, done.stderr


def test_the_wrong_scheme_is_explained(ask, guarded, server, db, certificates):
    plain = db.run("sql", "--connect", guarded.uri.replace("grpc+tls", "grpc"), "SELECT 1")
    assert plain.returncode == 3 and "grpc+tls://" in plain.stderr
    done = ask(host=server.address, user="")
    assert done.returncode == 3 and "TLS" in done.stderr


def test_the_port_of_http_is_explained(server, db):
    done = db.run("sql", "--connect", f"grpc://127.0.0.1:{server.port}", "SELECT 1")
    assert done.returncode == 3 and "Flight SQL address" in done.stderr


# ---- Wrong usage ----


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["sql", "--connect", "http://x", "SELECT 1"], "grpc://[USER@]HOST[:PORT]"),
        (["sql", "--connect", "grpc://", "SELECT 1"], "host"),
        (["sql", "--connect", "grpc://x:0", "SELECT 1"], "port"),
        (["sql", "--connect", "grpc://x:99999", "SELECT 1"], "port"),
        (["sql", "--connect", "grpc://[::1", "SELECT 1"], '"]" is missing'),
        (["sql", "--connect", "grpc://@x", "SELECT 1"], "no name"),
        (["sql", "--connect", "grpc://a b", "SELECT 1"], "host"),
        (["sql", "--connect", "grpc://x", "--workspace", ".", "SELECT 1"], "exclude each other"),
        (["sql", "--connect", "grpc://x", "--threads", "1", "SELECT 1"], "exclude each other"),
        (["sql", "--connect", "grpc://x", "--tls-ca", "ca.pem", "SELECT 1"], "grpc+tls://"),
        (["sql", "--connect", "grpc+tls://x", "--tls-key", "k.pem", "SELECT 1"], "go together"),
        (["sql", "--connect", "grpc+tls://127.0.0.1:1", "--tls-ca", "missing.pem", "SELECT 1"], "missing.pem"),
        (["sql", "--tls-ca", "ca.pem", "SELECT 1"], "without --connect"),
        (["cat", "--connect", "grpc://x", "--bytes", "a.csv"], "exclude each other"),
        (["mv", "--connect", "grpc://x", "/a", "/b"], "weir cp --connect"),
        (["ls", "--connect", "grpc://x", "-l"], "weir describe --connect"),
        (["serve", "--connect", "grpc://x"], "takes no --connect"),
        (["sql", "--connect", "grpc://ada@127.evil.example", "SELECT 1"], "unencrypted"),
    ],
)
def test_wrong_usage_is_told(db, arguments, words):
    done = db.run(*arguments)
    assert done.returncode == 2 and words in done.stderr and done.stdout == "", done.stderr


def test_a_password_in_the_uri_is_refused_and_not_repeated(db):
    done = db.run("sql", "--connect", "grpc://ada:hunter2@localhost", "SELECT 1")
    assert done.returncode == 2 and "hunter2" not in done.stderr and "WEIR_PASSWORD" in done.stderr


def test_no_server_is_no_connection(db):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = db.run("sql", "--connect", f"grpc://127.0.0.1:{port}", "SELECT 1")
    assert done.returncode == 3 and "Connection refused" in done.stderr
    done = db.run("sql", "--connect", "grpc://nowhere.invalid", "SELECT 1")
    assert done.returncode == 3 and "nowhere.invalid" in done.stderr
