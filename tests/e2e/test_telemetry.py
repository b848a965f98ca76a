# SPDX-License-Identifier: Apache-2.0
"""Traces: a span for each statement, and below it one for each request to a store, as a collector gets them."""

import pathlib
import re
import threading
import time
import urllib.parse

import pytest
from fault_proxy import FaultProxy, reset, throttle
from http_server import HttpServer, until
from otlp_collector import Collector
from stores import KEY_ID, SECRET, MinIO
from test_stores import put_table
from test_stores_faults import write_config

SELECT = "SELECT count(*) AS n, sum(id) AS s FROM 's3://traced/t/*.parquet' WHERE word <> 'canary literal'"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = MinIO(tmp_path_factory.mktemp("minio"))
    try:
        store.make("traced")
        put_table(store, "traced", "t")
        yield store
    finally:
        store.close()


@pytest.fixture
def collector():
    with Collector() as collector:
        yield collector


@pytest.fixture
def proxy(store):
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy:
        yield proxy


def prepare(db, store, proxy, endpoint=None):
    write_config(db.directory, store, "traced", proxy)
    if endpoint:
        path = pathlib.Path(db.directory) / "weir.yaml"
        path.write_text(f"telemetry.otlp.endpoint: {endpoint}\n" + path.read_text())


def statement_of(spans):
    (root,) = [span for span in spans if "db.system.name" in span.attributes]
    return root, [span for span in spans if span is not root]


def test_a_statement_is_a_trace_with_each_of_its_requests(db, store, proxy, collector):
    prepare(db, store, proxy, collector.url + "/")
    proxy.rule(throttle(), method="GET", path="parquet", count=1)
    before = time.time_ns()
    assert db.rows(SELECT) == [(1000, 499500)]
    after = time.time_ns()
    (path, headers, _, _) = collector.requests[0]
    assert path == "/v1/traces" and headers["content-type"] == "application/json"
    spans = collector.spans()
    root, requests = statement_of(spans)

    assert {span.trace for span in spans} == {root.trace} and re.fullmatch("[0-9a-f]{32}", root.trace)
    assert root.parent is None and {span.parent for span in requests} == {root.id}
    assert all(re.fullmatch("[0-9a-f]{16}", span.id) for span in spans) and len({span.id for span in spans}) == len(spans)
    assert (root.name, root.kind, root.has_failed) == ("SELECT", 1, False)
    assert root.resource["service.name"] == "weir" and root.resource["service.version"]
    assert root.attributes["db.operation.name"] == "SELECT" and root.attributes["db.response.returned_rows"] == 1
    assert root.attributes["db.query.text"] == SELECT.replace("'canary literal'", "?").replace("'s3://traced/t/*.parquet'", "?")
    assert before <= root.start <= root.end <= after
    assert all(root.start <= span.start <= span.end <= root.end for span in requests)

    def told(span):
        of = span.attributes
        return of["http.request.method"], urllib.parse.urlsplit(of["url.full"]).path, of["http.response.status_code"], of["http.response.body.size"]

    made = proxy.requests()
    assert sorted(told(span) for span in requests) == sorted((r.method, r.path, r.status, r.sent) for r in made)
    assert all(span.kind == 3 and span.attributes["server.address"] == "127.0.0.1" and span.attributes["server.port"] == proxy.port for span in requests)
    assert all(span.attributes["aws.s3.bucket"] == "traced" and span.attributes["rpc.system"] == "aws-api" for span in requests)
    (listing,) = [span for span in requests if span.name == "S3.ListObjectsV2"]
    assert listing.attributes["weir.store.prefix"] == "t%2F" and "aws.s3.key" not in listing.attributes
    reads = [span for span in requests if span.name == "S3.GetObject"]
    assert {span.attributes["aws.s3.key"] for span in reads} == {f"t/{i}.parquet" for i in range(4)}
    assert all(re.fullmatch(r"\d+-\d+", span.attributes["weir.store.range"]) for span in reads)
    (refused,) = [span for span in requests if span.has_failed]
    assert (refused.attributes["http.response.status_code"], refused.attributes["error.type"]) == (503, "503")
    (again,) = [span for span in requests if "http.request.resend_count" in span.attributes]
    assert again.attributes["http.request.resend_count"] == 1 and again.attributes["aws.s3.key"] == refused.attributes["aws.s3.key"]
    assert "?" not in again.attributes["url.full"]


def test_what_is_written_is_in_the_trace_too(db, store, proxy, collector):
    prepare(db, store, proxy, collector.url)
    db.ok("COPY (SELECT value AS id, random() AS x, random() AS y FROM generate_series(1, 1500000)) TO 's3://traced/out.parquet'")
    root, requests = statement_of(collector.spans())
    assert root.name == "COPY" and {(span.trace, span.parent) for span in requests} == {(root.trace, root.id)}
    parts = [span for span in requests if span.name == "S3.UploadPart"]
    (begun,), (ended,) = ([span for span in requests if span.name == f"S3.{name}MultipartUpload"] for name in ("Create", "Complete"))
    assert sorted(span.attributes["aws.s3.part_number"] for span in parts) == list(range(1, len(parts) + 1)) and len(parts) >= 3
    assert {span.attributes["aws.s3.upload_id"] for span in parts} == {ended.attributes["aws.s3.upload_id"]}
    assert begun.end <= min(span.start for span in parts) and max(span.end for span in parts) <= ended.start
    assert sum(span.attributes["http.request.body.size"] for span in parts) > 20_000_000


