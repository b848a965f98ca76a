# SPDX-License-Identifier: Apache-2.0
"""The commands over the tree, in a workspace with a mount, views and .sql files."""

import io
import json
import os
import signal
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

ENDLESS = "SELECT a.value FROM generate_series(1, 100000) a, generate_series(1, 100000000) b"


def logs(first, n):
    days = pa.array([first + i for i in range(n)], pa.int64())
    return pa.table({"day": days, "status": [200 if i % 2 else 404 for i in range(n)]})


@pytest.fixture
def tree(db):
    """A workspace with the mount `lake` over data/, a view `late` over its series, and a table `t`."""
    data = db.directory / "data"
    (data / "logs").mkdir(parents=True)
    (data / "empty").mkdir()
    pq.write_table(logs(1, 3), data / "logs" / "a.parquet")
    pq.write_table(logs(4, 4), data / "logs" / "b.parquet")
    (data / "people.csv").write_text("id,name\n1,Ada\n2,Bo\n")
    (data / "notes.txt").write_text("plain\n")
    (data / "daily.sql").write_text(
        "-- description: requests of a status\nSELECT status, count(*) AS n FROM logs GROUP BY status\n"
    )
    (db.directory / "weir.yaml").write_text("# a workspace\n")
    db.ok("ATTACH 'data' AS lake")
    db.ok("CREATE VIEW late AS SELECT day FROM '/lake/logs/*.parquet' WHERE status = 404")
    db.ok(f"CREATE TABLE t USING files OPTIONS (path '{data}/logs/b.parquet')")
    return db


def done(tree, *args, **kwargs):
    """Runs a command that must succeed and gives what it printed."""
    result = tree.run(*args, **kwargs)
    assert result.returncode == 0, result.stderr
    return result.stdout


def failed(tree, *args, code=1, **kwargs):
    """Runs a command that must fail and gives the lines of its complaint."""
    result = tree.run(*args, **kwargs)
    assert result.returncode == code, (result.stdout, result.stderr)
    return result.stderr.splitlines()


def listed(tree, *args):
    """The rows of ls by name."""
    return {row["name"]: row for row in json.loads(done(tree, "ls", "--format", "json", *args))}


def bytes_of(tree, *args):
    result = tree.run("cat", *args, input=b"")
    assert result.returncode == 0, result.stderr
    return result.stdout


# ---- ls ----


def test_ls_of_the_top_lists_the_catalogs_and_the_mounts(tree):
    names = done(tree, "ls", "/").splitlines()
    assert {"lake/", "weir/"} <= set(names) and names == sorted(names)


def test_ls_lists_mounts_and_schemas_as_directories(tree):
    assert done(tree, "ls", "/lake").splitlines() == ["daily.sql", "empty/", "logs/", "notes.txt", "people.csv"]
    assert done(tree, "ls", "/lake/logs/").splitlines() == ["a.parquet", "b.parquet"]
    assert done(tree, "ls", "/lake/empty") == ""
    assert "public/" in done(tree, "ls", "/weir").splitlines()
    assert done(tree, "ls", "/weir/public").splitlines() == ["late", "t"]


def test_ls_without_a_path_lists_here_and_in_a_workspace_the_top_too(tree):
    here, top = done(tree, "ls").split("\n\n")
    assert here.splitlines() == [".:", "data/", "weir.yaml"]
    assert top.splitlines()[0] == "/:" and "lake/" in top.splitlines()
    names = [row["name"] for row in json.loads(done(tree, "ls", "--format", "json"))]
    assert names[:2] == ["data", "weir.yaml"] and {"/lake", "/weir"} <= set(names)


def test_ls_of_several_paths_heads_each_directory(tree):
    assert done(tree, "ls", "/lake/notes.txt", "/lake/logs", "data/logs") == (
        "/lake/notes.txt\n\n/lake/logs:\na.parquet\nb.parquet\n\ndata/logs:\na.parquet\nb.parquet\n"
    )


