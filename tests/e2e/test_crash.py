# SPDX-License-Identifier: Apache-2.0
"""
Kill -9 at any moment of what writes: the workspace opens, what was there is there, and what was being
made is whole or absent. WEIR_KILLS sets how often, over all commands together (200 for a release; 40
else); WEIR_SEED repeats a run.
"""

import os
import random
import time

import pyarrow.parquet as pq
import pytest
from conftest import Weir

KILLS = int(os.environ.get("WEIR_KILLS", "40"))
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 10**6))
ROWS = 400_000
BEFORE = {"first": 1, "second": 2}


class Workspace(Weir):
    """A workspace with views, a file to copy, and a view that takes a moment to encode."""

    def __init__(self, directory):
        super().__init__(directory)
        (directory / "weir.yaml").touch()
        (directory / "lake").mkdir()
        (directory / "other").mkdir()
        (directory / "other" / "x.csv").write_text("a\n1\n")
        self.ok("ATTACH 'lake' AS lake")
        for name, value in BEFORE.items():
            self.ok(f"CREATE VIEW {name} AS SELECT {value} AS a")
        self.ok(
            f"COPY (SELECT value AS id, md5(CAST(value AS VARCHAR)) AS t FROM range({ROWS})) TO 'lake/large.parquet'"
        )
        self.ok("CREATE VIEW encoded AS SELECT id, upper(t) AS t FROM lake.large")

    def seconds(self, command):
        """How long it usually takes, undisturbed."""
        start = time.monotonic()
        assert self.run(*command).returncode == 0, self.run(*command).stderr
        return time.monotonic() - start

    def kill(self, command, after):
        """Starts it and kills it; whether it had ended before."""
        process = self.start(*command)
        time.sleep(after)
        ended = process.poll() is not None
        process.kill()
        _, error = process.communicate()
        assert not ended or process.returncode == 0, error
        return ended

    def names(self, sql):
        return {row[0] for row in self.rows(sql)}

    def half_written(self):
        """Names that only something unfinished has."""
        found = [path for path in self.directory.rglob("*") if path.is_file()]
        return [p for p in found if ".part" in p.name or ".new" in p.name or p.parent.name.startswith(".weir-")]


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


class Copy:
    """A copy that encodes anew, over a file that is there."""

    def command(self, i):
        return ("cp", "--force", "/weir/public/encoded", "lake/copy.parquet")

    def check(self, w, i):
        if (w.directory / "lake/copy.parquet").exists():
            assert pq.read_table(w.directory / "lake/copy.parquet").num_rows == ROWS
            assert w.value("SELECT count(*) FROM '/lake/copy.parquet'") == ROWS

    def reset(self, w, i):
        if i % 2:
            (w.directory / "lake/copy.parquet").unlink(missing_ok=True)


class CopyBytes(Copy):
    """A copy of bytes as they are."""

    def command(self, i):
        return ("cp", "--force", "/lake/large.parquet", "lake/copy.parquet")

    def check(self, w, i):
        copy = w.directory / "lake/copy.parquet"
        if copy.exists():
            assert copy.read_bytes() == (w.directory / "lake/large.parquet").read_bytes()


class CreateView:
    def command(self, i):
        return ("sql", f"CREATE VIEW made{i} AS SELECT {i} AS a")

    def check(self, w, i):
        if f"made{i}" in w.names("SELECT table_name FROM information_schema.tables"):
            assert w.value(f"SELECT a FROM made{i}") == i
        else:
            w.ok(f"CREATE VIEW made{i} AS SELECT {i} AS a")

    def reset(self, w, i):
        w.ok(f"DROP VIEW made{i}")


