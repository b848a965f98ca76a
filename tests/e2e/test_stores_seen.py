# SPDX-License-Identifier: Apache-2.0
"""What a statement asked of stores: in system.queries, EXPLAIN ANALYZE and the log, as a proxy between counts it."""

import collections
import re

import pytest
from fault_proxy import FaultProxy, throttle
from http_server import HttpServer
from stores import MinIO
from test_stores import put_table
from test_stores_faults import write_config

COLUMNS = ["store_gets", "store_heads", "store_lists", "store_puts", "store_posts", "store_deletes", "store_retries", "store_bytes_received", "store_bytes_sent", "cache_hits"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = MinIO(tmp_path_factory.mktemp("minio"))
    try:
        store.make("seen")
        put_table(store, "seen", "t")
        yield store
    finally:
        store.close()


class Seen:
    def __init__(self, store, directory):
        self.proxy = FaultProxy("127.0.0.1", store.port, seed=1)
        write_config(directory, store, "seen", self.proxy)
        text = (directory / "weir.yaml").read_text()
        (directory / "weir.yaml").write_text("log.level: debug\nlog.file: requests.log\ncache.objects.max_bytes: 0\n" + text)
        self.server = HttpServer(directory)
        self.log = directory / "requests.log"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.end()
        self.proxy.close()

    def run(self, sql):
        """Rows, figures of system.queries, requests of the proxy by kind, log lines; of this statement alone."""
        before, lines = len(self.proxy.requests()), self.log.read_text().count("\n") if self.log.exists() else 0
        rows = self.server.rows(sql)
        made = self.proxy.requests()[before:]
        text = sql.replace("'", "''")[:40]
        (figures,) = self.server.rows(f"SELECT {', '.join(COLUMNS)} FROM system.queries WHERE sql LIKE '{text}%' ORDER BY started_at DESC LIMIT 1")
        return rows, dict(zip(COLUMNS, figures)), made, self.log.read_text().splitlines()[lines:]


def count(requests):
    return collections.Counter("PUT" if r.kind == "PUT" else r.kind for r in requests)


def test_a_statement_tells_its_requests_as_they_were_made(store, tmp_path):
    with Seen(store, tmp_path / "w") as seen:
        sql = "SELECT count(*) AS n, sum(id) AS s FROM 's3://seen/t/*.parquet' WHERE word <> 'x'"
        rows, figures, made, lines = seen.run(sql)
        kinds = count(made)
        assert rows == [(1000, 499500)] and figures["store_lists"] == kinds["LIST"] == 1
        assert (figures["store_gets"], figures["store_heads"]) == (kinds["GET"], kinds["HEAD"]) and kinds["GET"] >= 4
        assert figures["store_retries"] == 0 and figures["store_bytes_received"] == sum(r.sent for r in made)
        assert len(lines) == len(made)
        _, again, made, _ = seen.run(sql.replace("SELECT count", "SELECT  count"))
        assert again["store_gets"] == count(made)["GET"]

        # Two that are refused are asked again.
        rule = seen.proxy.rule(throttle(), method="GET", path="parquet", count=2)
        _, figures, made, lines = seen.run("SELECT sum(length(word)) AS m FROM 's3://seen/t/*.parquet'")
        assert figures["store_retries"] == rule.fired == 2 and figures["store_gets"] == count(made)["GET"]
        assert sum("status=503" in line for line in lines) == 2 and any("attempt=2" in line for line in lines)


def test_what_is_written_is_told_too(store, tmp_path):
    with Seen(store, tmp_path / "w") as seen:
        sql = "COPY (SELECT value AS id, random() AS x, random() AS y FROM generate_series(1, 1500000)) TO 's3://seen/out.parquet'"
        _, figures, made, lines = seen.run(sql)
        kinds = count(made)
        assert kinds["PUT"] >= 3 and kinds["POST"] == 2
        assert (figures["store_puts"], figures["store_posts"]) == (kinds["PUT"], kinds["POST"])
        assert figures["store_bytes_sent"] == sum(r.received for r in made) > 20_000_000
        operations = collections.Counter(re.search(r"operation=(\w+)", line)[1] for line in lines)
        assert operations == {"begin_upload": 1, "put_part": kinds["PUT"], "complete_upload": 1, **({"head": kinds["HEAD"]} if kinds["HEAD"] else {})}


def test_explain_analyze_has_a_row_of_the_stores(store, tmp_path):
    with Seen(store, tmp_path / "w") as seen:
        rows, figures, made, _ = seen.run("EXPLAIN ANALYZE SELECT sum(id) FROM 's3://seen/t/*.parquet' WHERE id > 3")
        told = dict(rows)["Stores"]
        kinds = count(made)
        assert f"get={kinds['GET']}, head={kinds['HEAD']}, list={kinds['LIST']}" in told and "cache_hits=" in told
        assert figures["store_gets"] == kinds["GET"]
        assert "Stores" not in dict(seen.server.rows("EXPLAIN ANALYZE SELECT 1"))


def test_a_line_of_the_log_tells_the_request_and_no_query(store, tmp_path):
    with Seen(store, tmp_path / "w") as seen:
        _, _, made, lines = seen.run("SELECT min(id) AS a FROM 's3://seen/t/*.parquet' WHERE id > 3")
        pattern = re.compile(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z debug store operation=(\w+) store=s3://seen/ path=(\S+)( prefix=\S+)?( range=\d+-\d+)?"
            r" sent=0 attempt=1 status=20[06] bytes=(\d+) first_byte_ms=[\d.]+ total_ms=[\d.]+"
        )
        found = [pattern.fullmatch(line) for line in lines]
        assert all(found), lines
        told = sorted((m[1], m[2], int(m[5])) for m in found)
        assert told == sorted(({"GET": "get", "LIST": "list", "HEAD": "head"}[r.kind], r.path, r.sent) for r in made)
        assert not any("?" in line or "Signature" in line or "Credential" in line for line in lines)
