# SPDX-License-Identifier: Apache-2.0
"""A `weir serve` of Flight SQL that another weir attaches, and that is asked directly by the bare driver."""

import contextlib
import os
import pathlib
import re
import subprocess
import warnings

from backends import Database
from conftest import PROGRAM

READY = re.compile(r"Flight SQL at (grpc://127\.0\.0\.1:(\d+))\n")


class WeirServer(Database):
    name = dialect = "weir"
    schema = "public"

    def __init__(self, drivers, directory, config="", env=None, user=None, password=None):
        self.drivers = drivers
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(exist_ok=True)
        if not (self.directory / "weir.yaml").exists():
            (self.directory / "weir.yaml").write_text(config)
        self.env = {**os.environ, "HOME": str(directory), "NO_COLOR": "1", **(env or {})}
        self.options = {"username": user, "password": password} if user else {}
        self.port = 0
        self.start()

    def start(self):
        """On the port that it had before, if any."""
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--http-listen", "off", "--flight-listen", f"127.0.0.1:{self.port}"],
            cwd=self.directory,
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stderr.readline()
        found = READY.search(line)
        assert found, line + (self.process.stderr.read() if self.process.poll() is not None else "")
        self.uri, self.port = found[1], int(found[2])

    def stop(self, kill=False):
        if self.process:
            (self.process.kill if kill else self.process.terminate)()
            try:
                self.process.wait(20)
            finally:
                self.process.kill()
                self.process.wait()
                self.process.stderr.close()
                self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @contextlib.contextmanager
    def cursor(self):
        import adbc_driver_flightsql.dbapi

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has no transactions
            with adbc_driver_flightsql.dbapi.connect(self.uri, db_kwargs=self.options) as connection, connection.cursor() as cursor:
                yield cursor

    def attach(self, catalog, options=""):
        return f"ATTACH '{self.uri}' AS {catalog} (TYPE adbc, DRIVER flightsql{options})"

    def script(self, sql):
        with self.cursor() as cursor:
            for statement in filter(str.strip, sql.split(";\n")):
                cursor.execute(statement)
                if cursor.description:
                    cursor.fetchall()
