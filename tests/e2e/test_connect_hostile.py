# SPDX-License-Identifier: Apache-2.0
"""weir --connect against a server that says what it likes: one clear error, soon, and nothing printed."""

import os
import resource
import socket
import struct
import subprocess
import threading

import hpack
import pyarrow
import pytest

from conftest import PROGRAM
from grpc_frames import ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, PUSH_PROMISE, RST_STREAM, SETTINGS, frame, message, settings

SERVICE = "/arrow.flight.protocol.FlightService/"
SQL = b"type.googleapis.com/arrow.flight.protocol.sql."


def block(*pairs):
    table = hpack.Encoder()
    table.header_table_size = 0
    return table.encode(list(pairs), huffman=False)


def further(*pairs):
    """Goes on with a block: only its beginning may say how large the table is."""
    return block(*pairs).removeprefix(b"\x20")


def begin(stream, *extra, status="200", kind="application/grpc"):
    return frame(HEADERS, block((":status", status), ("content-type", kind), *extra), END_HEADERS, stream)


def long_headers(stream):
    """80 KB of them, in frames of a proper size."""
    first = frame(HEADERS, block((":status", "200"), ("content-type", "application/grpc")), 0, stream)
    more = [frame(CONTINUATION, b"".join(further((f"x-{n}-{m}", "v" * 1000)) for m in range(14)), END_HEADERS if n == 5 else 0, stream) for n in range(6)]
    return first + b"".join(more)


def data(stream, payload, flags=0):
    pieces = [payload[at : at + 16384] for at in range(0, len(payload), 16384)] or [b""]
    return b"".join(frame(DATA, each, flags if each is pieces[-1] else 0, stream) for each in pieces)


def end(stream, *extra, status="0"):
    return frame(HEADERS, block(("grpc-status", status), *extra), END_HEADERS | END_STREAM, stream)


def answer(stream, *messages):
    return begin(stream) + b"".join(data(stream, message(each)) for each in messages) + end(stream)


def field(number, payload):
    out = b""
    for value in (number << 3 | 2, len(payload)):
        while value >= 0x80:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        out += bytes([value])
    return out + payload


TABLE = pyarrow.table({"a": pyarrow.array([1, 2, 3], pyarrow.int64()), "t": ["x", "y", None]})


def ipc():
    """The messages of the table: headers and bodies."""
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    reader = pyarrow.ipc.MessageReader.open_stream(sink.getvalue())
    return [(each.metadata.to_pybytes(), each.body.to_pybytes() if each.body else b"") for each in (reader.read_next_message(), reader.read_next_message())]


SCHEMA, BATCH = ipc()
FRAMED = b"\xff\xff\xff\xff" + struct.pack("<I", len(SCHEMA[0])) + SCHEMA[0]
PREPARED = field(1, field(1, SQL + b"ActionCreatePreparedStatementResult") + field(2, field(1, b"h") + field(2, FRAMED)))
INFO = field(3, field(1, field(1, b"t")))


def flight_data(header=b"", body=b""):
    return field(2, header) + field(1000, body)


class Answers:
    """What a good server says. Tests put something else in the place of one call."""

    def __init__(self, **other):
        self.other = other
        self.actions = 0

    def __call__(self, path, stream):
        name = path.removeprefix(SERVICE)
        if name == "DoAction":
            self.actions += 1
            name = "Prepare" if self.actions == 1 else "Close"
        made = self.other.get(name, getattr(self, name.lower()))
        return made(stream) if callable(made) else made

    def listflights(self, stream):
        return answer(stream)

    def prepare(self, stream):
        return answer(stream, PREPARED)

    def close(self, stream):
        return answer(stream)

    def getflightinfo(self, stream):
        return answer(stream, INFO)

    def doget(self, stream):
        return answer(stream, flight_data(*SCHEMA), flight_data(*BATCH))


