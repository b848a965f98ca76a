# SPDX-License-Identifier: Apache-2.0
"""
The doors of weir serve beside other ways to the same rows: bench/doors.py BUILD [--scale N] [--seconds N]
[--case NAME ...]

lineitem of TPC-H lies in memory in every server: in weir as a table, in a Flight server on pyarrow (C++) as
the batches that weir gave. The client is pyarrow.flight in a process of its own. Two servers are compared in
pairs of neighbouring runs, each first in its turn; a ratio is the median of the pairs' ratios, weir's over
the other's. The processors' time is the server's, from the kernel's count; memory its resident peak.

- stream: one client reads all rows, over Flight without and with TLS, and in weir's own process.
- latency: `SELECT 1`, and a row by its key, from the request to the last row, on one warm connection.
- clients: 1, 4, 16, 64 clients at the same time read a part each, again and again.

Prints Markdown.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.flight as flight
import run as tpch
import weir_ctypes

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "weir"
TICK = os.sysconf("SC_CLK_TCK")
STATEMENT_QUERY = "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
PART = "SELECT * FROM l WHERE l_orderkey <= 400000"  # 400,000 rows of scale factor 1


# ---- Flight SQL by hand: two messages ----


def field(number, data):
    """A field of bytes in protocol buffers' encoding."""
    length, size = bytearray(), len(data)
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes(length) + bytes([size]) + data


def statement(sql):
    return flight.FlightDescriptor.for_command(field(1, STATEMENT_QUERY.encode()) + field(2, field(1, sql.encode())))


class Client:
    """Reads the rows of a statement; of the server on pyarrow, its name for them."""

    def __init__(self, uri, roots=None):
        self.client = flight.FlightClient(uri, **({"tls_root_certs": roots} if roots else {}))
        self.is_weir = not uri.endswith("#batches")

    def read(self, sql):
        if self.is_weir:
            ticket = self.client.get_flight_info(statement(sql)).endpoints[0].ticket
        else:
            ticket = flight.Ticket(sql.encode())
        return self.client.do_get(ticket).read_all()


# ---- Servers ----


class Process:
    def __init__(self, command, ready, **options):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        self.uri, said = None, ""
        for line in self.process.stdout:
            said += line
            if ready in line:
                self.uri = next(word.rstrip(".,;") for word in line.split() if "://" in word)
                break
        if not self.uri:
            raise RuntimeError(f"{command[0]} did not start: {said}")
        # Nothing may wait for a full pipe.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def peak(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024

    def close(self):
        self.process.terminate()
        self.process.wait()


class Batches(flight.FlightServerBase):
    """The same rows from pyarrow's server: `l` and the part of it."""

    def __init__(self, location, tables, **options):
        super().__init__(location, **options)
        self.tables = tables

    def do_get(self, context, ticket):
        return flight.RecordBatchStream(self.tables[ticket.ticket.decode()])


def serve_batches(path, certificate, key):
    """The process of that server."""
    tables = {}
    with pa.memory_map(path) as source:
        reader = pa.ipc.open_stream(source)
        tables["SELECT * FROM l"] = pa.Table.from_batches([copied(batch) for batch in reader], reader.schema)
    keys = tables["SELECT * FROM l"].filter(pc.field("l_orderkey") <= 400000)
    tables[PART] = keys
    options = {}
    if certificate:
        options["tls_certificates"] = [(pathlib.Path(certificate).read_bytes(), pathlib.Path(key).read_bytes())]
    scheme = "grpc+tls" if certificate else "grpc"
    server = Batches(f"{scheme}://127.0.0.1:0", tables, **options)
    print(f"ready {scheme}://127.0.0.1:{server.port}", flush=True)
    server.serve()


def copied(batch):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return pa.ipc.open_stream(sink.getvalue()).read_next_batch()


