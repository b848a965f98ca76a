# SPDX-License-Identifier: Apache-2.0
"""COPY and INSERT into stores: whole or absent, against real servers."""

import json
import signal
import subprocess
import time

import pytest
from conftest import PROGRAM
from fault_proxy import FaultProxy, lost, reset, s3_error
from http_server import HttpServer, until
from peak import Peak
from plain_http import PlainHttp
from stores import Azurite, Gcs, MinIO, VersityGW
from test_stores import secret

STORES = [VersityGW, MinIO, Azurite, Gcs]
ROWS = "SELECT value AS id, concat('row ', value) AS word, value / 4.0 AS x, value % 3 = 0 AS b FROM generate_series(1, {})"
# Some 60 MB of Parquet that do not compress: several parts, also while rows come.
LARGE = "SELECT value AS id, random() AS x, random() AS y FROM generate_series(1, 3000000)"
# The same with an error in the last rows.
BREAKS = "SELECT id, x, y, 1 / (2999990 - id) AS z FROM (" + LARGE + ")"


@pytest.fixture(scope="module", params=STORES, ids=lambda kind: kind.name)
def store(request, tmp_path_factory):
    store = request.param(tmp_path_factory.mktemp(request.param.name))
    try:
        store.make("out")
        yield store
    finally:
        store.close()


@pytest.fixture(scope="module")
def minio(tmp_path_factory):
    store = MinIO(tmp_path_factory.mktemp("minio"))
    try:
        store.make("out")
        yield store
    finally:
        store.close()


def open_uploads(store, bucket, prefix):
    """Azure has no end for blocks that belong to no blob but their age."""
    return [] if store.scheme == "az" else [key for key in store.open_uploads(bucket) if store.name == "minio" or key.startswith(prefix)]


def nothing_left(store, bucket, prefix, deadline=30):
    """Waits until no upload is open, and sees that no object is there."""
    end = time.monotonic() + deadline
    while open_uploads(store, bucket, prefix) and time.monotonic() < end:
        time.sleep(0.05)
    assert open_uploads(store, bucket, prefix) == []
    assert store.list(bucket, prefix) == []


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.jsonl", "x.arrow", "x.csv.gz"])
def test_what_is_written_reads_back_equal(store, db, name):
    begin, url = secret(store, "out"), store.url("out", f"formats/{name}")
    rows = ROWS.format(5000)
    db.ok(begin + f"COPY ({rows}) TO '{url}'")
    assert store.list("out", f"formats/{name}") == [f"formats/{name}"]
    same = f"SELECT count(*) FROM (SELECT id, word, x, b FROM '{url}' INTERSECT {rows})"
    assert db.value(begin + same) == 5000
    assert db.value(begin + f"SELECT count(*) FROM '{url}'") == 5000


def test_a_large_object_goes_up_in_parts(store, db):
    begin, url = secret(store, "out"), store.url("out", "large.parquet")
    db.ok(begin + f"COPY ({LARGE}) TO '{url}'")
    assert db.rows(begin + f"SELECT count(*), min(id), max(id), count(x) FROM '{url}'") == [(3000000, 1, 3000000, 3000000)]
    assert store.open_uploads("out") == []
    assert store.list("out", "large") == ["large.parquet"]
    store.delete("out", "large.parquet")


def test_a_directory_is_written_by_partitions_added_to_and_replaced(store, db):
    begin, url = secret(store, "out"), store.url("out", "parts/")
    copy = f"COPY (SELECT value AS id, value % 4 AS k FROM generate_series(1, {{}})) TO '{url}' (FORMAT parquet, PARTITION_BY (k){{}});"
    db.ok(begin + copy.format(100, ""))
    keys = store.list("out", "parts/")
    assert sorted({key.split("/")[1] for key in keys}) == ["k=0", "k=1", "k=2", "k=3"]
    count = f"SELECT count(*), sum(id), count(DISTINCT k) FROM '{url}'"
    assert db.rows(begin + count) == [(100, 5050, 4)]
    db.ok(begin + f"COPY (SELECT 1000 AS id, 1 AS k) TO '{url}' (FORMAT parquet, PARTITION_BY (k))")
    assert db.rows(begin + count) == [(101, 6050, 4)]
    db.ok(begin + copy.format(10, ", OVERWRITE"))
    assert db.rows(begin + count) == [(10, 55, 4)]
    assert not set(keys) & set(store.list("out", "parts/"))


def test_an_object_that_is_there_is_replaced_as_a_file_is(store, db):
    begin, url = secret(store, "out"), store.url("out", "again.csv")
    for n in (3, 2):
        db.ok(begin + f"COPY (SELECT {n} AS n) TO '{url}'")
        assert store.get("out", "again.csv") == f"n\n{n}\n".encode()


