# SPDX-License-Identifier: Apache-2.0
"""Memory limits: a statement ends well or with a clear error, the process stays small, and nothing is left on the disk."""

import os
import re
import subprocess

import pyarrow as pa
import pytest

import waiting
from conftest import PROGRAM
from peak import Peak

GIB = 1 << 30

STATEMENTS = {
    "sort": "SELECT count(*) FROM (SELECT l_comment FROM lineitem ORDER BY l_comment, l_extendedprice)",
    "join": "SELECT count(*), sum(o_totalprice) FROM lineitem JOIN orders ON l_orderkey = o_orderkey",
    "wide join": "SELECT count(*) FROM lineitem a JOIN lineitem b ON a.l_orderkey = b.l_orderkey AND a.l_comment < b.l_comment",
    "aggregate": "SELECT count(*) FROM (SELECT l_orderkey, l_partkey, l_suppkey, sum(l_quantity) FROM lineitem GROUP BY 1, 2, 3)",
    "distinct": "SELECT count(DISTINCT l_comment) FROM lineitem",
    "window": "SELECT max(n) FROM (SELECT row_number() OVER (PARTITION BY l_partkey ORDER BY l_extendedprice) AS n FROM lineitem)",
}


def run_measured(db, sql, limit, spill, *args):
    """Runs it and gives the result with the peak resident set size in bytes."""
    process = subprocess.Popen(
        [PROGRAM, "sql", "--memory-limit", limit, "--format", "csv", *args, sql],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=db.directory,
        env={**db.env, "TMPDIR": str(spill)},
    )
    peak = Peak(process)
    out, err = process.communicate()
    return process.returncode, out, err, peak.bytes()


@pytest.mark.parametrize("limit", ["64MiB", "256MiB"])
@pytest.mark.parametrize("name", STATEMENTS)
def test_limited_statement_completes_or_says_so(db, tpch, name, limit):
    spill = db.directory / "spill"
    spill.mkdir()
    sql = re.sub(r"(FROM|JOIN) (lineitem|orders)", rf"\1 '{tpch}/\2.parquet'", STATEMENTS[name])
    code, out, err, peak = run_measured(db, sql, limit, spill)
    if code == 0:
        assert len(out.splitlines()) == 2
    else:
        assert code == 1, err
        assert out == ""
        assert "memory" in err.lower(), err
    assert 0 < peak < GIB, f"{peak / GIB:.2f} GiB"
    assert list(spill.rglob("*")) == []


def test_sort_spills_rather_than_fails(db):
    spill = db.directory / "spill"
    spill.mkdir()
    sql = "SELECT value % 1000003 AS k, value FROM range(6000000) ORDER BY k, value"
    big = db.run("sql", "--format", "csv", sql)
    assert big.returncode == 0, big.stderr
    code, out, err, _ = run_measured(db, sql, "64MiB", spill)
    assert code == 0, err
    assert out == big.stdout
    code, out, err, _ = run_measured(db, "EXPLAIN ANALYZE " + sql, "64MiB", spill)
    assert max(map(int, re.findall(r"spill_count=(\d+)", out))) > 0, out
    assert list(spill.rglob("*")) == []


