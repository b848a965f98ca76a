# SPDX-License-Identifier: Apache-2.0
"""
The doors of weir serve beside other ways to the same rows: bench/doors.py BUILD [--scale N] [--seconds N]
[--case NAME ...]

The other is a Flight server on pyarrow (C++). The client is pyarrow.flight in a process of its own. Two servers are
compared in pairs of neighbouring runs, each first in its turn; a ratio is the median of the pairs' ratios. The
processors' time is the server's, from the kernel's count; memory its resident peak.

- stream: one client reads all of lineitem of TPC-H, over Flight without and with TLS, and in weir's own process.
  "Memory": both servers hold the same batches, of 8,192 rows; into weir they came by an ingest. "Parquet": both read
  the file for each run. Last, what loopback gives a socket.
- latency: `SELECT 1`, and a row by its key, from the request to the last row, on one warm connection.
- clients: 1, 4, 16, 64 clients at the same time read 400,000 rows each from memory, again and again, and keep no batch.
- slow: a client reads 10 GB, which weir makes as they are read, at a pace; then clients that stop after the first
  batch.

Prints Markdown.
"""

import argparse
import contextlib
import os
import pathlib
import socket
import statistics
import tempfile
import threading
import time

import doors_servers
import run as tpch

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "weir"
# 10 GB in Arrow: 8 bytes of a number, and a text of 150 and its offset.
TEN_GB = "SELECT value, repeat('x', 150) AS text FROM generate_series(1, 62000000)"


def pairs(first, second, seconds, at_least=5):
    """Ratios of two functions' figures, each a dictionary, and all of them."""
    first(), second()
    answers, start = ([], []), time.monotonic()
    while len(answers[0]) < at_least or time.monotonic() - start < seconds:
        order = (0, 1) if len(answers[0]) % 2 == 0 else (1, 0)
        for i in order:
            answers[i].append((first, second)[i]())
    return answers


def middle(answers, key):
    return statistics.median(answer[key] for answer in answers)


def ratio(answers, key):
    return statistics.median(one[key] / other[key] for one, other in zip(*answers))


def header(title, *columns):
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---|' + '---:|' * (len(columns) - 1)}", flush=True)


def row(*cells):
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def timed_read(server, client, sql):
    def read():
        cpu, start = server.cpu(), time.perf_counter()
        rows = client.read(sql)
        seconds = time.perf_counter() - start
        gb = rows.nbytes / 1e9
        return {"seconds": seconds, "speed": gb / seconds, "cpu": (server.cpu() - cpu) / gb, "rows": rows.num_rows}

    return read


def stream(bench):
    columns = ("server", "GB/s", "the server's CPU s/GB", "peak MiB", "weir's GB/s of it", "weir's CPU of it")
    header("All of lineitem in one stream", *columns)
    cases = [("memory", False, "l"), ("memory, TLS", True, "l"), ("Parquet", False, "tpch.lineitem")]
    for name, tls, table in cases:
        with bench.servers.weir(tls) as weir, bench.servers.pyarrow(tls) as other:
            reads = [timed_read(s, bench.servers.client(s.uri), f"SELECT * FROM {table}") for s in (weir, other)]
            answers = pairs(*reads, bench.seconds)
            assert answers[0][0]["rows"] == answers[1][0]["rows"], "the servers differ in their rows"
            marks = f"{1 / ratio(answers, 'seconds'):.3f}", f"{ratio(answers, 'cpu'):.3f}"
            for title, server, figures in (("weir", weir, answers[0]), ("pyarrow (C++)", other, answers[1])):
                speed, cpu = f"{middle(figures, 'speed'):.2f}", f"{middle(figures, 'cpu'):.3f}"
                row(f"{title}, {name}", speed, cpu, f"{server.memory():.0f}", *(marks if server is other else ("", "")))
    session = bench.servers.session()
    session.run(f"CREATE TABLE l USING memory AS SELECT * FROM '{bench.servers.parquet}'")
    speeds = []
    for _ in range(5):
        start = time.perf_counter()
        rows = session.query("SELECT * FROM l").read_all()
        speeds.append(rows.nbytes / 1e9 / (time.perf_counter() - start))
    session.close()
    row("in weir's own process, views become texts", f"{statistics.median(speeds):.2f}", "", "", "", "")
    row("bytes alone, over loopback", f"{loopback():.2f}", "", "", "", "")


def loopback(gigabytes=4):
    """GB/s from a process to this one by a socket, a megabyte at a time: more than any server here can give."""
    piece = bytes(1 << 20)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sender = os.fork()
        if sender == 0:
            with socket.create_connection(listening.getsockname()) as out:
                for _ in range(gigabytes * 1000):
                    out.sendall(piece)
            os._exit(0)
        with listening.accept()[0] as incoming:
            start, n, buffer = time.perf_counter(), 0, bytearray(len(piece))
            while received := incoming.recv_into(buffer):
                n += received
            seconds = time.perf_counter() - start
        os.waitpid(sender, 0)
    return n / 1e9 / seconds