def test_rows_are_inserted_updated_and_deleted(store, db):
    url = store.url("out", "table/")
    begin = secret(store, "out") + f"CREATE EXTERNAL TABLE t (a BIGINT, w VARCHAR) STORED AS PARQUET LOCATION '{url}';"
    sql = begin + (
        "INSERT INTO t VALUES (1, 'x'), (2, 'y'); INSERT INTO t SELECT value, 'z' FROM generate_series(3, 5);"
        "DELETE FROM t WHERE a = 2; UPDATE t SET w = 'u' WHERE a = 4; SELECT a, w FROM t ORDER BY a"
    )
    assert db.rows(sql)[-4:] == [(1, "x"), (3, "z"), (4, "u"), (5, "z")]
    read = secret(store, "out") + f"SELECT count(*), sum(a) FROM '{url}'"
    assert db.rows(read) == [(4, 13)]
    file = store.url("out", "one.csv")
    db.run("sql", secret(store, "out") + f"COPY (SELECT 1 AS a) TO '{file}'")
    text = db.fail(secret(store, "out") + f"CREATE EXTERNAL TABLE f (a BIGINT) STORED AS CSV LOCATION '{file}'; INSERT INTO f VALUES (2)", file)
    assert "weir+store" not in text


@pytest.mark.parametrize("target", ["broken.parquet", "broken.csv", "broken/"])
def test_a_failure_in_the_last_rows_leaves_nothing(store, db, target):
    begin, url = secret(store, "out"), store.url("out", target)
    db.fail(begin + f"COPY ({BREAKS}) TO '{url}' (FORMAT {'csv' if 'csv' in target else 'parquet'})", "divi")
    nothing_left(store, "out", "broken")


def test_a_failure_leaves_what_was_there(store, db):
    begin, url = secret(store, "out"), store.url("out", "kept.csv")
    db.ok(begin + f"COPY (SELECT 7 AS n) TO '{url}'")
    db.fail(begin + f"COPY (SELECT 1 / (5 - value) AS n FROM generate_series(1, 9)) TO '{url}'", "divi")
    assert store.get("out", "kept.csv") == b"n\n7\n"


def test_a_cancelled_write_leaves_nothing(store, db):
    begin, url = secret(store, "out"), store.url("out", "cancelled.parquet")
    process = db.start("sql", begin + f"COPY ({LARGE.replace('3000000', '3000000000')}) TO '{url}'")
    try:
        end = time.monotonic() + 60
        while not [key for key in store.open_uploads("out") if store.name == "minio" or "cancelled" in key] and time.monotonic() < end:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode != 0
    nothing_left(store, "out", "cancelled")


def test_a_bucket_that_is_not_there_is_named(minio, db):
    begin = secret(minio, "nowhere")
    for key in ("x.parquet", "dir/"):
        text = db.fail(begin + f"COPY (SELECT 1 AS a) TO 's3://nowhere/{key}' (FORMAT parquet)", "s3://nowhere/")
        assert "weir+" not in text


def test_the_plan_names_the_target_and_no_secret(minio, db):
    begin = secret(minio, "out")
    text = db.ok(begin + "EXPLAIN COPY (SELECT 1 AS a) TO 's3://out/plan.parquet'", "--format", "csv")
    assert "output_url=s3://out/plan.parquet" in text
    options = minio.options()
    assert options["secret_access_key"] not in text and options["access_key_id"] not in text
    assert minio.list("out", "plan") == []


@pytest.mark.parametrize("what", ["part is reset", "part is refused", "begin is refused", "end is refused"])
def test_a_fault_that_stays_fails_the_write_and_leaves_nothing(minio, db, what):
    with FaultProxy("127.0.0.1", minio.port, seed=5) as proxy:
        denied = s3_error(403, "AccessDenied", "no")
        if what == "part is reset":
            proxy.rule(reset(), method="PUT", path="partNumber=2")
        elif what == "part is refused":
            proxy.rule(denied, method="PUT", path="partNumber=2")
        elif what == "begin is refused":
            proxy.rule(denied, method="POST", path=r"\?uploads")
        else:
            proxy.rule(denied, method="POST", path="uploadId=")
        begin = secret(minio, "out", proxy, max_retries="2", retry_timeout="5s")
        text = db.fail(begin + f"COPY ({LARGE}) TO 's3://out/faulty.parquet'", "s3://out/faulty.parquet")
        assert "weir+" not in text
    nothing_left(minio, "out", "faulty")


def test_faults_that_pass_change_no_row(minio, db):
    with FaultProxy("127.0.0.1", minio.port, seed=6) as proxy:
        proxy.rule(reset(), method="PUT", share=0.2)
        proxy.rule(lost(), method="PUT", share=0.2)
        proxy.rule(s3_error(503, "SlowDown", "later"), share=0.1)
        begin = secret(minio, "out", proxy)
        db.ok(begin + f"COPY ({LARGE}) TO 's3://out/passed.parquet'")
        assert proxy.requests(fault=True)
    assert db.rows(secret(minio, "out") + "SELECT count(*), sum(id) FROM 's3://out/passed.parquet'") == [(3000000, 4500001500000)]
    assert minio.open_uploads("out") == []


