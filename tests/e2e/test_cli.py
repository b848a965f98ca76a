# SPDX-License-Identifier: Apache-2.0
"""The program's commands and flags, each run as a user runs it: with pipes, not a terminal."""

import json
import os
import signal
import stat
import subprocess
import time

import pytest

ENDLESS = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000000) b"


class Runner:
    """Runs the program in a directory of its own, under a home of its own."""

    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def start(self, *arguments, **options):
        return subprocess.Popen(
            [self.program, *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def __call__(self, *arguments, stdin=None, code=0):
        """Runs to the end, checks the exit code, and gives standard output as text."""
        done = self.result(*arguments, stdin=stdin)
        assert done.returncode == code, done.stderr.decode()
        return done.stdout.decode()

    def result(self, *arguments, stdin=None):
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.directory,
            env=self.environment,
            input=b"" if stdin is None else stdin.encode(),
            capture_output=True,
            timeout=60,
        )

    def error(self, *arguments, code=1, stdin=None):
        """Runs to a failure, checks its exit code, and gives standard error."""
        done = self.result(*arguments, stdin=stdin)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stderr.decode()


@pytest.fixture
def run(weir, tmp_path):
    (tmp_path / "people.csv").write_text('id,name,score\n1,Ada,1.5\n2,"Bö\nb",\n3,漢字,20\n')
    return Runner(weir, tmp_path)


# ---- Formats ----


def test_a_table_is_aligned_by_display_width_and_numbers_are_at_the_right(run):
    assert run("sql", "SELECT * FROM 'people.csv'") == (
        "+----+------+-------+\n"
        "| id | name | score |\n"
        "+----+------+-------+\n"
        "|  1 | Ada  |   1.5 |\n"
        "|  2 | Bö  ↵|  NULL |\n"
        "|    | b    |       |\n"
        "|  3 | 漢字 |  20.0 |\n"
        "+----+------+-------+\n"
    )


def test_a_box_has_a_line_of_types(run):
    assert run("sql", "--format", "box", "SELECT 1 AS n, 'x' AS t") == (
        "┌───────┬─────────┐\n"
        "│     n │ t       │\n"
        "│ int64 │ varchar │\n"
        "├───────┼─────────┤\n"
        "│     1 │ x       │\n"
        "└───────┴─────────┘\n"
    )


def test_markdown_escapes_bars_and_aligns_numbers(run):
    assert run("sql", "--format", "markdown", "SELECT 12 AS n, 'a|b' AS t") == (
        "|   n | t    |\n|----:|------|\n|  12 | a\\|b |\n"
    )


def test_line_gives_one_value_a_line(run):
    assert run("sql", "--format", "line", "SELECT id, name FROM 'people.csv' LIMIT 2") == (
        "  id = 1\nname = Ada\n\n  id = 2\nname = Bö\\nb\n"
    )


def test_csv_keeps_line_breaks_and_writes_null_as_nothing(run):
    out = run("sql", "--format", "csv", "SELECT * FROM 'people.csv'")
    assert out == 'id,name,score\n1,Ada,1.5\n2,"Bö\nb",\n3,漢字,20.0\n'


def test_null_text_and_missing_header_apply_to_csv_and_table(run):
    sql = "SELECT NULL AS a, 1 AS b"
    assert run("sql", "--format", "csv", "--null", "-", "--no-header", sql) == "-,1\n"
    assert run("sql", "--null", "-", "--no-header", sql) == "+---+---+\n| - | 1 |\n+---+---+\n"


def test_json_is_an_array_and_jsonl_a_line_for_each_row(run):
    sql = "SELECT * FROM (VALUES (1, 'x'), (2, NULL)) t(a, b)"
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert json.loads(run("sql", "--format", "json", sql)) == rows
    assert [json.loads(line) for line in run("sql", "--format", "jsonl", sql).splitlines()] == rows


def test_control_characters_never_reach_the_terminal(run):
    out = run("sql", "SELECT chr(27) || '[31m' AS a")
    assert "\x1b" not in out and "\\x1b[31m" in out


def test_a_value_with_line_breaks_takes_several_lines(run):
    sql = "SELECT * FROM (VALUES (1, 'a' || chr(10) || 'bcd'), (2, NULL), (3, chr(10) || 'e|' || chr(10))) t(n, text)"
    assert run("sql", sql).splitlines() == [
        "+---+------+",
        "| n | text |",
        "+---+------+",
        "| 1 | a   ↵|",
        "|   | bcd  |",
        "| 2 | NULL |",
        "| 3 |     ↵|",
        "|   | e|  ↵|",
        "+---+------+",
    ]
    assert "text = a\\nbcd\n" in run("sql", "--format", "line", sql)
    assert "| \\ne\\|\\n |" in run("sql", "--format", "markdown", sql)


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 99, 100])
def test_max_rows_shows_the_head_and_the_tail_and_says_how_many_are_left_out(run, limit):
    out = run("sql", "--max-rows", str(limit), "--set", "datafusion.execution.batch_size=7",
              "SELECT value AS v FROM generate_series(1, 100) t(value)")
    shown = [line.strip("| ") for line in out.splitlines() if line.startswith("|")][1:]
    head = limit - limit // 2
    expected = [str(i) for i in range(1, head + 1)]
    if limit < 100:
        left = 100 - limit
        expected.append(f"… {left} row{'s' if left > 1 else ''} …")
    expected += [str(i) for i in range(101 - (limit - head), 101)]
    assert shown == expected


