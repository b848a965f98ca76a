# SPDX-License-Identifier: Apache-2.0
"""
Cached tables against a model. A store of CSV files grows, is away, and comes back; cached tables of it
are read, refreshed, evicted, damaged, and their processes killed. Every answer must be the store's at a
moment inside the promised age, and a window has each row once. WEIR_STEPS sets how many steps each mode
takes (60; 1000 for a release), WEIR_SEED repeats a run.
"""

import concurrent.futures
import json
import os
import random
import time

import pytest
from conftest import Weir

STEPS = int(os.environ.get("WEIR_STEPS", "60"))
SEED = int(os.environ.get("WEIR_SEED", time.time_ns() % 10**6))
MAX_AGE = 1.0
WINDOW = 40.0


class Row:
    def __init__(self, number, ts):
        self.id = number
        self.ts = ts  # seconds since 1970, None: NULL
        self.before = self.after = 0.0  # it came in between


class Store:
    """Each insert is one file that appears at once."""

    def __init__(self, directory, rng):
        self.path = directory / "store"
        self.away = directory / "away"
        self.path.mkdir()
        self.rng = rng
        self.rows = []
        self.is_away = False
        self.insert()

    def insert(self):
        now = time.time()
        new = []
        for _ in range(self.rng.randint(1, 4)):
            ts = self.rng.choice([None, now, now, now - 1, now - 20, now - 39, now - 60, now + 3600])
            if ts is not None:
                ts = round(ts + self.rng.uniform(-2, 2), 6)
            new.append(Row(len(self.rows) + len(new), ts))
        text = "id,ts\n" + "".join(f"{row.id},{stamp(row.ts)}\n" for row in new)
        directory = self.away if self.is_away else self.path
        hidden = directory / f".{new[0].id}.part"
        hidden.write_text(text)
        for row in new:
            row.before = time.time()
        hidden.rename(directory / f"{new[0].id:06}.csv")
        for row in new:
            row.after = time.time()
        self.rows += new

    def toggle(self):
        """Takes the store away, or brings it back."""
        source, target = (self.away, self.path) if self.is_away else (self.path, self.away)
        source.rename(target)
        self.is_away = not self.is_away


def stamp(ts):
    if ts is None:
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(ts))) + f".{round((ts % 1) * 1e6) % 10**6:06}"


def seconds(text):
    import calendar

    whole, _, fraction = text.partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))


class Cached(Weir):
    def __init__(self, directory, options):
        super().__init__(directory)
        (directory / "weir.yaml").touch()
        self.rng = random.Random(f"{SEED} {options}")
        self.store = Store(directory, self.rng)
        self.stale = "stale" in options
        self.is_window = "window" in options
        self.ok(
            f"CREATE VIEW s AS SELECT id, CAST(ts AS TIMESTAMP) AS ts FROM '{directory}/store/*.csv';"
            f"CREATE TABLE c USING cached OPTIONS (source 's', max_age '{MAX_AGE}s', {options})"
        )
        self.answers = self.errors = 0

    def read(self, *settings):
        """The rows' ids, what the copy covered, and when it was asked: from start to end."""
        start = time.time()
        sql = "SELECT id FROM c ORDER BY id; SELECT coverage_start, coverage_end FROM system.caches"
        result = self.run("sql", "--format", "jsonl", *settings, sql)
        end = time.time()
        if result.returncode != 0:
            assert self.store.is_away or self.was_away, result.stderr
            assert "fetching" in result.stderr or "store" in result.stderr, result.stderr
            self.errors += 1
            return None
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        ids = [line["id"] for line in lines if "id" in line]
        return ids, lines[-1], start, end

    def check(self, answer):
        if answer is None:
            return
        ids, coverage, start, end = answer
        self.answers += 1
        assert len(ids) == len(set(ids)), f"repeated: {ids}"
        start_text, end_text = coverage["coverage_start"], coverage["coverage_end"]
        if start_text is None:
            return self.check_part(ids, self.store.rows, start - MAX_AGE, end, self.stale)
        low, high = seconds(start_text), seconds(end_text)
        assert abs(high - low - WINDOW) < 0.001
        inside = [row for row in self.store.rows if row.ts is not None and low <= row.ts < high]
        outside = [row for row in self.store.rows if row not in inside]
        self.check_part(ids, inside, start - MAX_AGE, end, self.stale)
        self.check_part(ids, outside, start, end, False)

    def check_part(self, ids, rows, earliest, latest, stale):
        """The rows as they were at a moment between the two, or with `stale` before."""
        there = [row.id in ids for row in rows]
        n_rows = there.index(False) if False in there else len(there)
        assert not any(there[n_rows:]), f"a later row without an earlier one: {list(zip([r.id for r in rows], there))}"
        least = 0 if stale else sum(row.after <= earliest for row in rows)
        most = sum(row.before <= latest for row in rows)
        assert least <= n_rows <= most, f"{least} <= {n_rows} <= {most}"

    # ---- Steps ----

    was_away = False
    steps_away = 0

    def step(self):
        choice = self.rng.random()
        # Not for so long that too little is answered to say anything.
        self.steps_away = self.steps_away + 1 if self.store.is_away else 0
        if self.steps_away > 6:
            self.store.toggle()
        self.was_away = self.store.is_away
        if choice < 0.3:
            self.store.insert()
        elif choice < 0.36:
            self.store.toggle()
        elif choice < 0.42:
            self.run("sql", "REFRESH TABLE c")
        elif choice < 0.50:
            self.kill()
        elif choice < 0.54:
            self.check(self.read("--set", "cache.tables.max_bytes=100"))  # nothing is kept
        elif choice < 0.58:
            self.damage()
        elif choice < 0.64:
            self.read_at_once()
        elif choice < 0.72:
            time.sleep(self.rng.uniform(0, 1.2))
        else:
            self.check(self.read())

    def kill(self):
        process = self.start("sql", "REFRESH TABLE c; SELECT id FROM c")
        time.sleep(self.rng.uniform(0, 0.15))
        process.kill()
        process.communicate()

    def damage(self):
        files = sorted(self.directory.glob(".weir/cache/*/*/*.parquet"))
        if files:
            self.rng.choice(files).unlink()

    def read_at_once(self):
        """Several processes, while rows come in."""
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(self.read) for _ in range(3)]
            if not self.store.is_away:
                self.store.insert()
            answers = [answer.result() for answer in answers]
        for answer in answers:
            self.check(answer)


