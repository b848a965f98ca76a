# SPDX-License-Identifier: Apache-2.0
"""
Sources that are asked for something and do not answer, before there is a row: whoever waits for them ends within a second when the
statement is killed, in threads and in worker processes, whether the source's code sleeps or computes. Others go on.
"""

import signal
import sys
import textwrap
import threading
import time

import pytest
from http_server import HttpServer, until
from python_sources import sources  # noqa: F401  a fixture

SECONDS = 3  # a second on a machine that is busy with other things

SOURCE = """
import os, time

def block(options, where):
    if options.get("where") != where: return
    open(options["mark"], "w").write(str(os.getpid()))
    if options["how"] == "sleep": time.sleep(1000)
    while True: pass

class Slow:
    def infer_schema(self, options):
        block(options, "infer_schema")
        return "n BIGINT"

    def statistics(self, options):
        block(options, "statistics")

    def plan_partitions(self, options):
        block(options, "plan_partitions")
        return [1, 2]

    def read_partition(self, spec, options):
        yield (spec,)

    def write(self, rows, options, overwrite):
        block(options, "write")
"""
ASKED = ("infer_schema", "statistics", "plan_partitions")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    directory = tmp_path_factory.mktemp("slow")
    (directory / "sources.py").write_text(SOURCE)
    env = {"WEIR_PYTHON": sys.executable, "PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"}
    with HttpServer(directory, config="extensions: { python: {} }\nlimits: { statements: 64 }\n", env=env) as server:
        yield server


def table(**options):
    own = "".join(f', "{key}" => \'{value}\'' for key, value in options.items())
    return f"python(python_module => 'sources', python_class => 'Slow'{own})"


def starts(house, mark, sql):
    """A statement that waits for the source: its thread, where its answer will be, and its id."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(house.sql(sql)))
    thread.start()
    until(mark.exists, "the source is asked")
    (found,) = house.rows("SELECT query_id FROM system.queries WHERE finished_at IS NULL AND sql NOT LIKE '%finished_at%'")
    return thread, answers, found[0]


def is_ended_by_kill(house, mark, sql):
    thread, answers, found = starts(house, mark, sql)
    since = time.monotonic()
    assert house.sql(f"KILL QUERY '{found}'").status == 200
    thread.join(20)
    took = time.monotonic() - since
    assert answers and took < SECONDS, took
    assert answers[0].error()["sqlstate"] == "57014", answers[0].body
    assert house.rows(f"SELECT sum(n) AS n FROM {table()}") == [(3,)]


@pytest.mark.parametrize("workers", [0, 2], ids=["threads", "workers"])
@pytest.mark.parametrize("how", ["sleep", "spin"])
@pytest.mark.parametrize("where", ASKED)
def test_a_statement_is_killed_while_its_source_is_asked(house, tmp_path, where, how, workers):
    mark = tmp_path / "mark"
    is_ended_by_kill(house, mark, f"SELECT * FROM {table(where=where, how=how, mark=mark, workers=workers)}")


@pytest.mark.parametrize("workers", [0, 2], ids=["threads", "workers"])
def test_a_table_is_not_made_when_its_statement_is_killed(house, tmp_path, workers):
    mark = tmp_path / "mark"
    options = f"python_module 'sources', python_class 'Slow', where 'infer_schema', how 'sleep', mark '{mark}', workers {workers}"
    is_ended_by_kill(house, mark, f"CREATE TABLE slow USING python OPTIONS ({options})")
    assert house.sql("SELECT * FROM slow").error()["sqlstate"] == "42P01"


def test_a_writer_in_a_worker_is_ended_with_its_statement(house, tmp_path):
    mark = tmp_path / "mark"
    options = f"python_module 'sources', python_class 'Slow', where 'write', how 'sleep', mark '{mark}', workers 1"
    assert house.sql(f"CREATE TABLE written USING python OPTIONS ({options})").status == 200
    is_ended_by_kill(house, mark, "INSERT INTO written VALUES (1)")


def test_code_that_was_left_behind_ends_when_it_runs_again(house, tmp_path):
    """It is not known to weir when; but a loop of Python's ends at once, and takes no processor any more."""
    mark = tmp_path / "mark"
    is_ended_by_kill(house, mark, f"SELECT * FROM {table(where='infer_schema', how='spin', mark=mark)}")
    until(house.is_quiet, "it is quiet")


@pytest.mark.parametrize("workers", [0, 1], ids=["threads", "workers"])
def test_ctrl_c_ends_planning_and_the_program(sources, tmp_path, workers):
    sources.write(textwrap.dedent(SOURCE))
    mark = tmp_path / "mark"
    process = sources.start("sql", f"LOAD python; SELECT * FROM {table(where='plan_partitions', how='sleep', mark=mark, workers=workers)}")
    try:
        until(mark.exists, "the source is asked", 60)
        since = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130, errors
        assert time.monotonic() - since < SECONDS
    finally:
        process.kill()
