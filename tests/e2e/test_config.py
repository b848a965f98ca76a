# SPDX-License-Identifier: Apache-2.0
"""weir.yaml, WEIR_* variables, --config and --set, weir config and weir init."""

import csv
import io
import re

import pytest

from conftest import ROOT

PARTITIONS = "SELECT CAST(value AS INT) FROM information_schema.df_settings WHERE name = 'datafusion.execution.target_partitions'"
BATCH = "SELECT CAST(value AS INT) FROM information_schema.df_settings WHERE name = 'datafusion.execution.batch_size'"
ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000000) a, generate_series(1, 1000) b"


def write(db, text, name="weir.yaml"):
    path = db.directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def show(db, *args):
    """What `weir config show` prints, by key: (value, origin)."""
    result = db.run("config", "show", "--format", "csv", *args)
    assert result.returncode == 0, result.stderr
    rows = csv.DictReader(io.StringIO(result.stdout))
    return {row["key"]: (row["value"], row["origin"]) for row in rows}


# ---- What the configuration changes ----


def test_flags_win_over_set_and_that_over_the_environment_and_that_over_the_file(db):
    write(db, "threads: 2\n")
    assert db.value(PARTITIONS) == 2
    db.env["WEIR_THREADS"] = "3"
    assert db.value(PARTITIONS) == 3
    assert db.value(PARTITIONS, "--set", "threads=4") == 4
    assert db.value(PARTITIONS, "--set", "threads=4", "--threads", "5") == 5


def test_settings_are_every_sessions_and_set_wins_over_them(db):
    write(db, "settings:\n  datafusion.execution.batch_size: 123\n")
    assert db.value(BATCH) == 123
    assert db.value(BATCH, "--set", "datafusion.execution.batch_size=77") == 77
    assert db.value(BATCH, "--set", "settings.datafusion.execution.batch_size=78") == 78


def test_a_setting_that_the_engine_does_not_know_is_told_with_its_line(db):
    write(db, "\nsettings:\n  datafusion.execution.batch_siz: 123\n")
    assert db.fail("SELECT 1", "batch_siz").startswith("error: weir.yaml:3: settings.datafusion.execution.batch_siz: ")


def test_a_statement_ends_after_statement_timeout(db):
    write(db, "statement_timeout: 200ms\n")
    db.fail(ENDLESS, "0.2 s", "statement_timeout", "57014")
    db.fail(ENDLESS, "0.1 s", "57014", args=["--timeout", "100ms"])


def test_a_query_may_hold_memory_limit(db):
    sql = "SELECT count(DISTINCT value) FROM generate_series(1, 3000000)"
    write(db, "memory_limit: 1MiB\n")
    db.fail(sql, "53200")
    assert db.value(sql, "--set", "memory_limit=1GiB") == 3000000


def test_a_query_may_spill_no_more_than_spill_max_bytes(db):
    sql = "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY value % 1013, value) AS n FROM generate_series(1, 4000000))"
    write(db, "memory_limit: 32MiB\nspill.max_bytes: 1KiB\n")
    db.fail(sql, "58030", "1024.0 B")
    assert db.value(sql, "--set", "spill.max_bytes=1GiB") == 4000000


def test_the_catalog_has_the_name_of_the_configuration(db):
    write(db, "catalog: {name: own, schema: first}\n")
    db.ok("CREATE VIEW v AS SELECT 5 AS a")
    assert db.value("SELECT a FROM own.first.v") == 5


def test_spilled_data_goes_to_spill_path_below_the_file(db):
    write(db, "spill.path: spilled\n", "project/weir.yaml")
    db.ok("SELECT 1", "--workspace", "project")
    assert (db.directory / "project/spilled").is_dir()
    assert not (db.directory / "project/.weir/spill").exists()


# ---- Which file ----


def test_without_a_file_everything_stays_in_memory(db):
    db.ok("CREATE VIEW v AS SELECT 1 AS a")
    assert db.left() == []


def test_the_configuration_is_found_upwards(db):
    write(db, "threads: 7\n")
    (db.directory / "a/b").mkdir(parents=True)
    below = type(db)(db.directory / "a/b")
    assert below.value(PARTITIONS) == 7


