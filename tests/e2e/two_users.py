# SPDX-License-Identifier: Apache-2.0
"""A served workspace with two users, each of whom has what the other may not know of. All that is one's carries his
name: schemas, tables, columns, values, files, mounts, views, roles, statements and errors. So to look for the name in
the bytes of an answer is to look for all of it."""

import base64
import dataclasses
import http.client
import json
import re
import sqlite3
import struct

import grpc
import pyarrow as pa
import pyarrow.parquet as parquet

from conftest import Weir
from flight import any_of, field, fields
from http_server import HttpServer, until

# The users, and a name that nobody has. All of one length, so that answers about them can be compared byte for byte.
USERS = ["plover", "walrus"]
NOBODY = "zebras"
CHIEF = "the_chief"  # a member of admin

# How many rows are each one's, and a number that is in all of them.
ROWS = {"plover": 12347, "walrus": 23459}
NUMBER = {"plover": 7135711317, "walrus": 8246822428}

SETUP = """
CREATE SCHEMA s_{t};
CREATE TABLE s_{t}.ledger_{t} AS SELECT i AS id_{t}, {number} AS amount_{t}, 'text of {t}' AS note_{t} FROM generate_series(1, {rows}) g(i);
CREATE TABLE s_{t}.keyed_{t} (id_{t} BIGINT PRIMARY KEY, v_{t} VARCHAR);
CREATE VIEW s_{t}.view_{t} AS SELECT amount_{t} FROM s_{t}.ledger_{t};
CREATE VIEW common.window_{t} AS SELECT count(*) AS n_{t} FROM s_{t}.ledger_{t};
CREATE TABLE s_{t}.copy_{t} USING cached OPTIONS (source 's_{t}.ledger_{t}', max_age '1h');
SELECT count(*) FROM s_{t}.copy_{t};
CREATE ROLE role_{t};
GRANT role_{t} TO {t};
GRANT SELECT ON SCHEMA s_{t} TO {t};
GRANT INSERT ON s_{t}.keyed_{t} TO {t};
GRANT SELECT ON common.window_{t} TO role_{t};
GRANT SELECT ON common.shared TO {t};
GRANT SELECT ON SCHEMA lake.open TO {t};
GRANT SELECT ON SCHEMA lake.box_{t} TO {t};
GRANT SELECT ON CATALOG mount_{t} TO {t};
"""
DATABASE = "GRANT SELECT ON CATALOG db_{t} TO {t};"


def password(user):
    return f"the {user}'s own"


def basic(user, secret=None):
    text = f"{user}:{password(user) if secret is None else secret}"
    return "Basic " + base64.b64encode(text.encode()).decode()


