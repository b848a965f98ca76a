# SPDX-License-Identifier: Apache-2.0
"""weir mount: the tree as a file system that other programs read."""

import concurrent.futures
import contextlib
import errno
import hashlib
import mmap
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest


def why_not():
    """Why nothing can be mounted here, or an empty text."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    if os.geteuid() != 0 and shutil.which("fusermount3") is None:
        return "there is no fusermount3"
    if os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        return "this root may not mount"
    return ""


WHY_NOT = why_not()
needs_fuse = pytest.mark.skipif(WHY_NOT != "", reason=f"FUSE is not available: {WHY_NOT}")


@pytest.fixture(autouse=True)
def deadline():
    """A test that hangs in a system call of the mount is ended; the fixtures still unmount."""

    def too_long(*_):
        raise TimeoutError("the test took longer than 60 s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def is_mounted(path):
    with open("/proc/self/mounts") as mounts:
        return any(line.split()[1] == str(path) for line in mounts)


def unmount(path):
    if not is_mounted(path):
        return
    if shutil.which("fusermount3"):
        subprocess.run(["fusermount3", "-u", "-z", path], capture_output=True, timeout=10)
    if is_mounted(path):
        subprocess.run(["umount", "-l", path], capture_output=True, timeout=10)


class Mount:
    """A running `weir mount`; its lines on standard error are collected."""

    def __init__(self, db, directory, *args):
        self.path = directory
        self.lines = []
        self.process = db.start("mount", directory, *args)
        self.reader = threading.Thread(target=self.collect, daemon=True)
        self.reader.start()
        self.wait(lambda: self.has("is mounted at") or self.process.poll() is not None)
        assert self.process.poll() is None, self.lines

    def collect(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def wait(self, ready, seconds=20):
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, f"it took too long; {self.lines}"
            time.sleep(0.01)

    def has(self, *words):
        return any(all(word in line for word in words) for line in self.lines)

    def stop(self, number=signal.SIGTERM):
        """Asks it to end, and gives its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=10)
        self.reader.join(timeout=10)
        self.process.stdout.close()
        self.process.stderr.close()

    def __truediv__(self, name):
        return self.path / name


@pytest.fixture
def mount(db):
    """Gives a function that mounts: mount(*flags, path=of the tree)."""
    with contextlib.ExitStack() as stack:

        def run(*args, path="/", at=None):
            directory = at or pathlib.Path(tempfile.mkdtemp(prefix="weir-mount-"))
            if at is None:
                stack.callback(shutil.rmtree, directory, ignore_errors=True)
            stack.callback(unmount, directory)
            mounted = Mount(db, directory, path, *args)
            stack.callback(mounted.close)
            return mounted

        yield run


def flights(n, first=0):
    return pa.table({
        "id": pa.array(range(first, first + n), pa.int64()),
        "name": [f"flight {i}" if i % 7 else None for i in range(first, first + n)],
        "delay": pa.array([i / 4 for i in range(first, first + n)], pa.float64()),
    })


@pytest.fixture
def data(tmp_path):
    """A directory of the machine: a plain file, structured ones, a series, and .sql files."""
    data = tmp_path / "data"
    (data / "series").mkdir(parents=True)
    (data / "notes.txt").write_text("plain\n")
    (data / "people.csv").write_text("id,name\n1,Ada\n2,Bo\n")
    pq.write_table(flights(1000), data / "flights.parquet")
    pq.write_table(flights(10), data / "series" / "a.parquet")
    pq.write_table(flights(20, 10), data / "series" / "b.parquet")
    (data / "late.sql").write_text(f"SELECT id, delay FROM '{data}/flights.parquet' WHERE delay > 200")
    return data


def numbers(data, thousands):
    """A query of the numbers from 0, as the column `value`."""
    of = f"'{data}/flights.parquet'"
    return f"(SELECT a.id * 1000 + b.id AS value FROM {of} a, {of} b WHERE a.id < {thousands})"


def endless(data):
    return f"SELECT count(*) AS n FROM {numbers(data, 1000)} a, {numbers(data, 1000)} b WHERE a.value + b.value = 7"


def sql_rows(db, path):
    """What SQL says of a table, as pyarrow rows."""
    out = db.directory / "sql.parquet"
    db.ok(f"SELECT * FROM '{path}'", "-o", out)
    return sorted(pq.read_table(out).to_pylist(), key=str)


def sort(rows):
    return sorted(rows, key=str)


# ---- What appears ----


