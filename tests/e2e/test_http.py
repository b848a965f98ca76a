# SPDX-License-Identifier: Apache-2.0
"""The HTTP door: SQL, tables, files, and what tells of the server."""

import base64
import io
import json
import re
import threading

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from http_server import HttpServer, until

LONG = "SELECT count(*) AS n FROM generate_series(1, 1000000) a(i), generate_series(1, 1000000) b(j) WHERE (i * j) % 7 = 3"
MANY = "SELECT i, i * 2 AS j, 'text ' || i AS s FROM generate_series(1, {}) t(i)"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with HttpServer(tmp_path_factory.mktemp("http")) as server:
        answer = server.sql("COPY (SELECT i, i * 1.5 AS x, 'row ' || i AS s FROM generate_series(1, 5000) t(i)) TO 'data/t.parquet' (FORMAT parquet)")
        assert answer.status == 200, answer.body
        data = server.directory / "data"
        (data / "v.sql").write_text("SELECT i, x FROM t WHERE i <= 1000 ORDER BY i")
        (data / "now.sql").write_text("SELECT now() AS at")
        (data / "notes.txt").write_text("hello\n")
        (data / "empty.bin").write_bytes(b"")
        (data / "deep").mkdir()
        (data / "deep" / "a b.csv").write_text("a\n1\n")
        yield server


# ---- SQL ----


def test_a_result_is_json_with_columns_and_rows(server):
    answer = server.sql("SELECT 1 AS a, 'x\"y' AS b, CAST(NULL AS INT) AS c, 1.5 AS d, true AS e, date '2026-01-02' AS f")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["Weir-Query-Id"])
    found = answer.json()
    assert [column["name"] for column in found["columns"]] == list("abcdef")
    assert found["columns"][0] == {"name": "a", "type": "int64", "nullable": False}
    assert found["rows"] == [{"a": 1, "b": 'x"y', "c": None, "d": 1.5, "e": True, "f": "2026-01-02"}]
    assert found["row_count"] == 1


@pytest.mark.parametrize("n", [0, 1, 8192, 8193, 50000])
def test_every_format_has_the_same_rows(server, n):
    sql = f"SELECT i, s FROM (SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'a,\"' || i END AS s FROM generate_series(1, 60000) t(i)) WHERE i <= {n} ORDER BY i"
    expected = [(i, None if i % 3 == 0 else f'a,"{i}') for i in range(1, n + 1)]

    def body(accept):
        answer = server.sql(sql, accept)
        assert answer.status == 200 and answer.headers["Content-Type"] == accept
        return answer.body

    def tuples(table):
        return list(zip(table["i"].to_pylist(), table["s"].to_pylist()))

    found = json.loads(body("application/json"))
    assert [tuple(row.values()) for row in found["rows"]] == expected and found["row_count"] == n
    assert [tuple(json.loads(line).values()) for line in body("application/x-ndjson").splitlines()] == expected
    assert tuples(pa.ipc.open_stream(body("application/vnd.apache.arrow.stream")).read_all()) == expected
    assert tuples(pa.parquet.read_table(io.BytesIO(body("application/vnd.apache.parquet")))) == expected
    text = pa.csv.read_csv(io.BytesIO(body("text/csv")), convert_options=pa.csv.ConvertOptions(
        column_types={"i": pa.int64(), "s": pa.string()}, strings_can_be_null=True, quoted_strings_can_be_null=False))
    assert text.column_names == ["i", "s"] and tuples(text) == expected


def test_arrow_has_types_that_every_client_knows(server):
    table = pa.ipc.open_stream(server.sql("SELECT s FROM lake.t LIMIT 1", "application/vnd.apache.arrow.stream").body).read_all()
    assert table.schema.field("s").type in (pa.string(), pa.large_string())


@pytest.mark.parametrize("accept, expected", [
    (None, "application/json"), ("*/*", "application/json"), ("text/*", "text/csv"),
    ("application/json;q=0.1, text/csv;q=0.2", "text/csv"), ("application/json;q=0, */*;q=0.5", "application/x-ndjson"),
])
def test_accept_chooses_the_type(server, accept, expected):
    answer = server.request("POST", "/v1/sql", "SELECT 1 AS a", {"Accept": accept} if accept else {})
    assert answer.status == 200 and answer.headers["Content-Type"] == expected