class House:
    """The workspace in a directory, served through both doors."""

    def __init__(self, directory, with_databases, jwt="", password_cost="{ memory: 1MiB, operations: 1 }", config="", args=()):
        self.directory = directory
        self.handles = {}  # of what the users hold
        self.with_databases = with_databases
        lake = directory / "data"
        (lake / "open").mkdir(parents=True)
        (lake / "open" / "public.csv").write_text("x\n1\n")
        mounts = ["  lake: { kind: files, url: data }"]
        for user in USERS:
            self.make_files(user)
            mounts.append(f"  mount_{user}: {{ kind: files, url: mount_{user} }}")
            if with_databases:
                mounts.append(f"  db_{user}: {{ kind: adbc, driver: sqlite, uri: {directory}/db_{user}.sqlite }}")
        (directory / "weir.yaml").write_text(
            "mounts:\n" + "\n".join(mounts) + f"\npolicy: {{ read: [{directory}/in], write: [{directory}/out] }}\n"
            f"auth:\n  password: {password_cost}\n" + (f"  jwt: {{ {jwt} }}\n" if jwt else "") + config
        )
        (directory / "in").mkdir()
        (directory / "out").mkdir()
        self.add_users(Weir(directory))
        self.server = HttpServer(directory, "--flight-listen", "127.0.0.1:0", *args, flight=True, preset="server")
        found = until(lambda: re.search(r"Flight SQL at grpc(\+tls)?://(127.0.0.1:\d+)\n", self.server.said()), "the Flight SQL door")
        self.flight_address = found[2]
        self.fill()

    def make_files(self, user):
        table = pa.table({f"id_{user}": [NUMBER[user]] * 3, f"note_{user}": [f"text of {user}"] * 3})
        table = table.replace_schema_metadata({"comment": f"written by {user}"})
        for place in (self.directory / "data" / f"box_{user}", self.directory / f"mount_{user}"):
            place.mkdir()
            parquet.write_table(table, place / f"papers_{user}.parquet")
            (place / f"plain_{user}.txt").write_text(f"text of {user}\n")
            (place / f"list_{user}.csv").write_text(f"c_{user}\n{NUMBER[user]}\n")
            (place / f"query_{user}.sql").write_text(f"SELECT * FROM papers_{user}")
            (place / f"broken_{user}.sql").write_text(f"SELECT nothing_{user} FROM papers_{user}")
        if self.with_databases:
            database = sqlite3.connect(self.directory / f"db_{user}.sqlite")
            database.execute(f"CREATE TABLE remote_{user} (id_{user} INTEGER PRIMARY KEY, note_{user} TEXT)")
            database.execute(f"INSERT INTO remote_{user} VALUES ({NUMBER[user]}, 'text of {user}')")
            database.commit()
            database.close()

    def add_users(self, weir):
        for user in [*USERS, CHIEF]:
            added = weir.run("user", "add", user, input=password(user) + "\n")
            assert added.returncode == 0, added.stderr
        weir.ok(f"GRANT admin TO {CHIEF}")

    def fill(self):
        self.order("CREATE SCHEMA common; CREATE TABLE common.shared AS SELECT 1 AS k;")
        for user in USERS:
            sql = SETUP + (DATABASE if self.with_databases else "")
            self.order(sql.format(t=user, number=NUMBER[user], rows=ROWS[user]))

    def order(self, sql):
        """What the administrator does."""
        for one in filter(None, (one.strip() for one in sql.split(";"))):
            answer = self.http(CHIEF, "POST", "/v1/sql", one)
            assert answer.status == 200, (one, answer)

    def close(self):
        assert self.server.end() == 0, self.server.said()

    def rows(self, user, sql):
        answer = self.http(user, "POST", "/v1/sql", sql)
        assert answer.status == 200, answer
        return json.loads(answer.body)["rows"]

    def http(self, user, method, path, body=None, **headers):
        return Answer.of(self.server, user and basic(user), method, path, body, headers)

    def flight(self, user, **kwargs):
        return Flight(self.flight_address, [("authorization", basic(user))] if user else [], **kwargs)


# ---- What comes back: every byte of it ----


def words_of(user):
    """What must be in no byte of another one's answers."""
    return [user.encode(), str(NUMBER[user]).encode(), struct.pack("<q", NUMBER[user]), str(ROWS[user]).encode()]


CHANCE = rb"\b[0-9a-f]{32}\b|\d\d:\d\d:\d\d\.\d+|datetime\.datetime\([\d, ]+"


def leaks(data, user):
    """Not in ids and times, in which any digits stand by chance."""
    data = re.sub(CHANCE, b"", data.lower())
    return [word for word in words_of(user) if word in data]


def same(data):
    """Without what differs from one call to the next: handles and ids, times, durations."""
    data = re.sub(rb"\b[0-9a-f]{32}\b", b"<id>", data)
    data = re.sub(rb"date: [^\n]*\n", b"", data)
    return re.sub(rb"\d+(\.\d+)?\s?(ns|us|\xc2\xb5s|ms|s)\b", b"<time>", data)