def test_each_statement_of_a_server_has_its_own_trace(store, proxy, collector, tmp_path):
    write_config(tmp_path / "w", store, "traced", proxy)
    with HttpServer(tmp_path / "w", env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "lake"}) as server:
        for _ in range(3):
            assert server.rows(SELECT) == [(1000, 499500)]
        assert server.sql("SELECT 1/0 FROM no_such_table").status != 200
        found = until(lambda: len([s for s in collector.spans() if s.parent is None]) == 4 and collector.spans(), "all have come")
        roots = [span for span in found if span.parent is None]
        assert len({span.trace for span in roots}) == 4 and {span.resource["service.name"] for span in roots} == {"lake"}
        assert {span.kind for span in roots} == {2} and {span.attributes["weir.door"] for span in roots} == {"http"}
        ids = {row[0] for row in server.rows("SELECT query_id FROM system.queries")}
        assert {span.attributes["weir.query.id"] for span in roots} <= ids
        (failed,) = [span for span in roots if span.has_failed]
        assert failed.attributes["db.response.status_code"] == "42P01" and failed.attributes["error.type"] == "not found"
        for root in roots:
            assert all(span.parent == root.id for span in found if span.trace == root.trace and span is not root)
        assert [span for span in found if span.parent] and dict(server.rows("SELECT name, value FROM system.metrics"))["spans_sent"] >= len(found)


def test_the_environment_says_where_to_with_which_headers(db, store, proxy, collector):
    prepare(db, store, proxy)
    db.env |= {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url + "/mine",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=canary%20key, x-team=lake",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=from-attributes,deployment.environment.name=test",
    }
    db.ok("SELECT 1")
    (path, headers, body, _) = collector.requests[0]
    headers = {key.lower(): value for key, value in headers.items()}
    assert path == "/mine" and (headers["api-key"], headers["x-team"]) == ("canary key", "lake")
    assert b"canary" not in body
    (span,) = collector.spans()
    assert (span.resource["service.name"], span.resource["deployment.environment.name"]) == ("from-attributes", "test")
    for off in ({"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}):
        before = dict(db.env)
        db.env |= off
        db.ok("SELECT 1")
        db.env = before
    assert len(collector.requests) == 1


def test_no_secret_and_no_value_is_in_a_trace(db, store, proxy, collector):
    prepare(db, store, proxy, collector.url)
    text = ", ".join(f"{key} '{value}'" for key, value in store.options(proxy).items())
    db.run("sql", f"CREATE SECRET s (TYPE s3, SCOPE 's3://traced/', {text}); {SELECT}; SELECT CAST('canary value' AS INT)")
    assert len(collector.spans()) > 5
    told = collector.text()
    assert not any(word in told for word in (SECRET, KEY_ID, "canary", "Signature", "Credential", "X-Amz"))


def test_a_collector_that_is_busy_is_asked_again(db, store, proxy, collector):
    prepare(db, store, proxy, collector.url)
    collector.statuses = [503]
    db.ok("SELECT 1; SELECT 2")
    assert [status for *_, status in collector.requests][0] == 503


@pytest.mark.parametrize("how", ["nobody listens", "it refuses", "it never answers"])
def test_a_collector_that_is_away_slows_and_fails_nothing(store, proxy, collector, tmp_path, how):
    if how == "it never answers":
        collector.hold = threading.Event()
    if how == "it refuses":
        collector.statuses = [400] * 1000
    write_config(tmp_path / "w", store, "traced", proxy)
    url = "http://127.0.0.1:1" if how == "nobody listens" else collector.url
    with HttpServer(tmp_path / "w", env={"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": "1000"}) as server:
        begin = time.monotonic()
        for _ in range(20):
            assert server.rows(SELECT) == [(1000, 499500)]
        assert time.monotonic() - begin < 20
        until(lambda: dict(server.rows("SELECT name, value FROM system.metrics"))["spans_dropped"] >= 20, "they are dropped, and counted")
        figures = dict(server.rows("SELECT name, value FROM system.metrics"))
        assert figures["spans_sent"] == 0
        assert "weir_spans_dropped" in server.request("GET", "/metrics").body.decode()
        assert server.end(seconds=20) == 0


def test_a_request_without_an_answer_is_a_span_that_failed(db, store, proxy, collector):
    prepare(db, store, proxy, collector.url)
    proxy.rule(reset(), method="GET", path="parquet", count=1)
    assert db.rows(SELECT) == [(1000, 499500)]
    _, requests = statement_of(collector.spans())
    (lost,) = [span for span in requests if span.has_failed]
    assert lost.attributes["error.type"] == "_OTHER" and "http.response.status_code" not in lost.attributes


def test_an_endpoint_that_is_no_address_is_refused(db):
    result = db.run("--set", "telemetry.otlp.endpoint=localhost:4317", "sql", "SELECT 1")
    assert result.returncode != 0 and "telemetry.otlp.endpoint" in result.stderr and "http://host:4318" in result.stderr
