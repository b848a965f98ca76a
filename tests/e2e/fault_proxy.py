# SPDX-License-Identifier: Apache-2.0
"""
A proxy between a client and an object store that does what networks and stores do to people:

    with FaultProxy("127.0.0.1", port, seed=7) as proxy:
        proxy.rule(delay(0.04))                                     # on every request
        proxy.rule(throttle(), method="GET", share=0.3)             # 503 on 30 % of the reads
        proxy.rule(cut(0.5), path=r"\\.parquet$", count=1)          # one body ends halfway
        ...
        assert [r.status for r in proxy.requests("GET")] == [503, 200]

Every rule that matches a request and fires has its say; of two that disagree, the later one has it. The
request that a client signed reaches the store byte for byte, Host included, so that signatures hold, unless a rule says otherwise.
"""

import asyncio
import dataclasses
import random
import re
import socket
import struct
import threading
import time
import urllib.parse

PIECE = 1 << 18
TICK = 0.02  # of a slow body


# ---- What can happen to a request ----


@dataclasses.dataclass
class Fate:
    delay: float = 0.0  # seconds before anything else
    status: int = 0  # answered here, the store hears nothing
    body: bytes = b""
    headers: tuple = ()
    reset: str = ""  # "before" the store hears of it, or "after" it has done it
    cut: float = None  # of the answer's body, the share that still comes (an int: bytes)
    rate: float = 0.0  # bytes a second of the answer's body
    stall: bool = False  # no answer ever comes
    rewrite: object = None  # makes of the request's head, as bytes, what the store gets
    name: str = ""


def delay(seconds):
    def happen(fate):
        fate.delay += seconds

    return happen


def answer(status, body=b"", *headers, name=None):
    """The store does not hear of it: the proxy answers."""

    def happen(fate):
        fate.status, fate.body, fate.headers, fate.name = status, body, headers, name or str(status)

    return happen


def s3_error(status, code, message, *headers):
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message><Resource>/</Resource><RequestId>1</RequestId></Error>'
    return answer(status, text.encode(), ("content-type", "application/xml"), *headers, name=code)


def throttle(*headers):
    return s3_error(503, "SlowDown", "Please reduce your request rate.", *headers)


def too_many(*headers):
    return s3_error(429, "TooManyRequests", "Please reduce your request rate.", *headers)


def expired_token():
    return s3_error(400, "ExpiredToken", "The provided token has expired.")


def cut(at):
    """The answer's length is told, but only a share of it comes (an int: so many bytes), then the end."""

    def happen(fate):
        fate.cut, fate.name = at, "cut"

    return happen


def slow(bytes_per_second):
    def happen(fate):
        fate.rate, fate.name = bytes_per_second, fate.name or "slow"

    return happen


def reset():
    """The connection breaks before the store hears of the request."""

    def happen(fate):
        fate.reset, fate.name = "before", "reset"

    return happen


def lost():
    """The store does it, and the connection breaks before the answer."""

    def happen(fate):
        fate.reset, fate.name = "after", "lost"

    return happen


def stall():
    """No answer comes until the client goes away."""

    def happen(fate):
        fate.stall, fate.name = True, "stall"

    return happen


def rewritten(by):
    def happen(fate):
        fate.rewrite = by

    return happen


class Rule:
    def __init__(self, happen, method=None, path=None, count=None, share=1.0, skip=0, when=None):
        self.when = when
        self.happen, self.method, self.path = happen, method, re.compile(path) if path else None
        self.count, self.share, self.skip = count, share, skip
        self.fired = 0

    def fires(self, request, chance):
        if self.method and request.method not in self.method.split("|"):
            return False
        if self.path and not (self.path.search(request.target) or self.path.search(urllib.parse.unquote(request.target))):
            return False
        if self.when and not self.when(request):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None and self.fired >= self.count:
            return False
        if self.share < 1.0 and chance.random() >= self.share:
            return False
        self.fired += 1
        return True


# ---- What happened ----