def test_all_rows_are_printed_when_it_is_no_terminal(run):
    out = run("sql", "--no-header", "SELECT value FROM generate_series(1, 5000) t(value)")
    shown = [int(line.strip("| ")) for line in out.splitlines() if "|" in line]
    assert shown == list(range(1, 5001))


def test_a_result_without_rows_still_has_its_columns(run):
    assert run("sql", "--format", "csv", "SELECT 1 AS a, 2 AS b WHERE false") == "a,b\n"


# ---- Statements ----


def test_statements_run_in_order_and_those_without_rows_print_nothing(run):
    out = run("sql", "--format", "csv",
              "CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2);"
              "SELECT sum(a) AS s FROM t")
    assert out == "s\n3\n"


def test_commands_and_files_run_in_the_order_given(run):
    (run.directory / "b.sql").write_text("SELECT 2 AS b")
    out = run("sql", "--format", "csv", "-c", "SELECT 1 AS a", "-f", "b.sql", "-cSELECT 3 AS c")
    assert out == "a\n1\nb\n2\nc\n3\n"


def test_a_script_on_standard_input_may_hold_dot_commands(run):
    script = "-- a remark; with a semicolon\n.mode csv\nSELECT 'a;b' AS x;\nSELECT 2 AS y"
    assert run(stdin=script) == "x\na;b\ny\n2\n"
    assert run("sql", stdin="SELECT 1 AS a", code=0).count("|") == 4


def test_a_script_stops_at_the_first_failure(run):
    (run.directory / "s.sql").write_text("SELECT 1 AS a;\nSELECT nope;\nSELECT 3 AS c;\n")
    done = run.result("sql", "--format", "csv", "-f", "s.sql")
    assert (done.returncode, done.stdout) == (1, b"a\n1\n")
    assert b"s.sql:2: SELECT nope;" in done.stderr


def test_keep_going_runs_the_rest_and_still_fails(run):
    (run.directory / "s.sql").write_text("SELECT 1 AS a;\nSELECT nope;\nSELECT 3 AS c;\n")
    done = run.result("sql", "--keep-going", "--format", "csv", "-f", "s.sql")
    assert (done.returncode, done.stdout) == (1, b"a\n1\nc\n3\n")


def test_an_error_points_at_its_place(run):
    lines = run.error("sql", "SELECT 1,\n  nope FROM 'people.csv'").splitlines()
    assert lines[0].startswith("error: ")
    assert lines[-2] == "LINE 2:   nope FROM 'people.csv'"
    assert lines[-1] == " " * len("LINE 2:   ") + "^"
    assert "(42703)" in "".join(lines)


