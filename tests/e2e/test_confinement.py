# SPDX-License-Identifier: Apache-2.0
"""
Nothing leads out of a mount: no spelling of a path, no link, no race. Outside lies a canary, and whatever
is asked for, its text never comes out, nothing outside is changed, and nothing new is there.
"""

import ctypes
import os
import shutil
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROGRAM, ROOT, Weir

sys.path.insert(0, str(ROOT / "bench"))
import weir_ctypes  # noqa: E402

LIBRARY = os.path.join(os.path.dirname(PROGRAM), "src/libweir.so")
CANARY = "canary-7f3a"
WITHIN = "within-52c1"


class Confined:
    """A workspace whose mount `m` is the directory m/root; everything around it is outside."""

    def __init__(self, directory):
        self.directory = directory
        self.outside = directory / "outside"
        self.root = self.outside / "root"
        self.workspace = directory / "workspace"
        for path in (self.root / "deep" / "er", self.outside / "tables", self.workspace):
            path.mkdir(parents=True)
        for path in (self.outside, self.outside / "tables", self.outside / "root-and-more"):
            path.mkdir(exist_ok=True)
            self.write(path, CANARY)
        for path in (self.root, self.root / "deep", self.root / "deep" / "er"):
            self.write(path, WITHIN, "own")
        self.make_links()
        (self.workspace / "weir.yaml").touch()
        self.program = Weir(self.workspace)
        self.program.ok("ATTACH '../outside/root' AS m")
        self.before = self.state()

    @staticmethod
    def write(directory, text, name="secret"):
        (directory / f"{name}.csv").write_text(f"word\n{text}\n")
        (directory / f"{name}.txt").write_text(text)
        (directory / f"{name}.sql").write_text(f"SELECT '{text}' AS word\n")
        pq.write_table(pa.table({"word": [text]}), directory / f"{name}.parquet")

    def make_links(self):
        links = {
            "relative.csv": "../secret.csv",
            "absolute.csv": self.outside / "secret.csv",
            "chain1.csv": "chain2.csv",
            "chain2.csv": "deep/chain3.csv",
            "deep/chain3.csv": "../../secret.csv",
            "parent": "..",
            "up": "deep/../..",
            "directory": self.outside / "tables",
            "machine": "/",
            "proc": "/proc/self/root",
            "sibling": "../root-and-more",
            "link.sql": "../secret.sql",
            "link.txt": "../secret.txt",
            "back": f"../{self.root.name}",  # out and in again
            "loop": "loop",
        }
        for name, target in links.items():
            (self.root / name).symlink_to(target)

    def state(self):
        """What lies outside of the root, with its bytes."""
        found = {}
        for path in sorted(self.outside.rglob("*")):
            if self.root not in path.parents and path.is_file():
                found[str(path)] = path.read_bytes()
            elif self.root not in path.parents:
                found[str(path)] = None
        return found

    def nothing_came_out(self, result):
        text = result.stdout + result.stderr
        assert CANARY not in text, f"{result.args}\n{text}"
        assert "panicked" not in result.stderr
        assert result.returncode >= 0, f"{result.args} died"

    def nothing_changed(self):
        assert self.state() == self.before
        copies = [p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink()]
        copies += [p for p in self.workspace.rglob("*") if p.is_file()]
        assert [p for p in copies if CANARY.encode() in p.read_bytes()] == []


@pytest.fixture(scope="module")
def confined(tmp_path_factory):
    return Confined(tmp_path_factory.mktemp("confined"))


# Below the mount, and the way out that each tries.
SPELLINGS = [
    "../secret.csv",
    "../secret.parquet",
    "../secret.sql",
    "../secret",
    "deep/../../secret.csv",
    "deep/er/../../../secret.csv",
    "./../secret.csv",
    ".//..//secret.csv",
    "../root/../secret.csv",
    "../../outside/secret.csv",
    "../root-and-more/secret.csv",
    "../tables/",
    "../tables/*.csv",
    "../*.csv",
    "..",
    "../..",
    "*/../../secret.csv",
    "**/../../secret.csv",
    "deep/**/../../../secret.csv",
    "..%2fsecret.csv",
    "%2e%2e/secret.csv",
    "%2e%2e%2fsecret.csv",
    "..%5csecret.csv",
    "..\\secret.csv",
    "..\u2215secret.csv",
    "\uff0e\uff0e/secret.csv",
    "..;/secret.csv",
    "....//secret.csv",
    ".. /secret.csv",
    "relative.csv",
    "absolute.csv",
    "chain1.csv",
    "deep/chain3.csv",
    "parent/secret.csv",
    "parent/*.csv",
    "parent/",
    "up/secret.csv",
    "directory/secret.csv",
    "directory/",
    "directory/*.parquet",
    "directory",
    "sibling/secret.parquet",
    "machine{outside}/secret.csv",
    "proc{outside}/secret.csv",
    "link.sql",
    "link.txt",
    "link",
    "loop/secret.csv",
    "*.csv",
    "**/*.csv",
    "**/secret.csv",
    "*/secret.parquet",
    "{outside}/secret.csv",
    "/{outside}/secret.csv",
    "file://{outside}/secret.csv",
    "root/../../secret.csv",
    "deep/\x01../secret.csv",
    "{long}/../../secret.csv",
    "{deep}secret.csv",
]