def test_ls_r_goes_down_with_relative_paths(tree):
    expected = ["daily.sql", "empty/", "logs/", "logs/a.parquet", "logs/b.parquet", "notes.txt", "people.csv"]
    assert done(tree, "ls", "-R", "/lake").splitlines() == expected
    assert done(tree, "ls", "-R", "data").splitlines() == expected
    assert list(listed(tree, "-lR", "/lake")) == [name.rstrip("/") for name in expected]


def test_ls_l_tells_kind_rows_and_size(tree):
    rows = listed(tree, "-l", "/lake")
    data = tree.directory / "data"
    assert rows["people.csv"]["kind"] == "csv" and rows["people.csv"]["rows"] is None
    assert rows["people.csv"]["size"] == (data / "people.csv").stat().st_size
    assert (rows["notes.txt"]["kind"], rows["notes.txt"]["schema"]) == ("file", None)
    assert rows["daily.sql"]["kind"] == "view"
    assert rows["empty"]["kind"] == "directory"
    parquet = listed(tree, "-l", "/lake/logs")
    assert [(row["kind"], row["rows"]) for row in parquet.values()] == [("parquet", 3), ("parquet", 4)]
    assert parquet["a.parquet"]["size"] == (data / "logs" / "a.parquet").stat().st_size
    catalog = listed(tree, "-l", "/weir/public")
    assert (catalog["late"]["kind"], catalog["late"]["size"]) == ("view", None)
    assert catalog["t"]["rows"] == 4


def test_ls_l_of_a_pattern_is_its_series(tree):
    (row,) = listed(tree, "-l", "/lake/logs/*.parquet").values()
    size = sum(path.stat().st_size for path in (tree.directory / "data" / "logs").iterdir())
    assert (row["kind"], row["rows"], row["size"]) == ("series", 7, size)


def test_equal_schemas_have_equal_digests_and_others_do_not(tree):
    pq.write_table(logs(9, 1), tree.directory / "same.parquet")
    pq.write_table(logs(9, 1).cast(pa.schema([("day", pa.int32()), ("status", pa.int64())])), tree.directory / "type.parquet")
    pq.write_table(logs(9, 1).rename_columns(["day", "code"]), tree.directory / "name.parquet")
    schema = pa.schema([pa.field("day", pa.int64(), nullable=False), ("status", pa.int64())])
    pq.write_table(logs(9, 1).cast(schema), tree.directory / "nullable.parquet")
    rows = listed(tree, "-l", ".")
    digests = [rows[f"{name}.parquet"]["schema"] for name in ("same", "type", "name", "nullable")]
    assert len(set(digests)) == 4 and all(len(digest) == 8 for digest in digests)
    assert listed(tree, "-l", "/lake/logs")["a.parquet"]["schema"] == digests[0]
    assert listed(tree, "-l", "/lake/logs/*.parquet")["/lake/logs/*.parquet"]["schema"] == digests[0]


def test_a_version_changes_with_the_file_and_what_is_made_of_it(tree):
    def versions():
        return (
            listed(tree, "-l", "/lake/logs")["b.parquet"]["version"],
            listed(tree, "-l", "/weir/public")["late"]["version"],
            listed(tree, "-l", "/lake/logs")["a.parquet"]["version"],
        )

    before = versions()
    assert versions() == before and all(before)
    pq.write_table(logs(4, 5), tree.directory / "data" / "logs" / "b.parquet")
    after = versions()
    assert after[0] != before[0] and after[1] != before[1] and after[2] == before[2]


def test_one_bad_node_does_not_end_a_listing(tree):
    (tree.directory / "data" / "logs" / "aa.parquet").write_text("not at all")
    result = tree.run("ls", "-l", "--format", "json", "/lake/logs")
    assert result.returncode == 1
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert [row["rows"] for row in rows.values()] == [3, None, 4]
    assert rows["aa.parquet"]["size"] == 10 and rows["aa.parquet"]["schema"] is None
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and "aa.parquet" in line


