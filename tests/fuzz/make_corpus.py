# SPDX-License-Identifier: Apache-2.0
"""Writes tests/fuzz/corpus anew: python make_corpus.py, with the packages of scripts/requirements/check.txt."""

import pathlib
import shutil
import struct
import sys

import hpack
import pyarrow
import pyarrow.ipc

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from grpc_frames import END_HEADERS, END_STREAM, PREFACE, call, frame, headers, message, settings  # noqa: E402

SQL = b"type.googleapis.com/arrow.flight.protocol.sql."
METHODS = ["GetFlightInfo", "GetSchema", "DoAction", "DoPut", "PollFlightInfo", "DoExchange", "ListFlights", "Handshake"]


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    if isinstance(payload, str):
        payload = payload.encode()
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def packed(name, payload=b""):
    return field(1, SQL + name.encode()) + field(2, payload)


def tables():
    """Tables of every sort of layout that is taken."""
    n = [1, None, 3]
    yield "flat", pyarrow.table({
        "i8": pyarrow.array(n, pyarrow.int8()), "i64": pyarrow.array(n), "f": pyarrow.array([1.5, None, 2.5]), "b": pyarrow.array([True, None, False]),
        "t": pyarrow.array(["a", None, "ß"]), "lt": pyarrow.array(["a", None, ""], pyarrow.large_string()), "bin": pyarrow.array([b"\0", None, b"x"]),
        "fix": pyarrow.array([b"abc", None, b"def"], pyarrow.binary(3)), "d": pyarrow.array(n, pyarrow.decimal128(10, 2)), "n": pyarrow.nulls(3),
        "ts": pyarrow.array(n, pyarrow.timestamp("us", "UTC")), "day": pyarrow.array(n, pyarrow.date32())})
    yield "nested", pyarrow.table({
        "l": pyarrow.array([[1, None], None, []]), "ll": pyarrow.array([[1], None, [2, 3]], pyarrow.large_list(pyarrow.int32())),
        "fl": pyarrow.array([[1, 2], None, [3, 4]], pyarrow.list_(pyarrow.int16(), 2)), "s": pyarrow.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
        "m": pyarrow.array([[("k", 1)], None, []], pyarrow.map_(pyarrow.string(), pyarrow.int64()))})
    union = pyarrow.UnionArray.from_dense(pyarrow.array([0, 1, 0], pyarrow.int8()), pyarrow.array([0, 0, 1], pyarrow.int32()), [pyarrow.array([1, 2]), pyarrow.array(["x"])])
    sparse = pyarrow.UnionArray.from_sparse(pyarrow.array([0, 1, 0], pyarrow.int8()), [pyarrow.array([1, 2, 3]), pyarrow.array(["x", "y", "z"])])
    yield "unions", pyarrow.table({"dense": union, "sparse": sparse})
    yield "empty", pyarrow.table({"a": pyarrow.array([], pyarrow.int64())})
    yield "dictionary", pyarrow.table({"d": pyarrow.array(["a", "b", "a"]).dictionary_encode()})


def stream(table, compression=None):
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema, options=pyarrow.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parts(table):
    reader = pyarrow.ipc.MessageReader.open_stream(stream(table))
    read = (reader.read_next_message(), reader.read_next_message())
    return [(each.metadata.to_pybytes(), each.body.to_pybytes() if each.body else b"") for each in read]


def flight_data(header, body=b"", descriptor=b""):
    return (field(1, descriptor) if descriptor else b"") + field(2, header) + field(1000, body)


def shared_children(levels, times):
    """A schema whose fields each have the next one `times` times as their child: a tree of times ** levels fields, in few bytes."""
    out = bytearray()

    def table(fields):
        """A table behind its vtable; what its fields refer to is put in later. Returns the places of those."""
        size = 4 + 4 * len(fields)
        while (len(out) + 4 + 2 * (max(fields) + 1)) % 4:
            out.append(0)
        vtable = len(out)
        offsets = [0] * (max(fields) + 1)
        for place, number in enumerate(sorted(fields)):
            offsets[number] = 4 + 4 * place
        out.extend(struct.pack(f"<HH{len(offsets)}H", 4 + 2 * len(offsets), size, *offsets))
        at = len(out)
        out.extend(struct.pack("<i", at - vtable) + bytes(4 * len(fields)))
        return at, {number: at + offsets[number] for number in fields}

    def point(place):
        while len(out) % 4:
            out.append(0)
        out[place : place + 4] = struct.pack("<I", len(out) - place)

    def point_to_table(places, fields):
        at, found = table(fields)
        for place in places:
            out[place : place + 4] = struct.pack("<I", at - place)
        return found

    def vector(place, n):
        point(place)
        at = len(out)
        out.extend(struct.pack("<I", n) + bytes(4 * n))
        return [at + 4 + 4 * i for i in range(n)]

    out.extend(bytes(4))
    message = point_to_table([0], [0, 1, 2])  # version, header's type, header
    out[message[0] : message[0] + 2] = struct.pack("<H", 4)
    out[message[1]] = 1
    schema = point_to_table([message[2]], [1])
    places = vector(schema[1], 1)
    for _ in range(levels):
        each = point_to_table(places, [2, 3, 5])  # the type's number, the type, children
        out[each[2]] = 13  # a struct
        point_to_table([each[3]], [0])
        places = vector(each[5], times)
    last = point_to_table(places, [2, 3])
    out[last[2]] = 13
    point_to_table([last[3]], [0])
    while len(out) % 8:
        out.append(0)
    return b"\xff\xff\xff\xff" + struct.pack("<I", len(out)) + bytes(out)


