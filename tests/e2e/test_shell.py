# SPDX-License-Identifier: Apache-2.0
"""The shell on a terminal of its own, typed into as a user types."""

import os
import re
import signal
import stat
import time

import pexpect
import pytest

PROMPT = "weir> "
MORE = "   ..> "
ENDLESS = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000000) b;"
SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r")


class Shell:
    def __init__(self, program, directory, *arguments, rows=60, columns=100, **environment):
        self.child = pexpect.spawn(
            program, list(arguments), cwd=str(directory), encoding="utf-8", timeout=30,
            dimensions=(rows, columns),
            env={**os.environ, "HOME": str(directory), "XDG_STATE_HOME": str(directory / "state"),
                 "TERM": "xterm", "LANG": "C.UTF-8", "PAGER": "", "NO_COLOR": "1", **environment})

    def wait(self, text=PROMPT):
        """What was printed up to the text, without the terminal's own sequences."""
        self.child.expect_exact(text)
        return SEQUENCES.sub("", self.child.before)

    def run(self, line, until=PROMPT):
        self.child.sendline(line)
        return self.wait(until)

    def keys(self, text, pause=0.5):
        self.child.send(text)
        time.sleep(pause)

    def leave(self):
        self.child.sendline(".quit")
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def shell(weir, tmp_path):
    (tmp_path / "people.csv").write_text("id,name\n1,Ada\n2,\n")
    opened = []

    def start(*arguments, **options):
        opened.append(Shell(weir, tmp_path, *arguments, **options))
        opened[-1].wait()
        return opened[-1]

    yield start
    for each in opened:
        each.child.close(force=True)


def test_a_statement_is_answered_in_a_box_with_a_row_count(shell):
    out = shell().run("SELECT 1 AS n, 'x' AS t;")
    assert "│     n │ t       │" in out and "│ int64 │ varchar │" in out and "(1 row)" in out


def test_a_statement_may_go_over_lines_and_a_line_hold_several(shell):
    s = shell()
    s.run("SELECT 1", MORE)
    out = s.run("  + 2 AS three; SELECT 4 AS four;")
    assert "│     3 │" in out and "│     4 │" in out
    s.run("SELECT 'a;", MORE)
    assert "│ a;      ↵│\n│ b        │\n" in s.run("b';")


def test_an_error_points_at_its_place_and_the_shell_goes_on(shell):
    s = shell()
    out = s.run("SELECT nope FROM 'people.csv';")
    assert "error: " in out and "LINE 1: SELECT nope" in out and "^" in out
    assert "(1 row)" in s.run("SELECT 1;")


def test_ctrl_c_cancels_the_statement_and_not_the_shell(shell):
    s = shell()
    s.child.sendline(ENDLESS)
    time.sleep(1.5)
    start = time.monotonic()
    s.child.sendintr()
    assert "cancelled" in s.wait()
    assert time.monotonic() - start < 5
    assert "(1 row)" in s.run("SELECT 1;")
    assert s.leave() == 0


def test_ctrl_c_drops_the_line_and_what_came_before_it(shell):
    s = shell()
    s.run("SELECT 1,", MORE)
    s.keys("garbage")
    s.child.send("\x03")
    s.wait()
    assert "(1 row)" in s.run("SELECT 2 AS two;")


def test_ctrl_d_leaves(shell):
    s = shell()
    s.child.sendeof()
    s.child.expect(pexpect.EOF)
    s.child.close()
    assert s.child.exitstatus == 0


def test_work_of_more_than_a_second_shows_its_progress_and_takes_it_away(shell):
    s = shell()
    s.child.sendline(ENDLESS)
    s.child.expect(r"rows? read")
    s.child.sendintr()
    s.child.expect(r"\r\x1b\[Kcancelled")


# ---- The last result ----


def test_the_last_result_is_the_table_underscore(shell):
    s = shell()
    s.run("SELECT value AS v FROM generate_series(1, 100) t(value);")
    assert "5050" in s.run("SELECT sum(v) AS s FROM _;")
    assert "5051" in s.run("SELECT s + 1 AS t FROM _;")


def test_listing_tables_leaves_the_last_result_alone(shell):
    s = shell()
    s.run("SELECT 42 AS answer;")
    s.run(".tables")
    assert "42" in s.run("SELECT answer FROM _;")


def test_a_result_too_large_to_keep_says_so_every_time(shell):
    s = shell()
    s.run("SELECT value FROM generate_series(1, 1000001) t(value);")
    for _ in range(2):
        assert "too large to be kept" in s.run("SELECT count(*) FROM _;")
    s.run("SELECT 1 AS one;")
    assert "(1 row)" in s.run("SELECT one FROM _;")


# ---- Commands ----


def test_help_lists_the_commands(shell):
    out = shell().run(".help")
    for name in (".tables", ".schema", ".mode", ".timer", ".maxrows", ".pager", ".output", ".once",
                 ".read", ".nullvalue", ".quit", "\\d", "\\dt", "\\l", "\\x", "\\timing",
                 "\\i", "\\q"):
        assert name in out
    assert ".mode" in shell().run("\\?")