def test_a_directory_whose_files_are_no_one_table_is_a_directory(tree):
    rows = listed(tree, "-l", ".")
    assert (rows["data"]["kind"], rows["data"]["rows"]) == ("directory", None)
    rows = listed(tree, "-l", "/lake")
    assert (rows["logs"]["kind"], rows["logs"]["rows"]) == ("series", 7)


def test_ls_of_what_is_not_there_names_it_and_lists_the_rest(tree):
    result = tree.run("ls", "/lake/nothing", "/lake/logs")
    assert (result.returncode, result.stdout) == (1, "a.parquet\nb.parquet\n")
    assert "nothing" in result.stderr


# ---- describe ----


def facts(text):
    """The headed lines of describe as a dictionary; the path is under ''."""
    lines = text.split("+--")[0].splitlines()
    named = {line[:13].strip(): line[13:].strip() for line in lines[1:] if line.startswith("  ")}
    return {"": lines[0], **named}


def test_describe_tells_both_facets_of_a_file(tree):
    path = tree.directory / "data" / "logs" / "a.parquet"
    told = facts(done(tree, "describe", "/lake/logs/a.parquet"))
    assert told[""] == "/lake/logs/a.parquet" and told["SQL name"].startswith("lake.logs.")
    assert (told["node"], told["kind"], told["encoding"]) == ("structured file", "files", "parquet")
    n = path.stat().st_size
    assert told["size"] == (f"{n} bytes" if n < 1024 else f"{n / 1024:.1f} KiB") + ", own bytes"
    assert told["rows"] == "3" and told["version"] not in ("", "none: never kept")


def test_describe_gives_the_columns_with_their_statistics(tree):
    columns = [
        {"column_name": "day", "data_type": "int64", "nullable": "yes", "null_count": 0, "min": "1", "max": "3", "exact": "yes"},
        {"column_name": "status", "data_type": "int64", "nullable": "yes", "null_count": 0, "min": "200", "max": "404", "exact": "yes"},
    ]
    assert json.loads(done(tree, "describe", "--format", "json", "/lake/logs/a.parquet")) == columns
    columns[0]["max"] = "7"
    assert json.loads(done(tree, "describe", "--format", "json", "/lake/logs/*.parquet")) == columns


def test_describe_tells_what_a_derived_table_is_made_of(tree):
    out = done(tree, "describe", "late")
    told = facts(out)
    assert told["SQL name"] == "weir.public.late" and told["node"].startswith("derived") and told["kind"] == "derived"
    assert told["spooled"] == "no" and "made of" in out and "/lake/logs" in out.split("made of")[1]
    assert facts(done(tree, "describe", "/lake/daily.sql"))["description"] == "requests of a status"


def test_describe_tells_when_bytes_are_in_the_spool(tree):
    assert facts(done(tree, "describe", "/weir/public/late.parquet"))["spooled"] == "no"
    n = len(bytes_of(tree, "/weir/public/late.parquet"))
    assert facts(done(tree, "describe", "/weir/public/late.parquet"))["spooled"] == f"yes: parquet ({n:,} bytes)"
    assert facts(done(tree, "describe", "/weir/public/late.csv"))["spooled"] == "no"
    m = len(bytes_of(tree, "/weir/public/late.csv"))
    both = f"yes: parquet ({n:,} bytes), csv ({m:,} bytes)"
    assert facts(done(tree, "describe", "late"))["spooled"] == both


def test_describe_of_what_is_no_table_says_so(tree):
    (tree.directory / "data" / "empty" / "readme.txt").write_text("x")
    (tree.directory / "data" / "empty" / "below").mkdir()
    told = facts(done(tree, "describe", "/lake/empty"))
    assert told["node"] == "directory, not a table"
    assert told["holds"] == "1 directory, 1 other node; 0 tables"
    assert facts(done(tree, "describe", "/lake/notes.txt"))["node"] == "plain file, not a table"
    (line,) = failed(tree, "describe", "--format", "json", "/lake/empty")
    assert "/lake/empty is a directory and has no columns" in line