def ipc():
    yield "shared-children", shared_children(40, 2)
    for name, table in tables():
        yield name, stream(table)
        if name in ("flat", "nested"):
            for codec in ("lz4", "zstd"):
                yield f"{name}-{codec}", stream(table, codec)


def descriptor(name, payload=b""):
    return field(1, 2) + field(2, packed(name, payload))


def commands():
    yield "GetFlightInfo", "statement", descriptor("CommandStatementQuery", field(1, "SELECT 1 AS a, 'x' AS b"))
    yield "GetFlightInfo", "prepared", descriptor("CommandPreparedStatementQuery", field(1, "0" * 32))
    yield "GetFlightInfo", "path", field(1, 1) + field(3, "a") + field(3, "b")
    yield "GetFlightInfo", "catalogs", descriptor("CommandGetCatalogs")
    yield "GetFlightInfo", "schemas", descriptor("CommandGetDbSchemas", field(1, "weir") + field(2, "%"))
    yield "GetFlightInfo", "tables", descriptor("CommandGetTables", field(1, "weir") + field(2, "%") + field(3, "a_%") + field(4, "VIEW") + field(5, 1))
    yield "GetFlightInfo", "table_types", descriptor("CommandGetTableTypes")
    yield "GetFlightInfo", "info", descriptor("CommandGetSqlInfo", field(1, bytes([0, 1, 2, 3])))
    yield "GetFlightInfo", "types", descriptor("CommandGetXdbcTypeInfo", field(1, 4))
    yield "GetFlightInfo", "keys", descriptor("CommandGetPrimaryKeys", field(1, "weir") + field(2, "public") + field(3, "t"))
    yield "GetSchema", "schema", descriptor("CommandStatementQuery", field(1, "SELECT [1, 2] AS a"))
    yield "PollFlightInfo", "poll", descriptor("CommandStatementQuery", field(1, "SELECT 1"))
    create = packed("ActionCreatePreparedStatementRequest", field(1, "SELECT $1 + 1"))
    yield "DoAction", "prepare", field(1, "CreatePreparedStatement") + field(2, create)
    yield "DoAction", "close", field(1, "ClosePreparedStatement") + field(2, packed("ActionClosePreparedStatementRequest", field(1, "0" * 32)))
    ticket = field(3, field(1, field(1, packed("TicketStatementQuery", field(1, "0" * 32)))))
    yield "DoAction", "cancel", field(1, "CancelFlightInfo") + field(2, field(1, ticket))
    yield "DoAction", "cancel_query", field(1, "CancelQuery") + field(2, packed("ActionCancelQueryRequest", field(1, ticket)))
    yield "DoAction", "renew", field(1, "RenewFlightEndpoint") + field(2, field(1, ticket))
    option = field(1, "catalog") + field(2, field(1, "weir"))
    yield "DoAction", "set_options", field(1, "SetSessionOptions") + field(2, field(1, option))
    yield "DoAction", "get_options", field(1, "GetSessionOptions")
    yield "DoAction", "begin", field(1, "BeginTransaction")
    schema, batch = parts(pyarrow.table({"a": [1, 2]}))
    yield "DoPut", "update", field(1, descriptor("CommandStatementUpdate", field(1, "CREATE OR REPLACE VIEW v AS SELECT 1")))
    yield "DoPut", "bind", flight_data(schema[0], descriptor=descriptor("CommandPreparedStatementQuery", field(1, "0" * 32)))
    yield "DoPut", "ingest", flight_data(schema[0], descriptor=descriptor("CommandStatementIngest", field(1, field(1, 1) + field(2, 3)) + field(2, "t") + field(5, 1)))
    yield "DoExchange", "exchange", flight_data(*batch)
    yield "ListFlights", "list", b""
    yield "Handshake", "handshake", field(2, field(2, "ada") + field(3, "secret"))


