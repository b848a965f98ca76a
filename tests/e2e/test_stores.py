# SPDX-License-Identifier: Apache-2.0
"""Tables, paths and objects of stores, from the shell, against real servers."""

import io
import json
import pathlib
import urllib.request

import pyarrow
import pyarrow.parquet
import pytest
from fault_proxy import FaultProxy, cut, reset, throttle
from plain_http import PlainHttp
from stores import Azurite, Gcs, MinIO, VersityGW

STORES = [VersityGW, MinIO, Azurite, Gcs]
TYPES = {"s3": "s3", "az": "azure", "gs": "gcs"}
TABLE = pyarrow.table({"id": list(range(1000)), "word": [f"row {i}" for i in range(1000)]})


def parquet(table):
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, row_group_size=100)
    return out.getvalue()


def put_table(store, bucket, prefix):
    """TABLE as four objects."""
    for i in range(4):
        store.put(bucket, f"{prefix}/{i}.parquet", parquet(TABLE.slice(i * 250, 250)))


def secret(store, bucket, proxy=None, name="own", **more):
    options = {**store.options(proxy), **more}
    text = ", ".join(f"{key} '{value}'" for key, value in options.items())
    return f"CREATE SECRET {name} (TYPE {TYPES[store.scheme]}, SCOPE '{store.url(bucket)}', {text});"


@pytest.fixture(scope="module", params=STORES, ids=lambda kind: kind.name)
def store(request, tmp_path_factory):
    store = request.param(tmp_path_factory.mktemp(request.param.name))
    try:
        bucket = store.make("tables")
        store.put(bucket, "parts/year=2023/a.parquet", parquet(TABLE.slice(0, 400)))
        store.put(bucket, "parts/year=2024/b c.parquet", parquet(TABLE.slice(400)))
        store.put(bucket, "parts/_SUCCESS", b"")
        store.put(bucket, "csv/x.csv", b"a,b\n1,x\n2,y\n")
        store.put(bucket, "csv/deep/z.csv", b"a,b\n3,z\n")
        store.put(bucket, "lines.jsonl", b'{"k":1}\n{"k":2}\n')
        store.put(bucket, "plain.txt", b"only text\n" * 10)
        yield store
    finally:
        store.close()


def test_files_of_a_store_are_tables(store, db):
    begin = secret(store, "tables")

    def rows(sql):
        return db.rows(begin + sql)

    url = lambda key: store.url("tables", key)  # noqa: E731
    assert rows(f"SELECT count(*), sum(id) FROM '{url('parts/**/*.parquet')}'") == [(1000, 499500)]
    assert sorted(rows(f"SELECT year, count(*) FROM '{url('parts')}' GROUP BY year")) == [(2023, 400), (2024, 600)]
    assert rows(f"SELECT word FROM '{url('parts/')}' WHERE year = 2024 AND id = 777") == [("row 777",)]
    assert sorted(rows(f"SELECT a, b FROM '{url('csv/*.csv')}'")) == [(1, "x"), (2, "y")]
    assert sorted(rows(f"SELECT a, b FROM '{url('csv/**/*.csv')}'")) == [(1, "x"), (2, "y"), (3, "z")]
    assert sorted(rows(f"SELECT a FROM '{url('csv/{x,deep/z}.csv')}'")) == [(1,), (2,), (3,)]
    assert rows(f"SELECT sum(k) FROM '{url('lines.jsonl')}'") == [(3,)]
    joined = f"SELECT count(*) FROM '{url('parts')}' p JOIN '{url('lines.jsonl')}' l ON p.id = l.k"
    assert rows(joined) == [(2,)]


def test_what_is_not_there_is_said(store, db):
    begin = secret(store, "tables")
    for key in ("none.parquet", "csv/*.parquet", "none/**/*.csv"):
        db.fail(begin + f"SELECT * FROM '{store.url('tables', key)}'", key)