# Keys that are larger than their rows, and rows that are large.
SORTS = {
    "computed": "SELECT value FROM range(4000000) ORDER BY md5(CAST(value AS VARCHAR))",
    "computed in parts": "SELECT value, value % 5 AS p FROM range(4000000) ORDER BY md5(CAST(value AS VARCHAR))",
    "two numbers": "SELECT value AS a, value % 1000 AS b FROM range(4000000) ORDER BY b DESC NULLS LAST, a",
    "two computed": "SELECT value FROM range(3000000) ORDER BY -(value % 1000), reverse(CAST(value AS VARCHAR)) DESC",
    "list": "SELECT value, make_array(value % 1000, value + 1) AS l FROM range(1500000) ORDER BY l DESC NULLS LAST",
    "truths": "SELECT value % 2 = 0 AS a, value % 3 = 0 AS b, value FROM range(4000000) ORDER BY a, b DESC, value",
    "wide": "SELECT value, repeat(md5(CAST(value AS VARCHAR)), 20) AS s FROM range(200000) ORDER BY s",
    "wide by a number": "SELECT -value AS v, repeat(md5(CAST(value AS VARCHAR)), 20) AS s FROM range(200000) ORDER BY v",
    "many rows first": "SELECT value, md5(CAST(value AS VARCHAR)) AS k FROM range(4000000) ORDER BY k LIMIT 2000000",
}


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("name", SORTS)
def test_any_sort_spills_rather_than_fails(db, name, threads):
    spill = db.directory / "spill"
    spill.mkdir()
    args = ["--threads", threads]
    big = db.run("sql", "--format", "csv", *args, SORTS[name])
    assert big.returncode == 0, big.stderr
    code, out, err, peak = run_measured(db, SORTS[name], "64MiB", spill, *args)
    assert code == 0, err
    assert out == big.stdout
    assert peak < GIB // 2, f"{peak / GIB:.2f} GiB"
    code, out, err, _ = run_measured(db, "EXPLAIN ANALYZE " + SORTS[name], "64MiB", spill, *args)
    assert max(map(int, re.findall(r"spill_count=(\d+)", out))) > 0, out
    assert list(spill.rglob("*")) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT value, md5(CAST(value AS VARCHAR)) AS s FROM range(200000) ORDER BY value % 1000",
        "SELECT a.value, s FROM (SELECT value, md5(CAST(value AS VARCHAR)) AS s FROM range(100000)) b JOIN range(200000) a"
        " ON a.value % 100000 = b.value",
    ],
    ids=["sort", "join"],
)
def test_arrow_holds_no_more_than_its_rows(db, sql):
    db.ok(sql, "--format", "arrow", "-o", "out.arrow")
    with pa.memory_map(str(db.directory / "out.arrow")) as file, pa.ipc.open_file(file) as rows:
        table = rows.read_all()
    assert table.num_rows == 200000 and len(table["s"][0].as_py()) == 32
    # A number, a view and a text.
    assert (db.directory / "out.arrow").stat().st_size < 200000 * (8 + 16 + 2.5 * 32)


def test_a_window_over_all_rows_counts_them(db):
    sql = "SELECT max(r) FROM (SELECT sum(value) OVER (PARTITION BY value % 2) AS r FROM range(5000000))"
    db.fail(sql, "53200", "WindowAggExec", "cannot spill", args=["--memory-limit", "64MiB"])
    assert db.value(sql, "--memory-limit", "512MiB") == 6250000000000


def test_what_a_killed_process_spilled_is_removed_by_the_next(db):
    spill = db.directory / "spill"
    spill.mkdir()
    db.env["TMPDIR"] = str(spill)
    left = spill / f"weir-spill-{os.getpid()}-0"
    sort = ["sql", "--memory-limit", "64MiB", SORTS["computed"].replace("4000000", "200000000")]

    def spilled():
        return [path for path in spill.rglob("*") if path.is_file() and left not in path.parents]

    killed = db.start(*sort)
    waiting.until(spilled, "it spills")
    killed.kill()
    killed.communicate()
    # As in a container, where its number is that of another process that lives.
    (own,) = spill.iterdir()
    own.rename(left)
    running = db.start(*sort)
    try:
        waiting.until(spilled, "it spills")
        assert not left.exists()
        # Nobody takes the files of a process that lives.
        db.ok("SELECT 1")
        assert spilled()
    finally:
        running.kill()
        running.communicate()


def test_impossible_limit_is_refused(db):
    result = db.run("sql", "--memory-limit", "lots", "SELECT 1")
    assert result.returncode == 2
    assert "lots" in result.stderr


def test_limit_is_not_felt_by_a_small_statement(db):
    assert db.rows("SELECT sum(value) FROM range(1000000)", "--memory-limit", "32MiB") == [(499999500000,)]