def spelled(confined, text):
    long, deep = "x" * 5000, "../" * 3000
    return text.replace("{outside}", str(confined.outside)).replace("{long}", long).replace("{deep}", deep)


def test_there_are_at_least_forty_spellings():
    assert len(set(SPELLINGS)) >= 40


def test_the_mount_itself_is_read(confined):
    """Else the rest would prove nothing."""
    for path in ("/m/own.csv", "/m/own.parquet", "/m/own.sql", "/m/deep/own.csv", "/m/deep/../own.csv", "/m/deep/er/*.csv"):
        assert WITHIN in confined.program.ok(f"SELECT * FROM '{path}'"), path
    assert WITHIN in confined.program.ok('SELECT * FROM m."deep/er"."own.csv"')


def test_an_escape_is_refused_by_name(confined):
    error = confined.program.fail("SELECT * FROM '/m/relative.csv'", "relative.csv")
    assert "leads out of" in error


# Each door with its text around the spelling: what it reads must not be the canary.
def quoted(text):
    return text.replace("'", "''")


READS = {
    "quoted path": lambda m, s: ("sql", f"SELECT * FROM '/m/{quoted(s)}'"),
    "double quotes": lambda m, s: ("sql", 'SELECT * FROM "/m/{}"'.format(s.replace('"', '""'))),
    "schema and table": lambda m, s: (
        "sql",
        'SELECT * FROM m."{}"."{}"'.format(*(part.replace('"', '""') for part in (os.path.dirname(s), os.path.basename(s)))),
    ),
    "table of the root": lambda m, s: ("sql", 'SELECT * FROM m.".".' + '"{}"'.format(s.replace('"', '""'))),
    "table of the mount": lambda m, s: ("sql", 'SELECT * FROM m."{}"'.format(s.replace('"', '""'))),
    "cat": lambda m, s: ("cat", f"/m/{s}"),
    "cat --bytes": lambda m, s: ("cat", "--bytes", f"/m/{s}"),
    "describe": lambda m, s: ("describe", f"/m/{s}"),
    "ls": lambda m, s: ("ls", "-l", f"/m/{s}"),
    "cp from": lambda m, s: ("cp", f"/m/{s}", "taken.csv"),
}


@pytest.mark.parametrize("door", READS)
def test_no_spelling_reads_what_is_outside(confined, door):
    for spelling in SPELLINGS:
        if door in ("describe", "ls") and CANARY in spelling:
            continue
        result = confined.program.run(*READS[door](confined, spelled(confined, spelling)))
        confined.nothing_came_out(result)
        if door == "ls":
            assert "secret" not in result.stdout, spelling
        taken = confined.workspace / "taken.csv"
        if taken.exists():
            assert CANARY.encode() not in taken.read_bytes(), spelling
            taken.unlink()
    confined.nothing_changed()


@pytest.mark.parametrize("place", ["text", "pattern", "input"])
def test_no_sql_file_reads_what_is_outside(confined, place):
    """A .sql file speaks of paths beside it, in its text and in its front matter."""
    file = confined.root / "reads.sql"
    try:
        for spelling in SPELLINGS:
            text = quoted(spelled(confined, spelling))
            if text.startswith("/") or "://" in text:
                continue  # no path of the mount
            if place == "input":
                file.write_text(f"-- input x: {spelled(confined, spelling)}\nSELECT * FROM x\n")
            elif place == "text":
                file.write_text(f"SELECT * FROM '{text}'\n")
            else:
                file.write_text(f"SELECT * FROM '{os.path.dirname(text) or '.'}/*'\n")
            confined.nothing_came_out(confined.program.run("sql", "SELECT * FROM '/m/reads.sql'"))
            confined.nothing_came_out(confined.program.run("cat", "--bytes", "/m/reads.csv"))
    finally:
        file.unlink()
    confined.nothing_changed()


