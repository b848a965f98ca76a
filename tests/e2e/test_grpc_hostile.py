# SPDX-License-Identifier: Apache-2.0
"""
Peers that mean harm, or are broken. Each ends in an error or a closed connection; meanwhile and after
another client is served, and the server holds no more memory, descriptors and threads than before.
"""

import random
import struct
import time

import grpc
import pytest
from grpc_frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Peer,
    call,
    fields,
    frame,
    headers,
    message,
    settings,
)
from grpc_server import Server, wait_until

MB = 1 << 20


@pytest.fixture(scope="module")
def server():
    with Server(handshake_ms=1000, keepalive_ms=1500, keepalive_timeout_ms=4000, max_message=8 * MB) as server:
        yield server


@pytest.fixture(autouse=True)
def others_are_unharmed(server):
    with server.client() as client:
        assert client.call("Echo", b"before") == b"before"
        before = server.fds(), server.memory()
        yield
        assert client.call("Echo", b"after", timeout=5) == b"after"
        wait_until(lambda: server.figures()["n_connections"] <= 1)
        wait_until(lambda: server.figures()["n_calls"] == 0)
        wait_until(lambda: server.fds() <= before[0])
        assert server.memory() < before[1] + 48 * MB
        figures = server.figures()
        assert figures["made"] == figures["released"] and figures["replies"] == figures["replies_released"]


# ---- Frames that are wrong ----

WRONG = {
    "no_preface": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "zeros": bytes(10_000),
    "preface_cut": PREFACE[:10] + b"?" * 30,
    "no_settings": PREFACE + call(1, "Echo"),
    "frame_over_its_size": PREFACE + settings() + frame(DATA, b"x" * 100, 0, 1, length=1 << 23),
    "settings_of_five_bytes": PREFACE + frame(SETTINGS, b"12345"),
    "settings_on_a_stream": PREFACE + frame(SETTINGS, b"", 0, 1),
    "settings_of_a_window_too_large": PREFACE + settings(window=1 << 31),
    "settings_of_a_frame_too_small": PREFACE + settings(frame=1),
    "settings_without_number": PREFACE + frame(SETTINGS, struct.pack(">HI", 1, 0) * 100),
    "data_on_no_stream": PREFACE + settings() + frame(DATA, b"x", 0, 0),
    "data_on_an_idle_stream": PREFACE + settings() + frame(DATA, b"x", 0, 7),
    "headers_on_an_even_stream": PREFACE + settings() + headers(2, "Echo"),
    "headers_backwards": PREFACE + settings() + call(9, "Echo") + call(7, "Echo"),
    "continuation_alone": PREFACE + settings() + frame(CONTINUATION, fields("Echo"), END_HEADERS, 1),
    "headers_interrupted": PREFACE + settings() + headers(1, "Echo", 0) + frame(PING, bytes(8)),
    "no_header_block": PREFACE + settings() + frame(HEADERS, b"\xff" * 50, END_HEADERS, 1),
    "padding_over_the_frame": PREFACE + settings() + frame(HEADERS, b"\xff" + fields("Echo"), END_HEADERS | 8, 1),
    "push_from_a_client": PREFACE + settings() + frame(PUSH_PROMISE, bytes(4), END_HEADERS, 1),
    "ping_of_seven_bytes": PREFACE + settings() + frame(PING, bytes(7)),
    "window_of_nothing": PREFACE + settings() + frame(WINDOW_UPDATE, bytes(4)),
    "window_too_large": PREFACE + settings() + frame(WINDOW_UPDATE, b"\x7f\xff\xff\xff") * 2,
    "reset_of_an_idle_stream": PREFACE + settings() + frame(RST_STREAM, bytes(4), 0, 5),
}


@pytest.mark.parametrize("name", WRONG)
def test_frames_that_are_wrong_end_the_connection(server, name):
    with server.connect() as connection:
        connection.sendall(WRONG[name])
        try:
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass


def test_bytes_changed_at_random_do_no_harm(server):
    chance = random.Random(20240611)
    good = PREFACE + settings(window=1 << 20) + call(1, "Echo", b"hello") + call(3, "Stream", b"3 1000")
    good += frame(PING, bytes(8)) + headers(5, "Chat") + frame(DATA, message(b"a") + message(b"b"), END_STREAM, 5)
    good += frame(WINDOW_UPDATE, b"\0\1\0\0", 0, 0) + frame(RST_STREAM, bytes(4), 0, 3) + call(7, "Fail", b"5 22023 1 x")
    for _ in range(400):
        data = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(PREFACE), len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            at, n = chance.randrange(len(data)), chance.randrange(64)
            data[at : at + n] = chance.randbytes(chance.randrange(64))
        with server.connect() as connection:
            connection.settimeout(0.01)
            try:
                connection.sendall(data)
                connection.recv(65536)
            except OSError:
                pass


# ---- Messages that are wrong ----


@pytest.mark.parametrize(
    "data, status",
    [
        (struct.pack(">BI", 0, (1 << 31) - 1), 8),
        (struct.pack(">BI", 0, (1 << 32) - 1) + b"x" * 1000, 8),
        (struct.pack(">BI", 0, 8 * MB + 1), 8),
        (struct.pack(">BI", 1, 3) + b"abc", 13),
        (struct.pack(">BI", 255, 3) + b"abc", 13),
        (struct.pack(">BI", 0, 3) + b"ab", 13),
        (b"\0\0", 13),
        (b"", 12),
        (message(b"a") * 2, 12),
    ],
)
def test_messages_that_are_wrong_have_a_status(server, data, status):
    for method in ("Echo",):
        with Peer(server) as peer:
            peer.send(headers(1, method) + frame(DATA, data, END_STREAM, 1))
            assert peer.status(1) == status
            # The connection is as good as before.
            peer.send(call(3, "Echo", b"x"))
            assert peer.status(3) == 0


def test_a_promise_of_much_takes_no_memory(server):
    before = server.memory()
    with Peer(server) as peer:
        for stream in range(1, 401, 2):
            peer.send(headers(stream, "Echo") + frame(DATA, struct.pack(">BI", 0, 8 * MB) + b"x", 0, stream))
        wait_until(lambda: server.figures()["n_calls"] >= 200)
        assert server.memory() < before + 16 * MB


def test_unfinished_messages_are_held_up_to_an_allowance(server):
    """256 MiB for all connections, a quarter of it for one."""
    before = server.memory()
    with Peer(server) as peer:
        # Now its streams' windows are what the server's settings say.
        peer.send(frame(SETTINGS, flags=ACK))
        for stream in range(1, 81, 2):
            peer.send(headers(stream, "Echo") + frame(DATA, struct.pack(">BI", 0, 8 * MB), 0, stream))
            peer.send(frame(DATA, b"x" * 16000, 0, stream) * 190)
        assert server.memory() < before + 160 * MB
        found = {}
        for kind, _, stream, payload in peer.frames():
            if kind == HEADERS:
                found[stream] = dict(peer.decoder.decode(payload))["grpc-status"]
                if stream == 79:
                    break
        assert set(found.values()) == {"8"} and 15 < len(found) < 35


@pytest.mark.parametrize(
    "extra, status",
    [
        ([("grpc-encoding", "gzip")], 12),
        ([("grpc-timeout", "soon")], 3),
        ([("grpc-timeout", "123456789S")], 3),
        ([("grpc-timeout", "0m")], 4),
        ([("test-bin", "!!")], 3),
        ([("content-type", "application/grpc")] * 2, 0),
        ([("x", "y" * 20000)] * 4, 8),
    ],
)
def test_headers_that_are_wrong_have_a_status(server, extra, status):
    block = fields("Echo", extra)
    parts = [block[at : at + 16000] for at in range(0, len(block), 16000)]
    with Peer(server) as peer:
        for i, part in enumerate(parts):
            last = END_HEADERS if i == len(parts) - 1 else 0
            peer.send(frame(CONTINUATION if i else HEADERS, part, last, 1))
        peer.send(frame(DATA, message(b"x"), END_STREAM, 1))
        assert peer.status(1) == status