class Spool:
    """The bytes of a view, in the spool of the workspace."""

    def command(self, i):
        return ("cat", "--bytes", "-o", os.devnull, f"/weir/public/v{i}.parquet")

    def prepare(self, w, i):
        # A text that no spool has seen.
        w.ok(f"CREATE OR REPLACE VIEW v{i} AS SELECT id, t, {i} AS i FROM encoded")

    def check(self, w, i):
        result = w.run("cat", "--bytes", f"/weir/public/v{i}.parquet", input=b"")
        assert result.returncode == 0, result.stderr
        (w.directory / "read.parquet").write_bytes(result.stdout)
        assert pq.read_table(w.directory / "read.parquet").num_rows == ROWS

    def reset(self, w, i):
        (w.directory / "read.parquet").unlink()
        w.ok(f"DROP VIEW v{i}")


class Attach:
    def command(self, i):
        return ("sql", "ATTACH 'other' AS other")

    def check(self, w, i):
        if "other" in w.names("SELECT name FROM system.mounts"):
            assert w.rows("SELECT a FROM other.x") == [(1,)]
        else:
            w.ok("ATTACH 'other' AS other")

    def reset(self, w, i):
        w.ok("DETACH other")


class CreateNamespace:
    def command(self, i):
        return ("sql", f"CREATE NAMESPACE n{i}; CREATE VIEW n{i}.v AS SELECT {i} AS a")

    def check(self, w, i):
        w.ok(f"CREATE NAMESPACE IF NOT EXISTS n{i}")
        if (f"n{i}", "v") in set(w.rows("SELECT table_schema, table_name FROM information_schema.tables")):
            assert w.value(f"SELECT a FROM n{i}.v") == i

    def reset(self, w, i):
        w.ok(f"DROP NAMESPACE n{i} CASCADE")


class CreateTable:
    def command(self, i):
        return ("sql", f"CREATE TABLE t{i} USING files OPTIONS (path '{self.path}')")

    def prepare(self, w, i):
        self.path = w.directory / "lake/large.parquet"

    def check(self, w, i):
        if f"t{i}" in w.names("SELECT table_name FROM information_schema.tables"):
            assert w.value(f"SELECT count(*) FROM t{i}") == ROWS
        else:
            w.ok(self.command(i)[1])

    def reset(self, w, i):
        w.ok(f"DROP TABLE t{i}")


class Remove:
    def command(self, i):
        return ("rm", "-r", f"/lake/directory{i}")

    def prepare(self, w, i):
        (w.directory / f"lake/directory{i}").mkdir()
        for n in range(20):
            (w.directory / f"lake/directory{i}/{n}.csv").write_text("a\n1\n")

    def check(self, w, i):
        left = w.directory / f"lake/directory{i}"
        for path in left.glob("*.csv"):
            assert path.read_text() == "a\n1\n"

    def reset(self, w, i):
        w.run("rm", "-r", f"/lake/directory{i}")


ACTIONS = [Copy, CopyBytes, CreateView, Spool, Attach, CreateNamespace, CreateTable, Remove]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_killed_at_any_moment_nothing_is_lost_or_half_visible(workspace, action):
    w, action, rng = workspace, action(), random.Random(f"{SEED} {action.__name__}")
    prepare = getattr(action, "prepare", lambda w, i: None)
    prepare(w, 0)
    usual = w.seconds(action.command(0))
    action.check(w, 0)
    action.reset(w, 0)
    for i in range(1, max(1, KILLS // len(ACTIONS)) + 1):
        prepare(w, i)
        after = rng.uniform(0, usual)
        print(f"WEIR_SEED={SEED} kill {i} of {action.command(i)} after {after:.4f} s")
        w.kill(action.command(i), after)
        for name, value in BEFORE.items():
            assert w.value(f"SELECT a FROM {name}") == value
        action.check(w, i)
        # The same once more, undisturbed: it works, and takes away what the killed one left.
        action.reset(w, i)
        prepare(w, i)
        result = w.run(*action.command(i))
        assert result.returncode == 0, result.stderr
        action.check(w, i)
        action.reset(w, i)
        assert w.half_written() == []