def test_a_wrong_key_is_refused_and_no_secret_comes_out(store, db):
    if store.scheme == "gs":
        pytest.skip("fake-gcs-server takes every credential")
    name = {"s3": "secret_access_key", "az": "account_key"}[store.scheme]
    canary = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnk="
    begin = secret(store, "tables", **{name: canary})
    result = db.run("sql", begin + "SELECT * FROM system.secrets; SELECT * FROM system.storage_locations; SHOW ALL", "--format", "csv")
    assert result.returncode == 0 and "own" in result.stdout and canary not in result.stdout + result.stderr
    said = db.fail(begin + f"SELECT * FROM '{store.url('tables', 'csv/x.csv')}'")
    assert canary not in said and "secret" not in said.replace("secret_access_key", "")
    queries = db.ok(begin + "SELECT sql FROM system.queries", "--format", "csv")
    assert "CREATE SECRET" in queries and canary not in queries
    assert not any(canary in p.read_text(errors="replace") for p in pathlib.Path(db.directory).rglob("*") if p.is_file())


def workspace(db, store, bucket, prefix=""):
    options = {"url": store.url(bucket, prefix), **store.options()}
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in options.items())
    (pathlib.Path(db.directory) / "weir.yaml").write_text(f"stores:\n  own:\n{lines}mounts:\n  lake:\n    url: {json.dumps(options['url'])}\n")


def test_the_tree_of_a_store_is_listed_read_written_and_removed(store, db):
    bucket = store.make("tree")
    store.put(bucket, "in/x.csv", b"a,b\n1,x\n")
    workspace(db, store, bucket)

    def run(*args, code=0):
        result = db.run(*args)
        assert result.returncode == code, result.stderr
        return result.stdout

    for top in (store.url(bucket), "/lake/"):
        assert run("ls", top) == "in/\n"
        assert run("ls", f"{top}in") == "x.csv\n"
        assert run("cat", f"{top}in/x.csv", "--bytes") == "a,b\n1,x\n"
        assert run("cat", f"{top}in/x.csv", "--format", "jsonl") == '{"a":1,"b":"x"}\n'
        (pathlib.Path(db.directory) / "local.txt").write_text("some text")
        run("cp", "local.txt", f"{top}new/file.txt")
        assert store.get(bucket, "new/file.txt") == b"some text"
        assert db.run("cp", "local.txt", f"{top}new/file.txt").returncode == 1
        run("cp", f"{top}in/x.csv", "back.parquet", "--force")
        assert pyarrow.parquet.read_table(pathlib.Path(db.directory) / "back.parquet").to_pylist() == [{"a": 1, "b": "x"}]
        run("cp", "back.parquet", f"{top}in/y.parquet", "--force")
        assert db.value(f"SELECT sum(a) FROM '{top}in/y.parquet'") == 1
        run("rm", f"{top}new/file.txt")
        assert run("ls", f"{top}none", code=1) == ""
        run("rm", f"{top}in/y.parquet")
        assert store.list(bucket) == ["in/x.csv"]
    assert db.rows("SELECT a, b FROM lake.\"in\".x") == [(1, "x")]
    run("rm", f"{store.url(bucket)}in", code=1)
    run("rm", "--recursive", f"{store.url(bucket)}in")
    assert store.list(bucket) == []


@pytest.mark.parametrize("kind", [VersityGW, MinIO, Azurite], ids=lambda kind: kind.name)
def test_a_presigned_url_works_without_credentials(kind, db, tmp_path):
    store = kind(tmp_path / "store")
    try:
        bucket = store.make("presign")
        store.put(bucket, "x", b"0123456789")
        workspace(db, store, bucket)
        url = db.run("presign", store.url(bucket, "x"), "--expires", "5min").stdout.strip()
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": "bytes=2-4"})) as answer:
            assert answer.status == 206 and answer.read() == b"234"
        url = db.run("presign", store.url(bucket, "new"), "--method", "PUT").stdout.strip()
        headers = {"x-ms-blob-type": "BlockBlob"} if store.scheme == "az" else {}
        with urllib.request.urlopen(urllib.request.Request(url, b"put by url", headers, method="PUT")) as answer:
            assert answer.status in (200, 201)
        assert store.get(bucket, "new") == b"put by url"
        for wrong in (["--expires", "8d"], ["--expires", "x"], ["--method", "DELETE"]):
            assert db.run("presign", store.url(bucket, "x"), *wrong).returncode in (1, 2)
    finally:
        store.close()