def test_an_unknown_command_names_the_nearest(shell):
    assert 'did you mean ".tables"?' in shell().run(".tabels")


def test_mount_puts_a_directory_under_a_name_and_lists_the_mounts(shell, tmp_path):
    (tmp_path / "my data").mkdir()
    (tmp_path / "my data" / "x.csv").write_text("id\n41\n")
    s = shell()
    s.run(".mount 'my data' AS lake")
    out = s.run(".mount")
    assert "│ lake " in out and "│ system " in out
    assert "│    42 │" in s.run("SELECT id + 1 AS n FROM lake.x;")
    assert "takes a directory and a name" in s.run(".mount lake")


def test_tab_completes_paths_of_the_tree(shell, tmp_path):
    (tmp_path / "data" / "logs").mkdir(parents=True)
    (tmp_path / "data" / "logs" / "monday.csv").write_text("id\n1\n")
    s = shell()
    s.run(".mount data pond")
    s.keys("SELECT * FROM '/pon\t")
    s.keys("lo\t")
    s.keys("mon\t")
    assert "│     1 │" in s.run(";")


def test_mode_nullvalue_and_maxrows_change_the_output(shell):
    s = shell()
    s.run(".mode csv")
    assert "a,b\n1,\n" in s.run("SELECT 1 AS a, NULL AS b;")
    s.run(".nullvalue nix")
    assert "1,nix" in s.run("SELECT 1 AS a, NULL AS b;")
    s.run(".mode table")
    s.run(".maxrows 2")
    out = s.run("SELECT value FROM generate_series(1, 9) t(value);")
    assert "|          1 |\n| … 7 rows … |\n|          9 |\n" in out
    assert 'did you mean "jsonl"?' in s.run(".mode jsonll")


def test_x_turns_one_value_a_line_on_and_off(shell):
    s = shell()
    s.run("\\x")
    assert "  a = 1\nbcd = 2\n" in s.run("SELECT 1 AS a, 2 AS bcd;")
    s.run("\\x")
    assert "│" in s.run("SELECT 1 AS a;")


def test_timer_prints_the_time(shell):
    s = shell()
    assert "on" in s.run("\\timing")
    assert "Time: " in s.run("SELECT 1;")
    s.run(".timer off")
    assert "Time: " not in s.run("SELECT 1;")


def test_tables_and_columns_are_listed(shell):
    s = shell("--table", "people=people.csv")
    assert "people" in s.run(".tables") and "people" in s.run("\\d")
    assert "nothing" not in s.run(".tables nothing%").split("\n", 1)[1]
    s.run("CREATE VIEW v AS SELECT id FROM people;")
    assert "│ v " in s.run("\\d") and "│ v " not in s.run("\\dt")
    assert "name" in s.run("\\d people") and "encoding     csv" in s.run("\\d people.csv")
    assert "id" in s.run(".schema v")
    assert "weir" in s.run("\\l").split("\n", 1)[1]


def test_output_and_once_write_files_whole(shell, tmp_path):
    s = shell()
    s.run(".once one.csv")
    s.run("SELECT 1 AS a;")
    assert (tmp_path / "one.csv").read_text() == "a\n1\n"
    assert "(1 row)" in s.run("SELECT 2 AS b;")
    s.run(".output many.jsonl")
    s.run("SELECT 1 AS a; SELECT 2 AS b;")
    assert not (tmp_path / "many.jsonl").exists()
    s.run(".output")
    assert (tmp_path / "many.jsonl").read_text() == '{"a":1}\n{"b":2}\n'


def test_output_of_a_failed_statement_is_not_written(shell, tmp_path):
    s = shell()
    s.run(".once o.csv")
    out = s.run("SELECT CAST(CASE WHEN value = 60000 THEN 'x' ELSE '1' END AS INT)"
                " FROM generate_series(1, 60000) t(value);")
    assert "o.csv is not written" in out
    assert not [name for name in os.listdir(tmp_path) if "o.csv" in name]


def test_read_runs_a_script_with_commands(shell, tmp_path):
    (tmp_path / "s.sql").write_text(".mode csv\nSELECT 1\n  AS a;\n")
    assert "a\n1\n" in shell().run(".read s.sql")
    (tmp_path / "loop.sql").write_text(".read loop.sql\n")
    assert "too deep" in shell().run("\\i loop.sql")


# ---- Start and history ----


def test_weirrc_is_read_unless_told_not_to(shell, tmp_path):
    (tmp_path / ".weirrc").write_text(".mode csv\nCREATE VIEW mine AS SELECT 5 AS five;\n")
    assert "five\n5\n" in shell().run("SELECT * FROM mine;")
    assert "error" in shell("--no-rc").run("SELECT * FROM mine;")