def test_results_printed_before_an_error_stay(run):
    done = run.result("sql", "--format", "csv", "SELECT 1 AS a; SELEC")
    assert done.stdout == b"a\n1\n" and done.returncode == 1 and b"42601" in done.stderr


# ---- Parameters and tables ----


def test_parameters_are_typed_by_how_they_read(run):
    out = run("sql", "--format", "jsonl",
              "--param", "i=42", "--param", "d=12.50", "--param", "b=true", "--param", "n=null",
              "--param", "t=hello=x", "--param", "zip=007", "--param", "q='12'", "--param", "f=1e3",
              "SELECT arrow_typeof($i) AS i, arrow_typeof($d) AS d, $b AS b, $n AS n, $t AS t,"
              " $zip AS zip, $q AS q, $f AS f")
    assert json.loads(out) == {"i": "Int64", "d": "Decimal128(4, 2)", "b": True, "n": None,
                               "t": "hello=x", "zip": "007", "q": "12", "f": 1000.0}


def test_a_parameter_is_cast_to_the_type_of_its_column(run):
    out = run("sql", "--format", "csv", "--param", "1=2.0",
              "SELECT name FROM 'people.csv' WHERE id < $1")
    assert out == "name\nAda\n"


def test_a_parameter_without_a_value_is_an_error_that_says_how_to_give_one(run):
    assert "--param who=VALUE" in run.error("sql", "SELECT $who")


def test_a_parameter_that_no_statement_has_is_warned_of(run):
    done = run.result("sql", "--param", "x=1", "SELECT 1 AS a")
    assert done.returncode == 0 and b"no statement has a parameter $x" in done.stderr


def test_a_table_can_be_named_on_the_command_line(run):
    out = run("sql", "--table", "p=people.csv", "--format", "csv", "SELECT max(id) AS m FROM p")
    assert out == "m\n3\n"


# ---- Output files ----


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.json", "o.parquet", "o.arrow", "o.tsv"])
def test_an_output_file_takes_its_format_from_its_extension(run, name):
    run("sql", "-o", name, "SELECT 1 AS a, 'x' AS b")
    assert run("sql", "--format", "csv", f"SELECT * FROM '{name}'") == "a,b\n1,x\n"


def test_an_output_file_of_unknown_extension_needs_a_format(run):
    assert "give --format" in run.error("sql", "-o", "o.dat", "SELECT 1", code=2)
    run("sql", "-o", "o.dat", "--format", "csv", "SELECT 1 AS a")
    assert (run.directory / "o.dat").read_text() == "a\n1\n"


def test_a_failure_leaves_the_old_output_file_as_it_was(run):
    (run.directory / "o.csv").write_text("old\n")
    before = sorted(os.listdir(run.directory))
    run.error("sql", "-o", "o.csv",
              "SELECT CAST(CASE WHEN value = 60000 THEN 'x' ELSE '1' END AS INT) AS a"
              " FROM generate_series(1, 60000) t(value)")
    assert (run.directory / "o.csv").read_text() == "old\n"
    assert sorted(os.listdir(run.directory)) == before


def test_an_output_file_keeps_its_mode_and_its_link(run):
    target = run.directory / "target.csv"
    target.write_text("old\n")
    target.chmod(0o640)
    (run.directory / "link.csv").symlink_to("target.csv")
    run("sql", "-o", "link.csv", "SELECT 1 AS a")
    assert (run.directory / "link.csv").is_symlink()
    assert target.read_text() == "a\n1\n" and stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_binary_file_takes_one_result(run):
    error = run.error("sql", "-o", "o.parquet", "SELECT 1 AS a; SELECT 2 AS b")
    assert "holds one result" in error and not (run.directory / "o.parquet").exists()


def test_an_unwritable_place_is_named(run):
    assert "nowhere/o.csv" in run.error("sql", "-o", "nowhere/o.csv", "SELECT 1 AS a")


def test_a_full_disk_is_an_error(run):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    error = run.error("sql", "-o", "/dev/full", "--format", "csv", "SELECT 1 AS a")
    assert "No space left" in error