class Bench:
    def __init__(self, options, directory):
        self.options, self.directory = options, pathlib.Path(directory)
        self.certificate, self.key = self.directory / "certificate.pem", self.directory / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out", self.certificate],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self.batches = self.directory / "l.arrows"

    @contextlib.contextmanager
    def weir(self, tls=False):
        tls = ["--set", f"tls.certificate={self.certificate}", "--set", f"tls.key={self.key}"] if tls else []
        command = [self.options.build / "weir", "serve", "--http-listen", "off", "--flight-listen", "127.0.0.1:0"]
        command += ["--set", f"mounts.tpch.url={self.options.data}", *tls]
        server = Process(command, "Flight SQL")
        try:
            client = self.client(server.uri)
            self.create(client)
            if not self.batches.exists():
                rows = client.read("SELECT * FROM l")
                with pa.OSFile(str(self.batches), "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as writer:
                    writer.write_table(rows)
            yield server
        finally:
            server.close()

    def create(self, client):
        """An update, which is put and not got."""
        name = "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementUpdate"
        sql = "CREATE TABLE l USING memory AS SELECT * FROM tpch.lineitem"
        descriptor = flight.FlightDescriptor.for_command(field(1, name.encode()) + field(2, field(1, sql.encode())))
        writer, reader = client.client.do_put(descriptor, pa.schema([]))
        writer.done_writing()
        reader.read()
        writer.close()

    @contextlib.contextmanager
    def pyarrow(self, tls=False):
        files = [self.certificate, self.key] if tls else ["", ""]
        server = Process([sys.executable, __file__, "--serve", self.batches, *files], "ready")
        server.uri += "#batches"
        try:
            yield server
        finally:
            server.close()

    def client(self, uri):
        return Client(uri, self.certificate.read_bytes() if "tls" in uri else None)


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
        return {"seconds": seconds, "gb": rows.nbytes / 1e9, "cpu": (server.cpu() - cpu) / (rows.nbytes / 1e9), "rows": rows.num_rows}

    return read


def stream(bench):
    header("All of lineitem in one stream", "server", "GB/s", "the server's CPU s/GB", "peak MiB", "weir's GB/s of it")
    for tls in (False, True):
        with bench.weir(tls) as weir, bench.pyarrow(tls) as other:
            reads = [timed_read(s, bench.client(s.uri), "SELECT * FROM l") for s in (weir, other)]
            answers = pairs(*reads, bench.options.seconds)
            assert answers[0][0]["rows"] == answers[1][0]["rows"], "the servers differ in their rows"
            for name, server, figures in (("weir", weir, answers[0]), ("pyarrow (C++)", other, answers[1])):
                speed = statistics.median(one["gb"] / one["seconds"] for one in figures)
                mark = f"{1 / ratio(answers, 'seconds'):.3f}" if server is other else ""
                row(name + (", TLS" if tls else ""), f"{speed:.2f}", f"{middle(figures, 'cpu'):.3f}", f"{server.peak():.0f}", mark)
    session = weir_ctypes.Session(bench.options.build / "src/libweir.so", len(os.sched_getaffinity(0)))
    session.run("SET weir.result_types = 'plain'")
    session.run(f"CREATE TABLE l USING memory AS SELECT * FROM '{bench.options.data}/lineitem.parquet'")
    speeds = []
    for _ in range(5):
        start = time.perf_counter()
        rows = session.query("SELECT * FROM l").read_all()
        speeds.append(rows.nbytes / 1e9 / (time.perf_counter() - start))
    session.close()
    row("in weir's own process", f"{statistics.median(speeds):.2f}", "", "", "")


def latency(bench):
    header("From the request to the last row", "statement", "p50 ms", "p99 ms")
    with bench.weir() as server:
        client = bench.client(server.uri)
        for sql in ("SELECT 1", "SELECT l_comment FROM l WHERE l_orderkey = 4711 AND l_linenumber = 1"):
            times, start = [], time.monotonic()
            while len(times) < 100 or time.monotonic() - start < bench.options.seconds:
                before = time.perf_counter()
                client.read(sql)
                times.append((time.perf_counter() - before) * 1e3)
            times = sorted(times[20:])
            row(f"`{sql}`", f"{statistics.median(times):.2f}", f"{times[int(len(times) * 0.99)]:.2f}")


def clients(bench):
    columns = ("clients", "GB/s", "p50 ms", "p99 ms", "p99 over p50", "errors", "the server's peak MiB")
    for name, make in (("weir", bench.weir), ("pyarrow (C++)", bench.pyarrow)):
        header(f"Clients at the same time: {name}", *columns)
        with contextlib.ExitStack() as stack:
            if not bench.batches.exists():
                with bench.weir():
                    pass
            server = stack.enter_context(make())
            for n in (1, 4, 16, 64):
                times, errors, gigabytes, lock = [], [], [0.0], threading.Lock()
                until = time.monotonic() + bench.options.seconds

                def read():
                    try:
                        client = bench.client(server.uri)
                        while time.monotonic() < until:
                            start = time.perf_counter()
                            rows = client.read(PART)
                            with lock:
                                times.append((time.perf_counter() - start) * 1e3)
                                gigabytes[0] += rows.nbytes / 1e9
                    except Exception as error:
                        errors.append(error)

                threads = [threading.Thread(target=read) for _ in range(n)]
                start = time.monotonic()
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                speed = gigabytes[0] / (time.monotonic() - start)
                ordered = sorted(times)
                p50, p99 = statistics.median(ordered), ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
                row(n, f"{speed:.2f}", f"{p50:.0f}", f"{p99:.0f}", f"{p99 / p50:.1f}", len(errors), f"{server.peak():.0f}")


CASES = {"stream": stream, "latency": latency, "clients": clients}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--seconds", type=float, default=10, help="for the pairs of each comparison")
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
    if sys.argv[1:2] == ["--serve"]:
        serve_batches(*sys.argv[2:5])
    else:
        main()