def test_a_file_can_be_named_and_none(db):
    write(db, "threads: 2\n")
    write(db, "threads: 6\n", "other/prod.yaml")
    assert db.value(PARTITIONS, "--config", "other/prod.yaml") == 6
    assert show(db, "--config", "other/prod.yaml")["threads"] == ("6", "prod.yaml:1")
    assert show(db, "--config", "")["threads"] == ("0", "default")
    db.env["WEIR_CONFIG"] = "other/prod.yaml"
    assert db.value(PARTITIONS) == 6
    db.fail("SELECT 1", 'cannot read "missing.yaml"', args=["--config", "missing.yaml"], code=2)


def test_a_workspace_can_be_named_by_a_variable(db):
    write(db, "threads: 7\n", "project/weir.yaml")
    db.env["WEIR_WORKSPACE"] = "project"
    assert db.value(PARTITIONS) == 7
    db.env["WEIR_WORKSPACE"] = "nowhere"
    db.fail("SELECT 1", "WEIR_WORKSPACE nowhere", "no such file", code=2)


# ---- Mistakes ----


@pytest.mark.parametrize(
    "text, message",
    [
        ("threads: 1\n\nmemory_limt: 1GiB\n", 'weir.yaml:3: unknown key "memory_limt"; did you mean "memory_limit"?'),
        ("threads: many\n", 'weir.yaml:1: "threads" must be a whole number from 0 to 4096, not "many"'),
        ("threads: ${env:NOT_SET_HERE}\n", "weir.yaml:1: \"threads\": the environment variable NOT_SET_HERE is not set"),
        ("# a\ncluster: {listen: '127.0.0.1:8080'}\n", 'weir.yaml:2: "cluster" is not available in this version'),
        ("mounts:\n\tlake: {}\n", "weir.yaml:2: a line is indented with a tab"),
    ],
)
def test_a_mistake_is_wrong_usage_and_has_file_and_line(db, text, message):
    write(db, text)
    assert message in db.fail("SELECT 1", code=2)
    result = db.run("config", "check")
    assert result.returncode == 1 and result.stdout == ""
    assert message in result.stderr and "1 problem" in result.stderr


def test_check_tells_every_problem(db):
    write(db, "threds: 1\nthreads: x\nspool: [1]\nmemory_limit: 1GiB\n", "other.yaml")
    db.env["WEIR_CACHE_MAX_BYTES"] = "big"
    result = db.run("config", "check", "other.yaml", "--set", "spool.max_age=never")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        'error: other.yaml:1: unknown key "threds"; did you mean "threads"?',
        'error: other.yaml:2: "threads" must be a whole number from 0 to 4096, not "x"',
        'error: other.yaml:3: "spool" takes keys of its own, not a list',
        'error: WEIR_CACHE_MAX_BYTES: "cache.max_bytes" must be a number of bytes, such as 512MiB or 2GB, not "big"',
        'error: option: "spool.max_age" must be a time, such as 500ms, 10s, 2min, 1h or 7d, not "never"',
        "other.yaml: 5 problems",
    ]


def test_check_of_a_good_file_says_so(db):
    path = write(db, "threads: 2\nspool: {max_bytes: 1GiB}\n")
    result = db.run("config", "check")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{path}: no problem in 2 values and 0 mounts\n"


def test_check_without_a_file_says_what_to_do(db):
    result = db.run("config", "check")
    assert result.returncode == 1
    assert "there is no weir.yaml from here upwards" in result.stderr and "weir init" in result.stderr


@pytest.mark.parametrize(
    "setting, code, words",
    [
        ("memory_limt=1", 1, ['did you mean "memory_limit"?']),
        ("datafusion.execution.batch_siz=1", 1, ['did you mean "datafusion.execution.batch_size"?']),
        ("quite.another=1", 1, ["weir config show", "SHOW ALL"]),
        ("datafusion.execution.batch_size=x", 1, ["--set datafusion.execution.batch_size", "'x'"]),
        ("spool.max_byte=1", 2, ['did you mean "spool.max_bytes"?']),
        ("threads=x", 2, ["must be a whole number"]),
        ("cluster.x=x", 2, ["not available in this version"]),
    ],
)
def test_a_wrong_setting_is_told_from_a_wrong_key(db, setting, code, words):
    db.fail("SELECT 1", *words, args=["--set", setting], code=code)


