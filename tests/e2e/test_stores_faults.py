# SPDX-License-Identifier: Apache-2.0
"""
Faults at random between weir and a store, and processes that are killed: every answer is right or a clear error, no
partial object is seen, no upload stays open. WEIR_STORE_FAULTS says how many faults (30), WEIR_SEED which.
"""

import io
import json
import os
import pathlib
import random
import signal
import threading
import time

import pyarrow.parquet
import pytest
from fault_proxy import FaultProxy, answer, cut, delay, expired_token, lost, reset, slow, stall, throttle, too_many
from http_server import HttpServer, until
from stores import Gcs, MinIO, VersityGW
from test_stores import put_table

FAULTS = int(os.environ.get("WEIR_STORE_FAULTS", "30"))
# Short, so that what fails fails soon.
PATIENCE = {"timeout": "2s", "retry_timeout": "6s", "max_retries": "5", "backoff_config.init_backoff": "10ms", "backoff_config.max_backoff": "200ms"}
ENDLESS = "SELECT value AS id, random() AS x, random() AS y FROM generate_series(1, 3000000000)"


def name_of(kind):
    return kind.name


@pytest.fixture(scope="module", params=[MinIO, VersityGW, Gcs], ids=name_of)
def store(request, tmp_path_factory):
    store = request.param(tmp_path_factory.mktemp(request.param.name))
    try:
        yield store
    finally:
        store.close()


def write_config(directory, store, bucket, proxy=None, **more):
    options = {"url": store.url(bucket), **store.options(proxy), **more}
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in options.items())
    pathlib.Path(directory).mkdir(exist_ok=True)
    (pathlib.Path(directory) / "weir.yaml").write_text(f"stores:\n  own:\n{lines}")


# ---- At random ----


def rules(chance):
    """One to three things that go wrong, some of them for good."""
    kinds = [
        lambda: (delay(chance.uniform(0.01, 0.3)), {}),
        lambda: (throttle(), {}),
        lambda: (too_many(), {}),
        lambda: (cut(chance.choice([0, 1, 0.3, 0.9])), {}),
        lambda: (slow(chance.choice([2_000, 200_000])), {"method": "GET"}),
        lambda: (reset(), {}),
        lambda: (lost(), {}),
        lambda: (lost(), {"method": "POST|PUT|DELETE"}),
        lambda: (stall(), {}),
        lambda: (expired_token(), {}),
    ]
    for _ in range(chance.randint(1, 3)):
        happen, when = chance.choice(kinds)()
        for_good = chance.random() < 0.15
        yield happen, {"share": chance.choice([0.2, 0.5, 1.0]), "skip": chance.randint(0, 3), "count": None if for_good else chance.randint(1, 6), **when}


