# SPDX-License-Identifier: Apache-2.0
"""Objects that are read as streams, CSV for instance, come in pieces; and how much is asked of a store in a second."""

import contextlib
import functools
import gzip
import io
import subprocess
import time

import numpy
import pyarrow
import pytest
from conftest import PROGRAM
from fault_proxy import FaultProxy, cut
from http_server import HttpServer
from peak import Peak
from plain_http import PlainHttp
from stores import MinIO
from test_stores_faults import write_config

PIECE = 8 << 20  # of docs/internals/store.md
ROWS = 8_000_000


@functools.cache
def data(first=0, n=ROWS):
    return ("id,text\n" + "".join(f"{i},the row with the number {i}\n" for i in range(first, first + n))).encode()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = MinIO(tmp_path_factory.mktemp("minio"))
    try:
        store.make("long")
        store.put("long", "t.csv", data())
        store.put("long", "empty.csv", b"")
        yield store
    finally:
        store.close()


class Program:
    """`weir sql` whose store stands behind a proxy."""

    def __init__(self, store, directory, **options):
        self.directory, self.proxy = directory / "w", FaultProxy("127.0.0.1", store.port)
        write_config(self.directory, store, "long", self.proxy, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proxy.close()

    def start(self, sql):
        return subprocess.Popen([PROGRAM, "sql", "--format", "csv", sql], cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def rows(self, sql):
        out, error = self.start(sql).communicate()
        assert not error, error.decode()
        return out.decode().splitlines()[1:]


SUMS = "SELECT count(*), sum(id), sum(length(text)) FROM 's3://long/t.csv'"


def sums(n=ROWS):
    digits = len(data(n=n)) - len("id,text\n") - n * len(",the row with the number \n")
    return [f"{n},{n * (n - 1) // 2},{n * len('the row with the number ') + digits // 2}"]


def test_a_stream_is_asked_for_in_pieces_and_each_again_where_it_breaks_off(store, tmp_path):
    with Program(store, tmp_path) as program:
        assert program.rows(SUMS) == sums()
        gets = program.proxy.requests("GET", "t.csv")
        size = len(data())
        assert size > 25 * PIECE and max(r.length for r in gets) == PIECE
        assert size <= sum(r.sent for r in gets) < 1.2 * size and len(gets) < 2 * size / PIECE
        program.proxy.forget()
        rule = program.proxy.rule(cut(0.5), method="GET", path="t.csv", share=0.3)
        assert program.rows(SUMS) == sums() and rule.fired > 3


def test_who_reads_slowly_holds_no_more_than_pieces_and_outlasts_every_timeout(store, tmp_path):
    with Program(store, tmp_path, timeout="1s", retry_timeout="1s", max_retries="1") as program:
        with program.start("SELECT id, text FROM 's3://long/t.csv'") as process:
            peak = Peak(process)
            head = process.stdout.read(1 << 20)
            asked = sum(r.length for r in program.proxy.requests("GET", "t.csv"))
            time.sleep(5)
            n = head.count(b"\n") + sum(chunk.count(b"\n") for chunk in iter(lambda: process.stdout.read(1 << 20), b""))
            assert process.wait() == 0, process.stderr.read()
        assert n == ROWS + 1 and asked < 25 * PIECE < len(data())
        assert peak.bytes() < 450 << 20


def test_an_object_replaced_between_two_pieces_is_not_mixed(store, tmp_path):
    store.put("long", "replaced.csv", data())
    with Program(store, tmp_path) as program:
        with program.start("SELECT id, text FROM 's3://long/replaced.csv'") as process:
            process.stdout.read(1 << 20)
            store.put("long", "replaced.csv", data(first=ROWS))
            _, error = process.communicate()
            assert process.returncode != 0 and b"replaced.csv was replaced meanwhile" in error and b"40001" in error


def test_an_empty_object_and_a_limit(store, tmp_path):
    with Program(store, tmp_path) as program:
        found = subprocess.run([PROGRAM, "sql", "SELECT * FROM 's3://long/empty.csv'"], cwd=program.directory, capture_output=True)
        assert found.returncode == 0 or b"empty.csv" in found.stderr
        assert b"416" not in found.stderr
        assert len(program.rows("SELECT * FROM 's3://long/t.csv' LIMIT 3")) == 3


def test_a_server_without_ranges_gives_its_objects_whole(tmp_path):
    with contextlib.closing(PlainHttp(tmp_path / "site", has_ranges=False)) as site:
        site.put(site.make("long"), "t.csv", data(n=500_000))
        write_config(tmp_path / "w", site, "long")
        sql = SUMS.replace("s3://long/", site.url("long"))
        found = subprocess.run([PROGRAM, "sql", "--format", "csv", sql], cwd=tmp_path / "w", capture_output=True, text=True)
        assert found.stdout.splitlines()[1:] == sums(500_000), found.stderr


def test_the_schema_of_json_lines_is_inferred_from_the_first(store, tmp_path):
    text = "".join(f'{{"id": {i}, "text": "the row with the number {i}"}}\n' for i in range(1_000_000)).encode()
    store.put("long", "t.jsonl", text)
    store.put("long", "z/t.jsonl.gz", gzip.compress(text[: text.rindex(b"\n", 0, 20_000_000) + 1], 1))
    with Program(store, tmp_path) as program:
        described = subprocess.run([PROGRAM, "describe", "s3://long/t.jsonl"], cwd=program.directory, capture_output=True, text=True)
        assert "int64" in described.stdout and "text" in described.stdout, described.stderr
        assert sum(r.sent for r in program.proxy.requests("GET")) < 2 * PIECE < len(text) / 3
        assert program.rows("SELECT count(*), sum(id), max(text) FROM 's3://long/t.jsonl'") == ["1000000,499999500000,the row with the number 999999"]
        n = text.count(b"\n", 0, text.rindex(b"\n", 0, 20_000_000) + 1)
        assert program.rows("SELECT count(*), sum(id) FROM 's3://long/z/t.jsonl.gz'") == [f"{n},{n * (n - 1) // 2}"]


def test_an_arrow_file_is_read_a_few_batches_at_a_time(store, tmp_path):
    n = 10_000_000
    out = io.BytesIO()
    ids = numpy.arange(n)
    with pyarrow.ipc.new_file(out, pyarrow.schema({"id": pyarrow.int64(), "half": pyarrow.float64()})) as writer:
        for at in range(0, n, 65536):
            part = ids[at : at + 65536]
            writer.write(pyarrow.record_batch({"id": part, "half": part / 2}))
    size = out.getbuffer().nbytes
    store.put("long", "t.arrow", out.getvalue())
    with Program(store, tmp_path) as program:
        assert program.rows("SELECT count(*), sum(id), sum(half) = sum(id) / 2.0 FROM 's3://long/t.arrow'") == [f"{n},{n * (n - 1) // 2},true"]
        program.proxy.forget()
        write_config(program.directory, store, "long", program.proxy)
        with (program.directory / "weir.yaml").open("a") as config:
            config.write("settings:\n  datafusion.execution.target_partitions: 1\ncache.objects.max_bytes: 0\n")
        assert program.rows("SELECT id FROM 's3://long/t.arrow' LIMIT 2") == ["0", "1"]
        assert sum(r.sent for r in program.proxy.requests("GET")) < size / 3


# ---- Rates ----


def test_no_more_bytes_a_second_than_the_store_may_be_asked_for(store, tmp_path):
    with Program(store, tmp_path, byte_rate="100MiB") as program:
        begin = time.monotonic()
        assert program.rows(SUMS) == sums()
        seconds = time.monotonic() - begin
        # The last request makes nobody wait.
        least = (sum(r.sent for r in program.proxy.requests("GET")) - 2 * PIECE) / (100 << 20)
        assert seconds > least > 2


def test_no_more_requests_a_second_than_the_store_may_be_asked(store, tmp_path):
    with Program(store, tmp_path, request_rate="20") as program:
        assert program.rows(SUMS) == sums()
        started = sorted(r.started for r in program.proxy.requests())
        assert len(started) > 25 and started[-1] - started[0] > (len(started) - 1) / 20 - 0.2


def test_a_rate_that_is_none_is_refused(store, tmp_path):
    with Program(store, tmp_path, byte_rate="fast") as program:
        found = subprocess.run([PROGRAM, "sql", SUMS], cwd=program.directory, capture_output=True, text=True)
        assert found.returncode != 0 and 'option "byte_rate" is a number of bytes' in found.stderr


def test_what_a_store_does_where_nothing_is_said_is_a_setting(store, tmp_path):
    with Program(store, tmp_path, max_retries="3") as program, HttpServer(program.directory) as server:
        rows = server.rows("SELECT name, value, origin, description FROM system.settings WHERE name LIKE 'stores.%'")
        found = {name: (value, origin) for name, value, origin, _ in rows}
        assert found["stores.*.max_retries"] == ("10", "default") and found["stores.*.byte_rate"] == ("0", "default")
        assert found["stores.own.max_retries"][0] == "3" and "weir.yaml" in found["stores.own.max_retries"][1]
        told = {name: description for name, *_, description in rows}
        assert told["stores.own.max_retries"] == told["stores.*.max_retries"] == "tries after the first one"
        assert found["stores.own.secret_access_key"][0] == "***"


# ---- What is left ----


def test_an_upload_that_the_store_refused_to_begin_leaves_nothing_to_end(store, tmp_path):
    with Program(store, tmp_path) as program:
        write_config(program.directory, store, "no", program.proxy)
        sql = "COPY (SELECT value FROM range(3000000)) TO 's3://no/t.csv'"
        found = subprocess.run([PROGRAM, "sql", sql], cwd=program.directory, capture_output=True, text=True)
        assert found.returncode != 0 and "bucket" in found.stderr
        assert [path for path in program.directory.glob(".weir/uploads/*") if path.stat().st_size] == []