@needs_fuse
def test_ls_shows_files_directories_and_tables_under_the_default_encoding(mount, data):
    m = mount(path=data)
    names = ["flights.parquet", "late.parquet", "late.sql", "notes.txt", "people.csv", "series", "series.parquet"]
    assert sorted(os.listdir(m.path)) == names
    assert sorted(os.listdir(m / "series")) == ["a.parquet", "b.parquet"]
    kinds = {entry.name: entry.is_dir(follow_symlinks=False) for entry in os.scandir(m.path)}
    assert kinds == {name: name == "series" for name in names}


@needs_fuse
def test_the_encodings_given_show_every_table_under_each(mount, data):
    m = mount("--encoding", "csv,jsonl", path=data)
    assert sorted(os.listdir(m.path)) == [
        "flights.csv", "flights.jsonl", "flights.parquet", "late.csv", "late.jsonl", "late.sql", "notes.txt",
        "people.csv", "people.jsonl", "series", "series.csv", "series.jsonl",
    ]


@needs_fuse
def test_settings_reach_the_mount(mount, data):
    (data / "zone.sql").write_text("SELECT CAST(to_timestamp(0) AS TIMESTAMP WITH TIME ZONE) AS t")
    m = mount("--set", "encoding.default=csv", "--set", "datafusion.execution.time_zone=+09:00", path=data)
    assert sorted(os.listdir(m.path)) == [
        "flights.parquet", "late.csv", "late.sql", "notes.txt", "people.csv", "series", "series.csv", "zone.csv", "zone.sql",
    ]
    assert "+09:00" in (m / "zone.csv").read_text()


@needs_fuse
def test_a_table_opens_under_an_encoding_that_is_not_listed(mount, data):
    m = mount(path=data)
    assert (m / "people.jsonl").read_text() == '{"id":1,"name":"Ada"}\n{"id":2,"name":"Bo"}\n'
    assert len((m / "late.csv").read_text().splitlines()) == 200  # a header and 199 rows


@needs_fuse
def test_listing_a_directory_encodes_nothing(mount, data):
    (data / "endless.sql").write_text(endless(data))
    m = mount(path=data)
    start = time.monotonic()
    assert "endless.parquet" in os.listdir(m.path)
    assert time.monotonic() - start < 5


@needs_fuse
def test_a_bare_table_name_and_a_pattern_are_no_files(mount, data):
    m = mount(path=data)
    for name in ["people", "late", "*.csv", "s*.parquet"]:
        assert not (m / name).exists(), name


@needs_fuse
def test_own_bytes_are_the_files_own(mount, data):
    m = mount(path=data)
    for name in ["notes.txt", "people.csv", "flights.parquet", "late.sql", "series/a.parquet"]:
        assert (m / name).read_bytes() == (data / name).read_bytes()
        assert (m / name).stat().st_size == (data / name).stat().st_size
        assert (m / name).stat().st_mtime == (data / name).stat().st_mtime


@needs_fuse
def test_the_top_of_the_tree_has_catalogs_mounts_and_views(db, mount, data):
    (db.directory / "weir.yaml").write_text("# a workspace\n")
    db.ok(f"ATTACH '{data}' AS lake; CREATE VIEW early AS SELECT id FROM '/lake/flights.parquet' WHERE delay < 1")
    db.ok(f"CREATE TABLE t USING files OPTIONS (path '{data}/people.csv')")
    m = mount("--workspace", db.directory)
    assert {"lake", "system", "weir"} <= set(os.listdir(m.path))
    assert {"early.parquet", "t.parquet"} <= set(os.listdir(m / "weir" / "public"))
    assert sort(pq.read_table(m / "weir/public/early.parquet").to_pylist()) == [{"id": i} for i in range(4)]
    assert (m / "weir/public/t.jsonl").read_text() == '{"id":1,"name":"Ada"}\n{"id":2,"name":"Bo"}\n'
    assert {"name", "value"} <= set(pq.read_schema(m / "system/settings.parquet").names)
    assert (m / "lake/notes.txt").read_text() == "plain\n"
    db.ok("CREATE VIEW later AS SELECT 7 AS seven")
    assert (m / "weir/public/later.csv").read_text() == "seven\n7\n"


# ---- Programs on the mount ----


