# SPDX-License-Identifier: Apache-2.0
"""Extensions as others write them: built outside of the tree against the installed headers, loaded by LOAD and by the
configuration, by those who may."""

import json
import math
import os
import pathlib
import shlex
import sqlite3
import subprocess

import numpy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROGRAM, ROOT
from principals import LIBRARY, PASSWORD, UNAUTHORIZED, Principal, Session, WeirError
from stores import Azurite, MinIO

EXAMPLES = ROOT / "examples" / "extension"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The prefix of an installation, as `make install` leaves it."""
    destination = tmp_path_factory.mktemp("installed")
    meson = subprocess.run([ROOT / "scripts/venv", "build"], capture_output=True, text=True, check=True)
    command = [f"{meson.stdout.strip()}/bin/meson", "install", "-C", pathlib.Path(PROGRAM).parent]
    command += ["--no-rebuild", "--quiet", "--destdir", destination]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (program,) = destination.glob("**/bin/weir")
    return program.parent.parent


def flags(installed, *packages):
    (file,) = installed.glob("lib/**/weir.pc")
    destination = str(installed)[: -len(prefix_of(file))]
    env = {**os.environ, "PKG_CONFIG_PATH": str(file.parent), "PKG_CONFIG_SYSROOT_DIR": destination}
    ours = subprocess.run(["pkg-config", "--cflags", "weir"], env=env, capture_output=True, text=True, check=True)
    found = shlex.split(ours.stdout)
    if packages:
        theirs = subprocess.run(
            ["pkg-config", "--cflags", "--libs", *packages], capture_output=True, text=True, check=True
        )
        found += shlex.split(theirs.stdout)
    return found


def prefix_of(file):
    (line,) = [line for line in file.read_text().splitlines() if line.startswith("prefix=")]
    return line.removeprefix("prefix=")


@pytest.fixture(scope="module")
def libraries(installed, tmp_path_factory):
    """The examples, compiled as their first comments say, and with every warning an error."""
    out = tmp_path_factory.mktemp("libraries")
    for name, command in [
        ("counter", ["cc", "-std=c11", "counter.c", *flags(installed)]),
        ("forms", ["cc", "-std=c11", "-D_GNU_SOURCE", "forms.c", *flags(installed)]),
        ("scalar", ["cc", "-std=c11", "scalar.c", *flags(installed)]),
        ("aggregate", ["cc", "-std=c11", "aggregate.c", *flags(installed), "-lm"]),
        ("vectors", ["cc", "-std=c11", "-D_GNU_SOURCE", "vectors.c", *flags(installed)]),
        ("library", ["c++", "-std=c++17", "library.cc", *flags(installed, "sqlite3")]),
    ]:
        command = [*command, *STRICT, "-o", out / f"{name}.so"]
        result = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
    return out


@pytest.fixture
def counter(libraries):
    return f"LOAD '{libraries}/counter.so'; "


# ---- The examples ----


def test_the_first_example_is_short():
    assert len((EXAMPLES / "counter.c").read_text().splitlines()) < 120


def test_an_installed_weir_loads_what_was_built_against_its_headers(installed, libraries, tmp_path):
    sql = f"LOAD '{libraries}/counter.so'; SELECT sum(n), count(*) FROM counter(rows => 100000)"
    command = [installed / "bin/weir", "sql", "--format", "csv", "--no-header", sql]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "4999950000,100000\n"), result.stderr


def test_a_stream_of_an_extension_is_read_like_any_table(db, counter):
    assert db.value(counter + "SELECT count(*) FROM counter(rows => 30000)") == 30000
    assert db.rows(counter + "SELECT n FROM counter(rows => 30000) WHERE n % 9999 = 0 ORDER BY n") == [
        (0,), (9999,), (19998,), (29997,),
    ]  # fmt: skip
    assert db.rows(counter + "SELECT n FROM counter(rows => 5) ORDER BY n DESC LIMIT 2") == [(4,), (3,)]
    assert db.rows(counter + "SELECT * FROM counter(rows => -5)") == []
    assert db.value(counter + "CREATE TABLE t USING counter OPTIONS (rows 7); SELECT max(n) FROM t") == 6


def test_files_of_an_extension_are_one_table(db, libraries):
    old = pa.table({"day": pa.array(["2024-01-01", "2024-01-02"]), "n": pa.array([1, 2], pa.int64())})
    pq.write_table(old, db.directory / "old.parquet")
    (db.directory / "new.csv").write_text("day,n\nmonday,3\nmonday,4\n")
    (db.directory / "notes.txt").write_text("no table\n")
    load = f"LOAD '{libraries}/forms.so'; "
    archive = f"archive(directory => '{db.directory}')"
    assert db.rows(load + f"SELECT n FROM {archive} ORDER BY n") == [(1,), (2,), (3,), (4,)]
    made = load + f"CREATE TABLE a USING archive OPTIONS (directory '{db.directory}'); "
    daily = "SELECT day, n FROM daily(source => 'a') ORDER BY day"
    assert db.rows(made + daily) == [("2024-01-01", 1), ("2024-01-02", 1), ("monday", 2)]
    empty = db.directory / "empty"
    empty.mkdir()
    db.fail(load + f"SELECT * FROM archive(directory => '{empty}')", "no CSV or Parquet file", "58P01")
    db.fail(load + "SELECT * FROM archive(directory => '/nowhere')", "cannot read the directory /nowhere")


def test_a_remote_table_of_an_extension_runs_its_part_of_the_query(db, libraries):
    with sqlite3.connect(db.directory / "my.db") as books:
        books.execute("CREATE TABLE books (title TEXT, pages INTEGER, price REAL) STRICT")
        books.executemany(
            "INSERT INTO books VALUES (?, ?, ?)", [("Emma", 474, 9.5), (None, 300, None), ("Ubik", None, 7.25)]
        )
    books.close()
    load = f"LOAD '{libraries}/library.so'; "
    library = f"library(path => '{db.directory}/my.db', name => 'books')"
    assert db.rows(load + f"SELECT * FROM {library} ORDER BY title NULLS LAST") == [
        ("Emma", 474, 9.5), ("Ubik", None, 7.25), (None, 300, None),
    ]  # fmt: skip
    assert db.value(load + f"SELECT count(*) FROM {library} WHERE pages > 100") == 2
    plan = db.ok(load + f"EXPLAIN SELECT title FROM {library} WHERE pages > 400", "--format", "csv")
    assert "SELECT" in plan and "400" in plan and "FilterExec" not in plan, plan
    db.fail(load + "SELECT * FROM library(path => '/nowhere.db', name => 'books')", "/nowhere.db")
    db.fail(load + f"SELECT * FROM {library.replace('books', 'bools')}", "has no table bools", "42P01")


def test_functions_of_an_extension_stay_here_over_a_database(db, libraries, server):
    """What they stand in is computed here, the rest of the query is the database's as ever."""
    database = server.create("functions")
    database.script("CREATE TABLE n AS SELECT i AS a, i % 4 AS b FROM generate_series(1, 60) AS s(i)")
    load = f"LOAD '{libraries}/scalar.so'; LOAD '{libraries}/aggregate.so'; {database.attach('pg')}; "
    where = "a > 10 AND greatest_divisor(a, 12) = 6"
    query = f"SELECT a FROM pg.public.n WHERE {where} ORDER BY a"
    assert db.rows(load + query) == [(18,), (30,), (42,), (54,)]
    plan = db.ok(load + f"EXPLAIN {query}", "--format", "csv")
    remote = [line.split("sql=")[1] for line in plan.splitlines() if "sql=" in line]
    assert remote and all("> 10" in sql and "greatest_divisor" not in sql for sql in remote), plan
    assert "FilterExec: greatest_divisor" in plan, plan
    powers = {b: [a for a in range(1, 61) if a % 4 == b] for b in range(4)}
    means = {b: math.exp(sum(map(math.log, values)) / len(values)) for b, values in powers.items()}
    got = db.rows(load + "SELECT b, geometric_mean(a), count(*) FROM pg.public.n GROUP BY b ORDER BY b")
    assert [(b, n) for b, _, n in got] == [(b, 15) for b in range(4)]
    assert all(mean == pytest.approx(means[b]) for b, mean, _ in got)
    plan = db.ok(load + "EXPLAIN SELECT b, geometric_mean(a) FROM pg.public.n GROUP BY b", "--format", "csv")
    assert "AggregateExec" in plan and "GROUP BY" not in plan, plan