class FakeServer:
    """Takes one connection after another; `hello` is said first, `answers` for each call. None ends the connection."""

    def __init__(self, answers=None, hello=settings()):
        self.answers, self.hello = answers or Answers(), hello
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"grpc://127.0.0.1:{self.listener.getsockname()[1]}"
        self.paths, self.acked = [], []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        decoder, file = hpack.Decoder(), peer.makefile("rb")
        try:
            with peer:
                peer.sendall(self.hello)
                if file.read(len(PREFACE)) != PREFACE:
                    return
                while head := file.read(9):
                    payload = file.read(int.from_bytes(head[:3], "big"))
                    kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
                    if kind == SETTINGS and not flags & ACK:
                        peer.sendall(frame(SETTINGS, b"", ACK))
                    if kind == PING and flags & ACK:
                        self.acked.append(payload)
                    if kind != HEADERS:
                        continue
                    path = dict(decoder.decode(payload))[":path"]
                    self.paths.append(path)
                    said = self.answers(path, stream)
                    if said is None:
                        return
                    for each in [said] if isinstance(said, bytes) else said:
                        peer.sendall(each)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def ask(server, *args, timeout=60, memory=None):
    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    return subprocess.run(
        [PROGRAM, "sql", "--connect", server.uri, "--format", "csv", *args, "SELECT a, t FROM x"],
        capture_output=True, text=True, timeout=timeout, env={**os.environ, "NO_COLOR": "1"}, preexec_fn=limit if memory else None,
    )


def refused(answers=None, *words, code=1, hello=settings(), args=(), **kwargs):
    with FakeServer(answers, hello) as server:
        done = ask(server, *args, **kwargs)
    assert done.returncode == code, done
    assert done.stdout == "" and done.stderr.startswith("error: "), done
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


def test_a_good_server_is_understood():
    with FakeServer() as server:
        done = ask(server)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a,t\n1,x\n2,y\n3,\n", "")


def test_several_endpoints_are_read_in_turn():
    with FakeServer(Answers(GetFlightInfo=lambda stream: answer(stream, INFO * 3))) as server:
        done = ask(server, "--no-header")
    assert done.stdout == "1,x\n2,y\n3,\n" * 3


def test_pings_are_answered_and_empty_messages_passed_over():
    def get(stream):
        return begin(stream) + frame(PING, b"12345678") + data(stream, message(flight_data(*SCHEMA))) + data(stream, message(field(3, b"metadata"))) + data(
            stream, message(flight_data(*BATCH))) + end(stream)

    with FakeServer(Answers(DoGet=get)) as server:
        assert ask(server).returncode == 0 and server.acked == [b"12345678"]


# ---- HTTP/2 ----


@pytest.mark.parametrize(
    "hello",
    [b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + b"x" * 100, os.urandom(4096), frame(DATA, b"x", 0, 1), frame(SETTINGS, b"x" * 5), frame(SETTINGS, b"", 0, 3),
     frame(GOAWAY, b""), frame(99, b"", 0, 0) * 3 + frame(SETTINGS, length=1 << 23), b"SSH-2.0-OpenSSH_9.2\r\n", frame(HEADERS, b"\x88", END_HEADERS, 2), frame(PUSH_PROMISE, struct.pack(">I", 2) + b"\x82", END_HEADERS, 1)],
)
def test_what_is_no_http2_is_no_connection(hello):
    refused(None, "127.0.0.1", code=3, hello=hello)


class SilentServer:
    """Takes connections, and says nothing; or takes them and closes them."""

    def __init__(self, closes):
        self.listener, self.closes, self.peers = socket.create_server(("127.0.0.1", 0)), closes, []
        self.uri = f"grpc://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                self.peers.append(self.listener.accept()[0])
                if self.closes:
                    self.peers.pop().close()
        except OSError:
            pass


@pytest.mark.parametrize("closes, words", [(True, "127.0.0.1"), (False, "does not answer")])
def test_a_server_that_says_nothing_is_given_up(closes, words):
    server = SilentServer(closes)
    with server.listener:
        done = ask(server)
    assert done.returncode == 3 and words in done.stderr and done.stdout == "", done