@needs_fuse
@pytest.mark.parametrize("name", ["flights", "late", "series", "people"])
def test_readers_see_the_rows_of_sql(db, mount, data, name):
    m = mount("--encoding", "parquet,csv,arrow,jsonl", path=data)
    expected = sql_rows(db, data / name if name in ("series",) else data / f"{name}.parquet")
    parquet = m / f"{name}.parquet"
    assert sort(pq.read_table(parquet).to_pylist()) == expected
    assert sort(pq.read_table(parquet, memory_map=True).to_pylist()) == expected
    assert sort(polars.read_parquet(parquet).to_dicts()) == expected
    assert sort(duckdb.sql(f"FROM '{parquet}'").arrow().read_all().to_pylist()) == expected
    assert sort(pandas.read_parquet(parquet, dtype_backend="pyarrow").to_dict("records")) == sort(
        pq.read_table(parquet).to_pandas(types_mapper=pandas.ArrowDtype).to_dict("records"))
    assert len(pandas.read_csv(m / f"{name}.csv")) == len(expected)
    with pa.memory_map(str(m / f"{name}.arrow")) as source:
        assert sort(pa.ipc.open_file(source).read_all().to_pylist()) == expected
    assert sort(duckdb.sql(f"FROM read_json('{m / name}.jsonl')").arrow().read_all().to_pylist()) == expected


@needs_fuse
def test_cp_and_cat_copy_the_bytes(mount, data, tmp_path):
    m = mount(path=data)
    subprocess.run(["cp", m / "late.parquet", m / "people.csv", tmp_path], check=True, timeout=30)
    cat = subprocess.run(["cat", m / "late.parquet"], check=True, capture_output=True, timeout=30).stdout
    assert cat == (tmp_path / "late.parquet").read_bytes() == (m / "late.parquet").read_bytes()
    subprocess.run(["cp", "-r", m / "series", tmp_path / "copy"], check=True, timeout=30)
    assert (tmp_path / "copy/a.parquet").read_bytes() == (data / "series/a.parquet").read_bytes()


@needs_fuse
def test_stat_gives_the_size_of_the_encoded_bytes(mount, data):
    m = mount(path=data)
    for name in ["late.parquet", "late.csv", "late.jsonl", "late.json", "late.tsv", "late.arrow", "series.parquet"]:
        size = (m / name).stat().st_size
        assert size == len((m / name).read_bytes()) > 0, name


@needs_fuse
def test_reads_at_any_place_give_the_bytes_there(mount, data):
    (data / "wide.sql").write_text(f"SELECT value, value * 3 AS three FROM {numbers(data, 200)} n")
    m = mount(path=data)
    whole = (m / "wide.csv").read_bytes()
    assert len(whole) > 2_000_000
    with open(m / "wide.csv", "rb", buffering=0) as file:
        for offset in [0, 1, 4095, 4096, 131072, 1_000_001, len(whole) - 3, len(whole), len(whole) + 10]:
            assert os.pread(file.fileno(), 5000, offset) == whole[offset : offset + 5000]
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            assert len(mapped) == len(whole)
            assert mapped[777_777:777_800] == whole[777_777:777_800]
            assert hashlib.sha256(mapped).digest() == hashlib.sha256(whole).digest()


@needs_fuse
def test_a_file_that_nobody_asked_the_size_of_is_read_whole(mount, data, tmp_path):
    """sendfile stops at the size that the kernel knows, and here no stat has told it one."""
    (data / "wide.sql").write_text(f"SELECT value FROM {numbers(data, 20)} n")
    m = mount(path=data)
    source = os.open(m / "wide.csv", os.O_RDONLY)
    target = os.open(tmp_path / "copy", os.O_WRONLY | os.O_CREAT)
    try:
        sent = os.sendfile(target, source, 0, 1 << 20)
    finally:
        os.close(source)
        os.close(target)
    assert sent == (m / "wide.csv").stat().st_size > 100_000


@needs_fuse
def test_attributes_tell_version_kind_and_schema(mount, data):
    m = mount(path=data)
    version = os.getxattr(m / "late.parquet", "user.weir.version")
    assert version and version == os.getxattr(m / "late.parquet", "user.weir.version")
    assert os.getxattr(m / "late.parquet", "user.weir.schema") == b"id: int64\ndelay: double"
    assert sorted(os.listxattr(m / "late.parquet")) == ["user.weir.kind", "user.weir.schema", "user.weir.version"]
    assert os.listxattr(m / "notes.txt") == ["user.weir.version"]
    with pytest.raises(OSError) as caught:
        os.getxattr(m / "notes.txt", "user.weir.kind")
    assert caught.value.errno == errno.ENODATA


# ---- Versions ----


