# SPDX-License-Identifier: Apache-2.0
"""Clients of the Flight SQL door that read slowly, or not at all, from statements that could give gigabytes."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from flight import Client, any_of, field
from http_server import HttpServer, until
from test_serve_doors import flight_address

MIB = 1 << 20
ROW = 150
# 10 GB, which are made while they are read.
PROMISE = f"SELECT value AS i, repeat('x', {ROW}) AS s FROM generate_series(1, 62000000)"


@pytest.fixture
def server(tmp_path):
    with HttpServer(tmp_path, "--flight-listen", "127.0.0.1:0", flight=True) as server:
        yield server


def client_of(server):
    # Of a client that does not read, gRPC's windows grow to what the network could have on its way.
    return Client(flight_address(server), generic_options=[("grpc.http2.bdp_probe", 0)])


def begin(client, sql):
    info = client.info("CommandStatementQuery", field(1, sql))
    return client.get(info.endpoints[0].ticket)


def n_running(server):
    ((n,),) = server.rows("SELECT count(*) FROM system.queries WHERE door = 'flight' AND state = 'running'")
    return n


def resident_when_quiet(server):
    until(server.is_quiet, "the server waits for its readers")
    return server.memory()


def take(reader, n):
    """The next n batches' numbers, after a look at their texts."""
    numbers = []
    for _ in range(n):
        batch = reader.read_chunk().data
        lengths = pc.unique(pc.binary_length(batch.column("s")))
        assert lengths.to_pylist() == [ROW]
        numbers.append(batch.column("i"))
    return numbers


def test_memory_stays_flat_while_a_reader_takes_little_of_ten_gigabytes(server):
    before = server.memory()
    with client_of(server) as client, client_of(server) as other:
        reader = begin(client, PROMISE)
        numbers, resident = take(reader, 1), []
        for _ in range(10):
            resident.append(resident_when_quiet(server))
            numbers += take(reader, 25)
            assert other.query("SELECT 42 AS a").to_pydict() == {"a": [42]}
        # What was taken is ten times as much; the allocator keeps a little of it.
        assert max(resident) - before < 88 * MIB, (before, resident)
        assert resident[-1] - resident[2] < 32 * MIB, (before, resident)
        assert n_running(server) == 1
        assert sum(map(len, numbers)) * ROW > 300e6
        # Nothing came twice.
        assert pc.count_distinct(pa.chunked_array(numbers)).as_py() == sum(map(len, numbers))
        reader.cancel()
        until(lambda: n_running(server) == 0, "the statement is cancelled")


def test_readers_that_stop_hold_neither_threads_nor_more_than_some_batches(server):
    before, n_threads = server.memory(), server.n_threads()
    clients = [client_of(server) for _ in range(16)]
    readers = [begin(client, PROMISE) for client in clients]
    for reader in readers:
        reader.read_chunk()
    held = resident_when_quiet(server) - before
    assert held < len(readers) * 32 * MIB
    assert n_running(server) == 16
    # A thread of the door's that has nothing to do ends after ten seconds.
    until(lambda: server.n_threads() < n_threads + 16, "the threads have ended", 60)
    with client_of(server) as other:
        assert other.query("SELECT 42 AS a").to_pydict() == {"a": [42]}
    # One that goes on is served, whatever the others do.
    assert sum(map(len, take(readers[3], 50))) > 0
    for reader in readers:
        reader.cancel()
    until(lambda: n_running(server) == 0, "the statements are cancelled")
    for client in clients:
        client.flight.close()


def test_readers_that_vanish_end_their_statements(server):
    clients = [client_of(server) for _ in range(4)]
    readers = [begin(client, PROMISE) for client in clients]
    for reader in readers:
        reader.read_chunk()
    assert n_running(server) == 4
    for reader, client in zip(readers, clients):
        reader.cancel()
        client.flight.close()
    del reader, readers
    until(lambda: n_running(server) == 0, "the statements have ended")
    until(server.is_quiet, "nothing runs on")
