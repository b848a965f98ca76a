# SPDX-License-Identifier: Apache-2.0
"""
The servers and the client of bench/doors.py: `weir serve`, and a Flight server on pyarrow (C++) with the same
batches, each in a process of its own; doors_servers.py BATCHES PART PARQUET [CERTIFICATE KEY] is the latter.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.dataset as dataset
import pyarrow.flight as flight
import weir_ctypes

TICK = os.sysconf("SC_CLK_TCK")
SQL = "type.googleapis.com/arrow.flight.protocol.sql."
BATCH_ROWS = 8192
PART_ROWS = 400_000


# ---- Flight SQL by hand: three messages ----


def field(number, data):
    """A field of bytes in protocol buffers' encoding."""
    length, size = bytearray(), len(data)
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes(length) + bytes([size]) + data


def command(name, message):
    return flight.FlightDescriptor.for_command(field(1, (SQL + name).encode()) + field(2, message))


class Client:
    """Reads the rows of a statement; of the server on pyarrow, its name for them."""

    def __init__(self, uri, roots=None):
        self.client = flight.FlightClient(uri, **({"tls_root_certs": roots} if roots else {}))
        self.is_weir = not uri.endswith("#batches")

    def get(self, sql):
        if self.is_weir:
            descriptor = command("CommandStatementQuery", field(1, sql.encode()))
            ticket = self.client.get_flight_info(descriptor).endpoints[0].ticket
        else:
            ticket = flight.Ticket(sql.encode())
        return self.client.do_get(ticket)

    def read(self, sql):
        return self.get(sql).read_all()

    def put(self, descriptor, schema, batches=()):
        writer, reader = self.client.do_put(descriptor, schema)
        for batch in batches:
            writer.write_batch(batch)
        writer.done_writing()
        reader.read()
        writer.close()

    def update(self, sql):
        self.put(command("CommandStatementUpdate", field(1, sql.encode())), pa.schema([]))

    def ingest(self, table, reader):
        """A new table of these very batches."""
        create_or_fail = bytes([1 << 3, 1, 2 << 3, 1])
        message = field(1, create_or_fail) + field(2, table.encode())
        self.put(command("CommandStatementIngest", message), reader.schema, reader)


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

    def memory(self, what="VmHWM"):
        """MiB: the peak, or VmRSS."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what)) / 1024

    def close(self):
        self.process.terminate()
        self.process.wait()


class Batches(flight.FlightServerBase):
    """The same rows from pyarrow's server: tables in memory, and a Parquet file that each call reads."""

    def __init__(self, location, tables, parquet, **options):
        super().__init__(location, **options)
        self.tables, self.parquet = tables, parquet

    def do_get(self, context, ticket):
        name = ticket.ticket.decode().removeprefix("SELECT * FROM ")
        if name in self.tables:
            return flight.RecordBatchStream(self.tables[name])
        scanner = dataset.dataset(self.parquet).scanner(batch_size=BATCH_ROWS)
        return flight.RecordBatchStream(scanner.to_reader())


def serve_batches(batches, part, parquet, certificate=None, key=None):
    """The process of that server."""
    tables = {}
    for name, path in (("l", batches), ("part", part)):
        with pa.memory_map(path) as source:
            reader = pa.ipc.open_stream(source)
            tables[name] = pa.Table.from_batches([copied(batch) for batch in reader], reader.schema)
    options = {}
    if certificate:
        options["tls_certificates"] = [(pathlib.Path(certificate).read_bytes(), pathlib.Path(key).read_bytes())]
    scheme = "grpc+tls" if certificate else "grpc"
    server = Batches(f"{scheme}://127.0.0.1:0", tables, parquet, **options)
    print(f"ready {scheme}://127.0.0.1:{server.port}", flush=True)
    server.serve()


def copied(batch):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return pa.ipc.open_stream(sink.getvalue()).read_next_batch()


class Servers:
    """Starts them; `batches` and `part` are the files of what both have in memory."""

    def __init__(self, build, data, directory):
        self.build, self.parquet, self.directory = build, data / "lineitem.parquet", pathlib.Path(directory)
        self.data = data
        self.certificate, self.key = self.directory / "certificate.pem", self.directory / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out", self.certificate],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self.batches, self.part = self.directory / "l.arrows", self.directory / "part.arrows"
        self.write_batches()

    def session(self):
        session = weir_ctypes.Session(self.build / "src/libweir.so", len(os.sched_getaffinity(0)))
        session.run("SET weir.result_types = 'plain'")
        return session

    def write_batches(self):
        session = self.session()
        reader = session.query(f"SELECT * FROM '{self.parquet}'")
        n_rows = 0
        with pa.OSFile(str(self.batches), "wb") as all_rows, pa.OSFile(str(self.part), "wb") as some_rows:
            whole, part = (pa.ipc.new_stream(sink, reader.schema) for sink in (all_rows, some_rows))
            for batch in reader:
                whole.write_batch(batch)
                if n_rows < PART_ROWS:
                    part.write_batch(batch)
                n_rows += batch.num_rows
            whole.close(), part.close()
        del reader
        session.close()

    @contextlib.contextmanager
    def weir(self, tls=False, tables=("l", "part")):
        tls = ["--set", f"tls.certificate={self.certificate}", "--set", f"tls.key={self.key}"] if tls else []
        command = [self.build / "weir", "serve", "--http-listen", "off", "--flight-listen", "127.0.0.1:0"]
        server = Process([*command, "--set", f"mounts.tpch.url={self.data}", *tls], "Flight SQL")
        try:
            client = self.client(server.uri)
            for table in tables:
                with pa.memory_map(str(self.batches if table == "l" else self.part)) as source:
                    client.ingest(table, pa.ipc.open_stream(source))
            yield server
        finally:
            server.close()

    @contextlib.contextmanager
    def pyarrow(self, tls=False):
        files = [self.certificate, self.key] if tls else []
        command = [sys.executable, __file__, self.batches, self.part, self.parquet, *files]
        server = Process(list(map(str, command)), "ready")
        server.uri += "#batches"
        try:
            yield server
        finally:
            server.close()

    def client(self, uri):
        return Client(uri, self.certificate.read_bytes() if "tls" in uri else None)


if __name__ == "__main__":
    serve_batches(*sys.argv[1:])