def tickets():
    yield "statement", field(1, packed("TicketStatementQuery", field(1, "0123456789abcdef" * 2)))
    yield "part", field(1, packed("TicketStatementQuery", field(1, "0123456789abcdef" * 2 + "/1")))
    for name, payload in {
        "CommandPreparedStatementQuery": field(1, "0" * 32), "CommandGetCatalogs": b"", "CommandGetTableTypes": b"", "CommandGetDbSchemas": field(2, "p%"),
        "CommandGetTables": field(5, 1), "CommandGetSqlInfo": field(1, bytes([0, 1, 0xF4, 3])), "CommandGetXdbcTypeInfo": field(1, 12),
        "CommandGetPrimaryKeys": field(3, "t"), "CommandGetExportedKeys": field(3, "t"), "CommandGetImportedKeys": field(3, "t"), "CommandGetCrossReference": field(3, "a") + field(6, "b"),
        "CommandStatementQuery": field(1, "SELECT 1"),
    }.items():
        yield name, field(1, packed(name, payload))
    yield "none", b""
    yield "no-any", field(1, "weir")


def http_requests():
    host = b"Host: localhost\r\nConnection: close\r\n"

    def get(path, more=b"", method=b"GET"):
        return method + b" " + path + b" HTTP/1.1\r\n" + host + more + b"\r\n"

    def post(body, kind=b"application/json", more=b""):
        return get(b"/v1/sql", b"Content-Type: " + kind + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n" + more, b"POST") + body

    yield "page", get(b"/")
    yield "health", get(b"/health")
    yield "metrics", get(b"/metrics")
    yield "openapi", get(b"/openapi.json")
    yield "tables", get(b"/v1/tables?path=/system/mounts")
    yield "unknown_parameter", get(b"/v1/tables?catalog=system&path=/")
    yield "table", get(b"/v1/tables/system/public/mounts")
    yield "file", get(b"/v1/files/system/public/mounts.csv", b"Range: bytes=0-9\r\nIf-None-Match: \"a\", W/\"b\"\r\nAccept: text/csv;q=0.5, */*\r\n")
    yield "head", get(b"/v1/files/system/public/mounts.parquet", method=b"HEAD")
    yield "up", get(b"/v1/files/%2e%2e/etc/passwd")
    yield "options", get(b"/v1/sql", b"Origin: http://a.example\r\nAccess-Control-Request-Method: POST\r\n", b"OPTIONS")
    yield "sql", post(b"SELECT 1 AS a", b"text/plain", b"Accept: text/csv\r\n")
    yield "json", post(b'{"sql": "SELECT $1 AS a, $2 AS b", "params": [1, {"type": "decimal", "value": "1.5"}], "namespace": "public"}')
    yield "named", post(b'{"sql": "SELECT $a", "params": {"a": "\\u00e9\\ud83d\\ude00"}}', more=b"Accept: application/vnd.apache.arrow.stream\r\n")
    yield "chunked", get(b"/v1/sql", b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", b"POST") + b"8\r\nSELECT 1\r\n0\r\n\r\n"
    yield "basic", get(b"/v1/tables", b"Authorization: Basic YWRhOnNlY3JldA==\r\n")
    yield "bearer", get(b"/v1/tables", b"Authorization: Bearer a.b.c\r\nX-API-Key: weir_0.1\r\n")
    yield "http10", b"GET /ready HTTP/1.0\r\n\r\n"
    yield "two", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + get(b"/ready")
    yield "expect", get(b"/v1/sql", b"Expect: 100-continue\r\nContent-Length: 8\r\n", b"POST") + b"SELECT 1"


def http_texts():
    texts = ["text/csv;q=0.5, application/json, */*;q=0.1", "bytes=0-9", "bytes=-5", "bytes=9-", "bytes=0-1,3-4", 'W/"abc", "abc"', "*", "Sun, 06 Nov 1994 08:49:37 GMT",
             "Bearer abc.def", "YWRhOnNlY3JldA==", "http://localhost:8080", "https://a.example, http://b.example:81", "[::1]:8080", "127.0.0.1", "/lake/x%20y.csv", "lake/%2e%2e/x",
             '{"sql": "SELECT 1", "params": [1, -2.5e3, null, true, {"a": "\\u00e9\\ud83d\\ude00\\n"}]}', "[[[[]]]]", '"\\\\\\/\\b"', "application/json; charset=utf-8"]
    for number, text in enumerate(texts):
        yield f"{number:02}", text.encode()


def configs():
    yield "all", b"""# a workspace
memory_limit: 2GiB
threads: 2
mounts:
  lake: { kind: files, url: "s3://bucket/projects", endpoint: "http://127.0.0.1:19000", allow_http: true }
  pg:
    kind: adbc
    driver: postgresql
    uri: "${env:PG_URI}"
    cache: { max_age: 60s, max_bytes: 1GiB }
flight: { listen: "127.0.0.1:31337" }
http:
  listen: 127.0.0.1:8080
settings:
  datafusion.execution.batch_size: 1024
"""
    yield "empty", b""
    yield "null", b"~\n"
    yield "list", b"- 1\n- 2\n"
    yield "anchors", b"a: &x { kind: files, url: /tmp }\nmounts: { one: *x, two: *x }\n"
    yield "merge", b"mounts: { one: { <<: { kind: files }, url: . } }\n"
    yield "twice", b"threads: 1\nthreads: 2\n"
    yield "file", b"policy: { read: [\"${file:/dev/null}\", '/a', \"b\\n\"] }\n"
    yield "literal", b"http: |\n  listen: x\n"
    yield "folded", b"memory_limit: >-\n  1\n  GiB\n"
    yield "documents", b"%YAML 1.1\n---\nthreads: 1\n...\n---\nthreads: 2\n"
    yield "tags", b"threads: !!int \"2\"\nhttp: !!map {}\n"
    yield "typo", b"memory_limt: 1GiB\nhtp: {}\n"
    yield "utf16", "threads: 1\n".encode("utf-16")
    yield "deep", b"[" * 300
    yield "misc", b"auth: { jwt: { clock_skew: 60s, user_claim: sub }, certificates: [CN=ada] }\ntls: { certificate: a, key: b }\n"


def http2():
    yield "calls", PREFACE + settings(window=65535) + call(1, "e", b"hello") + call(3, "c", b"hello")
    yield "raw", PREFACE + settings() + frame(1, headers(1, "e")[9:].replace(b"/test.Test/e", b"/t/e        "), END_HEADERS, 1) + frame(0, message(b"x"), END_STREAM, 1)
    yield "http1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def block(*pairs):
    table = hpack.Encoder()
    table.header_table_size = 0
    return table.encode(list(pairs), huffman=False)


def answer(number, *messages, status="0", extra=()):
    first = frame(1, block((":status", "200"), ("content-type", "application/grpc"), ("set-cookie", "arrow_flight_session_id=abc; Path=/")), END_HEADERS, number)
    data = b"".join(frame(0, message(each), 0, number) for each in messages)
    return first + data + frame(1, block(("grpc-status", status), *extra), END_HEADERS | END_STREAM, number)


def conversation(*said):
    """Nothing before the first call, then an answer to each."""
    pieces = [b"", *(each(2 * number + 1) for number, each in enumerate(said))]
    return b"".join(struct.pack(">H", len(each)) + each for each in pieces)


def client():
    table = dict(tables())["flat"]
    schema, batch = parts(table)
    framed = b"\xff\xff\xff\xff" + struct.pack("<I", len(schema[0])) + schema[0]
    prepared = field(1, packed("ActionCreatePreparedStatementResult", field(1, "h") + field(2, framed) + field(3, framed) + field(4, 0)))
    update = field(1, packed("ActionCreatePreparedStatementResult", field(1, "h") + field(4, 1)))
    info = field(3, field(1, field(1, "t")))

    def ok(*messages):
        return lambda number: answer(number, *messages)

    def fails(number):
        return answer(number, status="5", extra=(("grpc-message", "no%20such%20table%C3%A9"), ("weir-sqlstate", "42P01"), ("weir-position", "3")))

    yield "query", conversation(ok(), ok(prepared), ok(info), ok(flight_data(*schema), flight_data(*batch)), ok())
    yield "parts", conversation(ok(), ok(prepared), ok(info * 2), ok(flight_data(*schema), flight_data(*batch)), ok(flight_data(*schema), flight_data(*batch)), ok())
    yield "update", conversation(ok(), ok(update), ok(field(1, field(1, 42))), ok())
    yield "refused", conversation(fails)
    yield "failed", conversation(ok(), fails)
    yield "reset", conversation(ok(), lambda number: frame(3, struct.pack(">I", 2), 0, number))
    yield "goaway", conversation(ok(), lambda number: frame(7, struct.pack(">II", 0, 11)))


def service_messages():
    for _, name, data in commands():
        yield name, data
    for name, data in tickets():
        yield f"ticket-{name}", data
    schema, batch = parts(dict(tables())["flat"])
    yield "data", flight_data(*batch)


def write(target, inputs):
    directory = HERE / "corpus" / target
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, data in inputs:
        (directory / name).write_bytes(data)


FOUND = ["union-without-type", "union-past-its-child"]  # by chance, and kept
found = [(name, (HERE / "corpus" / "ipc" / name).read_bytes()) for name in FOUND]
write("ipc", [*ipc(), *found])
write("message", service_messages())
write("ticket", tickets())
write("command", ((name, bytes([METHODS.index(method)]) + data) for method, name, data in commands()))
write("http_request", http_requests())
write("http_text", http_texts())
write("config", configs())
write("http2", http2())
write("client", client())
