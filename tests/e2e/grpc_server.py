# SPDX-License-Identifier: Apache-2.0
"""The server of tests/flight for tests of the transport: one process, its clients, and what it holds."""

import os
import pathlib
import re
import socket
import subprocess
import time

import grpc
from conftest import PROGRAM

SERVER = pathlib.Path(PROGRAM).parent / "tests/flight/grpc_test_server"


def wait_until(condition, seconds=20):
    """Until it is true; gives its value. The last one is in the message when it never is."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"still {value!r} after {seconds} s"
        time.sleep(0.02)


class Server:
    def __init__(self, **options):
        arguments = [f"{key}={value}" for key, value in options.items()]
        self.process = subprocess.Popen(
            [SERVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.address = self.process.stdout.readline().strip()
        assert self.address, self.process.stderr.read()
        self.host, port = self.address.split(",")[0].rsplit(":", 1)
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.close()

    def close(self):
        """Ends it. It tells by its exit code if it holds messages, replies or sessions still."""
        if self.process.returncode is None:
            _, errors = self.process.communicate("quit\n", timeout=30)
            assert self.process.returncode == 0, errors
            assert "Sanitizer" not in errors, errors

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def figures(self):
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", self.order("look"))}

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def memory(self):
        """Bytes that are resident."""
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def seconds(self):
        """Of the processor."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self):
        """A socket, with nothing said."""
        return socket.create_connection((self.host.strip("[]"), self.port), timeout=20)

    def client(self, **kwargs):
        return Client(self.address.split(",")[0], **kwargs)


class Client:
    """grpcio's, for messages of bytes."""

    def __init__(self, address, credentials=None, **options):
        # A channel of its own, and not one connection for all of the process.
        settings = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),
            # A call that the client tries again by itself after a GOAWAY may leave out a message of its stream.
            ("grpc.enable_retries", 0),
            *options.items(),
        ]
        if credentials:
            self.channel = grpc.secure_channel(address, credentials, settings)
        else:
            self.channel = grpc.insecure_channel(address, settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def call(self, method, request=b"", timeout=20, **kwargs):
        return self.channel.unary_unary(f"/test.Test/{method}")(request, timeout=timeout, **kwargs)

    def future(self, method, request=b"", timeout=20, **kwargs):
        return self.channel.unary_unary(f"/test.Test/{method}").future(request, timeout=timeout, **kwargs)

    def stream(self, n, size, timeout=60):
        return self.channel.unary_stream("/test.Test/Stream")(f"{n} {size}".encode(), timeout=timeout)

    def exchange(self, method, requests, timeout=60, **kwargs):
        return self.channel.stream_stream(f"/test.Test/{method}")(iter(requests), timeout=timeout, **kwargs)


def block(size):
    """What Stream sends."""
    return bytes(i * 31 >> 3 & 255 for i in range(size))