@dataclasses.dataclass
class Request:
    method: str
    target: str  # path and query as sent
    range: str  # "bytes=0-7", or ""
    headers: dict  # names in lower case
    started: float
    status: int = 0  # as the client saw it; 0: none
    fault: str = ""
    received: int = 0  # bytes of the request's body
    sent: int = 0  # bytes of the answer's body
    first_byte: float = None  # seconds until the answer's head was sent
    seconds: float = None  # None: still going on

    @property
    def path(self):
        return urllib.parse.unquote(self.target.partition("?")[0])

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def length(self):
        """Bytes of the range that is asked for."""
        first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", self.range).groups()
        return int(last) - int(first) + 1

    @property
    def kind(self):
        """LIST, or the method."""
        listing = self.method == "GET" and ({"list-type", "prefix", "delimiter"} & self.query.keys() or self.query.get("comp") == "list")
        return "LIST" if listing else self.method


# ---- HTTP/1.1 ----


class Head:
    """The first line and the header lines of a message, and the raw bytes."""

    def __init__(self, raw):
        self.raw = raw
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        self.first = first.split(" ", 2)
        self.fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.fields[name.strip().lower()] = value.strip()

    def without(self, name):
        lines = [line for line in self.raw[:-4].split(b"\r\n") if not line.lower().startswith(name.encode() + b":")]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def is_last(self):
        return "close" in self.fields.get("connection", "").lower()