# ---- Ends ----


def test_a_reader_that_goes_away_ends_the_program_quietly(run):
    process = run.start("sql", "--format", "csv", ENDLESS.replace("count(*)", "*"))
    assert process.stdout.readline() == b"value,value\n"
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert process.stderr.read() == b""


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_and_leaves_nothing_behind(run, number, code):
    before = sorted(os.listdir(run.directory))
    process = run.start("sql", "-o", "o.csv", ENDLESS.replace("count(*)", "*"))
    deadline = time.monotonic() + 20
    while sorted(os.listdir(run.directory)) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(timeout=10) == code
    assert sorted(os.listdir(run.directory)) == before
    assert b"interrupted" in process.stderr.read()


def test_a_statement_over_its_time_is_cancelled_with_57014(run):
    start = time.monotonic()
    error = run.error("sql", "--timeout", "300ms", ENDLESS)
    assert "57014" in error and "--timeout" in error
    assert time.monotonic() - start < 10


# ---- Wrong usage ----


@pytest.mark.parametrize("arguments,expected", [
    (["sql", "--fromat", "csv", "SELECT 1"], 'did you mean "--format"?'),
    (["sql", "--format", "jsno", "SELECT 1"], 'did you mean "json"?'),
    (["sqll"], 'did you mean "sql"?'),
    (["SELECT 1"], "weir sql"),
    (["sql", "--max-rows", "x", "SELECT 1"], "--max-rows takes N"),
    (["sql", "--memory-limit", "5x", "SELECT 1"], "--memory-limit takes SIZE"),
    (["sql", "--timeout", "soon", "SELECT 1"], "--timeout takes TIME"),
    (["sql", "--param", "x", "SELECT 1"], "NAME=VALUE"),
    (["sql", "--format"], "--format takes FORMAT"),
    (["sql", "--timing=1", "SELECT 1"], "takes no value"),
    (["sql", "SELECT 1", "SELECT 2"], "one argument too many"),
    (["cat"], "needs a path"),
    (["ls", "--bytes"], "has no flag --bytes"),
    (["cp"], "needs FROM and TO"),
    (["cp", "a"], 'needs TO after "a"'),
    (["rm", "-r"], "needs a path"),
    (["mkdir", ""], "a path is empty"),
    (["cat", "--bytes", "--format", "box", "x"], "--bytes takes the format of a file"),
    (["ls", "-lz"], "unknown flag"),
    (["sql", "--workspace", "nowhere", "SELECT 1"], "nowhere"),
    (["sql", "-z", "SELECT 1"], "unknown flag"),
])
def test_wrong_usage_says_what_is_wrong_and_exits_with_2(run, arguments, expected):
    done = run.result(*arguments)
    assert done.returncode == 2 and done.stdout == b""
    assert expected in done.stderr.decode()


# ---- cat, describe, ls, version ----


def test_cat_prints_a_table_as_csv_and_a_plain_file_as_it_is(run):
    (run.directory / "notes").write_bytes(b"\x00plain\xff")
    run("sql", "-o", "p.parquet", "SELECT 1 AS a")
    assert run("cat", "p.parquet") == "a\n1\n"
    assert run("cat", "--format", "jsonl", "p.parquet") == '{"a":1}\n'
    assert run.result("cat", "notes").stdout == b"\x00plain\xff"


def test_cat_bytes_gives_a_tables_own_bytes(run):
    original = (run.directory / "people.csv").read_bytes()
    assert run.result("cat", "--bytes", "people.csv").stdout == original


def test_cat_sql_queries_the_path_as_data(run):
    assert run("cat", "people.csv", "--sql", "SELECT count(*) AS n FROM data") == "n\n3\n"


def test_cat_of_nothing_says_so(run):
    assert "no such file" in run.error("cat", "nothing.txt")
    error = run.error("cat", "nothing")
    assert 'no table "nothing"' in error and "no file here has that name either" in error