# ---- Encodings ----


def write_vectors(path, vectors):
    heads = numpy.full((len(vectors), 1), vectors.shape[1], "<i4")
    numpy.hstack([heads.view("<f4"), vectors.astype("<f4")]).tofile(path)


def read_vectors(path):
    """In an order of their own: SQL's rows have none."""
    words = numpy.fromfile(path, "<i4")
    found = words.reshape(-1, words[0] + 1)[:, 1:].view("<f4")
    return found[numpy.lexsort(found.T)]


@pytest.fixture
def vectors(db, libraries):
    """10,000 of them in a.fvecs, in a workspace that knows what that is."""
    (db.directory / "weir.yaml").write_text(f"extensions:\n  vectors: {{library: {libraries}/vectors.so}}\n")
    made = numpy.random.default_rng(1).random((10000, 5), "f4")
    made = made[numpy.lexsort(made.T)]
    write_vectors(db.directory / "a.fvecs", made)
    return made


def test_files_of_an_encoding_are_read_and_written(db, vectors):
    assert db.value("SELECT count(*) FROM 'a.fvecs'") == 10000
    first = db.value("SELECT sum(vector[1]) FROM 'a.fvecs'")
    assert first == pytest.approx(float(vectors[:, 0].astype("f8").sum()), rel=1e-6)
    db.ok("COPY (SELECT arrow_cast(vector, 'List(Float32)') AS v FROM 'a.fvecs') TO 'b.fvecs'")
    assert (read_vectors(db.directory / "b.fvecs") == vectors).all()
    db.ok("COPY (SELECT arrow_cast(make_array(1, 2), 'List(Float32)') AS v) TO 'c' (FORMAT fvecs)")
    (file,) = (db.directory / "c").iterdir()
    assert file.suffix == ".fvecs" and read_vectors(file).tolist() == [[1.0, 2.0]]
    db.fail("COPY (SELECT 1 AS v) TO 'd.fvecs'", "encoding fvecs", "one column of lists of float32")
    db.fail("COPY 'a.fvecs' TO 'd.fvecs' (COMPRESSION gzip)", "does not apply to the format fvecs")
    assert not (db.directory / "d.fvecs").exists()
    assert db.rows("SELECT name, type, extension FROM system.extensions WHERE type = 'encoding'") == [
        ("fvecs", "encoding", "vectors"),
    ]