@needs_fuse
def test_a_changed_input_changes_what_a_new_open_reads(mount, data):
    m = mount(path=data)
    (data / "names.sql").write_text(f"SELECT name FROM '{data}/people.csv' ORDER BY id")
    assert (m / "names.csv").read_text() == "name\nAda\nBo\n"
    with open(data / "people.csv", "a") as file:
        file.write("3,Cleo\n")
    assert (m / "names.csv").read_text() == "name\nAda\nBo\nCleo\n"
    assert (m / "people.csv").read_text() == "id,name\n1,Ada\n2,Bo\n3,Cleo\n"
    (data / "names.sql").write_text("SELECT 1 AS one")
    assert (m / "names.csv").read_text() == "one\n1\n"


@needs_fuse
def test_an_open_file_keeps_its_bytes_and_its_size(mount, data):
    (data / "many.sql").write_text(f"SELECT id, name FROM '{data}/flights.parquet', {numbers(data, 1)} n WHERE value < 300")
    m = mount(path=data)
    with open(m / "many.csv", "rb") as old:
        size = os.fstat(old.fileno()).st_size
        head = old.read(1000)
        pq.write_table(flights(500), data / "flights.parquet")
        new = (m / "many.csv").read_bytes()
        assert (m / "many.csv").stat().st_size == len(new) < size
        assert os.fstat(old.fileno()).st_size == size
        rest = old.read()
        assert len(head + rest) == size
        assert (head + rest).count(b"\n") == 300_001
        assert new.count(b"\n") == 150_001


@needs_fuse
def test_what_has_no_version_stays_the_same_from_stat_to_read(mount, data):
    (data / "clock.sql").write_text(f"SELECT CAST(now() AS VARCHAR) AS t, id FROM '{data}/people.csv'")
    m = mount(path=data)
    size = (m / "clock.csv").stat().st_size
    first = (m / "clock.csv").read_bytes()
    assert len(first) == size
    assert (m / "clock.csv").read_bytes() == first
    time.sleep(2.5)
    assert (m / "clock.csv").read_bytes() != first


def encodings(path):
    """How many encodings were begun, this one among them, as the mounted weir itself counts."""
    table = pyarrow.csv.read_csv(path, parse_options=pa.csv.ParseOptions(delimiter="\t" if path.suffix == ".tsv" else ","))
    return next(row["value"] for row in table.to_pylist() if "encodings" in row["name"])


@needs_fuse
def test_sixteen_readers_cause_one_encoding(db, mount, data):
    (db.directory / "weir.yaml").write_text("# a workspace\n")
    (data / "wide.sql").write_text(f"SELECT value, md5(CAST(value AS VARCHAR)) AS m FROM {numbers(data, 300)} n")
    db.ok(f"ATTACH '{data}' AS lake")
    m = mount("--workspace", db.directory)
    metrics = m / "system"
    first, second = encodings(metrics / "metrics.csv"), encodings(metrics / "metrics.tsv")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        digests = set(pool.map(lambda _: hashlib.sha256((m / "lake/wide.csv").read_bytes()).digest(), range(16)))
    assert len(digests) == 1
    time.sleep(2.5)  # the counts are bytes without a version, kept for a moment
    third = encodings(metrics / "metrics.csv")
    assert (second - first, third - second) == (1, 2)


@needs_fuse
def test_bytes_are_made_once_for_two_mounts(db, mount, data):
    (db.directory / "weir.yaml").write_text("# a workspace\n")
    (data / "chance.sql").write_text(f"SELECT value, md5(CAST(value AS VARCHAR)) AS m FROM {numbers(data, 100)} n")
    one = mount("--workspace", db.directory, path=data)
    first = (one / "chance.parquet").read_bytes()
    assert one.stop() == 0
    two = mount("--workspace", db.directory, path=data)
    start = time.monotonic()
    assert (two / "chance.parquet").stat().st_size == len(first)
    assert time.monotonic() - start < 1
    assert (two / "chance.parquet").read_bytes() == first


# ---- What goes wrong ----


def error_of(call, *args):
    with pytest.raises(OSError) as caught:
        call(*args)
    return caught.value.errno


@needs_fuse
def test_what_is_not_there_is_enoent_and_a_missing_table_leaves_a_line(mount, data):
    m = mount(path=data)
    assert error_of(os.stat, m / "missing.parquet") == errno.ENOENT
    m.wait(lambda: m.has("missing.parquet", "ENOENT"))
    assert error_of(os.stat, m / ".git") == errno.ENOENT
    assert error_of(os.listdir, m / "nowhere") == errno.ENOENT
    assert not m.has(".git") and not m.has("nowhere")