def test_describe_tells_columns_and_facts(run):
    run("sql", "-o", "p.parquet",
        "SELECT value AS a, 'x' AS b FROM generate_series(1, 1234) t(value)")
    out = run("describe", "p.parquet")
    assert "encoding     parquet" in out and "rows         1,234" in out
    rows = run("describe", "--format", "csv", "p.parquet").splitlines()
    assert rows[0] == "column_name,data_type,nullable,null_count,min,max,exact"
    assert rows[1].startswith("a,int64,") and rows[1].endswith(",0,1,1234,yes")
    assert rows[2].startswith("b,varchar,")


def test_describe_of_a_directory_counts_its_rows(run):
    (run.directory / "d").mkdir()
    for name in ("one", "two"):
        run("sql", "-o", f"d/{name}.parquet", "SELECT 1 AS a")
    assert "rows         2" in run("describe", "d")


def test_ls_lists_a_directory_and_with_tables_the_top_of_the_tree(run):
    (run.directory / "sub").mkdir()
    assert run("ls") == "people.csv\nsub/\n"
    here, top = run("ls", "--table", "t=people.csv").split("\n\n")
    assert here == ".:\npeople.csv\nsub/"
    assert top.startswith("/:\n") and "weir/" in top.splitlines()
    assert run("ls", "--table", "t=people.csv", "/weir/public") == "t\n"
    assert run("ls", "sub") == ""
    rows = json.loads(run("ls", "-l", "--format", "json", "."))
    assert [(row["name"], row["kind"]) for row in rows] == [("people.csv", "csv"),
                                                            ("sub", "directory")]
    assert rows[0]["size"] == (run.directory / "people.csv").stat().st_size


def test_ls_of_nothing_fails(run):
    assert "nothing" in run.error("ls", "nothing")


def test_version_names_weir_engine_and_compiler(run):
    lines = run("version").splitlines()
    assert [line.split()[0] for line in lines] == ["weir", "engine", "compiler"]
    assert "DataFusion" in lines[1]
    assert run("--version").splitlines() == lines


@pytest.mark.parametrize("command", [[], ["sql"], ["cat"], ["describe"], ["ls"], ["version"],
                                     ["cp"], ["mv"], ["rm"], ["mkdir"]])
def test_help_names_every_flag_of_a_command(run, command):
    out = run(*command, "--help")
    assert out.startswith("Usage: weir") and "--help" in out


# ---- Settings, limits, workspaces ----


def test_set_changes_a_setting_and_an_unknown_one_is_an_error(run):
    out = run("sql", "--set", "datafusion.execution.batch_size=123", "--format", "csv",
              "SHOW datafusion.execution.batch_size")
    assert out.splitlines()[1].endswith(",123")
    assert "no.such" in run.error("sql", "--set", "no.such=1", "SELECT 1")


def test_a_memory_limit_is_kept(run):
    error = run.error("sql", "--memory-limit", "1MiB", "--threads", "1",
                      "SELECT a.value, count(*) FROM generate_series(1, 3000000) a(value)"
                      " JOIN generate_series(1, 3000000) b(value) ON a.value = b.value GROUP BY 1")
    assert "53200" in error


def test_timing_goes_to_standard_error(run):
    done = run.result("sql", "--timing", "--format", "csv", "SELECT 1 AS a")
    assert done.stdout == b"a\n1\n" and b"Time: " in done.stderr and b"(1 row)" in done.stderr


def test_a_workspace_keeps_its_tables_and_is_found_from_below(run):
    (run.directory / "weir.yaml").write_text("# nothing yet\n")
    (run.directory / "below").mkdir()
    run("sql", "CREATE VIEW v AS SELECT 7 AS a")
    below = Runner(run.program, run.directory / "below")
    assert below("sql", "--format", "csv", "SELECT a FROM v") == "a\n7\n"
    assert run("sql", "--workspace", ".", "--format", "csv", "SELECT a FROM v") == "a\n7\n"


def test_an_unknown_configuration_key_is_refused_with_file_and_line(run):
    (run.directory / "weir.yaml").write_text("# fine\n\nmemory_limt: 2GiB\n")
    assert "weir.yaml:3:" in run.error("sql", "SELECT 1", code=2)