def test_a_variable_that_looks_like_a_key_is_warned_of_and_others_are_not(db):
    db.env |= {"WEIR_THREDS": "3", "WEIR_CLUSTER_X": "x", "WEIR_PROGRAM": "x", "WEIR_SOMETHING": "x"}
    result = db.run("sql", "--format", "csv", "SELECT 1 AS a")
    assert result.returncode == 0 and result.stdout == "a\n1\n"
    assert sorted(result.stderr.splitlines()) == [
        "warning: the environment variable WEIR_CLUSTER_X is not read: its key is not available in this version",
        "warning: the environment variable WEIR_THREDS is not read; did you mean WEIR_THREADS?",
    ]


@pytest.mark.parametrize("arguments", [["config"], ["config", "shw"], ["config", "check", "a", "b"],
                                       ["config", "check", "--format", "csv"], ["config", "check", "a", "--config", "b"],
                                       ["init", "--workspace", "x"], ["init", "a", "b"]])
def test_wrong_usage_exits_with_2(db, arguments):
    result = db.run(*arguments)
    assert result.returncode == 2 and result.stderr.startswith("error: ")
    assert db.left() == []


# ---- Mounts ----


def test_a_mount_is_a_catalog_and_a_path(db):
    (db.directory / "project/data/logs").mkdir(parents=True)
    db.ok("SELECT 7 AS a", "-o", "project/data/logs/t.parquet")
    write(db, "mounts:\n\n  lake: {url: data}\n  here: {kind: files, url: \"${env:HOME}\"}\n", "project/weir.yaml")
    where = ["--workspace", "project"]
    assert db.value("SELECT a FROM lake.logs.t", *where) == 7
    assert db.value("SELECT a FROM '/here/project/data/logs/t.parquet'", *where) == 7
    assert ("lake", "files", str(db.directory / "project/data"), "weir.yaml:3") in db.rows("SHOW MOUNTS", *where)
    db.fail("DETACH lake", "weir.yaml:3", args=where)
    db.fail("ATTACH '.' AS lake", "weir.yaml:3", args=where)
    assert db.value("SELECT a FROM lake.t", *where, "--set", "mounts.lake.url=project/data/logs") == 7


def test_a_mount_that_is_away_is_an_error_of_its_use_only(db):
    write(db, "mounts:\n  gone: {url: nowhere}\n")
    assert db.value("SELECT 1 AS a") == 1
    message = db.fail("SELECT * FROM gone.t", "no such file or directory")
    assert message.startswith('error: weir.yaml:2: mount "gone"')
    (db.directory / "nowhere").mkdir()
    db.ok("SELECT 5 AS a", "-o", "nowhere/t.parquet")
    assert db.value("SELECT a FROM gone.t") == 5


@pytest.mark.parametrize(
    "mount, message",
    [
        ("lake: {url: data, colour: red}", 'mount "lake" (kind files): unknown option "colour"'),
        ("lake: {url: data, kind: file}", 'mount "lake": there is no mount kind "file"; did you mean "files"?'),
        ("weir: {url: data}", 'there is a catalog "weir" already'),
    ],
)
def test_a_mount_that_no_source_can_make_right_is_an_error_at_once(db, mount, message):
    (db.directory / "data").mkdir()
    write(db, f"mounts:\n  {mount}\n")
    assert db.fail("SELECT 1").startswith(f"error: weir.yaml:2: {message}")


def test_check_opens_each_mount_and_tries_each_setting(db):
    (db.directory / "data").mkdir()
    path = write(
        db,
        "threds: 1\nsettings: {datafusion.foo: 1, datafusion.execution.batch_size: 5}\nmounts:\n  good: {url: data, read_only: true}\n"
        "  lake: {url: data, colour: red}\n  gone: {url: nowhere}\n  weir: {url: data}\n  it's: {kind: file}\n",
    )
    result = db.run("config", "check", "--set", "settings.datafusion.bar=1")
    assert result.returncode == 1
    found = [line for line in result.stderr.splitlines() if ": " in line and line.startswith(("error", str(path)))]
    for line, start in zip(found, [
        f'error: {path}:1: unknown key "threds"',
        f"error: {path}:2: settings.datafusion.foo: ",
        "error: option: settings.datafusion.bar: ",
        f'error: {path}:5: mount "lake" (kind files): unknown option "colour"',
        f'error: {path}:6: mount "gone" (kind files): cannot open the directory "{db.directory}/nowhere"',
        f'error: {path}:7: there is a catalog "weir" already',
        f'error: {path}:8: mount "it\'s": there is no mount kind "file"',
        f"{path}: 7 problems",
    ], strict=True):
        assert line.startswith(start)
    assert db.left() == ["weir.yaml"]