def test_what_accept_does_not_allow_is_406(server):
    answer = server.sql("SELECT 1", "image/png")
    assert answer.status == 406 and "text/csv" in answer.error()["message"]


def test_parameters_are_typed(server):
    sql = "SELECT $1 + 1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e"
    assert server.rows(sql, params=[41, "x'y", 1.25, True, None]) == [(42, "x'y", 1.25, True, None)]
    assert server.rows("SELECT $n * 2 AS a, $text AS b", params={"n": 4, "$text": "é"}) == [(8, "é")]
    typed = [{"type": "int64", "value": "9007199254740993"}, {"type": "binary", "value": base64.b64encode(b"\0\xff").decode()},
             {"type": "double", "value": "1e300"}, {"type": "decimal", "value": "0.10"}, {"type": "int64", "value": None}]
    assert server.rows(sql, params=typed) == [(9007199254740994, "00ff", 1e300, 0.10, None)]
    assert server.rows("SELECT count(*) AS n FROM lake.t WHERE i <= $1 AND s <> $2", params=[10, "row 3"]) == [(9,)]
    assert server.rows("SELECT date '2026-03-01' = $1 AS a", params=["2026-03-01"]) == [(True,)]


@pytest.mark.parametrize("params", [
    [], [1, 2], {"x": 1}, [[1]], [{"type": "int64"}], [{"type": "int64", "value": "x"}], [{"type": "int64", "value": True}],
    [{"type": "wrong", "value": 1}], [{"type": "binary", "value": "?"}], [{"type": "double", "value": "1x"}], {"n" * 100: 1},
])
def test_wrong_parameters_are_refused(server, params):
    answer = server.sql("SELECT $1 + 1 AS a", params=params)
    assert answer.status == 400, answer.body


def test_a_namespace_is_where_names_are_looked_up(server):
    assert server.rows("SELECT count(*) AS n FROM t", namespace="lake") == [(5000,)]
    assert server.rows("SELECT count(*) AS n FROM t", namespace='lake."."') == [(5000,)]
    for wrong in ["nope", "", "lake; DROP TABLE x", "lake -- x", "a'b", "."]:
        assert server.sql("SELECT 1", namespace=wrong).status == 400
    assert server.sql("SELECT * FROM t").status == 400


def test_a_change_answers_with_its_count(server):
    assert server.rows("CREATE TABLE changed AS SELECT 1 AS a") == [(1,)]
    assert server.rows("INSERT INTO changed VALUES (2), (3)") == [(2,)]
    assert pa.ipc.open_stream(server.sql("INSERT INTO changed VALUES (4)", "application/vnd.apache.arrow.stream").body).read_all().to_pydict() == {"affected": [1]}
    assert server.sql("INSERT INTO changed VALUES (5)", "text/csv").body == b"affected\n1\n"
    assert server.rows("SELECT count(*) AS n FROM changed") == [(5,)]
    server.rows("DROP TABLE changed")


@pytest.mark.parametrize("sql, status, sqlstate", [
    ("SELEC 1", 400, "42601"), ("SELECT nope FROM lake.t", 400, "42703"), ("SELECT * FROM lake.nope", 400, None), ("", 400, "42601"),
    (" -- nothing", 400, "42601"), ("SELECT 1; SELECT 2", 400, "42601"), ("SELECT CAST('x' AS INT)", 422, None), ("SELECT 1/0", 422, None),
])
def test_an_error_has_code_state_and_message(server, sql, status, sqlstate):
    answer = server.sql(sql)
    error = answer.error()
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json"), answer.body
    assert set(error) == {"code", "sqlstate", "message", "position"} and error["message"]
    assert sqlstate in (None, error["sqlstate"])