@pytest.mark.parametrize(
    "options",
    [
        "mode full",
        "mode full, on_error stale",
        "mode full, refresh append, time_column 'id'",
        f"mode window, time_column 'ts', window '{WINDOW:.0f}s'",
    ],
)
def test_every_answer_is_the_stores_at_a_moment_inside_the_promised_age(tmp_path, options):
    print(f"WEIR_SEED={SEED} WEIR_STEPS={STEPS} {options}")
    cached = Cached(tmp_path, options)
    for _ in range(STEPS):
        cached.step()
    if cached.store.is_away:
        cached.store.toggle()
    cached.was_away = False
    time.sleep(MAX_AGE + 0.2)
    cached.check(cached.read())
    # Nothing is left of what was killed but the copy.
    kept = cached.left(".weir/cache/*/*")
    generations = {path.split("/")[3] for path in cached.left(".weir/cache/*/*/*.parquet")}
    assert len(generations) <= 1, (kept, generations)
    assert cached.answers > STEPS // 20, "too few answers to say anything"


def test_a_mount_with_a_cache_serves_copies(tmp_path):
    db = Weir(tmp_path)
    (tmp_path / "lake" / "deep").mkdir(parents=True)
    (tmp_path / "lake" / "x.csv").write_text("a\n1\n2\n")
    (tmp_path / "lake" / "deep" / "y.csv").write_text("a\n3\n")
    (tmp_path / "weir.yaml").write_text(
        "mounts:\n  lake: {kind: files, url: lake, cache: {max_age: 1h, mode: full, max_bytes: 1MiB}}\n"
    )
    for command in [("ls", "-l", "/lake"), ("describe", "lake.x"), ("cat", "--bytes", "/lake/deep/y.jsonl")]:
        result = db.run(*command)
        assert result.returncode == 0, result.stderr
    assert not db.left(".weir/cache/**/*.parquet"), "what a table is was said by fetching it"
    assert db.rows("SELECT a FROM lake.x") == [(1,), (2,)]
    assert db.rows("SELECT a FROM lake.deep.y") == [(3,)]
    (tmp_path / "lake" / "x.csv").write_text("a\n7\n")
    assert db.rows("SELECT a FROM '/lake/x.csv'") == [(1,), (2,)]
    assert db.rows("SELECT a FROM lake.x(cache => 'off')") == [(7,)]
    assert "/.weir/cache/" in db.ok("EXPLAIN SELECT a FROM lake.x")
    assert "/.weir/cache/" not in db.ok("EXPLAIN SELECT a FROM lake.x(cache => 'off')")
    db.ok("REFRESH TABLE lake.x")
    assert db.rows("SELECT a FROM lake.x") == [(7,)]
    (tmp_path / "lake" / "x.csv").write_text("a\n8\n")
    db.ok("REFRESH MOUNT lake")
    assert db.rows("SELECT a FROM lake.x") == [(8,)]
    assert db.rows("SELECT source, mode, state, \"rows\" FROM system.caches WHERE state <> 'empty' ORDER BY source") == [
        ("/lake/deep/y.csv", "full", "invalid", 1),
        ("/lake/x.csv", "full", "kept", 1),
    ]
    db.fail("ATTACH 'lake' AS other (TYPE files, cache.max_aeg '1h')", "max_age")
    db.fail("REFRESH MOUNT laek", "there is no mount")


def test_a_statement_that_waits_for_a_fetch_ends_at_ctrl_c_and_at_its_timeout(tmp_path):
    db = Weir(tmp_path)
    (tmp_path / "weir.yaml").touch()
    db.ok(
        "CREATE VIEW slow AS SELECT count(*) AS n FROM range(2000000) a "
        "JOIN range(2000000) b ON a.value <> b.value"
    )
    db.ok("CREATE TABLE c USING cached OPTIONS (source 'slow', max_age '1h')")
    result, seconds = db.interrupt("sql", "SELECT * FROM c", after=1.5)
    assert result.returncode == 130 and seconds < 10, (result, seconds)
    start = time.monotonic()
    assert "limit" in db.fail("SELECT * FROM c", args=("--timeout", "1s"))
    assert time.monotonic() - start < 10