def test_two_buckets_with_equal_keys_give_their_own_rows(store, db):
    one, two = store.make("bucket-one"), store.make("bucket-two")
    store.put(one, "t/x.parquet", parquet(pyarrow.table({"v": [1, 2, 3]})))
    store.put(two, "t/x.parquet", parquet(pyarrow.table({"v": [7, 8, 9]})))
    begin = secret(store, one, name="first") + secret(store, two, name="second")
    sql = "; ".join(f"SELECT sum(v) AS s FROM '{store.url(b, 't/*.parquet')}' WHERE v > {n}" for b, n in ((one, 1), (two, 7), (one, 1), (two, 7)))
    assert db.rows(begin + sql) == [(5,), (17,), (5,), (17,)]


def test_faults_on_the_way_change_no_row(store, db):
    with FaultProxy("127.0.0.1", store.port, seed=11) as proxy:
        proxy.rule(throttle(), share=0.2)
        proxy.rule(reset(), method="GET", share=0.1)
        proxy.rule(cut(0.5), method="GET", path="parquet", count=1)
        begin = secret(store, "tables", proxy)
        for _ in range(3):
            assert db.rows(begin + f"SELECT count(*), sum(id) FROM '{store.url('tables', 'parts/**/*.parquet')}'") == [(1000, 499500)]
        assert proxy.requests(fault=True)


@pytest.mark.parametrize("has_ranges", [True, False], ids=["ranges", "no ranges"])
def test_files_of_a_web_server_are_tables(tmp_path, db, has_ranges):
    server = PlainHttp(tmp_path / "root", has_ranges)
    try:
        bucket = server.make("data")
        server.put(bucket, "x y.parquet", parquet(TABLE))
        server.put(bucket, "x.csv", b"a,b\n1,x\n2,y\n")
        begin = f"CREATE SECRET web (TYPE http, SCOPE '{server.endpoint()}/', allow_http true);"
        assert db.rows(begin + f"SELECT count(*), sum(id) FROM '{server.url(bucket, 'x%20y.parquet')}'") == [(1000, 499500)]
        assert db.rows(begin + f"SELECT sum(a) FROM '{server.url(bucket, 'x.csv')}'") == [(3,)]
    finally:
        server.close()


def test_secrets_are_made_replaced_listed_and_dropped(db):
    make = "CREATE {}SECRET {}s (TYPE s3, SCOPE 's3://b/', KEY_ID 'a', SECRET 'hunter2')"
    assert db.rows(make.format("", "") + "; SELECT name, type, scope, options FROM system.secrets") == [("s", "s3", "s3://b/", "access_key_id, secret_access_key")]
    db.fail(make.format("", "") + ";" + make.format("", ""), "already")
    db.ok(make.format("", "") + ";" + make.format("OR REPLACE ", "") + ";" + make.format("", "IF NOT EXISTS "))
    assert db.rows(make.format("", "") + "; DROP SECRET s; SELECT * FROM system.secrets") == []
    db.fail("DROP SECRET s", "no secret")
    db.ok("DROP SECRET IF EXISTS s")
    for wrong, word in (
        ("CREATE SECRET s (TYPE s3, KEYID 'hunter2')", 'did you mean "key_id"'),
        ("CREATE SECRET s (TYPE ftp)", "no such type"),
        ("CREATE SECRET s (KEY_ID 'hunter2')", "type"),
        ("CREATE SECRET s (TYPE s3, SECRET word)", "in quotes"),
        ("CREATE SECRET s (TYPE s3, SECRET 'a', SECRET 'hunter2')", "twice"),
        ("CREATE SECRET s (TYPE s3, SCOPE 'gs://b/')", "not of the type s3"),
    ):
        assert "hunter2" not in db.fail(wrong, word)


def test_a_wrong_option_of_the_configuration_is_refused(db):
    (pathlib.Path(db.directory) / "weir.yaml").write_text('stores:\n  s: { url: "s3://b/", regoin: eu }\n')
    db.fail("SELECT 1", "regoin", "region", "weir.yaml:2")


def test_the_preset_server_lets_nobody_read_what_is_not_listed(db):
    db.fail("SELECT * FROM 's3://bucket/x.csv'", "permission denied", args=("--set", "policy.preset=server"))