def test_what_is_no_grpc_has_a_status_of_http(server):
    def status(*changes):
        import hpack

        wanted = {":method": "POST", ":scheme": "http", ":path": "/test.Test/Echo", ":authority": "x", "content-type": "application/grpc"}
        wanted.update(changes)
        block = hpack.Encoder().encode([(key, value) for key, value in wanted.items() if value])
        with Peer(server) as peer:
            peer.send(frame(HEADERS, block, END_HEADERS | END_STREAM, 1))
            for kind, _, _, payload in peer.frames():
                if kind == HEADERS:
                    return dict(peer.decoder.decode(payload))[":status"]

    assert status((":method", "GET")) == "405"
    assert status(("content-type", "application/json")) == "415"
    assert status(("content-type", "application/grpc-web")) == "415"
    assert status(("content-type", None)) == "415"
    assert status((":path", "/" + "x" * 300)) == "200"


# ---- Too much of something ----


def test_rapid_resets_end_the_connection(server):
    with Peer(server) as peer:
        for stream in range(1, 4001, 2):
            if not peer.try_send(call(stream, "Sleep") + frame(RST_STREAM, b"\0\0\0\x08", 0, stream)):
                break
        assert peer.goodbye() == ENHANCE_YOUR_CALM


def test_resets_that_a_client_provokes_end_the_connection(server):
    """A window's overflow makes the server reset the stream, and its work would go on."""
    with Peer(server) as peer:
        for stream in range(1, 4001, 2):
            if not peer.try_send(call(stream, "Sleep") + frame(WINDOW_UPDATE, b"\x7f\xff\xff\xff", 0, stream) * 2):
                break
        assert peer.goodbye() == ENHANCE_YOUR_CALM


def test_a_flood_of_continuations_ends_the_connection(server):
    with Peer(server) as peer:
        peer.send(frame(HEADERS, fields("Echo"), 0, 1))
        for _ in range(100):
            if not peer.try_send(frame(CONTINUATION, b"", 0, 1) * 10):
                break
        assert peer.goodbye() == ENHANCE_YOUR_CALM


def test_a_header_named_again_and_again_takes_no_memory(server):
    """One byte for each 4 KB of an entry of the dynamic table."""
    block = fields("Echo") + b"\x40\x01x\x7f" + b"\xa1\x1e" + b"y" * 4000 + b"\xbe" * 10_000
    before = server.memory()
    with Peer(server) as peer:
        for stream in range(1, 41, 2):
            peer.try_send(frame(HEADERS, block, END_HEADERS, stream))
            peer.try_send(frame(DATA, message(b""), END_STREAM, stream))
        assert peer.status(1) in (8, "reset", "goaway", "closed")
    assert server.memory() < before + 16 * MB


@pytest.mark.parametrize(
    "flood",
    [
        frame(PING, bytes(8)) * 1000,
        settings(window=65535) * 1000,
        frame(PRIORITY, bytes(5), 0, 101) * 1000,
        frame(WINDOW_UPDATE, b"\0\0\0\1") * 1000,
        frame(14, b"unknown") * 1000,
        frame(DATA, b"", 0, 1) * 1000,
    ],
    ids=["ping", "settings", "priority", "window", "unknown", "empty_data"],
)
def test_floods_of_frames_without_reading(server, flood):
    before = server.memory()
    with Peer(server) as peer:
        peer.send(headers(1, "Chat"))
        peer.socket.settimeout(0.5)
        for _ in range(200):
            if not peer.try_send(flood):
                break
        assert server.memory() < before + 16 * MB


def test_streams_over_the_limit_are_refused(server):
    with Peer(server) as peer:
        peer.send(b"".join(headers(stream, "Chat") for stream in range(1, 2 * 300, 2)))
        refused = set()
        for kind, _, stream, payload in peer.frames():
            if kind == RST_STREAM and payload == b"\0\0\0\x07":
                refused.add(stream)
            if len(refused) == 300 - 256:
                break
        assert server.figures()["n_calls"] == 256


def test_a_refused_stream_does_not_end_the_connection(server):
    """Its headers have ended too: they are not waited for."""
    with Peer(server) as peer:
        peer.send(b"".join(headers(stream, "Chat") for stream in range(1, 2 * 257, 2)))
        assert next(stream for kind, _, stream, _ in peer.frames() if kind == RST_STREAM) == 2 * 257 - 1
        time.sleep(1.2)
        peer.send(frame(RST_STREAM, b"\0\0\0\x08", 0, 1) + call(2 * 257 + 1, "Echo", b"x"))
        assert peer.status(2 * 257 + 1) == 0


