# SPDX-License-Identifier: Apache-2.0
"""Frames of HTTP/2 made by hand, so that they can be wrong."""

import struct

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
ENHANCE_YOUR_CALM = 11


def frame(kind, payload=b"", flags=0, stream=0, length=None):
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(**values):
    names = {"header_table": 1, "push": 2, "streams": 3, "window": 4, "frame": 5, "list": 6}
    return frame(SETTINGS, b"".join(struct.pack(">HI", names[key], value) for key, value in values.items()))


def fields(method, extra=()):
    """The header block of a call, without Huffman's code and the dynamic table."""
    table = hpack.Encoder()
    table.header_table_size = 0
    return table.encode(
        [
            *((":method", "POST"), (":scheme", "http"), (":path", f"/test.Test/{method}"), (":authority", "x")),
            *(("content-type", "application/grpc"), ("te", "trailers"), *extra),
        ],
        huffman=False,
    )


def headers(stream, method, flags=END_HEADERS, extra=()):
    return frame(HEADERS, fields(method, extra), flags, stream)


def message(data):
    return struct.pack(">BI", 0, len(data)) + data


def call(stream, method, request=b""):
    return headers(stream, method) + frame(DATA, message(request), END_STREAM, stream)


class Peer:
    """A connection that has said the preface and its settings."""

    def __init__(self, server, **values):
        self.socket = server.connect()
        self.buffer = b""
        self.decoder = hpack.Decoder()
        self.send(PREFACE + settings(**values))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def try_send(self, data):
        """False: the server has closed the connection."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def read(self):
        """The next frame: kind, flags, stream, payload; None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionError:
                return None
            if not data:
                return None
            self.buffer += data
        length = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big")
        payload, self.buffer = self.buffer[9 : 9 + length], self.buffer[9 + length :]
        return kind, flags, stream, payload

    def frames(self):
        while (found := self.read()) is not None:
            yield found

    def status(self, stream):
        """The grpc-status of a call, or the name of what came instead."""
        for kind, flags, number, payload in self.frames():
            if kind == HEADERS:
                found = dict(self.decoder.decode(payload))
                if number == stream and "grpc-status" in found:
                    return int(found["grpc-status"])
            if kind == RST_STREAM and number == stream:
                return "reset"
            if kind == GOAWAY:
                return "goaway"
        return "closed"

    def goodbye(self):
        """The error code of the GOAWAY, or None, once the server has closed the connection."""
        code = None
        for kind, _, _, payload in self.frames():
            if kind == GOAWAY:
                code = int.from_bytes(payload[4:8], "big")
        return code