class Work:
    """What is asked, each with the answer that is right."""

    def __init__(self, store, bucket, server, proxy, chance):
        self.store, self.bucket, self.server, self.proxy, self.chance = store, bucket, server, proxy, chance
        self.n, self.right, self.failed = 0, 0, 0
        put_table(store, bucket, "in")
        for i in range(4):
            store.put(bucket, f"csv/{i}.csv", b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(i * 1000, (i + 1) * 1000)))

    def url(self, key):
        return self.store.url(self.bucket, key)

    def step(self):
        self.n += 1
        self.chance.choice([self.read, self.read, self.read_text, self.write_one, self.write_large, self.write_directory, self.replace])()

    def run(self, sql, target=None, count=None):
        """The rows; None after an error that names the store's object, and left nothing; or an object of `count` rows, which the
        store had and never said so, nor gave back."""
        answer = self.server.sql(sql)
        self.proxy.forget(rules=True)
        if answer.status == 200:
            self.right += 1
            return self.server_rows(answer)
        self.failed += 1
        message = answer.error()["message"]
        assert self.url("") in message and "weir+" not in message and "panick" not in message, f"{sql}\n{message}"
        if target:
            # What goes on behind a statement that failed has ended soon, also where the store took no delete then.
            until(lambda: self.store.list(self.bucket, target) == [] or count and self.is_whole(target, count), f"{target} is gone after: {message}", 60)
        return None

    def is_whole(self, key, count):
        return pyarrow.parquet.read_table(io.BytesIO(self.store.get(self.bucket, key))).num_rows == count

    @staticmethod
    def server_rows(answer):
        return [tuple(row.values()) for row in answer.json()["rows"]]

    def read(self):
        key = self.chance.randrange(1000)
        rows = self.run(f"SELECT count(*), sum(id), max(CASE WHEN id = {key} THEN word END) FROM '{self.url('in/*.parquet')}'")
        assert rows in (None, [(1000, 499500, f"row {key}")])

    def read_text(self):
        assert self.run(f"SELECT count(*), sum(a) FROM '{self.url('csv/*.csv')}'") in (None, [(4000, 7998000)])

    def write_one(self, rows="SELECT value AS id, random() AS x FROM generate_series(1, 1000)", count=1000):
        key = f"out/{self.n}/x.parquet"
        if self.run(f"COPY ({rows}) TO '{self.url(key)}'", key, count):
            assert self.server.rows(f"SELECT count(*), sum(id), count(x) FROM '{self.url(key)}'") == [(count, count * (count + 1) // 2, count)]
            self.store.delete(self.bucket, key)

    def write_large(self):
        # Three parts that do not compress.
        self.write_one("SELECT value AS id, random() AS x, random() AS y FROM generate_series(1, 1200000)", 1200000)

    def write_directory(self):
        sql = f"COPY (SELECT value AS id, value % 5 AS k FROM generate_series(1, 500)) TO '{self.url(f'out/{self.n}/')}' (FORMAT parquet, PARTITION_BY (k))"
        if self.run(sql, f"out/{self.n}/"):
            assert self.server.rows(f"SELECT count(*), sum(id), count(DISTINCT k) FROM '{self.url(f'out/{self.n}/')}'") == [(500, 125250, 5)]

    def replace(self):
        """Over one object that is there: it is the old one or the new one."""
        key = "kept/one.csv"
        self.store.put(self.bucket, key, b"n\n0\n")
        if self.run(f"COPY (SELECT {self.n} AS n) TO '{self.url(key)}'"):
            assert self.store.get(self.bucket, key) == b"n\n%d\n" % self.n
        else:
            assert self.store.get(self.bucket, key) in (b"n\n0\n", b"n\n%d\n" % self.n)


def test_faults_at_random_change_no_answer_and_leave_nothing(store, tmp_path):
    seed = int(os.environ.get("WEIR_SEED") or random.randrange(1 << 31))
    print(f"WEIR_SEED={seed}")
    chance, bucket = random.Random(seed), store.make("random")
    with FaultProxy("127.0.0.1", store.port, seed=seed) as proxy:
        write_config(tmp_path / "w", store, bucket, proxy, **PATIENCE)
        faults = 0
        with HttpServer(tmp_path / "w", deadline=120) as server:
            work = Work(store, bucket, server, proxy, chance)
            # One statement may meet them all, and fail.
            while faults < FAULTS or work.right == 0 and work.n < 50:
                made = [proxy.rule(happen, **when) for happen, when in rules(chance)]
                work.step()
                faults += sum(rule.fired for rule in made)
            print(f"{faults} faults in {work.n} statements: {work.right} right, {work.failed} failed")
            assert server.end(seconds=60) == 0
    assert work.right > 0
    # Another process, which sweeps if anything was left.
    write_config(tmp_path / "w", store, bucket)
    with HttpServer(tmp_path / "w", deadline=120) as server:
        until(lambda: store.open_uploads(bucket) == [], "no upload is open", 30)
        assert server.end(seconds=60) == 0
    assert list((tmp_path / "w/.weir/uploads").iterdir()) == []


# ---- Answers that are lost ----


@pytest.mark.parametrize("what", ["begin", "begin with a cut answer", "part", "end", "end for good", "put", "put of one for good"])
def test_what_was_done_and_not_answered_is_found_out(store, db, what):
    bucket, key = store.make("lost"), f"{what.replace(' ', '-')}/x.parquet"
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy:
        happen, when = {
            "begin": (lost(), {"method": "POST", "path": r"\?uploads", "count": 2}),
            "begin with a cut answer": (cut(0.5), {"method": "POST", "path": r"\?uploads", "count": 1}),
            "part": (lost(), {"method": "PUT", "path": "partNumber=1&", "count": 1}),
            "end": (lost(), {"method": "POST", "path": r"\?uploadId", "count": 1}),
            "end for good": (lost(), {"method": "POST", "path": r"\?uploadId"}),
            "put": (lost(), {"method": "PUT", "path": "/p/k=1/", "count": 1}),
            "put of one for good": (lost(), {"method": "PUT", "path": "put-of-one"}),
        }[what]
        rule = proxy.rule(happen, **when)
        write_config(db.directory, store, bucket, proxy, **PATIENCE)
        if what == "put":
            url = store.url(bucket, "p/")
            db.ok(f"COPY (SELECT value AS id, value % 3 AS k FROM generate_series(1, 30)) TO '{url}' (FORMAT parquet, PARTITION_BY (k))")
            assert db.rows(f"SELECT count(*), sum(id) FROM '{url}'") == [(30, 465)]
        elif what == "put of one for good":
            store.put(bucket, key, b"what was there")
            db.ok(f"COPY (SELECT value AS id FROM generate_series(1, 1000)) TO '{store.url(bucket, key)}'")
            assert db.rows(f"SELECT count(*), sum(id) FROM '{store.url(bucket, key)}'") == [(1000, 500500)]
        else:
            url = store.url(bucket, key)
            db.ok(f"COPY (SELECT value AS id, random() AS x FROM generate_series(1, 1500000)) TO '{url}'")
            assert db.rows(f"SELECT count(*), sum(id) FROM '{url}'") == [(1500000, 1125000750000)]
        assert rule.fired > 0
    assert store.open_uploads(bucket) == []


@pytest.mark.parametrize("n_failed", [5, 8])
@pytest.mark.parametrize(("where", "options"), [("x.parquet", "FORMAT parquet"), ("d/", "FORMAT parquet, PARTITION_BY (k)")])
def test_what_a_lost_beginning_left_is_ended_once_the_store_lists_its_uploads(store, tmp_path, n_failed, where, options):
    """So many listings fail first: it is found while the statement waits, or behind it, which goes on with an upload of its own."""
    bucket, name = store.make("listed"), f"{n_failed}/{where}"
    before = store.open_uploads(bucket)
    with FaultProxy("127.0.0.1", store.port, seed=8) as proxy:
        write_config(tmp_path / "w", store, bucket, proxy, **PATIENCE)
        rules = [
            proxy.rule(lost(), method="POST", path=r"\?uploads", count=1),
            proxy.rule(delay(0.5), method="GET", path="uploads="),
            proxy.rule(answer(400, b"<Error><Code>InvalidRequest</Code></Error>"), method="GET", path="uploads=", count=n_failed),
            proxy.rule(delay(1.5), method="POST|PUT", path="uploadId="),
        ]
        with HttpServer(tmp_path / "w", deadline=120) as server:
            answered = server.sql(f"COPY (SELECT value AS id, random() AS x, 1 AS k FROM generate_series(1, 2000000)) TO '{store.url(bucket, name)}' ({options})")
            assert answered.status == 200, answered.error()
            assert all(rule.fired > 0 for rule in rules) and rules[2].fired == n_failed
            assert server.rows(f"SELECT count(*), sum(id) FROM '{store.url(bucket, name)}'") == [(2000000, 2000001000000)]
            until(lambda: store.open_uploads(bucket) == before, "no upload is open", 30)


# ---- Processes that are killed ----


def uploads_of(store, bucket):
    return set(store.open_uploads(bucket))


def start_upload(db, store, bucket, key):
    before = uploads_of(store, bucket)
    process = db.start("sql", f"COPY ({ENDLESS}) TO '{store.url(bucket, key)}'")
    try:
        until(lambda: process.poll() is None and uploads_of(store, bucket) - before, f"{key} is going up", 60)
    except AssertionError:
        process.kill()
        raise
    return process, uploads_of(store, bucket) - before


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


def test_uploads_of_killed_processes_are_ended_at_the_next_start_and_no_others(store, db):
    bucket = store.make("killed")
    write_config(db.directory, store, bucket)
    dead, dead_uploads = start_upload(db, store, bucket, "dead.parquet")
    living, living_uploads = start_upload(db, store, bucket, "living.parquet")
    try:
        kill(dead)
        assert dead_uploads <= uploads_of(store, bucket)
        assert db.rows("SELECT 1 AS one") == [(1,)]
        until(lambda: not dead_uploads & uploads_of(store, bucket), "those of the dead are ended")
        assert living_uploads <= uploads_of(store, bucket) and living.poll() is None
    finally:
        kill(living)
    db.ok("SELECT 1")
    until(lambda: uploads_of(store, bucket) == set(), "those of the other, too")
    assert store.list(bucket) == [] and list((pathlib.Path(db.directory) / ".weir/uploads").iterdir()) == []


@pytest.mark.parametrize("store", [MinIO, VersityGW], indirect=True, ids=name_of)
def test_a_sweep_waits_for_the_secret_of_its_store(store, db):
    bucket = store.make("secret")
    write_config(db.directory, store, bucket)
    process, uploads = start_upload(db, store, bucket, "x.parquet")
    kill(process)
    options = store.options()
    (pathlib.Path(db.directory) / "weir.yaml").write_text("catalog.name: other\n")
    wrong = {**options, "secret_access_key": "wrong"}
    for given, ends in ((wrong, False), (options, True)):
        text = ", ".join(f"{key} '{value}'" for key, value in given.items())
        db.run("sql", f"CREATE SECRET s (TYPE s3, SCOPE '{store.url(bucket)}', max_retries 1, {text}); SELECT * FROM '{store.url(bucket, 'none.csv')}'")
        assert bool(uploads & uploads_of(store, bucket)) != ends


def test_a_directory_that_was_put_in_place_by_half_is_taken_away(store, db):
    bucket = store.make("half")
    with FaultProxy("127.0.0.1", store.port, seed=3) as proxy:
        write_config(db.directory, store, bucket, proxy, timeout="60s")
        proxy.rule(stall(), method="PUT", path="k=[3-9]")
        process = db.start("sql", f"COPY (SELECT value AS id, value % 10 AS k FROM generate_series(1, 100)) TO '{store.url(bucket, 'd/')}' (FORMAT csv, PARTITION_BY (k))")
        until(lambda: store.list(bucket, "d/"), "some are there", 30)
        kill(process)
    store.put(bucket, "d/others.csv", b"id\n1\n")
    write_config(db.directory, store, bucket)
    db.ok("SELECT 1")
    until(lambda: store.list(bucket, "d/") == ["d/others.csv"], "only what others put stays")


def test_what_the_store_does_not_delete_at_once_is_deleted_later(store, tmp_path):
    bucket = store.make("kept")
    with FaultProxy("127.0.0.1", store.port, seed=6) as proxy:
        write_config(tmp_path / "w", store, bucket, proxy, **PATIENCE)
        with HttpServer(tmp_path / "w", deadline=120) as server:
            refuse = answer(400, b"<Error><Code>BadDigest</Code></Error>")
            proxy.rule(refuse, method="PUT", path="k=[3-9]")
            kept = proxy.rule(refuse, method="POST|DELETE")
            sql = f"COPY (SELECT value AS id, value % 10 AS k FROM generate_series(1, 100)) TO '{store.url(bucket, 'd/')}' (FORMAT csv, PARTITION_BY (k))"
            assert server.sql(sql).status != 200 and kept.fired > 0 and store.list(bucket, "d/")
            proxy.forget(rules=True)
            until(lambda: store.list(bucket, "d/") == [], "it is gone while its process lives", 30)
            # Nothing is left to a sweep.
            until(lambda: all(path.stat().st_size == 0 for path in (tmp_path / "w/.weir/uploads").iterdir()), "nothing is remembered")


def test_a_sweep_deletes_nothing_that_somebody_wrote_since(store, db):
    bucket, uploads = store.make("since"), pathlib.Path(db.directory) / ".weir/uploads"
    write_config(db.directory, store, bucket)
    now = int(time.time() * 1000)
    left = {"others.csv": (now - 600_000, 0), "old.csv": (now, 0), "random.csv": (now - 600_000, 1)}
    for key in left:
        store.put(bucket, key, b"a\n1\n")
    uploads.mkdir(parents=True)
    lines = [f"object\t{n}\t{ms}\t{alone}\t{store.url(bucket)}\t{key}\n" for n, (key, (ms, alone)) in enumerate(left.items())]
    (uploads / "0123456789abcdef.log").write_text("".join(lines))
    db.ok("SELECT 1")
    until(lambda: store.list(bucket) == ["others.csv"] and list(uploads.iterdir()) == [], "what was to go is gone, and no more remembered")


# ---- Throttling ----


def test_a_throttled_scan_gives_the_same_rows_and_the_rate_falls_and_recovers(store, tmp_path):
    bucket = store.make("throttled")
    for i in range(60):
        store.put(bucket, f"t/{i:03}.csv", b"a\n" + b"".join(b"%d\n" % n for n in range(i * 10, i * 10 + 10)))
    sql = f"SELECT count(*), sum(a) FROM '{store.url(bucket, 't/*.csv')}'"
    right, seen, ended = [(600, 179700)], [], threading.Event()
    url = store.url(bucket)
    with FaultProxy("127.0.0.1", store.port, seed=4) as proxy:
        proxy.rule(delay(0.01))
        write_config(tmp_path / "w", store, bucket, proxy, concurrency="32", **{**PATIENCE, "max_retries": "20", "retry_timeout": "60s"})
        with HttpServer(tmp_path / "w", deadline=120) as server:

            def figure(name):
                return dict(server.rows("SELECT name, value FROM system.metrics WHERE store IS NOT NULL")).get(f"objects_{name}")

            def watch():
                while not ended.wait(0.05):
                    seen.append((time.monotonic(), figure("allowed_requests"), figure("get_requests")))

            assert server.rows(sql) == right
            assert figure("allowed_requests") == 32 and figure("throttled_requests") == 0
            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                rule = proxy.rule(throttle(), share=0.3)
                for _ in range(2):
                    assert server.rows(sql) == right
                proxy.rules.remove(rule)
                throttled_until = time.monotonic()
                fired = rule.fired
                until(lambda: server.rows(sql) == right and figure("allowed_requests") >= 24, "it recovers", 60)
            finally:
                ended.set()
                watcher.join()
            least = min(allowed for at, allowed, _ in seen if at < throttled_until)
            print(f"{fired} of the requests throttled; at least {least}, at last {seen[-1][1]} at the same time")
            assert least <= 8 and fired > 20
            assert figure("throttled_requests") == fired
            text = server.request("GET", "/metrics").body.decode()
            assert f'weir_objects_throttled_requests_total{{store="{url}"}} {fired}\n' in text
            assert f'weir_objects_allowed_requests{{store="{url}"}} ' in text and "# TYPE weir_objects_allowed_requests gauge\n" in text


# ---- Copies ----


def test_a_copy_goes_both_ways_in_pieces_and_goes_on_where_it_breaks_off(store, db):
    bucket, home = store.make("copies"), pathlib.Path(db.directory)
    (home / "up.bin").write_bytes(os.urandom(70_000_000))
    with FaultProxy("127.0.0.1", store.port, seed=5) as proxy:
        write_config(home, store, bucket, proxy)
        proxy.rule(delay(0.05))
        for args in (("up.bin", store.url(bucket, "x.bin")), (store.url(bucket, "x.bin"), "down.bin")):
            proxy.forget()
            rules = [proxy.rule(cut(0.5), method="GET", count=2, skip=2), proxy.rule(reset(), method="PUT", count=2, skip=1)]
            result = db.run("cp", *args)
            assert result.returncode == 0, result.stderr
            assert proxy.peak >= 3 and sum(rule.fired for rule in rules) >= 2
        sent = sum(r.sent for r in proxy.requests("GET"))
    assert (home / "down.bin").read_bytes() == (home / "up.bin").read_bytes() == store.get(bucket, "x.bin")
    # What had come of a piece is not asked for again.
    assert sent < 75_000_000