WRITES = {
    "COPY": lambda s: ("sql", f"COPY (SELECT 1 AS a) TO '/m/{quoted(s)}' (FORMAT csv, OVERWRITE true)"),
    "COPY of parts": lambda s: (
        "sql", f"COPY (SELECT 1 AS a, 2 AS b) TO '/m/{quoted(s)}' (FORMAT csv, PARTITION_BY (b), OVERWRITE true)"),
    "cp": lambda s: ("cp", "--overwrite", "/m/own.csv", f"/m/{s}"),
    "mv": lambda s: ("mv", "--overwrite", "/m/moved.csv", f"/m/{s}"),
    "mv from": lambda s: ("mv", f"/m/{s}", "/m/moved.csv"),
    "rm": lambda s: ("rm", f"/m/{s}"),
    "rm -r": lambda s: ("rm", "-r", f"/m/{s}"),
    "mkdir": lambda s: ("mkdir", f"/m/{s}/new"),
    "mkdir -p": lambda s: ("mkdir", "-p", f"/m/{s}/new/er"),
    "CREATE TABLE": lambda s: ("sql", f"CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/m/{quoted(s)}'; INSERT INTO t VALUES ('x')"),
}


@pytest.mark.parametrize("door", WRITES)
def test_no_spelling_changes_what_is_outside(tmp_path, door):
    confined = Confined(tmp_path)
    for spelling in SPELLINGS:
        (confined.root / "moved.csv").write_text("word\nmoved\n")
        result = confined.program.run(*WRITES[door](spelled(confined, spelling)))
        confined.nothing_came_out(result)
        assert confined.state() == confined.before, spelling
        # What stands in the mount itself may go; what is tried next needs it.
        if not (confined.root / "directory").is_symlink() or not (confined.root / "own.csv").exists():
            shutil.rmtree(confined.root)
            (confined.root / "deep" / "er").mkdir(parents=True)
            for path in (confined.root, confined.root / "deep"):
                confined.write(path, WITHIN, "own")
            confined.make_links()
    confined.nothing_changed()


def test_a_text_ends_at_its_nul(confined):
    """Through the library, where a path is a C string; in SQL and on the command line NUL is refused."""
    session = weir_ctypes.Session(LIBRARY, 1, confined.workspace)
    for path in ("/m/own.csv\0/../../secret.csv", "/m/../secret.csv\0.parquet", "/m/\0../secret.csv"):
        try:
            with session.node(path) as node, node.open() as file:
                assert CANARY.encode() not in file.read()
        except weir_ctypes.WeirError as error:
            assert CANARY not in error.message
    session.close()


@pytest.mark.parametrize("target", ["relative", "absolute", "machine", "parent"])
def test_a_link_attached_as_a_mount_leads_to_its_target_only(confined, target):
    """The root may be reached through a link; from there on nothing leads out."""
    entry = confined.workspace / "entry"
    entry.symlink_to("../outside/root/deep")
    try:
        for spelling in ("../secret.csv", "../../secret.csv", "chain3.csv", "er/../../../secret.csv"):
            result = confined.program.run("sql", f"ATTACH 'entry' AS e; SELECT * FROM '/e/{spelling}'")
            confined.nothing_came_out(result)
            assert result.returncode == 1
            confined.program.run("sql", "DETACH e")
    finally:
        entry.unlink()


# ---- Races ----

SWAPS = 2000


def exchange(a, b):
    """Swaps two names in one step (renameat2 with RENAME_EXCHANGE)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), 2) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


@pytest.mark.parametrize("what", ["rows", "bytes", "pattern", "write"])
def test_a_directory_that_becomes_a_link_leads_nowhere(tmp_path, what):
    """Someone swaps a directory and a link to one outside while it is read, 2,000 times."""
    confined = Confined(tmp_path)
    swapped, link = confined.root / "tables", confined.root / "swap"
    swapped.mkdir()
    confined.write(swapped, WITHIN)
    link.symlink_to(confined.outside / "tables")
    session = weir_ctypes.Session(LIBRARY, 2, confined.workspace)
    done, texts = threading.Event(), []

    def swap():
        for _ in range(SWAPS):  # an even number: it ends as it began
            exchange(swapped, link)
            time.sleep(0.0002)
        done.set()

    def attempt(i):
        if what == "rows":
            return str(session.rows("SELECT * FROM '/m/tables/secret.csv'"))
        if what == "pattern":
            return str(session.rows("SELECT * FROM '/m/tables/*.csv'"))
        if what == "bytes":
            with session.node("/m/tables/secret.parquet") as node, node.open() as file:
                return file.read().decode("latin-1")
        session.run(f"COPY (SELECT 1 AS a) TO '/m/tables/new{i}.csv'")
        return ""

    thread = threading.Thread(target=swap)
    thread.start()
    n_read, i = 0, 0
    while not done.is_set() or (n_read < 20 and i < 10_000):
        i += 1
        try:
            texts.append(attempt(i))
            n_read += 1
        except (weir_ctypes.WeirError, pa.ArrowException) as error:
            texts.append(str(error))
    thread.join()
    session.close()
    assert n_read >= 20
    assert [text for text in texts if CANARY in text] == []
    assert confined.state() == confined.before