@dataclasses.dataclass
class Answer:
    """Of HTTP."""

    status: int
    headers: dict
    body: bytes

    @staticmethod
    def of(server, credential, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if credential:
            sent["Authorization"] = credential
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())
        finally:
            connection.close()

    @property
    def bytes(self):
        head = "".join(f"{name.lower()}: {value}\n" for name, value in self.headers.items())
        return f"{self.status}\n{head}\n".encode() + self.body + opened(self.body)


def opened(body):
    """What lies compressed in a Parquet file."""
    return str(parquet.read_table(pa.BufferReader(body)).to_pydict()).encode() if body[:4] == b"PAR1" else b""


@dataclasses.dataclass
class Outcome:
    """Of gRPC: the messages of the answer as they came, and everything around them."""

    code: str
    details: str
    metadata: str
    messages: list

    @property
    def bytes(self):
        return f"{self.code}\n{self.details}\n{self.metadata}\n".encode() + b"\n".join(self.messages)


FLIGHT = "/arrow.flight.protocol.FlightService/"
STREAMS = {"DoGet", "DoAction", "ListFlights", "ListActions"}
EXCHANGES = {"Handshake", "DoPut", "DoExchange"}


class Flight:
    """Calls of Flight as bytes."""

    def __init__(self, address, headers=(), credentials=None):
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        if credentials:
            self.channel = grpc.secure_channel(address, credentials, options)
        else:
            self.channel = grpc.insecure_channel(address, options)
        self.headers = list(headers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def start(self, method, *messages, timeout=None):
        """A call of a stream, which is not read."""
        if method in EXCHANGES:
            return self.channel.stream_stream(FLIGHT + method)(iter(messages), metadata=self.headers, timeout=timeout)
        return self.channel.unary_stream(FLIGHT + method)(*messages, metadata=self.headers, timeout=timeout)

    def call(self, method, *messages):
        found = []
        try:
            if method in STREAMS or method in EXCHANGES:
                call = self.start(method, *messages, timeout=60)
                found.extend(call)
            else:
                message, call = self.channel.unary_unary(FLIGHT + method).with_call(*messages, metadata=self.headers, timeout=60)
                found.append(message)
            error = call
        except grpc.RpcError as failure:
            error = failure
        metadata = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
        return Outcome(error.code().name, error.details() or "", repr(metadata), found)

    def info(self, command):
        return self.call("GetFlightInfo", descriptor(command))

    def action(self, name, body=b""):
        return self.call("DoAction", field(1, name) + field(2, body))

    def prepare(self, sql):
        return self.action("CreatePreparedStatement", any_of("ActionCreatePreparedStatementRequest", field(1, sql)))

    def get_all(self, command):
        """GetFlightInfo and then each of its tickets, as one outcome."""
        outcome = self.info(command)
        if outcome.code != "OK":
            return outcome
        for ticket in tickets_of(outcome.messages[0]):
            got = self.call("DoGet", field(1, ticket))
            outcome = Outcome(got.code, outcome.details + got.details, outcome.metadata + got.metadata, outcome.messages + got.messages)
        return outcome


def descriptor(command):
    return field(1, 2) + field(2, command)


def path_descriptor(*path):
    return field(1, 1) + b"".join(field(3, part) for part in path)


def tickets_of(info):
    """Of a FlightInfo."""
    return [fields(fields(endpoint)[1][0])[1][0] for endpoint in fields(info)[3]]


def prepared_handle(outcome):
    """Of the answer of CreatePreparedStatement."""
    assert outcome.code == "OK", outcome
    result = fields(outcome.messages[0])[1][0]
    return fields(fields(result)[2][0])[1][0]


def statement(sql):
    return any_of("CommandStatementQuery", field(1, sql))


def flight_data(command, table):
    """The messages of a DoPut: a descriptor with a schema, and the rows."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    messages, first = [], field(1, descriptor(command))
    for message in pa.ipc.MessageReader.open_stream(sink.getvalue()):
        body = message.body.to_pybytes() if message.body is not None else b""
        messages.append(first + field(2, message.metadata.to_pybytes()) + field(1000, body))
        first = b""
    return messages