@pytest.mark.parametrize("call", ["ListFlights", "Prepare", "GetFlightInfo", "DoGet"])
@pytest.mark.parametrize(
    "said, words",
    [
        (lambda stream: None, "closed the connection"),
        (lambda stream: frame(RST_STREAM, struct.pack(">I", 2), 0, stream), "gave the call up"),
        (lambda stream: frame(GOAWAY, struct.pack(">II", 0, 11)), "server"),
        (lambda stream: begin(stream, status="404", kind="text/html") + data(stream, b"<html>", END_STREAM), "404"),
        (lambda stream: begin(stream, kind="text/html") + data(stream, b"<html>", END_STREAM), "not gRPC"),
        (lambda stream: begin(stream) + data(stream, message(INFO)[:-2], END_STREAM), "server"),
        (lambda stream: begin(stream) + data(stream, message(INFO)[:-2]) + end(stream), "cut"),
        (lambda stream: begin(stream) + data(stream, b"\x01" + message(INFO)[1:]) + end(stream), "compressed"),
        (lambda stream: begin(stream) + data(stream, b"\x07" + message(INFO)[1:]) + end(stream), "not gRPC"),
        (lambda stream: begin(stream) + data(stream, b"\x00\xff\xff\xff\xff") + end(stream), "longer than is taken"),
        (lambda stream: begin(stream) + end(stream, ("grpc-message", "no%20such%0Athing%1B[31m"), ("weir-sqlstate", "42P01"), ("weir-position", "3"), status="5"), "no such"),
        (lambda stream: begin(stream) + end(stream, ("weir-sqlstate", "4\x7f2P0"), ("weir-position", "99999999999999999999"), status="77"), "gives no reason"),
        (lambda stream: begin(stream, *((f"x-{n}", "v" * 1000) for n in range(80))), "keep to HTTP/2"),
        (lambda stream: long_headers(stream), "64 KiB of headers"),
        (lambda stream: data(stream, message(INFO)), "127.0.0.1"),
        (lambda stream: end(stream, status="13"), ""),
    ],
)
def test_a_call_that_ends_badly_is_one_error(call, said, words):
    err = refused(Answers(**{call: said}), words, code=3 if call == "ListFlights" else 1)
    assert "\x1b" not in err


def endless_headers(stream):
    yield frame(HEADERS, block((":status", "200"), ("content-type", "application/grpc")), 0, stream)
    while True:
        yield frame(CONTINUATION, further(("x", "v" * 1000)) * 8, 0, stream)


def endless_informational(stream):
    while True:
        yield frame(HEADERS, block((":status", "103"), ("x", "v" * 1000)), END_HEADERS, stream)


def endless_trailers(stream):
    yield begin(stream)
    while True:
        yield frame(HEADERS, block(("x", "v" * 1000)), END_HEADERS, stream)


@pytest.mark.parametrize("said", [endless_headers, endless_informational, endless_trailers])
def test_headers_without_an_end_are_given_up(said):
    refused(Answers(Prepare=said))


def test_other_calls_than_the_servers_are_not_waited_for():
    """Frames for streams that nobody opened, and floods of pings and settings."""
    refused(Answers(Prepare=lambda stream: (frame(PING, b"12345678") * 1000 for _ in range(10**9))), args=("--timeout", "3s"))
    refused(Answers(Prepare=lambda stream: (settings(window=n + 1) * 100 for n in range(10**9))), args=("--timeout", "3s"))
    refused(Answers(Prepare=lambda stream: begin(stream + 2) + data(stream + 2, b"x")))


# ---- Messages ----

GARBAGE = [b"", b"\xff" * 40, b"\x0a\xff\xff\xff\xff\x0f", field(1, b"\xff" * 20), field(1, field(1, b"nonsense") + field(2, b"x")), field(1, field(1, SQL + b"ActionCreatePreparedStatementResult") + field(2, b"\xff"))]


@pytest.mark.parametrize("garbage", GARBAGE[1:])
def test_a_prepared_statement_that_cannot_be_read_is_refused(garbage):
    refused(Answers(Prepare=lambda stream: answer(stream, garbage)), "server")