def test_history_is_kept_across_shells_and_by_line(shell, tmp_path):
    first = shell()
    first.run("SELECT 11", MORE)
    first.run(" AS eleven;")
    assert first.leave() == 0
    path = tmp_path / "state" / "weir" / "history"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = shell()
    second.keys("\x1b[A\x1b[A")
    assert "11" in second.run("") and second.leave() == 0
    assert path.read_text().count("eleven") == 2


# ---- Completion ----


@pytest.mark.parametrize("typed,expected", [
    ("sele\t 1 AS done;", "done"),
    ("SELECT 'x' AS done LIM\t0;", "(0 rows)"),
    ("SELECT count(*) FROM 'peo\t;", "│        2 │"),
    ("SELECT count(*) FROM peop\t;", "│        2 │"),
    ("SELECT max(nam\t) AS top FROM people;", "Ada"),
    ("SELECT max(people.na\t) AS top FROM people;", "Ada"),
    ("SELECT character_le\t'abc') AS n;", "│     3 │"),
    (".nullv\tnix", PROMPT),
])
def test_tab_completes(shell, typed, expected):
    s = shell("--table", "people=people.csv")
    for part in re.split("(\t)", typed):
        s.keys(part, 0.7 if part == "\t" else 0.1)
    s.child.send("\r")
    s.child.expect_exact(expected)
    assert "error" not in s.child.before


def test_a_new_table_is_completed_and_a_second_tab_lists_the_choices(shell):
    s = shell()
    s.run("CREATE TABLE zebra_one AS SELECT 1 AS a;")
    s.run("CREATE TABLE zebra_two AS SELECT 2 AS a;")
    s.keys("SELECT * FROM zeb\t")
    s.keys("\t")
    s.keys("tw\t;\r")
    out = s.wait("(1 row)")
    assert "zebra_one" in out and "zebra_two" in out and "│     2 │" in out


# ---- The screen ----


def test_a_result_longer_than_the_screen_goes_through_the_pager(shell, tmp_path):
    s = shell(rows=10, PAGER=f"cat > {tmp_path}/paged")
    s.run("SELECT 1 AS short;")
    assert not (tmp_path / "paged").exists()
    s.run("SELECT value FROM generate_series(1, 30) t(value);")
    assert (tmp_path / "paged").read_text().count("│") > 30
    s.run(".pager off")
    assert "│    30 │" in s.run("SELECT value AS v FROM generate_series(1, 30) t(value);")


def test_a_pager_that_is_left_early_ends_the_statement_quietly(shell):
    s = shell(rows=10, PAGER="head -3")
    s.run(".mode csv")
    out = s.run("SELECT value FROM generate_series(1, 100000000) t(value);")
    assert "error" not in out
    assert "(1 row)" not in out and "2" in s.run("SELECT 2;")


def test_a_wide_table_is_fitted_to_the_terminal(shell):
    s = shell(columns=50)
    sql = "SELECT " + ", ".join(f"{i} AS column_{i}" for i in range(20)) + ";"
    out = s.run(sql)
    lines = [line for line in out.splitlines() if line.startswith(("│", "┌", "└", "├"))]
    assert lines and max(map(len, lines)) <= 50
    assert "of 20 columns shown" in out and "column_0" in out and "19" in out
    assert "…" in s.run("SELECT repeat('long ', 50) AS t;")


def test_without_a_utf8_locale_nothing_but_ascii_is_drawn(shell):
    out = shell(LANG="C", LC_ALL="C").run("SELECT 1 AS a, 'b' || chr(10) || 'c' AS t;")
    assert "+---+" in out and "| b+|\n" in out and out.isascii()


def test_lines_of_a_value_go_on_where_the_terminal_ends(shell):
    out = shell().run("SELECT repeat('x', 100) || chr(10) || 'y' AS text, repeat('z', 100) AS cut;")
    rows = [[cell.strip() for cell in line.split("│")[1:3]] for line in out.splitlines() if "│" in line][2:]
    texts = [text.rstrip("…↵").strip() for text, _ in rows]
    assert "".join(texts) == "x" * 100 + "y" and texts[-1] == "y"
    assert all(text.endswith("…") for text, _ in rows[:-2]) and rows[-2][0].endswith("↵")
    assert rows[0][1].endswith("z…") and not any(cut for _, cut in rows[1:])


def test_colours_are_only_used_when_wanted(shell):
    s = shell(NO_COLOR="")
    s.child.sendline("SELECT NULL AS a;")
    s.child.expect_exact("\x1b[2mNULL\x1b[0m")
    s = shell()
    s.child.sendline("SELECT NULL AS a;")
    s.wait()
    assert "\x1b[2m" not in s.child.before


def test_a_one_shot_command_on_a_terminal_exits_with_130_at_ctrl_c(weir, tmp_path):
    child = pexpect.spawn(weir, ["sql", ENDLESS], cwd=str(tmp_path), timeout=20)
    time.sleep(1)
    child.kill(signal.SIGINT)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
