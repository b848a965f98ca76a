# SPDX-License-Identifier: Apache-2.0
"""The Flight SQL door and a client of it on pyarrow.flight alone, which writes Flight SQL's messages by hand: what
the protocol says and not what a driver makes of it."""

import contextlib
import os
import pathlib
import struct
import subprocess

import pyarrow as pa
import pyarrow.flight as flight
from conftest import PROGRAM

SERVER = os.environ.get("WEIR_FLIGHT_SERVER") or str(
    pathlib.Path(PROGRAM).parent / "tests" / "unit" / "flight_service" / "flight_serve"
)
SQL = "type.googleapis.com/arrow.flight.protocol.sql."


@contextlib.contextmanager
def door(*args, users=False, cwd=None, env=None):
    """Runs the door and gives "127.0.0.1:PORT"; with the users of tests/unit/flight_service/fake_users.c if asked."""
    process = subprocess.Popen(
        [SERVER + ("_users" if users else ""), *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=env,
    )
    address = process.stdout.readline().strip()
    if not address:
        _, complaint = process.communicate(timeout=60)
        raise AssertionError(complaint)
    try:
        yield address
    finally:
        process.stdin.close()
        try:
            code = process.wait(60)
        finally:
            process.kill()
        assert code == 0, f"the server ended with {code}\n{process.stderr.read()}"


# ---- Protocol buffers ----


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A field: of bytes, text, a number or a truth value; nothing for None."""
    if value is None:
        return b""
    if isinstance(value, (bool, int)):
        return varint(number << 3) + varint(int(value))
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """The fields of a message as a dictionary of lists."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            value = number()
            value -= (value >> 63) << 64
        elif key & 7 == 1:
            value, at = message[at : at + 8], at + 8
        else:
            assert key & 7 == 2, key
            length = number()
            value, at = message[at : at + length], at + length
        found.setdefault(key >> 3, []).append(value)
    return found


def any_of(name, *parts):
    return field(1, SQL + name) + field(2, b"".join(parts))


def any_value(message):
    return fields(fields(message)[2][0])


# ---- The client ----


class Cookies(flight.ClientMiddlewareFactory):
    """Keeps cookies, as drivers do."""

    def __init__(self):
        super().__init__()
        self.jar = {}

    def start_call(self, info):
        return CookieCall(self.jar)


class CookieCall(flight.ClientMiddleware):
    def __init__(self, jar):
        self.jar = jar

    def sending_headers(self):
        return {"cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items())} if self.jar else {}

    def received_headers(self, headers):
        for name, values in headers.items():
            if name.lower() != "set-cookie":
                continue
            for value in values:
                pair, *attributes = value.split(";")
                key, _, text = pair.partition("=")
                if "Max-Age=0" in "".join(attributes):
                    self.jar.pop(key, None)
                else:
                    self.jar[key] = text


class Client:
    def __init__(self, address, headers=(), cookies=False, **kwargs):
        self.address = address
        self.cookies = Cookies() if cookies else None
        middleware = [self.cookies] if cookies else []
        uri = address if "://" in address else f"grpc://{address}"
        self.flight = flight.connect(uri, middleware=middleware, **kwargs)
        self.headers = [(k.encode(), v.encode()) for k, v in headers]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.flight.close()

    def options(self, *headers, timeout=None):
        headers = [(k.encode(), v.encode()) for k, v in headers]
        return flight.FlightCallOptions(headers=self.headers + headers, timeout=timeout)

    def info(self, name, *parts, options=None):
        descriptor = flight.FlightDescriptor.for_command(any_of(name, *parts))
        return self.flight.get_flight_info(descriptor, options or self.options())

    def get(self, ticket, options=None):
        if isinstance(ticket, bytes):
            ticket = flight.Ticket(ticket)
        return self.flight.do_get(ticket, options or self.options())

    def rows(self, name, *parts, options=None):
        info = self.info(name, *parts, options=options)
        tables = [self.get(endpoint.ticket, options).read_all() for endpoint in info.endpoints]
        return pa.concat_tables(tables)

    def query(self, sql, options=None):
        return self.rows("CommandStatementQuery", field(1, sql), options=options)

    def put(self, command, table=None, options=None):
        """Sends a command with rows, and gives the answer's fields."""
        table = table if table is not None else pa.table({})
        descriptor = flight.FlightDescriptor.for_command(command)
        writer, reader = self.flight.do_put(descriptor, table.schema, options or self.options())
        with writer:
            if table.num_columns:
                writer.write_table(table)
            writer.done_writing()
            answer = reader.read()
        return fields(answer.to_pybytes()) if answer is not None else None

    def update(self, sql):
        """The count of changed rows."""
        return self.put(any_of("CommandStatementUpdate", field(1, sql))).get(1, [0])[0]

    def action(self, name, body=b"", options=None):
        results = self.flight.do_action(flight.Action(name, body), options or self.options())
        return [result.body.to_pybytes() for result in results]

    def prepare(self, sql):
        (result,) = self.action(
            "CreatePreparedStatement", any_of("ActionCreatePreparedStatementRequest", field(1, sql))
        )
        return Prepared(self, any_value(result))


class Prepared:
    def __init__(self, client, result):
        self.client = client
        self.handle = result[1][0]
        self.dataset = schema_of(result[2][0])
        self.parameters = schema_of(result[3][0])
        self.is_update = bool(result[4][0])

    def bind(self, table):
        answer = self.client.put(any_of("CommandPreparedStatementQuery", field(1, self.handle)), table)
        assert answer[1][0] == self.handle

    def rows(self):
        return self.client.rows("CommandPreparedStatementQuery", field(1, self.handle))

    def update(self, table=None):
        answer = self.client.put(any_of("CommandPreparedStatementUpdate", field(1, self.handle)), table)
        return answer.get(1, [0])[0]

    def close(self):
        self.client.action(
            "ClosePreparedStatement", any_of("ActionClosePreparedStatementRequest", field(1, self.handle))
        )


def schema_of(message):
    return pa.ipc.read_schema(pa.py_buffer(message))


def ingest_command(table, not_exist=1, exists=1, schema=None, catalog=None, temporary=None, transaction=None):
    options = field(1, not_exist) + field(2, exists)
    return any_of(
        "CommandStatementIngest",
        field(1, options),
        field(2, table),
        field(3, schema),
        field(4, catalog),
        field(5, temporary),
        field(6, transaction),
    )


def double(value):
    return struct.pack("<d", value)