@pytest.mark.parametrize("schema", [b"x", b"\xff\xff\xff\xff\xff\xff\xff\x7f" + SCHEMA[0], FRAMED[:-40], b"\xff\xff\xff\xff\x10\x00\x00\x00" + b"\xff" * 16])
def test_parameters_whose_schema_is_wrong_are_refused(schema):
    prepared = field(1, field(1, SQL + b"ActionCreatePreparedStatementResult") + field(2, field(1, b"h") + field(2, FRAMED) + field(3, schema)))
    refused(Answers(Prepare=lambda stream: answer(stream, prepared)), "cannot be read")


@pytest.mark.parametrize("info, words", [(b"", "parts"), (field(3, b""), "ticket"), (INFO * 5000, "server"), (field(3, field(1, field(1, b"t")) + field(2, field(1, b"grpc://elsewhere"))), "elsewhere"), (b"\xff\xff", "cannot be read")])
def test_a_flight_that_makes_no_sense_is_refused(info, words):
    refused(Answers(GetFlightInfo=lambda stream: answer(stream, info)), words)


def changed(data, at, value):
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [flight_data(*BATCH)],
        [b"\xff" * 30],
        [flight_data(b"\xff" * 64)],
        [flight_data(*SCHEMA), flight_data(*SCHEMA)],
        [flight_data(*SCHEMA), flight_data(BATCH[0], BATCH[1][:-8])],
        [flight_data(*SCHEMA), flight_data(BATCH[0], b"")],
        [flight_data(*SCHEMA), flight_data(BATCH[0][:-60], BATCH[1])],
        [flight_data(SCHEMA[0][: len(SCHEMA[0]) // 2])],
        [flight_data(*SCHEMA), flight_data(BATCH[0], changed(BATCH[1], len(BATCH[1]) - 16, b"\xff" * 16))],
    ],
)
def test_arrow_data_that_is_wrong_is_refused(messages):
    with FakeServer(Answers(DoGet=lambda stream: answer(stream, *messages))) as server:
        done = ask(server, "-o", "/dev/null")
    assert done.returncode == 1 and done.stderr.startswith("error: "), done


def test_parts_of_different_columns_are_refused():
    other = pyarrow.schema({"a": pyarrow.string()}).serialize().to_pybytes()[8:]
    turns = iter([answer(0, flight_data(*SCHEMA))])

    def get(stream):
        first = next(turns, None)
        return answer(stream, flight_data(*SCHEMA), flight_data(*BATCH)) if first else answer(stream, flight_data(other))

    with FakeServer(Answers(GetFlightInfo=lambda stream: answer(stream, INFO * 2), DoGet=get)) as server:
        done = ask(server, "-o", "/dev/null")
    assert done.returncode == 1 and "different columns" in done.stderr


@pytest.mark.parametrize("at", range(0, len(BATCH[0]), 5))
def test_a_batch_with_a_wrong_byte_never_ends_the_program_badly(at):
    with FakeServer(Answers(DoGet=lambda stream: answer(stream, flight_data(*SCHEMA), flight_data(changed(BATCH[0], at, b"\xa5"), BATCH[1])))) as server:
        done = ask(server)
    assert done.returncode in (0, 1), done


def test_memory_does_not_follow_what_lengths_promise():
    """A message of nearly 256 MiB is begun and never goes on, on a machine with less."""
    refused(Answers(DoGet=lambda stream: begin(stream) + data(stream, b"\x00\x0f\xff\xff\xff" + b"x" * 1000)), "cancelled", args=("--timeout", "2s"), memory=700 << 20)


def test_texts_of_errors_do_nothing_to_the_terminal():
    err = refused(Answers(Prepare=lambda stream: begin(stream) + end(stream, ("grpc-message", "%1B]0;title%07%C2%9B31mred%7F %E2%82%AC %FF%"), status="3")))
    assert err == "error: ?]0;title??31mred? € ?%\n"