# ---- cat ----


def test_cat_prints_rows_of_every_kind_of_table(tree):
    assert done(tree, "cat", "/lake/people.csv") == done(tree, "cat", "/lake/people") == "id,name\n1,Ada\n2,Bo\n"
    assert done(tree, "cat", "late", "--sql", "SELECT sum(day) AS s FROM data") == "s\n14\n"
    assert done(tree, "cat", "/weir/public/t").splitlines()[:2] == ["day,status", "4,404"]
    assert done(tree, "cat", "/lake/logs/*.parquet", "--sql", "SELECT count(*) AS n FROM data") == "n\n7\n"
    assert done(tree, "cat", "/lake/logs", "--sql", "SELECT count(*) AS n FROM data") == "n\n7\n"


def test_cat_prints_the_bytes_of_a_plain_file_and_its_own_bytes_of_a_table(tree):
    assert bytes_of(tree, "/lake/notes.txt") == b"plain\n"
    path = tree.directory / "data" / "logs" / "a.parquet"
    assert bytes_of(tree, "--bytes", "/lake/logs/a.parquet") == path.read_bytes()
    assert done(tree, "cat", "/lake/logs/a.parquet").splitlines()[:2] == ["day,status", "1,404"]


def test_cat_encodes_a_table_whose_path_asks_for_a_file(tree):
    table = pq.read_table(io.BytesIO(bytes_of(tree, "/weir/public/late.parquet")))
    assert sorted(table["day"].to_pylist()) == [1, 3, 4, 6]
    table = pq.read_table(io.BytesIO(bytes_of(tree, "--bytes", "--format", "parquet", "late")))
    assert sorted(table["day"].to_pylist()) == [1, 3, 4, 6]
    table = pa.ipc.open_file(bytes_of(tree, "/lake/people.arrow")).read_all()
    assert table["name"].to_pylist() == ["Ada", "Bo"]
    lines = bytes_of(tree, "--bytes", "--format", "jsonl", "/lake/people.csv").splitlines()
    assert [json.loads(line) for line in lines] == [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bo"}]


def test_cat_of_an_sql_file_gives_its_rows_and_with_bytes_its_text(tree):
    path = tree.directory / "data" / "daily.sql"
    for name in ("/lake/daily.sql", "/lake/daily", "data/daily.sql", "lake.daily"):
        assert sorted(done(tree, "cat", name).splitlines()) == ["200,3", "404,4", "status,n"]
    assert bytes_of(tree, "--bytes", "/lake/daily.sql") == path.read_bytes()
    assert pa.csv.read_csv(io.BytesIO(bytes_of(tree, "/lake/daily.csv")))["n"].to_pylist() in ([3, 4], [4, 3])


def test_param_sets_the_parameters_of_an_sql_file(tree):
    (tree.directory / "data" / "by.sql").write_text(
        "-- param code: 404\nSELECT day FROM logs WHERE status = $code\n"
    )
    assert sorted(done(tree, "cat", "/lake/by.sql", "--no-header").split()) == ["1", "3", "4", "6"]
    for name in ("/lake/by.sql", "/lake/by", "data/by.sql"):
        assert sorted(done(tree, "cat", name, "--no-header", "--param", "code=200").split()) == ["2", "5", "7"]
    assert "cod" in failed(tree, "cat", "/lake/by.sql", "--param", "cod=200")[0]


def test_cat_into_a_file_is_whole_or_not_at_all(tree):
    done(tree, "cat", "/weir/public/late.parquet", "-o", "out")
    assert sorted(pq.read_table(tree.directory / "out")["day"].to_pylist()) == [1, 3, 4, 6]
    failed(tree, "cat", "--bytes", "/lake/logs/nothing.parquet", "-o", "out")
    assert pq.read_table(tree.directory / "out").num_rows == 4


# ---- cp, mv, rm, mkdir ----


def test_cp_copies_bytes_and_encodes_by_the_targets_extension(tree):
    here = tree.directory
    done(tree, "cp", "/lake/logs/a.parquet", "copy.parquet")
    assert (here / "copy.parquet").read_bytes() == (here / "data" / "logs" / "a.parquet").read_bytes()
    done(tree, "cp", "/lake/logs/a.parquet", "copy.csv")
    assert (here / "copy.csv").read_text().splitlines()[:2] == ["day,status", "1,404"]
    done(tree, "cp", "late", "/lake/empty/late.parquet")
    assert sorted(pq.read_table(here / "data" / "empty" / "late.parquet")["day"].to_pylist()) == [1, 3, 4, 6]
    done(tree, "cp", "/lake/logs/*.parquet", "all.parquet")
    assert sorted(pq.read_table(here / "all.parquet")["day"].to_pylist()) == list(range(1, 8))
    done(tree, "cp", "/lake/notes.txt", "notes")
    assert (here / "notes").read_text() == "plain\n"


def test_cp_of_several_goes_into_a_directory(tree):
    done(tree, "cp", "data/notes.txt", "data/people.csv", "/lake/empty")
    assert sorted(os.listdir(tree.directory / "data" / "empty")) == ["notes.txt", "people.csv"]
    (line,) = failed(tree, "cp", "data/notes.txt", "data/people.csv", "/lake/daily.sql")
    assert "not a directory" in line
    failed(tree, "cp", "data/notes.txt", "data/people.csv", "/lake/nowhere")


def test_cp_replaces_only_with_f(tree):
    target = tree.directory / "target.csv"
    target.write_text("old\n")
    (line,) = failed(tree, "cp", "/lake/people.csv", "target.csv")
    assert "target.csv" in line and "-f replaces it" in line and target.read_text() == "old\n"
    done(tree, "cp", "-f", "/lake/people.csv", "target.csv")
    assert target.read_text() == "id,name\n1,Ada\n2,Bo\n"


def test_cp_goes_on_after_one_that_fails(tree):
    (line,) = failed(tree, "cp", "data/nothing.csv", "data/people.csv", "/lake/empty")
    assert "nothing.csv" in line
    assert os.listdir(tree.directory / "data" / "empty") == ["people.csv"]


def test_mv_renames_and_moves_out_of_the_mount(tree):
    data = tree.directory / "data"
    done(tree, "mv", "/lake/people.csv", "/lake/humans.csv")
    assert not (data / "people.csv").exists() and done(tree, "cat", "/lake/humans").startswith("id,name\n1,Ada")
    done(tree, "mv", "/lake/humans.csv", "out.csv")
    assert not (data / "humans.csv").exists() and (tree.directory / "out.csv").read_text() == "id,name\n1,Ada\n2,Bo\n"
    (tree.directory / "there.csv").write_text("old\n")
    (line,) = failed(tree, "mv", "out.csv", "there.csv")
    assert "-f replaces it" in line and (tree.directory / "there.csv").read_text() == "old\n"
    done(tree, "mv", "-f", "out.csv", "there.csv")
    assert not (tree.directory / "out.csv").exists()


def test_mv_of_a_table_gives_it_another_name(tree):
    done(tree, "mv", "late", "later")
    done(tree, "mv", "/weir/public/t", "/weir/public/u")
    assert done(tree, "ls", "/weir/public") == "later\nu\n"
    assert tree.value("SELECT sum(day) FROM later") == 14


def test_rm_removes_files_and_drops_tables(tree):
    data = tree.directory / "data"
    done(tree, "rm", "/lake/notes.txt", "late")
    assert not (data / "notes.txt").exists()
    assert done(tree, "ls", "/weir/public") == "t\n"
    tree.fail("SELECT * FROM late", "late")


def test_rm_wants_r_for_a_directory_that_holds_something(tree):
    logs = tree.directory / "data" / "logs"
    assert "/lake/logs" in failed(tree, "rm", "/lake/logs")[0]
    assert len(os.listdir(logs)) == 2
    done(tree, "rm", "-r", "/lake/logs")
    assert not logs.exists()


def test_rm_of_what_is_not_there_fails_without_f(tree):
    assert "nothing.csv" in failed(tree, "rm", "/lake/nothing.csv", "/lake/notes.txt")[0]
    assert not (tree.directory / "data" / "notes.txt").exists()
    done(tree, "rm", "-rf", "/lake/nothing.csv")


def test_mkdir_makes_directories_and_schemas(tree):
    done(tree, "mkdir", "/lake/new", "/weir/mine")
    assert (tree.directory / "data" / "new").is_dir()
    tree.ok("CREATE VIEW mine.x AS SELECT 5 AS five")
    assert done(tree, "cat", "/weir/mine/x") == "five\n5\n"
    assert "new" in failed(tree, "mkdir", "/lake/new")[0]
    assert "deep" in failed(tree, "mkdir", "/lake/deep/deeper")[0]
    done(tree, "mkdir", "-p", "/lake/deep/deeper", "/lake/new")
    assert (tree.directory / "data" / "deep" / "deeper").is_dir()


# ---- Ends ----


@pytest.mark.parametrize("command", [["cp", "endless", "out.parquet"], ["cat", "--bytes", "--format", "parquet", "endless"]])
def test_ctrl_c_ends_the_encoding_and_leaves_nothing(tree, command):
    tree.ok(f"CREATE VIEW endless AS {ENDLESS}")
    before = tree.left()
    result, seconds = tree.interrupt(*command, after=1.0)
    assert result.returncode == 130 and "interrupted" in result.stderr
    assert seconds < 3 and tree.left() == before


def test_a_signal_to_terminate_leaves_nothing(tree):
    tree.ok(f"CREATE VIEW endless AS {ENDLESS}")
    before = tree.left()
    process = tree.start("cp", "endless", "out.csv")
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 143 and "interrupted" in error and tree.left() == before


def test_a_copy_over_its_time_is_cancelled_with_57014(tree):
    tree.ok(f"CREATE VIEW endless AS {ENDLESS}")
    (line,) = failed(tree, "cp", "--timeout", "500ms", "endless", "out.csv")
    assert "57014" in line and "--timeout" in line and not (tree.directory / "out.csv").exists()


# ---- Errors ----


def test_a_missing_file_is_named_with_where_it_was_looked_for(tree):
    (line,) = failed(tree, "cat", "data/missing.parquet")
    assert "data/missing.parquet" in line and "data" in line
    (line,) = failed(tree, "cat", "/lake/logs/missing.parquet")
    assert "/lake/logs/missing.parquet" in line


def test_a_plain_file_asked_as_a_table_says_what_it_is_and_what_would_work(tree):
    for path in ("data/notes.txt", "/lake/notes.txt"):
        (line,) = failed(tree, "cat", path, "--sql", "SELECT count(*) FROM data")
        assert path in line and "plain file" in line
    (line,) = failed(tree, "cat", "--bytes", "--format", "parquet", "/lake/notes.txt")
    assert "/lake/notes.txt" in line and "plain file" in line


def test_a_view_over_a_dropped_table_names_both(tree):
    tree.ok("CREATE VIEW v AS SELECT * FROM t")
    tree.ok("DROP TABLE t")
    for path in ("v", "/weir/public/v"):
        message = " ".join(failed(tree, "cat", path))
        assert "weir.public.v" in message and "weir.public.t" in message and "42P01" in message


def test_a_syntax_error_in_an_sql_file_has_its_line_and_column(tree):
    (tree.directory / "data" / "wrong.sql").write_text("-- description: wrong\nSELECT status\nFORM logs WHERE\n")
    for path in ("/lake/wrong.sql", "/lake/wrong", "data/wrong.sql"):
        (line,) = failed(tree, "cat", path)
        assert "wrong.sql:3:" in line, line
    result = tree.run("ls", "-l", "--format", "json", "/lake")
    assert result.returncode == 1 and "wrong.sql:3:" in result.stderr
    assert len(json.loads(result.stdout)) == 6
