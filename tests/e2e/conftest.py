# SPDX-License-Identifier: Apache-2.0
"""Runs the program as a user does. WEIR_PROGRAM names it; else it is build/weir of this tree."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from grpc_certificates import certificates  # noqa: F401  a fixture
from databases import drivers, duckdb_tpch, mysql_server, nasty_databases, server, sqlite_tpch  # noqa: F401  fixtures

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.abspath(os.environ.get("WEIR_PROGRAM") or ROOT / "build" / "weir")


class Weir:
    def __init__(self, directory):
        self.directory = directory
        self.env = {**os.environ, "HOME": str(directory), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}

    def run(self, *args, input=None, timeout=120, **kwargs):
        """Runs `weir ARGS`; the result has returncode, stdout and stderr as text."""
        return subprocess.run(
            [PROGRAM, *map(str, args)],
            input=input,
            text=not isinstance(input, bytes),
            capture_output=True,
            cwd=self.directory,
            env=self.env,
            timeout=timeout,
            **kwargs,
        )

    def ok(self, sql, *args, **kwargs):
        """Runs SQL that must succeed and gives what it printed."""
        result = self.run("sql", *args, sql, **kwargs)
        assert result.returncode == 0, f"{sql}\n{result.stderr}"
        return result.stdout

    def rows(self, sql, *args, **kwargs):
        """The rows of a query that must succeed, as tuples of JSON values."""
        lines = self.ok(sql, "--format", "jsonl", *args, **kwargs).splitlines()
        return [tuple(json.loads(line).values()) for line in lines]

    def value(self, sql, *args, **kwargs):
        ((value,),) = self.rows(sql, *args, **kwargs)
        return value

    def fail(self, sql, *words, args=(), code=1, **kwargs):
        """Runs SQL that must fail with one clear error that holds all words, and print no rows."""
        result = self.run("sql", *args, sql, **kwargs)
        assert result.returncode == code, f"{sql}\nexit code {result.returncode}\n{result.stdout}{result.stderr}"
        assert result.stdout == "", result.stdout
        for word in words:
            assert word.lower() in result.stderr.lower(), f"{sql}\n'{word}' is not in: {result.stderr}"
        assert "panicked" not in result.stderr and "Backtrace" not in result.stderr, result.stderr
        return result.stderr

    def start(self, *args, **kwargs):
        """Starts `weir ARGS` and gives the process; the caller ends it."""
        return subprocess.Popen(
            [PROGRAM, *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env=self.env,
            **kwargs,
        )

    def interrupt(self, *args, after=0.5):
        """Starts `weir ARGS`, interrupts it after a while, and gives the result and the seconds that the end took."""
        process = self.start(*args)
        try:
            time.sleep(after)
            assert process.poll() is None, f"it ended too early: {process.communicate()}"
            process.send_signal(signal.SIGINT)
            start = time.monotonic()
            out, err = process.communicate(timeout=30)
            return subprocess.CompletedProcess(args, process.returncode, out, err), time.monotonic() - start
        finally:
            process.kill()

    def left(self, pattern="**/*"):
        """The files below the directory, hidden ones too, without the history and state of the shell."""
        found = (p.relative_to(self.directory) for p in self.directory.glob(pattern) if p.is_file())
        return sorted(str(p) for p in found if not str(p).startswith((".local", ".config", ".cache")))


@pytest.fixture(scope="session")
def weir():
    """The program's path."""
    return PROGRAM


@pytest.fixture
def db(tmp_path):
    """Runs the program in a directory of its own."""
    return Weir(tmp_path)


@pytest.fixture(scope="session")
def tpch(tmp_path_factory):
    """TPC-H at scale factor 0.1 as Parquet files, or those in WEIR_TPCH."""
    given = os.environ.get("WEIR_TPCH")
    if given:
        return pathlib.Path(given)
    directory = tmp_path_factory.mktemp("tpch")
    command = pathlib.Path(sys.executable).with_name("tpchgen-cli")
    subprocess.run([command, "parquet", "--scale-factor", "0.1", "--output-dir", directory], check=True, capture_output=True)
    return directory