@needs_fuse
def test_a_broken_view_is_eio_and_a_line_says_why(mount, data):
    (data / "broken.sql").write_text(f"SELECT nope FROM '{data}/people.csv'")
    (data / "orphan.sql").write_text(f"SELECT * FROM '{data}/gone.csv'")
    (data / "fails.sql").write_text(f"SELECT CAST(name AS INT) AS n FROM '{data}/people.csv'")
    m = mount(path=data)
    assert "broken.parquet" in os.listdir(m.path)
    for name, word in [("broken", "nope"), ("orphan", "gone.csv"), ("fails", "Ada")]:
        assert error_of(open, m / f"{name}.parquet", "rb") == errno.EIO
        m.wait(lambda: m.has(f"{name}.parquet", word, "EIO"))
        assert (m / f"{name}.sql").read_bytes() == (data / f"{name}.sql").read_bytes()
    lines = [line for line in m.lines if "EIO" in line]
    assert len(lines) == 3 and all(line.startswith("weir mount: /") for line in lines), lines


@needs_fuse
def test_an_encoding_that_cannot_hold_a_table_is_einval(mount, data):
    (data / "gaps.sql").write_text("SELECT INTERVAL '1 month' AS gap")
    m = mount(path=data)
    assert error_of(open, m / "gaps.parquet", "rb") == errno.EINVAL
    m.wait(lambda: m.has("gaps.parquet", "gap", "EINVAL"))
    assert (m / "gaps.csv").read_text() == "gap\n1 mons\n"


@needs_fuse
def test_nothing_can_be_written(mount, data):
    m = mount(path=data)
    before = sorted(p.name for p in data.iterdir())
    assert error_of(open, m / "new.txt", "w") == errno.EROFS
    assert error_of(open, m / "notes.txt", "a") == errno.EROFS
    assert error_of(os.truncate, m / "notes.txt", 0) == errno.EROFS
    assert error_of(os.unlink, m / "notes.txt") == errno.EROFS
    assert error_of(os.mkdir, m / "directory") == errno.EROFS
    assert error_of(os.rename, m / "notes.txt", m / "other.txt") == errno.EROFS
    assert error_of(os.chmod, m / "notes.txt", 0o600) == errno.EROFS
    assert error_of(os.symlink, "x", m / "link") == errno.EROFS
    assert error_of(os.setxattr, m / "notes.txt", "user.x", b"y") == errno.EROFS
    assert sorted(p.name for p in data.iterdir()) == before