def test_tables_have_bytes_of_an_encoding(db, vectors):
    db.ok("CREATE VIEW near AS SELECT arrow_cast(vector, 'List(Float32)') AS v FROM 'a.fvecs' WHERE vector[1] < 0.1")
    result = db.run("cp", "/weir/public/near.fvecs", "near.fvecs")
    assert result.returncode == 0, result.stderr
    assert (read_vectors(db.directory / "near.fvecs") == vectors[vectors[:, 0] < 0.1]).all()
    # Its own bytes are what they are.
    db.ok("ATTACH '.' AS here")
    assert db.run("cp", "/here/a.fvecs", "copy.fvecs").returncode == 0
    assert (db.directory / "copy.fvecs").read_bytes() == (db.directory / "a.fvecs").read_bytes()
    assert db.value("SELECT count(*) FROM here.a") == 10000
    result = db.run("cp", "/here/a.parquet", "a.parquet")
    assert result.returncode == 0, result.stderr
    assert pq.read_table(db.directory / "a.parquet").num_rows == 10000


@pytest.fixture(scope="module", params=[MinIO, Azurite], ids=lambda kind: kind.name)
def store(request, tmp_path_factory):
    store = request.param(tmp_path_factory.mktemp(request.param.name))
    try:
        yield store
    finally:
        store.close()


def test_objects_of_an_encoding_are_read_and_written(db, vectors, store):
    bucket = store.make("vectors")
    options = {"url": store.url(bucket), **store.options()}
    config = db.directory / "weir.yaml"
    config.write_text(config.read_text() + "stores:\n  own:\n" + "".join(f"    {key}: {json.dumps(value)}\n" for key, value in options.items()))
    base = store.url(bucket)
    db.ok(f"COPY (SELECT arrow_cast(vector, 'List(Float32)') AS v FROM 'a.fvecs') TO '{base}one.fvecs'")
    db.ok(f"COPY (SELECT arrow_cast(vector, 'List(Float32)') AS v, vector[1] < 0.5 AS low FROM 'a.fvecs') TO '{base}d/' (FORMAT fvecs, PARTITION_BY (low))")
    (db.directory / "got.fvecs").write_bytes(store.get(bucket, "one.fvecs"))
    assert (read_vectors(db.directory / "got.fvecs") == vectors).all()
    assert db.value(f"SELECT count(*) FROM '{base}one.fvecs'") == 10000
    assert db.rows(f"SELECT low, count(*) FROM '{base}d/*/*.fvecs' GROUP BY low ORDER BY low") == [("false", (vectors[:, 0] >= 0.5).sum()), ("true", (vectors[:, 0] < 0.5).sum())]
    db.ok(f"ATTACH '{base}' AS lake")
    assert db.value("SELECT count(*) FROM lake.one") == 10000
    store.put(bucket, "bad.fvecs", store.get(bucket, "one.fvecs")[:-1])
    db.fail(f"SELECT count(*) FROM '{base}bad.fvecs'", f"{base}bad.fvecs: encoding fvecs: ")


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda data: b"", "does not begin with a vector"),
        (lambda data: data[:-1], "are not vectors of 5 dimensions"),
        (lambda data: b"\xff" * 24, "does not begin with a vector"),
        (lambda data: data[: 24 * 9000] + b"\x06" + data[24 * 9000 + 1 :], "vector 9000 has 6 dimensions"),
    ],
)
def test_a_damaged_file_is_named(db, vectors, spoil, words):
    path = db.directory / "a.fvecs"
    path.write_bytes(spoil(path.read_bytes()))
    db.fail("SELECT sum(vector[1]) FROM 'a.fvecs'", "a.fvecs: encoding fvecs: ", words)


