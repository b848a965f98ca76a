# SPDX-License-Identifier: Apache-2.0
"""Memory limits: a statement ends well or with a clear error, the process stays small, and nothing is left on the disk."""

import re
import subprocess

import pytest

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


def run_measured(db, sql, limit, spill):
    """Runs it and gives the result with the peak resident set size in bytes."""
    process = subprocess.Popen(
        [PROGRAM, "sql", "--memory-limit", limit, "--format", "csv", sql],
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


def test_impossible_limit_is_refused(db):
    result = db.run("sql", "--memory-limit", "lots", "SELECT 1")
    assert result.returncode == 2
    assert "lots" in result.stderr


def test_limit_is_not_felt_by_a_small_statement(db):
    assert db.rows("SELECT sum(value) FROM range(1000000)", "--memory-limit", "32MiB") == [(499999500000,)]