async def read_head(reader):
    """A message's head, or None when the other side ends between two messages."""
    try:
        return Head(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ConnectionError("the head ends in the middle")
        return None


async def pieces(reader, head, has_end):
    """Raw bytes of a body with the number of bytes of content in them. `has_end`: without a length there is none."""
    if "chunked" in head.fields.get("transfer-encoding", "").lower():
        while True:
            line = await reader.readuntil(b"\r\n")
            length = int(line.split(b";")[0], 16)
            if length == 0:
                trailer = b""
                while not trailer.endswith(b"\r\n\r\n") and trailer != b"\r\n":
                    trailer += await reader.readuntil(b"\r\n")
                yield line + trailer, 0
                return
            yield line + await reader.readexactly(length + 2), length
    elif "content-length" in head.fields:
        left = int(head.fields["content-length"])
        while left > 0:
            piece = await reader.read(min(left, PIECE))
            if not piece:
                raise ConnectionError("the body ends too early")
            left -= len(piece)
            yield piece, len(piece)
    elif not has_end:
        while piece := await reader.read(PIECE):
            yield piece, len(piece)


def break_off(writer):
    """A reset, not an orderly end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# ---- The proxy ----


class FaultProxy:
    def __init__(self, host, port, seed=0):
        self.to = (host, port)
        self.chance = random.Random(seed)
        self.rules, self.log = [], []
        self.connections = self.open = self.peak = 0  # made; requests at work now, and at most
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="fault-proxy", daemon=True)
        self.thread.start()
        self.server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20))
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        async def end():
            self.server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        if self.thread.is_alive():
            self._call(end())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(30)
            self.loop.close()

    def rule(self, happen, **when):
        """method "GET" or "GET|HEAD", path (a regular expression over path and query, as sent or decoded), count, share, skip, when (asked with the Request)."""
        rule = Rule(happen, **when)
        self.rules.append(rule)
        return rule

    def forget(self, rules=False):
        """Starts a new log; with `rules`, without rules."""
        self.log = []
        self.peak = self.open
        if rules:
            self.rules = []

    def requests(self, kind=None, path=None, fault=None):
        """Those of the log: kind is a method or LIST, path a regular expression, fault True, False or a name."""
        found = []
        for r in list(self.log):
            if kind and r.kind != kind or path and not re.search(path, r.path):
                continue
            if fault is not None and (r.fault != fault if isinstance(fault, str) else bool(r.fault) != fault):
                continue
            found.append(r)
        return found

    def bytes(self, **which):
        return sum(r.sent for r in self.requests(**which))

    # ---- One connection ----

    async def _serve(self, reader, writer):
        self.connections += 1
        upstream = None
        try:
            while head := await read_head(reader):
                request = Request(head.first[0], head.first[1], head.fields.get("range") or head.fields.get("x-ms-range", ""), head.fields, time.monotonic())
                self.log.append(request)
                self.open += 1
                self.peak = max(self.peak, self.open)
                try:
                    upstream, goes_on = await self._answer(head, request, reader, writer, upstream)
                finally:
                    self.open -= 1
                    request.seconds = time.monotonic() - request.started
                if not goes_on or head.is_last():
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError):
            break_off(writer)
        except asyncio.CancelledError:
            break_off(writer)
            raise
        finally:
            for end in [writer] + ([upstream[1]] if upstream else []):
                end.close()

    def _fate(self, request):
        fate = Fate()
        for rule in list(self.rules):
            if rule.fires(request, self.chance):
                rule.happen(fate)
        return fate

    async def _answer(self, head, request, reader, writer, upstream):
        """Gives the connection to the store, and whether that to the client can go on."""
        fate = self._fate(request)
        request.fault = fate.name
        if fate.delay:
            await asyncio.sleep(fate.delay)
        if fate.reset == "before":
            break_off(writer)
            return upstream, False
        if head.fields.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if fate.stall or fate.status:
            async for _, n in pieces(reader, head, True):
                request.received += n
            if fate.stall:
                await reader.read()
                return upstream, False
            return upstream, await self._refuse(fate, request, writer)

        # A store ends connections that it has not used for a while.
        if upstream and (upstream[0].at_eof() or upstream[1].is_closing()):
            upstream[1].close()
            upstream = None
        if upstream is None:
            upstream = await asyncio.open_connection(*self.to, limit=1 << 20)
        from_store, to_store = upstream
        sent = head.without("expect")
        to_store.write(fate.rewrite(sent) if fate.rewrite else sent)
        async for piece, n in pieces(reader, head, True):
            request.received += n
            to_store.write(piece)
            await to_store.drain()
        answer_head = await read_head(from_store)
        while answer_head and answer_head.first[1] == "100":
            answer_head = await read_head(from_store)
        if answer_head is None:
            raise ConnectionError("the store ended the connection")
        if fate.reset == "after":
            # All of it, so that the store has surely done what was asked.
            async for _ in self._body(head, answer_head, from_store):
                pass
            break_off(writer)
            return upstream, False
        return await self._pass_on(head, answer_head, fate, request, upstream, writer)

    @staticmethod
    def _body(head, answer_head, from_store):
        status = int(answer_head.first[1])
        if head.first[0] == "HEAD" or status in (204, 304):
            return pieces(from_store, Head(b"none\r\n\r\n"), True)
        return pieces(from_store, answer_head, False)

    async def _pass_on(self, head, answer_head, fate, request, upstream, writer):
        from_store, to_store = upstream
        request.status = int(answer_head.first[1])
        # What the log tells is there before the client can see it.
        request.first_byte = time.monotonic() - request.started
        writer.write(answer_head.raw)
        await writer.drain()
        ends = None
        if fate.cut is not None:
            whole = int(answer_head.fields.get("content-length", 0))
            ends = fate.cut if isinstance(fate.cut, int) else int(whole * fate.cut)
        async for piece, n in self._body(head, answer_head, from_store):
            if ends is not None and request.sent + n > ends:
                piece = piece[: ends - request.sent]
                request.sent += len(piece)
                writer.write(piece)
                await writer.drain()
                to_store.close()
                return None, False
            request.sent += n
            await self._send(writer, piece, fate.rate)
        is_last = answer_head.is_last() or not ({"content-length", "transfer-encoding"} & answer_head.fields.keys()) and request.status not in (204, 304)
        if is_last:
            to_store.close()
            upstream = None
        return upstream, not is_last

    @staticmethod
    async def _send(writer, piece, rate):
        step = max(int(rate * TICK), 1) if rate else len(piece)
        for at in range(0, len(piece), step):
            writer.write(piece[at : at + step])
            await writer.drain()
            if rate:
                await asyncio.sleep(TICK)

    @staticmethod
    async def _refuse(fate, request, writer):
        request.status = fate.status
        body = b"" if request.method == "HEAD" else fate.body
        lines = [f"HTTP/1.1 {fate.status} Fault", f"content-length: {len(fate.body)}"] + [f"{name}: {value}" for name, value in fate.headers]
        request.first_byte = time.monotonic() - request.started
        request.sent = len(body)
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return True
