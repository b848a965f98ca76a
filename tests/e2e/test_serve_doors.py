# SPDX-License-Identifier: Apache-2.0
"""weir serve with both doors."""

import re
import signal
import subprocess

import pyarrow.flight

from conftest import PROGRAM
from http_server import HttpServer, until


def flight_address(server):
    return until(lambda: re.search(r"Flight SQL at (grpc://127.0.0.1:\d+)\n", server.said()), "the Flight SQL door")[1]


def command(sql):
    """CommandStatementQuery in an Any, by hand."""
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    name = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return field(1, name) + field(2, field(1, sql.encode()))


def ask(client, sql):
    info = client.get_flight_info(pyarrow.flight.FlightDescriptor.for_command(command(sql)))
    return client.do_get(info.endpoints[0].ticket).read_all().to_pydict()


def test_both_doors_answer_from_one_workspace(tmp_path):
    with HttpServer(tmp_path, "--flight-listen", "127.0.0.1:0", flight=True) as server:
        client = pyarrow.flight.connect(flight_address(server))
        server.rows("CREATE TABLE shared AS SELECT 42 AS a")
        assert ask(client, "SELECT a FROM shared") == {"a": [42]}
        doors = {row[0] for row in server.rows("SELECT DISTINCT door FROM system.queries")}
        assert {"http", "flight"} <= doors
        client.close()
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "read again" in server.said(), "both reload")
        assert server.end() == 0


def test_flight_alone_is_served(tmp_path):
    process = subprocess.Popen([PROGRAM, "serve", "--http-listen", "off", "--flight-listen", "127.0.0.1:0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        address = re.fullmatch(r"weir serve: Flight SQL at (grpc://127.0.0.1:\d+)\n", line)[1]
        client = pyarrow.flight.connect(address)
        assert ask(client, "SELECT 1 AS a") == {"a": [1]}
        client.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