def test_an_errors_position_is_the_byte_of_the_sent_text(server):
    error = server.sql("  /* é */ SELECT 1; SELECT 2").error()
    assert error["position"] == "  /* éx */ SELECT 1; SELECT 2".index("SELECT 2") + 1
    assert server.sql("SELECT 1;").status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"sql":1}', b'{"params":[]}', b'{"sql":"SELECT 1","other":1}', b'{"sql":"SELECT 1","params":1}',
                                  b'{"sql":"SELECT 1","sql":"SELECT 2"}', b'{"sql":"\\u0000"}', b'{"sql":"\xff"}', b"[" * 5000])
def test_a_wrong_body_is_refused(server, body):
    answer = server.request("POST", "/v1/sql", body, {"Content-Type": "application/json"})
    assert answer.status == 400, answer.body


def test_sql_that_is_not_text_is_refused(server):
    for body in (b"SELECT '\xff'", b"SELECT 1\0"):
        assert server.request("POST", "/v1/sql", body).status == 400


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream"])
def test_a_failure_on_the_way_never_looks_complete(server, accept):
    sql = "SELECT i, CASE WHEN i = 900000 THEN CAST('x' || i AS INT) ELSE 1 END AS b FROM generate_series(1, 1000000) t(i)"
    body = sql.encode()
    data = server.raw(b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\nContent-Length: %d\r\n\r\n%s" % (accept.encode(), len(body), body))
    head, _, rest = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and b"transfer-encoding: chunked" in head.lower()
    assert len(rest) > 100000 and not rest.endswith(b"0\r\n\r\n")


def test_http_1_0_gets_whole_results_only(server):
    def ask(sql):
        return server.raw(b"POST /v1/sql HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql.encode()))

    assert b" 200 " in ask("SELECT 1 AS a") and b'"a":1' in ask("SELECT 1 AS a")
    assert b" 505 " in ask(MANY.format(1000000)).split(b"\r\n")[0]


def test_a_running_query_can_be_cancelled_by_its_id(server):
    connection = server.connect()
    connection.request("POST", "/v1/sql", MANY.format(2000000000), {"Accept": "text/csv"})
    response = connection.getresponse()
    query = response.headers["Weir-Query-Id"]
    response.read(1000)
    assert server.request("DELETE", f"/v1/queries/{query}").status == 202
    with pytest.raises(Exception, match="IncompleteRead|Connection|read"):
        response.read()
    connection.close()
    until(server.is_quiet, "the query has ended")
    assert server.request("DELETE", f"/v1/queries/{query}").status == 404


def test_a_query_is_in_the_list_with_its_id(server):
    answer = server.sql("SELECT 1 AS listed_one")
    found = server.rows(f"SELECT state, door, rows_returned FROM system.queries WHERE query_id = '{answer.headers['Weir-Query-Id']}'")
    assert found == [("done", "http", 1)]


@pytest.mark.parametrize("path", ["/v1/queries", "/v1/queries/", "/v1/queries/x", "/v1/queries/" + "0" * 32, "/v1/queries/" + "0" * 5000])
def test_an_unknown_query_is_404(server, path):
    assert server.request("DELETE", path).status == 404


# ---- Tables ----


def test_tables_are_listed_and_described(server):
    found = {(row["catalog"], row["schema"], row["name"]): row for row in server.get("/v1/tables").json()["rows"]}
    assert found["lake", ".", "t"]["path"] == "/lake/t.parquet" and found["lake", ".", "v"]["type"] == "derived"
    for path in ("/v1/tables/lake/t", "/v1/tables/lake/%2E/t", "/v1/tables?path=/lake/t.parquet", "/v1/tables?path=%2Flake%2Ft.parquet"):
        table = server.get(path).json()
        assert table["kind"] == "files" and table["path"] == "/lake/t.parquet"
        assert [column["name"] for column in table["columns"]] == ["i", "x", "s"]
        assert table["rows"] == {"value": 5000, "exact": True} and table["bytes"]["value"] > 1000 and table["version"]
    view = server.get("/v1/tables/lake/v").json()
    assert [(column["name"], column["type"]) for column in view["columns"]] == [("i", "int64"), ("x", "double")]
    assert server.get("/v1/tables/lake/now").json()["version"] is None


@pytest.mark.parametrize("path", [
    "/v1/tables/lake/nope", "/v1/tables/lake/public/nope", "/v1/tables/lake", "/v1/tables/", "/v1/tables/a/b/c/d", "/v1/tables/lake/t'",
    "/v1/tables?path=/etc/passwd", "/v1/tables?path=/nope/x", "/v1/tables/lake/t%20OR%20true",
])
def test_a_table_that_is_not_there_is_404(server, path):
    assert server.get(path).status == 404


@pytest.mark.parametrize("path", ["/v1/tables?path=lake", "/v1/tables?path=/lake/../etc", "/v1/tables?path=", "/v1/tables/lake/%zz", "/v1/tables/lake/%00"])
def test_a_malformed_table_is_400(server, path):
    assert server.get(path).status == 400


# ---- Files ----


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/metrics", "/openapi.json", "/v1/tables", "/v1/tables/lake/t", "/v1/files/lake/t.parquet", "/v1/files/nope"])
def test_an_unknown_parameter_is_400_and_named(server, path):
    for query in ("catalog=lake", "catalog", "a=1&catalog=x", "path=/lake/t.parquet&catalog=x" if path == "/v1/tables" else "catalog=", "Path=x", "p%61th=/lake"):
        answer = server.get(f"{path}?{query}")
        name = query.split("&")[-1 if query.startswith("path") else 0].split("=")[0]
        assert answer.status == 400 and f'"{name}"' in answer.error()["message"], (path, query, answer.body)
        assert ("takes: path" if path == "/v1/tables" else "takes: none") in answer.error()["message"]


def test_parameters_are_known_by_route(server):
    assert server.request("POST", "/v1/sql?sql=SELECT", "SELECT 1 AS a").status == 400
    assert server.request("DELETE", f"/v1/queries/{'0' * 32}?force=1").status == 400
    assert server.get("/v1/tables?path=/lake/t.parquet").status == 200
    assert server.get("/v1/tables?").status == 200
    twice = server.get("/v1/tables?path=/lake/t.parquet&path=/lake/u.parquet")
    assert twice.status == 400 and "more than once" in twice.error()["message"]
    long = server.get("/v1/tables?" + "x" * 5000 + "=1")
    assert long.status == 400 and len(long.body) < 1000
    raw = server.raw(b"GET /v1/tables?\xff\xfe=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 400") and raw.decode()
    # A path that is not there is told first, whatever is asked of it.
    assert server.get("/nope?x=1").status == 404


def test_directories_are_listed(server):
    top = server.get("/v1/files/").json()
    assert top["path"] == "/" and {"lake", "system", "weir"} <= {entry["name"] for entry in top["entries"]}
    entries = {entry["name"]: entry for entry in server.get("/v1/files/lake").json()["entries"]}
    assert entries["deep"]["type"] in ("directory", "series") and entries["notes.txt"]["bytes"] == 6
    assert entries["t.parquet"]["table"] == "t" and entries["v.sql"]["type"] == "derived"


def test_a_file_is_its_bytes(server):
    whole = (server.directory / "data" / "t.parquet").read_bytes()
    answer = server.get("/v1/files/lake/t.parquet")
    assert answer.status == 200 and answer.body == whole
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet" and answer.headers["Accept-Ranges"] == "bytes"
    assert server.get("/v1/files/lake/deep/a%20b.csv").body == b"a\n1\n"
    assert server.get("/v1/files/lake/notes.txt").headers["Content-Type"].startswith("text/plain")
    assert server.get("/v1/files/lake/empty.bin").body == b""
    head = server.request("HEAD", "/v1/files/lake/t.parquet")
    assert head.body == b"" and int(head.headers["Content-Length"]) == len(whole) and head.headers["ETag"] == answer.headers["ETag"]


def test_a_table_is_a_file_in_every_encoding(server):
    assert server.get("/v1/files/lake/v.csv").body.splitlines()[:2] == [b"i,x", b"1,1.5"]
    assert pa.parquet.read_table(io.BytesIO(server.get("/v1/files/lake/v.parquet").body)).num_rows == 1000
    assert pa.ipc.open_file(server.get("/v1/files/lake/v.arrow").body).read_all().num_rows == 1000
    assert len(server.get("/v1/files/lake/t.jsonl").body.splitlines()) == 5000
    assert len(server.get("/v1/files/lake/t.json").json()) == 5000
    assert b"files" in server.get("/v1/files/system/extensions.csv").body


@pytest.mark.parametrize("name", ["t.parquet", "v.csv"])
def test_ranges_are_parts_of_the_same_bytes(server, name):
    path = f"/v1/files/lake/{name}"
    whole = server.get(path)
    size = len(whole.body)
    for header, start, end in [("0-0", 0, 1), ("5-14", 5, 15), (f"{size - 4}-", size - 4, size), ("-8", size - 8, size), (f"-{size * 2}", 0, size), (f"3-{size * 2}", 3, size)]:
        part = server.get(path, Range=f"bytes={header}")
        assert part.status == 206 and part.body == whole.body[start:end]
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}" and part.headers["ETag"] == whole.headers["ETag"]
    for header in (f"{size}-", "-0", f"{size + 5}-{size + 9}"):
        part = server.get(path, Range=f"bytes={header}")
        assert part.status == 416 and part.headers["Content-Range"] == f"bytes */{size}"
    for header in ("bytes=0-1,4-5", "bytes=9-1", "lines=1-2", "bytes=x"):
        part = server.get(path, Range=header)
        assert part.status == 200 and part.body == whole.body


def test_conditions_are_honoured(server):
    path = "/v1/files/lake/t.parquet"
    whole = server.get(path)
    etag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    for headers in ({"If_None_Match": etag}, {"If_None_Match": f'"x", W/{etag}'}, {"If_None_Match": "*"}, {"If_Modified_Since": date}):
        answer = server.get(path, **headers)
        assert answer.status == 304 and answer.body == b"" and answer.headers["ETag"] == etag
    assert server.get(path, If_None_Match='"x"').status == 200
    assert server.get(path, If_None_Match='"x"', If_Modified_Since=date).status == 200
    assert server.get(path, If_Match=etag).status == 200 and server.get(path, If_Match="*").status == 200
    assert server.get(path, If_Match='"x"').status == 412 and server.get(path, If_Match="W/" + etag).status == 412
    assert server.get(path, If_Unmodified_Since="Thu, 01 Jan 1970 00:00:00 GMT").status == 412
    assert server.get(path, Range="bytes=0-3", If_Range=etag).status == 206
    assert server.get(path, Range="bytes=0-3", If_Range=date).status == 206
    assert server.get(path, Range="bytes=0-3", If_Range='"x"').status == 200
    assert server.get(path, Range="bytes=0-3", If_Range="Thu, 01 Jan 1970 00:00:00 GMT").status == 200
    assert server.get(path, Range="bytes=0-3", If_Match='"x"').status == 412


def test_a_change_of_an_input_is_another_version(server):
    source = server.directory / "data" / "changing.csv"
    source.write_text("a\n1\n")
    (server.directory / "data" / "changing_view.sql").write_text("SELECT a + 1 AS b FROM changing")
    before = server.get("/v1/files/lake/changing_view.csv")
    source.write_text("a\n41\n42\n")
    after = server.get("/v1/files/lake/changing_view.csv", If_None_Match=before.headers["ETag"])
    assert before.body == b"b\n2\n" and after.status == 200 and after.body == b"b\n42\n43\n"
    assert server.get("/v1/files/lake/changing_view.csv", Range="bytes=0-1", If_Range=before.headers["ETag"]).status == 200


def test_bytes_without_a_version_have_no_ranges(server):
    answer = server.get("/v1/files/lake/now.csv", Range="bytes=0-1")
    assert answer.status == 200 and answer.headers["Accept-Ranges"] == "none" and "ETag" not in answer.headers


@pytest.mark.parametrize("path", [
    "..", "../..", "../../etc/passwd", "%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "lake/../../etc/passwd", "lake/%2e%2e/%2e%2e/etc/passwd",
    "lake/..%5c..%5cetc", "lake/%252e%252e/etc", "lake/%00", "lake/notes.txt%00.csv", "lake//etc/passwd", "/etc/passwd", "//etc/passwd", "lake/%c0%ae%c0%ae/x",
    "lake/./notes.txt", "lake/%", "lake/%zz", "lake/a%0d%0aX-Evil:1",
])
def test_a_path_that_leads_out_is_400(server, path):
    answer = server.raw(f"GET /v1/files/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b"\r\n")[0].split()[1] == b"400", answer
    assert b"root:" not in answer and b"X-Evil" not in answer.split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("path", ["etc/passwd", "proc/self/environ", "lake/nope", "lake/nope.csv", "nope", "tmp", "lake/notes.txt/x", "home"])
def test_what_is_not_in_the_tree_is_404(server, path):
    answer = server.get(f"/v1/files/{path}")
    assert answer.status == 404, answer.body


def test_a_link_that_leads_out_is_not_followed(server):
    (server.directory / "data" / "out").symlink_to("/etc")
    (server.directory / "data" / "secret").symlink_to("/etc/passwd")
    for path in ("out/passwd", "secret", "out"):
        answer = server.get(f"/v1/files/lake/{path}")
        assert answer.status in (400, 403, 404) and b"root:" not in answer.body
    (server.directory / "data" / "out").unlink()
    (server.directory / "data" / "secret").unlink()


def test_a_plain_file_has_no_other_encoding(server):
    assert server.get("/v1/files/lake/notes.csv").status in (400, 404)


# ---- What tells of the server ----


def test_health_readiness_and_metrics(server):
    assert server.get("/health").json() == {"status": "ok"} and server.get("/ready").json() == {"status": "ready"}
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    names = set()
    for line in answer.body.decode().splitlines():
        found = re.fullmatch(r"# (?:HELP|TYPE) (weir_\w+) .+|(weir_[a-z_0-9]+) -?\d+", line)
        assert found, line
        names.add(found[1] or found[2])
    assert {"weir_http_requests_total", "weir_spool_hits_total", "weir_http_connections_open"} <= names


def test_the_description_says_what_is_served(server):
    document = server.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    examples = {"/v1/files/{path}": "/v1/files/lake/t.parquet", "/v1/queries/{id}": "/v1/queries/" + "0" * 32,
                "/v1/tables/{catalog}/{schema}/{table}": "/v1/tables/lake/%2E/t", "/v1/tables/{catalog}/{table}": "/v1/tables/lake/t"}
    for path, operations in document["paths"].items():
        allowed = server.request("PUT", examples.get(path, path))
        methods = set(allowed.headers["Allow"].split(", ")) - {"OPTIONS"}
        assert allowed.status == 405 and methods - {"HEAD"} == {method.upper() for method in operations} - {"HEAD"}, path
        for method, operation in operations.items():
            answer = server.request(method.upper(), examples.get(path, path), "SELECT 1 AS a" if method == "post" else None)
            assert str(answer.status) in operation["responses"], (path, method, answer.status)
            described = operation["responses"][str(answer.status)]
            if "$ref" in described:
                described = document["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
            kind = answer.headers["Content-Type"].split(";")[0]
            assert kind in described["content"] or "application/octet-stream" in described["content"], (path, kind)
    text = json.dumps(document)
    for name in re.findall(r'"#/components/(\w+/\w+)"', text):
        section, key = name.split("/")
        assert key in document["components"][section], name


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/nope", 404), ("GET", "/v1", 404), ("GET", "/v1/sqlx", 404), ("GET", "/v1/sql", 405), ("PUT", "/v1/sql", 405), ("POST", "/health", 405),
    ("DELETE", "/v1/tables", 405), ("TRACE", "/health", 405), ("BREW", "/health", 405), ("GET", "/health/x", 404), ("GET", "/openapi.json/", 404),
])
def test_wrong_paths_and_methods_are_told(server, method, path, status):
    answer = server.request(method, path)
    assert answer.status == status and set(answer.json()) == {"error"}
    if status == 405:
        assert answer.headers["Allow"].endswith("OPTIONS")


def test_every_answer_has_the_headers_of_security(server):
    for path in ("/", "/health", "/nope", "/v1/tables", "/v1/files/lake/notes.txt", "/v1/sql"):
        headers = server.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and "Access-Control-Allow-Origin" not in headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'") and headers["Referrer-Policy"] == "no-referrer"
        assert "unsafe" not in headers["Content-Security-Policy"]


# ---- Other origins ----


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
])
def test_another_sites_page_is_refused(server, headers):
    answer = server.request("POST", "/v1/sql", "SELECT 1", headers)
    assert answer.status == 403 and answer.error()["code"] == "unauthorized"


