# SPDX-License-Identifier: Apache-2.0
"""The wheel of the Python package, installed beside the packages that it needs, and the examples of examples/python."""

import collections
import datetime
import http.server
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import textwrap
import threading
import urllib.parse

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stores
from conftest import PROGRAM, ROOT
from http_server import until

EXAMPLES = ROOT / "examples" / "python"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A directory for PYTHONPATH, with the wheel installed in it."""
    directory = tmp_path_factory.mktemp("wheel")
    build = pathlib.Path(PROGRAM).parent
    wheel = subprocess.run(
        [ROOT / "scripts/wheel", build, directory], check=True, stdout=subprocess.PIPE, text=True, timeout=300
    ).stdout.strip()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", directory / "site", wheel], check=True, timeout=300)
    return directory / "site"


@pytest.fixture
def python(site, tmp_path):
    """Runs a script with the package; its standard output as JSON, a line each."""

    def run(script, *arguments, path=EXAMPLES, **env):
        (tmp_path / "script.py").write_text(textwrap.dedent(script))
        result = subprocess.run(
            [sys.executable, tmp_path / "script.py", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{site}:{path}", **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    return run


# ---- The package ----


def test_connect_is_the_db_api(python, tmp_path):
    script = """
        import json, weir
        with weir.connect(settings={"threads": 2}, engine_settings={"datafusion.execution.batch_size": 77}) as connection:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b")
                cursor.execute("SELECT a + $1, b FROM t", (41,))
                print(json.dumps(cursor.fetchall()))
                print(json.dumps([column[0] for column in cursor.description]))
                cursor.execute("SHOW datafusion.execution.batch_size")
                print(json.dumps(cursor.fetchone()[-1]))
                cursor.execute("SELECT value FROM system.settings WHERE name = 'threads'")
                print(json.dumps(cursor.fetchone()[0]))
                cursor.execute("SELECT * FROM generate_series(1, 3)")
                print(json.dumps(cursor.fetch_arrow_table().num_rows))
                print(json.dumps(weir.__version__))
    """
    *rows, version = python(script)
    assert rows[0] == [[42, "x"]] and rows[2:] == ["77", "2", 3]
    assert version == subprocess.run([ROOT / "scripts/version"], stdout=subprocess.PIPE, text=True).stdout.strip()


def test_a_workspace_is_a_directory(python, tmp_path):
    script = """
        import json, sys, weir
        with weir.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS t USING values OPTIONS (rows '(7)', columns 'a')")
            cursor.execute("SELECT a FROM t")
            print(json.dumps(cursor.fetchone()))
    """
    (tmp_path / "space").mkdir()
    assert python(script, tmp_path / "space") == python(script, tmp_path / "space") == [[7]]


def test_an_extension_that_is_not_there_is_an_error(python):
    script = """
        import json, weir
        try:
            weir.connect(extensions={"nonesuch": {}})
        except Exception as error:
            print(json.dumps([type(error).__module__.split(".")[0], str(error)]))
    """
    ((module, message),) = python(script)
    assert module == "adbc_driver_manager" and 'no extension "nonesuch"' in message


def test_sources_are_registered_by_name_in_the_process(python):
    script = """
        import json, weir

        @weir.datasource("squares")
        class Squares(weir.DataSource):
            def infer_schema(self, options):
                return "n BIGINT, square BIGINT"

            def plan_partitions(self, options):
                rows = int(options["rows"])
                return [range(0, rows // 2), range(rows // 2, rows)]

            def read_partition(self, spec, options):
                for n in spec:
                    yield n, n * n

        class Later(Squares):
            def infer_schema(self, options):
                return "n BIGINT, double BIGINT"

            def read_partition(self, spec, options):
                for n in spec:
                    yield n, n + n

        with weir.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*), max(square) FROM squares(rows => 1000)")
            print(json.dumps(cursor.fetchone()))
            weir.register_datasource("doubles", Later())
            cursor.execute("CREATE TABLE d USING doubles OPTIONS (rows 10)")
            cursor.execute("SELECT max(double) FROM d")
            print(json.dumps(cursor.fetchone()))
            cursor.execute("SELECT count(*) FROM d JOIN squares(rows => 10) AS s ON d.n = s.n WHERE square > double")
            print(json.dumps(cursor.fetchone()))
        try:
            weir.register_datasource("Not a name", Squares)
        except ValueError as error:
            print(json.dumps(str(error)))
    """
    counts, doubles, both, message = python(script)
    assert (counts, doubles, both) == ([1000, 999 * 999], [18], [7])
    assert "Not a name" in message


def test_the_program_of_the_package_reads_sources_with_its_interpreter(site, tmp_path):
    command = [sys.executable, "-m", "weir", "sql", "--format", "csv", "--no-header"]
    sql = "LOAD python; SELECT count(*), min(sensor) FROM python(python_module => 'generator', python_class => 'Sensors', "
    sql += "sensors => 3, rows => 70000)"
    env = {**os.environ, "PYTHONPATH": f"{site}:{EXAMPLES}"}
    result = subprocess.run([*command, sql], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout) == (0, "210000,0\n"), result.stderr


def test_extensions_are_built_against_the_headers_of_the_package(python, tmp_path):
    script = """
        import json, subprocess, sys, weir
        command = ["cc", "-shared", "-fPIC", "-I", weir.include_path(), "-o", "counter.so", sys.argv[1]]
        subprocess.run(command, check=True)
        with weir.connect(extensions={"./counter.so": {}}) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT sum(n) FROM counter(rows => 5)")
            print(json.dumps(cursor.fetchone()))
    """
    assert python(script, ROOT / "examples/extension/counter.c") == [[10]]


EVERYWHERE = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6", "libgcc_s.so.1", "libz.so.1"}  # PEP 600


def test_the_wheel_for_others_needs_what_its_tag_says_and_no_more(tmp_path):
    made = subprocess.run(
        [ROOT / "scripts/wheel", "--portable", pathlib.Path(PROGRAM).parent, tmp_path], stdout=subprocess.PIPE, text=True, timeout=500
    )
    assert made.returncode == 0
    wheel = made.stdout.strip()
    major, minor = map(int, re.search(r"-py3-none-manylinux_(\d+)_(\d+)_\w+\.whl$", wheel).groups())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", tmp_path / "site", wheel], check=True, timeout=300)
    binaries = [path for path in (tmp_path / "site").rglob("*") if path.is_file() and path.open("rb").read(4) == b"\x7fELF"]
    there = {path.name for path in binaries}
    assert {"weir", "python.so", "weir_python_host.so"} < there
    for path in binaries:
        told = subprocess.run(["readelf", "--wide", "--dynamic", "--version-info", path], check=True, capture_output=True, text=True).stdout
        assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", told)) <= there | EVERYWHERE, path
        needed = [tuple(map(int, version.split("."))) for version in re.findall(r"Name: GLIBC_([\d.]+)", told)]
        assert max(needed) <= (major, minor), path
    # With each library that was taken in comes its licence, and pip knows of it.
    (info,) = (tmp_path / "site").glob("weir-*.dist-info")
    licences = {path.relative_to(info / "licenses").as_posix() for path in (info / "licenses").rglob("*") if path.is_file()}
    assert licences == set(re.findall(r"^License-File: (.*)$", (info / "METADATA").read_text(), re.M))
    taken_in = [path.name for path in (tmp_path / "site/weir.libs").iterdir()]
    assert "LICENSE" in licences and len(licences) > 3, licences
    for name, package, words in [("libnghttp2", "libnghttp2-14/copyright", "Tatsuhiro"), ("libmicrohttpd", "libmicrohttpd12/copyright", "LGPL")]:
        if any(library.startswith(name) for library in taken_in):
            assert words in (info / "licenses" / package).read_text(), package
    (program,) = [path for path in binaries if path.name == "weir"]
    result = subprocess.run([program, "sql", "--format", "csv", "SELECT 6 * 7 AS n"], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "n\n42\n"), result.stderr
    loaded = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    assert not [line for line in loaded.splitlines() if "=> /" in line and str(tmp_path) not in line and line.split()[0] not in EVERYWHERE]


# ---- The examples ----

QUERY = """
    import importlib, json, sys, weir
    module, name, options, *queries = sys.argv[1:]
    weir.register_datasource("source", getattr(importlib.import_module(module), name))
    given = ", ".join(f"{key} '{value}'" for key, value in json.loads(options).items())
    with weir.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE t USING source OPTIONS ({given})")
        for query in queries:
            cursor.execute(query)
            print(json.dumps(cursor.fetchall()))
"""


class Pages(http.server.BaseHTTPRequestHandler):
    rows = [{"id": i, "name": f"n{i}", "score": i / 4 if i % 3 else None} for i in range(95)]
    asked = collections.Counter()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        page = int(urllib.parse.parse_qs(url.query)["page"][0])
        self.asked[page] += 1
        body = json.dumps(self.rows[(page - 1) * 20 : page * 20]).encode()
        self.send_response(200 if url.path == "/items" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_rest_service_is_a_table(python, pages):
    options = json.dumps({"url": f"{pages}/items"})
    queries = ["SELECT count(*), sum(id), count(score), sum(score) FROM t", "SELECT name FROM t WHERE id = 94"]
    scores = [row["score"] for row in Pages.rows if row["score"] is not None]
    assert python(QUERY, "rest", "RestSource", options, *queries) == [
        [[95, sum(range(95)), len(scores), sum(scores)]],
        [["n94"]],
    ]
    assert Pages.asked[5] >= 2 and Pages.asked[7] == 0  # 5 pages of rows, an empty one, and no further


def test_the_rest_source_is_short():
    assert len((EXAMPLES / "rest.py").read_text().splitlines()) < 30


def test_a_generator_is_read_by_partitions(python):
    options = json.dumps({"sensors": "4", "rows": "70000", "seed": "3"})
    counts, one, first = python(
        QUERY, "generator", "Sensors", options,
        "SELECT sensor, count(*), count(DISTINCT tick) FROM t GROUP BY sensor ORDER BY sensor",
        "SELECT min(sensor), max(sensor), max(tick) FROM t WHERE sensor = 2",
        "SELECT count(*) FROM (SELECT * FROM t LIMIT 5)",
    )  # fmt: skip
    assert counts == [[sensor, 70000, 70000] for sensor in range(4)]
    assert (one, first) == ([[2, 2, 69999]], [[5]])


def test_a_database_is_read_by_several_connections(python, server):
    database = server.create("jdbc")
    rows = 1_000_000
    database.script(
        "CREATE TABLE orders AS SELECT i AS id, i % 97 AS grp, 'order ' || i AS note "
        f"FROM generate_series(1, {rows}) AS s(i); "
        "INSERT INTO orders VALUES (NULL, NULL, 'no id'), (-5, 1, 'below'), (9000000, 2, 'above')"
    )
    options = {
        "url": database.uri(), "driver": "adbc_driver_postgresql", "dbtable": "orders", "partitionColumn": "id",
        "lowerBound": "0", "upperBound": str(rows), "numPartitions": "10",
    }  # fmt: skip
    queries = [
        "SELECT count(*), count(id), count(DISTINCT id), sum(id) FROM t",
        "SELECT note FROM t WHERE id IS NULL OR id NOT BETWEEN 0 AND 1000000 ORDER BY note",
    ]
    total = rows * (rows + 1) // 2 - 5 + 9_000_000
    assert python(QUERY, "jdbc", "JdbcSource", json.dumps(options), *queries) == [
        [[rows + 3, rows + 2, rows + 2, total]],
        [["above"], ["below"], ["no id"]],
    ]


@pytest.fixture(scope="module")
def minio(tmp_path_factory):
    server = stores.MinIO(tmp_path_factory.mktemp("minio"))
    yield server
    server.close()


def test_objects_of_a_bucket_are_a_table(python, minio):
    bucket = minio.make("things")
    rows = [{"id": i, "at": datetime.date(2024, 1, 1 + i % 28), "text": f"t{i}" if i % 3 else None} for i in range(900)]
    for i in range(3):
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows[i * 300 : i * 300 + 300]), file, row_group_size=100)
        minio.put(bucket, f"year=2024/{i}.parquet", file.getvalue())
    minio.put(bucket, "year=2024/_SUCCESS", b"")
    minio.put(bucket, "other.csv", b"a,b\n1,x\n2,y\n")
    options = {
        "path": f"{bucket}/year=2024", "endpoint": minio.endpoint(), "region": "us-east-1",
        "access_key": stores.KEY_ID, "secret_key": stores.SECRET,
    }  # fmt: skip
    queries = [
        "SELECT count(*), sum(id), count(text), count(DISTINCT at) FROM t",
        "SELECT text FROM t WHERE id >= 298 AND id < 302 AND text IS NOT NULL AND at <> DATE '2024-01-19' ORDER BY id",
    ]
    wanted = [row["text"] for row in rows[298:302] if row["text"] and row["at"].day != 19]
    counts = [900, sum(range(900)), 600, 28]
    assert python(QUERY, "s3", "S3Source", json.dumps(options), *queries) == [[counts], [[text] for text in wanted]]
    csv = json.dumps({**options, "path": bucket, "format": "csv"})
    assert python(QUERY, "s3", "S3Source", csv, "SELECT sum(a), max(b) FROM t") == [[[3, "y"]]]


# ---- The manual ----


def test_the_manual_goes_from_nothing_to_a_table(site, tmp_path):
    manual = (ROOT / "docs/python-sources.md").read_text()
    rest, script = re.findall(r"```python\n(.*?)```", manual, re.S)[:2]
    (printed,) = re.findall(r"```\n(pyarrow.*?)```", manual, re.S)
    assert (EXAMPLES / "rest.py").read_text().endswith(rest)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with subprocess.Popen([sys.executable, EXAMPLES / "service.py", port], stderr=subprocess.DEVNULL) as service:
        try:
            until(lambda: reaches(port), "the service answers")
            (tmp_path / "rest.py").write_text(rest)
            (tmp_path / "script.py").write_text(script.replace("8000", port))
            result = subprocess.run(
                [sys.executable, "script.py"],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(site)},
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert (result.returncode, result.stdout) == (0, printed), result.stderr
        finally:
            service.terminate()


def reaches(port):
    try:
        return socket.create_connection(("127.0.0.1", int(port)), timeout=1).close() is None
    except OSError:
        return False


def test_the_manual_shows_the_generator_as_it_is():
    manual = (ROOT / "docs/python-sources.md").read_text()
    shown = re.findall(r"```python\n(.*?)```", manual, re.S)[2]
    assert (EXAMPLES / "generator.py").read_text().endswith(shown)