def latency(bench):
    header("From the request to the last row", "statement", "p50 ms", "p99 ms")
    with bench.servers.weir() as server:
        client = bench.servers.client(server.uri)
        for sql in ("SELECT 1", "SELECT l_comment FROM l WHERE l_orderkey = 4711 AND l_linenumber = 1"):
            times, start = [], time.monotonic()
            while len(times) < 100 or time.monotonic() - start < bench.seconds:
                before = time.perf_counter()
                client.read(sql)
                times.append((time.perf_counter() - before) * 1e3)
            times = sorted(times[20:])
            row(f"`{sql}`", f"{statistics.median(times):.2f}", f"{times[int(len(times) * 0.99)]:.2f}")


def read_at_once(bench, server, n, sql):
    """The times in ms that each of n clients took for its reads, the errors, GB/s."""
    times, errors, gigabytes = [[] for _ in range(n)], [], [0.0] * n
    clients = [bench.servers.client(server.uri) for _ in range(n)]
    for client in clients:
        client.read("SELECT 1" if client.is_weir else sql)  # connects
    until = time.monotonic() + bench.seconds

    def read(i):
        try:
            while time.monotonic() < until or not times[i]:
                start = time.perf_counter()
                n_bytes = sum(chunk.data.nbytes for chunk in clients[i].get(sql))
                times[i].append((time.perf_counter() - start) * 1e3)
                gigabytes[i] += n_bytes / 1e9
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=read, args=(i,)) for i in range(n)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, errors, sum(gigabytes) / (time.monotonic() - start)


def clients(bench):
    columns = ("clients", "GB/s", "p50 ms", "p99 ms", "p99 over p50", "reads of a client", "errors", "peak MiB")
    for name, make in (("weir", bench.servers.weir), ("pyarrow (C++)", bench.servers.pyarrow)):
        header(f"Clients at the same time: {name}", *columns)
        with make() as server:
            for n in (1, 4, 16, 64):
                times, errors, speed = read_at_once(bench, server, n, "SELECT * FROM part")
                ordered = sorted(sum(times, []))
                p50, p99 = statistics.median(ordered), ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
                counts = [len(one) for one in times]
                cells = f"{p50:.0f}", f"{p99:.0f}", f"{p99 / p50:.1f}", f"{min(counts)} to {max(counts)}"
                row(n, f"{speed:.2f}", *cells, len(errors), f"{server.memory():.0f}")
                for error in errors[:3]:
                    print(f"\n{error}\n", flush=True)


def settled(server):
    """Waits until the server has had nothing to do for half a second."""
    cpu, since = server.cpu(), time.monotonic()
    while time.monotonic() - since < 0.5:
        time.sleep(0.1)
        if server.cpu() != cpu:
            cpu, since = server.cpu(), time.monotonic()


def slow(bench):
    header("Readers that are slow", "what", "resident MiB before", "after the first batch", "the peak", "s")
    with bench.servers.weir(tables=()) as server:
        client = bench.servers.client(server.uri)
        client.read("SELECT 1")
        before, began, n_bytes = server.memory("VmRSS"), time.monotonic(), 0
        for chunk in client.get(TEN_GB):
            first = server.memory("VmRSS") if n_bytes == 0 else first
            n_bytes += chunk.data.nbytes
            time.sleep(max(0, n_bytes / bench.pace - (time.monotonic() - began)))
        assert n_bytes > 10e9, n_bytes
        seconds = f"{time.monotonic() - began:.0f}"
        row(f"{n_bytes / 1e9:.1f} GB at {bench.pace / 1e6:.0f} MB/s", f"{before:.0f}", f"{first:.0f}", f"{server.memory():.0f}", seconds)
    for n in (1, 16, 64):
        with bench.servers.weir(tables=()) as server, contextlib.ExitStack() as stack:
            clients = [bench.servers.client(server.uri) for _ in range(n)]
            clients[0].read("SELECT 1")
            before, began = server.memory("VmRSS"), time.monotonic()
            for client in clients:
                reader = client.get(TEN_GB)
                stack.callback(reader.cancel)
                reader.read_chunk()
            first = server.memory("VmRSS")
            settled(server)
            seconds = f"{time.monotonic() - began:.0f}"
            row(f"{n} that stopped after a batch", f"{before:.0f}", f"{first:.0f}", f"{server.memory():.0f}", seconds)


CASES = {"stream": stream, "latency": latency, "clients": clients, "slow": slow}


class Bench:
    def __init__(self, options, directory):
        self.seconds, self.pace = options.seconds, options.pace * 1e6
        self.servers = doors_servers.Servers(options.build, options.data, directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--seconds", type=float, default=10, help="for the pairs of each comparison")
    parser.add_argument("--pace", type=float, default=200, help="MB/s of the slow reader")
    parser.add_argument("--case", nargs="*", default=list(CASES), choices=list(CASES))
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.data = CACHE / f"tpch-{options.scale}"
    tpch.generate(options.data, options.scale)
    print(f"{len(os.sched_getaffinity(0))} cores for the servers and their clients, TPC-H scale factor {options.scale}", flush=True)
    with tempfile.TemporaryDirectory(prefix="weir-doors-") as directory:
        bench = Bench(options, directory)
        for name in options.case:
            CASES[name](bench)


if __name__ == "__main__":
    main()