# ---- config show ----


def test_show_has_values_as_written_with_their_origins_and_no_secret(db):
    write(db, "threads: 2\nmounts:\n  lake: {url: 'data', key: \"${env:LAKE_KEY}\", other: \"${file:secret}\"}\n")
    write(db, "from the file\n", "secret")
    db.env |= {"LAKE_KEY": "hunter2", "WEIR_SPOOL_MAX_BYTES": "1GiB"}
    keys = show(db, "--set", "cache.max_bytes=1MiB")
    assert keys["threads"] == ("2", "weir.yaml:1")
    assert keys["spool.max_bytes"] == ("1GiB", "WEIR_SPOOL_MAX_BYTES")
    assert keys["cache.max_bytes"] == ("1MiB", "option")
    assert keys["catalog.name"] == ("weir", "default")
    assert keys["mounts.lake.url"] == ("data", "weir.yaml:3")
    assert keys["mounts.lake.key"] == ("${env:LAKE_KEY}", "weir.yaml:3")
    assert "mounts" not in keys and keys["settings"] == ("", "default")
    for arguments in (["config", "show"], ["config", "check"]):
        result = db.run(*arguments)
        assert "hunter2" not in result.stdout + result.stderr
        assert "from the file" not in result.stdout + result.stderr


def test_show_of_a_wrong_file_is_its_error(db):
    write(db, "threds: 1\n")
    result = db.run("config", "show")
    assert result.returncode == 2 and "weir.yaml:1" in result.stderr and result.stdout == ""


def test_show_goes_to_a_file_in_its_format(db):
    assert db.run("config", "show", "-o", "keys.parquet").returncode == 0
    assert db.value("SELECT value FROM 'keys.parquet' WHERE key = 'encoding.default'") == "parquet"


# ---- init ----


def test_init_makes_a_workspace_that_works(db):
    result = db.run("init", "new/project")
    assert result.returncode == 0, result.stderr
    assert "cd new/project" in result.stdout
    project = type(db)(db.directory / "new/project")
    assert (project.directory / ".weir/catalog.db").is_file()
    assert all(origin == "default" for _, origin in show(project).values())
    commands = re.findall(r'^    weir sql "(.*)"$', result.stdout, re.M)
    assert len(commands) == 2
    project.ok(commands[0])
    assert project.rows(commands[1]) == [(42,)]


def test_init_refuses_a_directory_that_is_a_workspace(db):
    text = "# mine\n"
    write(db, text)
    result = db.run("init")
    assert result.returncode == 1
    assert "weir.yaml is there already" in result.stderr
    assert (db.directory / "weir.yaml").read_text() == text
    assert db.left() == ["weir.yaml"]


def test_init_here_keeps_the_state_that_is_there(db):
    db.ok("CREATE VIEW v AS SELECT 6 AS a", "--workspace", ".")
    assert db.run("init").returncode == 0
    assert db.value("SELECT a FROM v") == 6


def test_the_file_that_init_makes_has_every_key_and_each_may_be_taken(db):
    assert db.run("init").returncode == 0
    path = db.directory / "weir.yaml"
    lines = path.read_text().splitlines()
    keys = show(db)
    taken = [line[2:] for line in lines if re.match(r"# ([a-z_.]+:|  )", line)]
    for key in keys:
        assert any(line.startswith(key + ":") for line in taken), key
    (db.directory / "data").mkdir()
    path.write_text("\n".join(taken) + "\n")
    assert all(origin.startswith("weir.yaml:") for _, origin in show(db).values())
    assert db.run("config", "check").returncode == 0


def test_init_says_why_it_cannot(db):
    write(db, "", "file")
    result = db.run("init", "file/below")
    assert result.returncode == 1 and 'cannot make the directory "file"' not in result.stderr
    assert "file" in result.stderr and "directory" in result.stderr


# ---- The manual ----


def test_the_manual_has_every_key_with_its_default(db):
    manual = (ROOT / "docs/weir.1").read_text()
    section = manual[manual.index(".SS Keys"):manual.index(".SS Values")]
    told = dict(re.findall(r'^\.BR ([a-z_.]+) " \((.*)\)"$', section, re.M))
    keys = show(db)
    assert list(told) == list(keys)
    for key, (value, _) in keys.items():
        kinds = ("path", "mapping", "list", "text")
        assert told[key].split("; ")[-1] in (value, *kinds), key
        assert (told[key] in kinds) == (value == ""), key