# ---- No memory ----


def test_each_allocation_may_fail_and_the_next_call_is_served(server):
    failures = 0
    n = 0
    while True:
        n += 1
        with server.client() as client:
            server.order(f"fail {n}")
            try:
                assert client.call("Echo", b"x" * 100_000, timeout=10) == b"x" * 100_000
                assert [*client.exchange("Chat", [b"y" * 50_000] * 3, timeout=10)] == [b"y" * 50_000] * 3
            except grpc.RpcError:
                failures += 1
            made = int(server.order("fail 0"))
        with server.client() as client:
            assert client.call("Echo", b"well", timeout=10) == b"well"
        if made < n:
            break
        assert n < 2000
    assert failures > 10


# ---- Too little of something ----


def test_idle_sockets_are_closed_and_slow_nobody(server):
    idle = [server.connect() for _ in range(500)]
    with server.client() as client:
        times = []
        for _ in range(200):
            start = time.monotonic()
            client.call("Echo", b"x")
            times.append(time.monotonic() - start)
        assert sorted(times)[-10] < 0.2
    for connection in idle:
        while connection.recv(1000):
            pass
        connection.close()


def test_headers_that_do_not_end_are_not_waited_for(server):
    with Peer(server) as peer:
        peer.send(headers(1, "Echo", 0))
        start = time.monotonic()
        assert peer.goodbye() is None
        assert time.monotonic() - start < 10


def test_headers_byte_by_byte_are_not_waited_for(server):
    with Peer(server) as peer:
        data = headers(1, "Echo", 0)
        start = time.monotonic()
        n = 0
        while peer.try_send(data[n : n + 1]) and n < len(data) - 1:
            n += 1
            time.sleep(0.05)
        assert time.monotonic() - start < 10


def test_a_peer_that_does_not_answer_pings_is_closed(server):
    with Peer(server) as peer:
        peer.send(call(1, "Sleep"))
        wait_until(lambda: server.figures()["n_calls"] == 1)
        # It reads, and says nothing.
        assert peer.goodbye() is None


def test_a_peer_that_never_reads_is_closed(server):
    before = server.memory()
    with Peer(server, window=(1 << 31) - 1) as peer:
        peer.send(frame(WINDOW_UPDATE, b"\x7f\xff\x00\x00"))
        for stream in range(1, 41, 2):
            peer.send(call(stream, "Stream", b"1000 2000000"))
        wait_until(lambda: server.figures()["made"] > 20)
        assert server.memory() < before + 32 * MB
        # Its pings would be answered, if it read them.
        wait_until(lambda: server.figures()["n_connections"] <= 1)


def test_a_window_of_nothing_holds_two_messages(server):
    with Peer(server, window=0) as peer:
        made = server.figures()["made"]
        for stream in range(1, 41, 2):
            peer.send(call(stream, "Stream", b"1000 2000000"))
        wait_until(lambda: server.figures()["made"] == made + 40)
        peer.send(frame(PING, bytes(8)))
        for kind, flags, _, _ in peer.frames():
            assert kind != DATA
            if kind == PING and flags & ACK:
                break
        figures = server.figures()
        assert figures["made"] == made + 40 and figures["released"] == made


def test_a_client_that_resets_in_the_middle_of_a_frame_leaves_nothing(server):
    for _ in range(20):
        with Peer(server, window=1 << 24) as peer:
            peer.send(frame(WINDOW_UPDATE, b"\x7f\xff\x00\x00") + call(1, "Stream", b"100 3000000"))
            peer.buffer += peer.socket.recv(100_000)
            peer.send(frame(RST_STREAM, b"\0\0\0\x08", 0, 1) + call(3, "Echo", b"x"))
            assert peer.status(3) == 0


def test_threads_end_when_there_is_no_work(server):
    with server.client() as client:
        calls = [client.future("Sleep", timeout=1) for _ in range(40)]
        wait_until(lambda: server.figures()["n_calls"] == 40)
        assert server.threads() >= 40
        for one in calls:
            one.exception()
    wait_until(lambda: server.threads() <= 12)
