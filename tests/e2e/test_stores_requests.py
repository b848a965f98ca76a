# SPDX-License-Identifier: Apache-2.0
"""How much is asked of a store, counted by a proxy between: requests, and bytes on the wire."""

import io
import resource

import numpy
import pyarrow
import pyarrow.parquet
import pytest
from fault_proxy import FaultProxy, delay, stall
from http_server import HttpServer, until
from principals import LIBRARY, Session
from stores import MinIO

ROWS = 700_000  # of a file, 22 MB
FILES = 4
POINT = "SELECT k, s FROM 's3://lake/t/*.parquet' WHERE k = {}"
COUNT = "SELECT count(*) AS n FROM 's3://lake/t/*.parquet'"


def parquet(first, n):
    random, keys = numpy.random.default_rng(first), numpy.arange(first, first + n)
    columns = {"k": keys, "a": random.random(n), "b": random.integers(0, 1 << 40, n), "s": [f"row {k}" for k in keys]}
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out, row_group_size=120_000, write_page_index=True)
    return out.getvalue()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = MinIO(tmp_path_factory.mktemp("minio"))
    try:
        store.make("lake")
        size = 0
        for i in range(FILES):
            data = parquet(i * ROWS, ROWS)
            size += len(data)
            store.put("lake", f"t/{i}.parquet", data)
        assert size > 85_000_000
        yield store
    finally:
        store.close()


class Asked:
    """A server over a directory, its store behind a proxy. Another one over the same directory needs the same proxy."""

    def __init__(self, store, directory, config="", proxy=None, **more):
        directory.mkdir(exist_ok=True)
        self.own_proxy = proxy is None
        self.proxy = proxy or FaultProxy("127.0.0.1", store.port)
        self.server = HttpServer(directory, config=config)
        options = ", ".join(f"{key} '{value}'" for key, value in {**store.options(self.proxy), **more}.items())
        assert self.server.sql(f"CREATE SECRET own (TYPE s3, SCOPE 's3://lake/', {options})").status == 200

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.end()
        if self.own_proxy:
            self.proxy.close()

    def rows(self, sql):
        """What comes of a statement, the requests for it and their bytes."""
        before = len(self.proxy.requests())
        rows = self.server.rows(sql)
        made = self.proxy.requests()[before:]
        print(*(f"{request.kind} {request.path} {request.range}" for request in made), sep="\n")
        return rows, len(made), sum(request.sent for request in made)


def test_a_point_lookup_and_a_count_ask_for_little(store, tmp_path):
    with Asked(store, tmp_path / "first") as asked:
        rows, requests, size = asked.rows(POINT.format(2_000_017))
        print(f"cold: {requests} requests, {size} bytes")
        assert rows == [(2_000_017, "row 2000017")] and requests <= 9 and size <= 10_000_000
        for k in (2_000_017, 900_017, 5):
            rows, requests, size = asked.rows(POINT.format(k))
            print(f"warm: {requests} requests, {size} bytes")
            assert rows == [(k, f"row {k}")] and requests <= 2
        asked.rows(POINT.format(0))
        assert asked.rows(COUNT) == ([(FILES * ROWS,)], 0, 0)


