# SPDX-License-Identifier: Apache-2.0
"""A running `weir serve`, and plain HTTP to it."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from conftest import PROGRAM
from waiting import DEADLINE, until


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self):
        return json.loads(self.body)

    def error(self):
        return self.json()["error"]


class HttpServer:
    def __init__(self, directory, *args, config="", env=None, flight=False, preset="embedded", deadline=DEADLINE, **kwargs):
        self.directory, self.deadline = pathlib.Path(directory), deadline
        (self.directory / "data").mkdir(exist_ok=True)
        if not (self.directory / "weir.yaml").exists():
            (self.directory / "weir.yaml").write_text("mounts:\n  lake: { kind: files, url: data }\n" + config)
        self.messages = (self.directory / "serve.err").open("w+")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--http-listen", "127.0.0.1:0", "--set", f"policy.preset={preset}", *([] if flight else ["--flight-listen", "off"]), *map(str, args)],
            stdout=subprocess.DEVNULL,
            stderr=self.messages,
            cwd=self.directory,
            env={**os.environ, "HOME": str(directory), "NO_COLOR": "1", "TMPDIR": str(directory), **(env or {})},
            **kwargs,
        )
        found = until(lambda: re.search(r"HTTP at (https?)://127.0.0.1:(\d+)/", self.said()) or self.process.poll() is not None, "the server is ready")
        assert found is not True, self.said()
        self.scheme, self.port = found[1], int(found[2])
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def said(self):
        return (self.directory / "serve.err").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self, number=signal.SIGTERM, seconds=DEADLINE):
        """Tells it to end and gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait()
            self.messages.close()

    # ---- Requests ----

    def connect(self, timeout=None):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout or self.deadline)

    def request(self, method, path, body=None, headers=None):
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def sql(self, sql, accept="application/json", **members):
        """Sends SQL, as JSON where there is more than the text."""
        if members:
            body = json.dumps({"sql": sql, **members})
            return self.request("POST", "/v1/sql", body, {"Accept": accept, "Content-Type": "application/json"})
        return self.request("POST", "/v1/sql", sql.encode(), {"Accept": accept})

    def rows(self, sql, **members):
        answer = self.sql(sql, **members)
        assert answer.status == 200, answer.body
        return [tuple(row.values()) for row in answer.json()["rows"]]

    def socket(self):
        found = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        found.settimeout(DEADLINE)
        return found

    def raw(self, data, seconds=DEADLINE):
        """Sends bytes and gives all that comes until the server closes."""
        with self.socket() as connection:
            connection.settimeout(seconds)
            connection.sendall(data)
            return read_all(connection)

    # ---- The process ----

    def metric(self, name):
        text = self.get("/metrics").body.decode()
        return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])

    def memory(self):
        """Bytes that it holds: not those of the program's file, which statements map as they come to new parts of it."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return sum(int(n) * 1024 for n in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB$", status, re.M))

    def open_files(self):
        """What each of its descriptors stands for."""
        links = []
        for link in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                links.append(os.readlink(link))
            except FileNotFoundError:
                pass
        return sorted(links)

    def n_files(self):
        return len(self.open_files())

    def n_threads(self):
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()))

    def cpu(self):
        """Seconds that it has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_quiet(self):
        """Whether nothing runs but the question itself, and no processor time is used."""
        if self.metric("weir_http_requests_open") > 1:
            return False
        before = self.cpu()
        time.sleep(0.3)
        return self.cpu() - before < 0.1


def read_all(connection):
    data = bytearray()
    while True:
        try:
            piece = connection.recv(1 << 20)
        except ConnectionResetError:
            return bytes(data)
        if not piece:
            return bytes(data)
        data += piece