# ---- The configuration ----


def test_the_configuration_loads_extensions(db, libraries):
    config = db.directory / "weir.yaml"
    os.symlink(libraries / "counter.so", db.directory / "counter.so")
    config.write_text("threads: 2\nextensions:\n  counter: {library: counter.so}\n")
    assert db.value("SELECT sum(n) FROM counter(rows => 4)") == 6
    columns = "name, type, origin, extension, version, library"
    assert db.rows(f"SELECT {columns} FROM system.extensions WHERE extension IS NOT NULL ORDER BY type") == [
        ("counter", "extension", "weir.yaml:3", "counter", "1.0", os.path.realpath(libraries / "counter.so")),
        ("counter", "table kind", "extension", "counter", None, None),
    ]
    config.write_text(f"extensions:\n  other: {{library: {libraries}/counter.so}}\n")
    db.fail("SELECT 1", "weir.yaml:2", 'its name is "counter", not "other"')
    config.write_text("extensions:\n  nonesuch: {}\n")
    db.fail("SELECT 1", "weir.yaml:2", 'no extension "nonesuch" comes with this weir')
    result = db.run("config", "check")
    assert result.returncode == 1 and 'weir.yaml:2: no extension "nonesuch"' in result.stderr, result.stderr
    config.write_text("extensions:\n  counter: {library: counter.so}\n")
    assert db.run("config", "check").returncode == 0


def test_tables_of_an_extension_are_there_after_it_is_loaded_again(db, libraries):
    (db.directory / "weir.yaml").write_text("")
    load = f"LOAD '{libraries}/counter.so'; "
    db.ok(load + "CREATE TABLE t USING counter OPTIONS (rows 12)", "--workspace", ".")
    for sql in ("SELECT * FROM t", "DROP TABLE t"):
        db.fail(sql, 'table "t"', 'there is no table kind "counter"', args=("--workspace", "."))
    assert db.value(load + "SELECT count(*) FROM t", "--workspace", ".") == 12
    db.ok(load + "DROP TABLE t", "--workspace", ".")


# ---- Who may ----


def test_only_administrators_load_and_only_from_where_they_may_read(libraries, tmp_path):
    settings = {"policy.preset": "server", "policy.read": tmp_path, "auth.password.memory": "1MiB"}
    settings["auth.password.operations"] = "1"
    host = Session(LIBRARY, path=tmp_path, settings=settings)
    for sql in ["CREATE USER alice PASSWORD 'pa'", "CREATE USER root PASSWORD 'pr'", "GRANT admin TO root"]:
        host.query(sql)
    alice, root = (Principal(host, PASSWORD, user, secret) for user, secret in [("alice", "pa"), ("root", "pr")])
    (tmp_path / "counter.so").write_bytes((libraries / "counter.so").read_bytes())
    os.symlink(libraries / "counter.so", tmp_path / "link.so")
    for session, library, word in [
        (alice, tmp_path / "counter.so", "LOAD is for administrators"),
        (alice, tmp_path / "nothing.so", "LOAD is for administrators"),
        (alice, "python", "LOAD is for administrators"),
        (root, libraries / "counter.so", "policy.read"),
        (root, tmp_path / "link.so", "policy.read"),
        (root, "/nowhere/x.so", "policy.read"),
    ]:
        with pytest.raises(WeirError) as refused:
            session.query(f"LOAD '{library}'")
        assert refused.value.code == UNAUTHORIZED and word in str(refused.value), refused.value
    root.query(f"LOAD '{tmp_path}/counter.so'")
    assert root.query("SELECT sum(n) AS n FROM counter(rows => 4)").read_all().to_pylist() == [{"n": 6}]
    with pytest.raises(WeirError) as refused:
        alice.query("SELECT * FROM counter(rows => 4)")
    assert refused.value.code == UNAUTHORIZED
    mine = "SELECT library FROM system.extensions WHERE type = 'extension'"
    assert root.query(mine).read_all().to_pylist() == [{"library": str(tmp_path / "counter.so")}]
    assert alice.query(mine).read_all().to_pylist() == [{"library": None}]
    for session in (alice, root, host):
        session.close()