SCAN = "SELECT sum(k) AS k, max(s) AS s, count(DISTINCT b) > 0 AS b, sum(a) > 0 AS a FROM 's3://lake/t/*.parquet'"
OF_ALL = [(FILES * ROWS * (FILES * ROWS - 1) // 2, "row 999999", True, True)]


def test_a_scan_asks_for_no_byte_twice_not_even_after_a_restart(store, tmp_path):
    with FaultProxy("127.0.0.1", store.port) as proxy:
        first_reads_and_those_after_a_restart(store, tmp_path / "own", proxy)


def first_reads_and_those_after_a_restart(store, directory, proxy):
    with Asked(store, directory, config="cache.listings.max_age: 1h\n", proxy=proxy) as asked:
        rows, requests, size = asked.rows(SCAN)
        assert rows == OF_ALL and requests > FILES and size > 85_000_000
        for k in (2_000_017, 5):
            assert asked.rows(POINT.format(k)) == ([(k, f"row {k}")], 0, 0)
        assert asked.rows(SCAN) == (OF_ALL, 0, 0)
        assert asked.server.rows("SELECT value > 1000 FROM system.metrics WHERE name = 'blocks_kept'") == [(True,)]
    with Asked(store, directory, proxy=proxy) as asked:
        for sql, expected in ((SCAN, OF_ALL), (POINT.format(7), [(7, "row 7")])):
            rows, requests, size = asked.rows(sql)
            assert rows == expected and requests <= 1 and size < 10_000  # a listing


def test_without_blocks_pages_are_asked_for_again(store, tmp_path):
    with Asked(store, tmp_path / "none", config="cache.objects.max_bytes: 0\ncache.listings.max_age: 1h\n") as asked:
        for _ in range(3):
            rows, requests, _ = asked.rows(POINT.format(2_000_017))
            assert rows == [(2_000_017, "row 2000017")] and requests > 0
        assert not (tmp_path / "none/.weir/blocks").exists()


def test_the_blocks_of_an_object_that_was_replaced_are_not_taken(store, tmp_path):
    query = "SELECT sum(k) AS k FROM 's3://lake/again/x.parquet'"
    with Asked(store, tmp_path / "again", config="cache.listings.max_age: 0s\n") as asked:
        for first in (0, 10_000, 20_000, 10_000):
            store.put("lake", "again/x.parquet", parquet(first, 1000))
            for _ in range(2):
                assert asked.server.rows(query) == [(sum(range(first, first + 1000)),)]


def test_the_blocks_take_no_more_room_than_they_may(store, tmp_path):
    with Asked(store, tmp_path / "little", config="cache.objects.max_bytes: 20MiB\n") as asked:
        for _ in range(2):
            assert asked.server.rows(SCAN) == OF_ALL
    files = list((tmp_path / "little/.weir/blocks").iterdir())
    assert files and sum(file.stat().st_blocks * 512 for file in files) <= 20 << 20


def test_what_others_put_is_seen_within_the_age_and_what_weir_puts_at_once(store, tmp_path):
    store.put("lake", "new/0.parquet", parquet(0, 10))
    count = "SELECT count(*) AS n FROM 's3://lake/new/*.parquet'"
    with Asked(store, tmp_path / "short") as asked:
        assert asked.server.rows("SELECT value FROM system.settings WHERE name = 'cache.listings.max_age'") == [("1s",)]
        assert asked.server.rows(count) == [(10,)]
        store.put("lake", "new/1.parquet", parquet(10, 10))
        until(lambda: asked.server.rows(count) == [(20,)], "it is seen", 5)
    with Asked(store, tmp_path / "long", config="cache.listings.max_age: 1h\n") as asked:
        assert asked.server.rows(count) == [(20,)]
        store.put("lake", "new/2.parquet", parquet(20, 10))
        assert asked.server.rows(count) == [(20,)]
        assert asked.server.sql("COPY (SELECT 1 AS k) TO 's3://lake/other/x.parquet'").status == 200
        assert asked.server.rows(count) == [(30,)]
    with Asked(store, tmp_path / "none", config="cache.listings.max_age: 0s\n") as asked:
        for n in (3, 4, 5):
            store.put("lake", f"new/{n}.parquet", parquet(10 * n, 10))
            assert asked.server.rows(count) == [(10 * (n + 1),)]


def secret(store, proxy, name="own", scope="s3://lake/"):
    options = ", ".join(f"{key} '{value}'" for key, value in store.options(proxy).items())
    return f"CREATE SECRET {name} (TYPE s3, SCOPE '{scope}', {options})"


def test_the_plan_of_a_query_over_objects_is_kept_as_long_as_they_are_the_same(store, tmp_path):
    query = "SELECT count(*) AS n, sum(k) AS k FROM 's3://lake/kept/*.parquet'"
    known = "SELECT count(*) AS n FROM 's3://lake/kept/*.parquet'"  # of the footers alone
    with FaultProxy("127.0.0.1", store.port) as proxy:
        session = Session(LIBRARY, path=tmp_path, settings={"cache.listings.max_age": "0s"})
        session.run(secret(store, proxy))

        def ask():
            """The rows, and how many plans were kept from before."""
            before = session.metrics()["plan_cache_hits"]
            rows = session.rows(query)
            assert session.rows(known) == [(rows[0][0],)]
            return rows, (session.metrics()["plan_cache_hits"] - before) / 2

        keys = {}
        for i, first in [(0, 0), (1, 10), (0, 20)]:  # new, one more, another one in its place
            store.put("lake", f"kept/{i}.parquet", parquet(first, 10))
            keys[i] = range(first, first + 10)
            expected = [(10 * len(keys), sum(map(sum, keys.values())))]
            assert [ask() for _ in range(3)] == [(expected, 0), (expected, 1), (expected, 1)]
        store.delete("lake", "kept/1.parquet")
        assert [ask() for _ in range(2)] == [([(10, sum(range(20, 30)))], n) for n in (0, 1)]
        session.run("CREATE OR REPLACE" + secret(store, proxy).removeprefix("CREATE"))
        assert [ask() for _ in range(2)] == [([(10, sum(range(20, 30)))], n) for n in (0, 1)]
        session.run("SET weir.plan_cache = off")
        assert [ask() for _ in range(2)] == [([(10, sum(range(20, 30)))], 0)] * 2
        session.close()


def waits(session, sql, times):
    """How often this thread waited for anything while a statement ran so often."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    rows = [session.rows(sql) for _ in range(times)]
    assert rows == rows[:1] * times
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before


def test_whoever_asks_again_for_what_statistics_tell_waits_for_no_other_thread(store, tmp_path):
    with FaultProxy("127.0.0.1", store.port) as proxy:
        session = Session(LIBRARY, path=tmp_path, settings={"cache.listings.max_age": "1h"})
        session.run(secret(store, proxy))
        for sql in (COUNT, "SELECT count(*) AS n, min(k) AS least, max(k) AS most FROM 's3://lake/t/*.parquet'", "SELECT 1 AS n"):
            session.rows(sql)
            assert waits(session, sql, 100) < 10, sql
        session.run("SET weir.plan_cache = off")
        assert waits(session, COUNT, 100) > 50
        session.close()


def test_a_secret_opens_its_store_and_asks_it_nothing(store, tmp_path):
    with FaultProxy("127.0.0.1", store.port) as proxy, HttpServer(tmp_path) as server:
        shown = lambda: {line.split('store="')[1].split('"')[0] for line in server.get("/metrics").body.decode().splitlines() if 'store="' in line}
        for i in range(12):
            assert server.sql(secret(store, proxy, f"s{i}", f"s3://bucket{i}/")).status == 200
            if i == 0:
                until(lambda: shown() == {"s3://bucket0/"}, "its store is open", 20)
        until(lambda: len(shown()) == 8, "no more are opened than may be", 20)
        assert proxy.requests() == []


def test_a_small_read_without_an_answer_is_asked_for_again_and_a_large_one_waits(store, tmp_path):
    with Asked(store, tmp_path / "hedged", hedge_after="200ms", timeout="20s", user_agent="weir-test") as asked:
        rule = asked.proxy.rule(stall(), method="GET", path="0.parquet", count=1)
        rows, _, _ = asked.rows(POINT.format(17))
        made = asked.proxy.requests("GET", "0.parquet")
        assert rows == [(17, "row 17")] and rule.fired == 1
        (silent,) = [request for request in made if not request.status]
        assert [request.range for request in made].count(silent.range) == 2
        figures = dict(asked.server.rows("SELECT name, value FROM system.metrics WHERE store IS NOT NULL"))
        assert figures["objects_hedged_requests"] == 1 and figures["objects_retried_requests"] == 0
        assert {request.headers["user-agent"] for request in made} == {"weir-test"}

        asked.proxy.rule(delay(1), method="GET", path="1.parquet", when=lambda request: request.length > 1 << 20)
        rows, _, _ = asked.rows("SELECT sum(a) > 0 AS a, min(length(s)) AS s, sum(b) > 0 AS b FROM 's3://lake/t/1.parquet'")
        ranges = [request.range for request in asked.proxy.requests("GET", "1.parquet") if request.length > 1 << 20]
        assert rows == [(True, 10, True)] and len(ranges) == len(set(ranges)) > 0