def test_the_own_page_is_not(server):
    host = f"localhost:{server.port}"
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert server.request("POST", "/v1/sql", "SELECT 1 AS a", headers).status == 200
    assert server.request("GET", "/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80"])
def test_a_name_that_was_pointed_here_is_refused(server, host):
    assert server.request("GET", "/v1/tables", headers={"Host": host}).status == 421


def test_cors_is_for_the_configured_origins(tmp_path):
    with HttpServer(tmp_path, "--set", "http.cors_origins=https://a.example,http://b.example:1") as server:
        preflight = server.request("OPTIONS", "/v1/sql", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"})
        assert preflight.status == 204 and "POST" in preflight.headers["Access-Control-Allow-Methods"]
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://a.example"
        answer = server.request("POST", "/v1/sql", "SELECT 1 AS a", {"Origin": "http://b.example:1", "Sec-Fetch-Site": "cross-site"})
        assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == "http://b.example:1" and answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert server.request("POST", "/v1/sql", "SELECT 1", {"Origin": "https://a.example.evil"}).status == 403
        assert "Access-Control-Allow-Origin" not in server.get("/health").headers


# ---- Who asks ----


@pytest.mark.parametrize("headers", [
    {"Authorization": "Basic " + base64.b64encode(b"ada:wrong").decode()}, {"Authorization": "Bearer nope"}, {"Authorization": "Bearer a.b.c"},
    {"X-API-Key": "nope"}, {"Authorization": "Basic ???"}, {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()}, {"Authorization": "Digest x"},
    {"Authorization": ""}, {"Authorization": "Bearer x", "X-API-Key": "y"}, {"Authorization": "Basic " + base64.b64encode(b"a:b\0c").decode()},
    {"Authorization": "Bearer " + "x" * 10000}, {"Authorization": "Basic " + "QUFB" * 7000},
])
def test_a_wrong_credential_is_401(server, headers):
    for method, path in (("POST", "/v1/sql"), ("GET", "/v1/tables"), ("GET", "/v1/files/lake/notes.txt"), ("GET", "/metrics")):
        answer = server.request(method, path, "SELECT 1" if method == "POST" else None, headers)
        assert answer.status == 401 and answer.error()["sqlstate"] == "28000", answer.body
        assert "Basic" in answer.headers["WWW-Authenticate"] and "Bearer" in answer.headers["WWW-Authenticate"]
    assert server.request("GET", "/health", headers=headers).status == 200


# ---- Many at a time ----


def test_many_clients_get_their_own_answers(server):
    failures = []

    def ask(n):
        try:
            for i in range(20):
                assert server.rows(f"SELECT {n} AS n, {i} AS i") == [(n, i)]
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_one_connection_takes_many_requests(server):
    connection = server.connect()
    for i in range(50):
        connection.request("POST", "/v1/sql", f"SELECT {i} AS i")
        assert json.loads(connection.getresponse().read())["rows"] == [{"i": i}]
        connection.request("GET", "/v1/files/lake/notes.txt")
        assert connection.getresponse().read() == b"hello\n"
    connection.close()


def test_requests_that_were_sent_ahead_are_answered_in_order(server):
    one = b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\nSELECT %d AS a"
    data = b"".join(one % i for i in range(5))
    answer = server.raw(data + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert re.findall(rb'\{"a":(\d)\}', answer) == [b"0", b"1", b"2", b"3", b"4"] and answer.count(b" 200 OK") == 6