@needs_fuse
def test_a_reader_that_is_killed_ends_its_query_and_hinders_nobody(mount, data):
    (data / "endless.sql").write_text(endless(data))
    m = mount(path=data)
    readers = [subprocess.Popen(["cat", m / "endless.csv"], stdout=subprocess.DEVNULL) for _ in range(6)]
    time.sleep(1)
    assert (m / "late.csv").stat().st_size > 0  # while the other one is busy
    assert all(reader.poll() is None for reader in readers)
    for reader in readers:
        reader.kill()
    start = time.monotonic()
    for reader in readers:
        reader.wait(timeout=10)
    assert time.monotonic() - start < 2

    def busy():
        fields = pathlib.Path(f"/proc/{m.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(3)
    before = busy()
    time.sleep(1)
    assert busy() - before < 30  # of 100 ticks: the query has ended


# ---- The life of a mount ----


@needs_fuse
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_unmounts_and_exits_with_0(mount, data, number):
    m = mount(path=data)
    assert is_mounted(m.path)
    assert m.stop(number) == 0
    assert not is_mounted(m.path)
    assert os.listdir(m.path) == []


@needs_fuse
def test_an_unmount_from_outside_ends_the_program(mount, data):
    m = mount(path=data)
    assert (m / "notes.txt").read_text() == "plain\n"
    unmount(m.path)
    assert m.process.wait(timeout=20) == 0


@needs_fuse
def test_the_end_of_the_mount_ends_its_readers(mount, data):
    (data / "endless.sql").write_text(endless(data))
    m = mount(path=data)
    reader = subprocess.Popen(["cat", m / "endless.csv"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    held = os.open(m / "notes.txt", os.O_RDONLY)
    time.sleep(1)
    start = time.monotonic()
    assert m.stop() == 0
    assert reader.wait(timeout=10) == 1
    assert time.monotonic() - start < 5
    assert not is_mounted(m.path)
    assert error_of(os.fstat, held) == errno.ENOTCONN
    with contextlib.suppress(OSError):
        os.close(held)


@needs_fuse
def test_what_a_killed_weir_left_is_explained_to_the_next_one(db, mount, data):
    m = mount(path=data)
    m.process.kill()
    m.process.wait(timeout=10)
    assert error_of(os.listdir, m.path) == errno.ENOTCONN
    result = db.run("mount", m.path, data)
    assert result.returncode == 1
    assert "the weir that served it has ended" in result.stderr and f"fusermount3 -u {m.path}" in result.stderr
    unmount(m.path)
    again = mount(path=data, at=m.path)
    assert (again / "notes.txt").read_text() == "plain\n"


@needs_fuse
def test_a_second_mount_at_the_same_place_is_refused(db, mount, data):
    m = mount(path=data)
    result = db.run("mount", m.path, data)
    assert result.returncode == 1 and "is mounted at" in result.stderr and "already" in result.stderr
    assert (m / "notes.txt").read_text() == "plain\n"


@needs_fuse
def test_a_mount_below_its_own_tree_does_not_wait_for_itself(mount, data):
    (data / "inside").mkdir()
    m = mount(path=data, at=data / "inside")
    assert (data / "inside" / "notes.txt").read_text() == "plain\n"
    assert "inside" in os.listdir(m.path)
    with pytest.raises(OSError):
        os.listdir(m / "inside")
    with pytest.raises(OSError):
        os.stat(m / "inside" / "notes.txt")
    assert (m / "people.csv").read_text() == "id,name\n1,Ada\n2,Bo\n"


@needs_fuse
def test_daemon_returns_when_the_mount_stands(db, mount, data):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-mount-"))
    try:
        result = db.run("mount", "--daemon", directory, data)
        assert result.returncode == 0, result.stderr
        assert (directory / "notes.txt").read_text() == "plain\n"
        pids = [
            int(entry.name)
            for entry in pathlib.Path("/proc").iterdir()
            if entry.name.isdigit() and str(directory).encode() in _command_line(entry).split(b"\0")
        ]
        assert len(pids) == 1
        subprocess.run(["umount", directory], check=True, timeout=10) if os.geteuid() == 0 else unmount(directory)
        end = time.monotonic() + 20
        while pathlib.Path(f"/proc/{pids[0]}").exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert not pathlib.Path(f"/proc/{pids[0]}").exists()
    finally:
        unmount(directory)
        shutil.rmtree(directory, ignore_errors=True)


def _command_line(entry):
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


@needs_fuse
def test_daemon_that_cannot_mount_fails_in_the_foreground(db, data, tmp_path):
    (tmp_path / "m").mkdir()
    result = db.run("mount", "--daemon", tmp_path / "m", data / "notes.txt")
    assert result.returncode == 1 and "is no directory" in result.stderr


@needs_fuse
@pytest.mark.parametrize("args, code, words", [
    (["nowhere"], 1, ["cannot mount at nowhere", "No such file"]),
    (["m", "data/nothing"], 1, ["data/nothing"]),
    (["m", "data/notes.txt"], 1, ["notes.txt", "is no directory"]),
    (["data/notes.txt"], 1, ["Not a directory"]),
    ([], 2, ["needs the directory to mount at"]),
    (["m", "data", "more"], 2, ["one argument too many"]),
    (["m", "data", "--encoding", "parket"], 2, ["parket", "did you mean", "parquet"]),
    (["m", "data", "--encoding", "csv,"], 2, ["unknown encoding"]),
])
def test_wrong_usage_is_told(db, data, tmp_path, args, code, words):
    (tmp_path / "m").mkdir()
    result = db.run("mount", *args)
    assert result.returncode == code, result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert os.listdir(tmp_path / "m") == []


def test_a_machine_without_fuse_is_told_so(weir, data, tmp_path):
    (tmp_path / "m").mkdir()
    hidden = "mount -t tmpfs none /dev && exec " + " ".join([weir, "mount", str(tmp_path / "m"), str(data)])
    result = subprocess.run(["unshare", "--mount", "sh", "-c", hidden], capture_output=True, text=True, timeout=30)
    if "unshare" in result.stderr or "mount:" in result.stderr.splitlines()[0]:
        pytest.skip("/dev/fuse cannot be hidden from a program here")
    assert result.returncode == 1
    assert "FUSE is not available: there is no /dev/fuse" in result.stderr