def test_one_object_that_cannot_be_put_takes_back_the_others(minio, db):
    with FaultProxy("127.0.0.1", minio.port, seed=7) as proxy:
        proxy.rule(s3_error(403, "AccessDenied", "no"), method="PUT", path="/k=3/")
        begin = secret(minio, "out", proxy)
        sql = "COPY (SELECT value AS id, value % 5 AS k FROM generate_series(1, 50)) TO 's3://out/some/' (FORMAT csv, PARTITION_BY (k))"
        db.fail(begin + sql, "s3://out/some/k=3/")
    nothing_left(minio, "out", "some/")


def test_many_small_objects_are_put_in_place_together(minio, db):
    sql = "COPY (SELECT value AS id, value % 200 AS k FROM generate_series(1, 20000)) TO 's3://out/many/' (FORMAT parquet, PARTITION_BY (k))"
    db.ok(secret(minio, "out") + sql)
    assert len(minio.list("out", "many/")) >= 200
    assert db.rows(secret(minio, "out") + "SELECT count(*), sum(id), count(DISTINCT k) FROM 's3://out/many/'") == [(20000, 200010000, 200)]


def test_objects_of_memory_are_written(db):
    sql = "COPY (SELECT 5 AS a) TO 'memory://m/x.parquet'; COPY (SELECT value AS a, value % 2 AS k FROM generate_series(1, 4)) TO 'memory://m/d/' (FORMAT csv, PARTITION_BY k);"
    assert db.rows(sql + "SELECT a FROM 'memory://m/x.parquet'")[-1] == (5,)
    assert db.rows(sql + "SELECT sum(a), count(DISTINCT k) FROM 'memory://m/d/'")[-1] == (10, 2)
    db.fail("COPY (SELECT 1 / (5 - value) AS n FROM generate_series(1, 9)) TO 'memory://m/y.csv'", "divi")
    db.fail("COPY (SELECT 1 AS a) TO 'memory://m/' (FORMAT csv, OVERWRITE)", "memory://m/", "directory")


def test_a_web_server_is_not_written_to(tmp_path, db):
    server = PlainHttp(tmp_path / "web")
    try:
        bucket = server.make("data")
        begin = f"CREATE SECRET web (TYPE http, SCOPE '{server.endpoint()}/', allow_http true);"
        db.fail(begin + f"COPY (SELECT 1 AS a) TO '{server.url(bucket, 'x.csv')}'", "web server")
    finally:
        server.close()
    assert [path for path in (tmp_path / "web").rglob("*") if path.is_file()] == []


def test_the_policy_says_what_may_be_written(minio, db):
    begin = secret(minio, "out")
    limits = ("--set", "policy.write=s3://out/mine")
    db.fail(begin + "COPY (SELECT 1 AS a) TO 's3://out/theirs/x.csv'", "permission denied", "policy.write", args=limits)
    db.fail(begin + "COPY (SELECT 1 AS a) TO 's3://out/mine/../theirs/x.csv'", args=limits)
    assert minio.list("out", "theirs") == []
    db.ok(begin + "COPY (SELECT 1 AS a) TO 's3://out/mine/x.csv'", *limits)
    assert minio.list("out", "mine") == ["mine/x.csv"]
    db.fail("COPY (SELECT 1 AS a) TO 's3://out/mine/y.csv'", "permission denied", args=("--set", "policy.preset=server"))


@pytest.mark.parametrize("way", ["the client closes", "the server ends"])
def test_a_server_takes_back_what_nobody_waits_for(minio, tmp_path, way):
    options = {"url": minio.url("out"), **minio.options()}
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in options.items())
    with HttpServer(tmp_path, "--set", "drain_timeout=1s", config=f"stores:\n  own:\n{lines}") as server:
        assert server.rows("COPY (SELECT value AS a FROM generate_series(1, 77)) TO 's3://out/served/x.parquet'") == [(77,)]
        body = f"COPY ({LARGE.replace('3000000', '3000000000')}) TO 's3://out/vanished.parquet'"
        connection = server.connect()
        connection.request("POST", "/v1/sql", body.encode())
        until(lambda: minio.open_uploads("out"), "an upload is open")
        if way == "the client closes":
            connection.close()
            nothing_left(minio, "out", "vanished")
        assert server.end() == 0
        connection.close()
    nothing_left(minio, "out", "vanished")


def test_partitions_of_many_values_are_written_with_few_open_files(db, tmp_path):
    # Each batch has rows of all values. A file that is open takes a megabyte: 1500 at a time took two gigabytes.
    sql = f"COPY (SELECT value AS id, value % 1500 AS k FROM generate_series(1, 300000)) TO '{tmp_path}/many/' (FORMAT parquet, PARTITION_BY (k))"
    process = subprocess.Popen([PROGRAM, "sql", sql], cwd=db.directory, env=db.env)
    peak = Peak(process)
    assert process.wait() == 0
    print(f"{peak.bytes() >> 20} MiB")
    assert 0 < peak.bytes() < 700 << 20
    assert db.rows(f"SELECT count(*), sum(id), count(DISTINCT k) FROM '{tmp_path}/many/'") == [(300000, 45000150000, 1500)]
