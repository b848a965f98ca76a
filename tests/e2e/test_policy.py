# SPDX-License-Identifier: Apache-2.0
"""Two users in one workspace of the preset `server`: what one may not see is not there for him, whatever he calls."""

import os
import socket
import threading

import pytest
from principals import (
    LIBRARY,
    NONE,
    NOT_FOUND,
    PASSWORD,
    UNAUTHENTICATED,
    UNAUTHORIZED,
    Principal,
    Session,
    WeirError,
    answer,
)

# What Alice may not read anywhere: names, values, counts.
SECRETS = ["hidden", "secretcol", "classified", "s2", "vault", "papers", "bob", "4242", "watchdog"]

CHEAP = {"auth.password.memory": "1MiB", "auth.password.operations": "1"}


@pytest.fixture
def house(tmp_path):
    lake = tmp_path / "lake"
    (lake / "open").mkdir(parents=True)
    (lake / "vault").mkdir()
    (lake / "open" / "public.csv").write_text("x\n1\n")
    (lake / "vault" / "papers.csv").write_text("secretcol\n4242\n")
    (lake / "vault" / "readable.sql").write_text("SELECT 1 AS one")
    other = tmp_path / "other"
    other.mkdir()
    (other / "watchdog.csv").write_text("x\n4242\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "x.csv").write_text("x\n7\n")
    (tmp_path / "decoy.csv").write_text("secretcol\n4242\n")
    session = Session(
        LIBRARY,
        path=tmp_path,
        settings={
            "mounts.lake.url": lake,
            "mounts.watchdog.url": other,
            "policy.preset": "server",
            "policy.read": tmp_path / "in",
            "policy.write": tmp_path / "out",
            "audit.log": tmp_path / "audit.log",
            **CHEAP,
        },
    )
    for sql in [
        "CREATE USER alice PASSWORD 'pa'",
        "CREATE USER bob PASSWORD 'pb'",
        "CREATE ROLE readers",
        "CREATE SCHEMA s1",
        "CREATE SCHEMA s2",
        "CREATE TABLE s1.open AS SELECT 1 AS k, 'one' AS v",
        "CREATE TABLE s1.drop_box (k BIGINT, v VARCHAR)",
        "CREATE TABLE s2.hidden AS SELECT 4242 AS secretcol, 'classified' AS v",
        "CREATE VIEW s1.window AS SELECT k + 1 AS k2 FROM s1.open",
        "CREATE VIEW s1.keyhole AS SELECT count(*) AS n FROM s2.hidden",
        "GRANT SELECT ON s1.open TO readers",
        "GRANT SELECT ON s1.keyhole TO readers",
        "GRANT readers TO alice",
        "GRANT INSERT ON s1.drop_box TO alice",
        "GRANT SELECT ON SCHEMA lake.open TO alice",
        "GRANT SELECT ON SCHEMA s2 TO bob",
        "GRANT SELECT ON CATALOG watchdog TO bob",
        "GRANT ALL ON SCHEMA weir.public TO bob",
    ]:
        session.run(sql)
    yield session
    session.close()


@pytest.fixture
def alice(house):
    session = Principal(house, PASSWORD, "alice", "pa")
    yield session
    session.close()


@pytest.fixture
def bob(house):
    session = Principal(house, PASSWORD, "bob", "pb")
    yield session
    session.close()


def told(session, sql):
    """All that a statement lets out: its rows or its error, as text."""
    try:
        return repr(session.rows(sql))
    except WeirError as error:
        return f"{error.code} {error.sqlstate} {error.message}"


LISTINGS = [
    "SHOW TABLES",
    "SHOW MOUNTS",
    "SHOW NAMESPACES",
    "SHOW GRANTS",
    "SHOW GRANTS FOR bobby",
    "SHOW API KEYS",
    "SHOW ALL",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM information_schema.views",
    "SELECT * FROM information_schema.schemata",
    "SELECT * FROM information_schema.routines",
    "SELECT * FROM lake.information_schema.tables",
    *(
        f"SELECT * FROM system.{table}"
        for table in (
            "caches columns extensions grants jobs live_queries metrics mounts namespaces queries sessions settings "
            "storage_locations tables users views"
        ).split()
    ),
    "SELECT count(*) FROM system.tables WHERE catalog IN ('weir', 'lake')",
]


@pytest.mark.parametrize("sql", LISTINGS)
def test_no_listing_shows_what_is_not_granted(alice, sql):
    text = told(alice, sql)
    assert not [secret for secret in SECRETS if secret in text.replace("bobby", "")], text


def test_listings_show_what_is_granted(alice, bob):
    tables = "SELECT catalog, namespace, name FROM system.tables WHERE catalog <> 'system' ORDER BY ALL"
    names = set(alice.rows(tables.replace(" ORDER BY ALL", "")))
    assert names == {
        ("weir", "s1", "open"),
        ("weir", "s1", "drop_box"),
        ("weir", "s1", "keyhole"),
        ("lake", ".", "open"),
        ("lake", "open", "public"),
    }
    assert set(bob.rows(tables.replace(" ORDER BY ALL", ""))) == {
        ("weir", "s2", "hidden"),
        ("watchdog", ".", "watchdog"),
    }
    assert [row[0] for row in alice.rows("SELECT name FROM system.users")] == ["alice"]


# Each with a name that is hidden, and one that nobody has, of the same length.
PAIRS = [
    ("SELECT * FROM s2.hidden", "SELECT * FROM s9.hiddem"),
    ("SELECT * FROM weir.s2.hidden", "SELECT * FROM weir.s9.hiddem"),
    ("SELECT * FROM s1.window", "SELECT * FROM s1.windov"),
    ("SELECT * FROM lake.vault.papers", "SELECT * FROM lake.vaulx.paperx"),
    ("SELECT * FROM watchdog.watchdog", "SELECT * FROM watchcat.watchcat"),
    ("SELECT * FROM '/lake/vault/papers.csv'", "SELECT * FROM '/lake/vaulx/paperx.csv'"),
    ("SELECT * FROM '/lake/vault/*.csv'", "SELECT * FROM '/lake/vaulx/*.csv'"),
    ("SELECT * FROM '/lake/vault'", "SELECT * FROM '/lake/vaulx'"),
    ("SELECT * FROM '/lake/vault/readable.sql'", "SELECT * FROM '/lake/vaulx/readable.sql'"),
    ("SELECT * FROM '/watchdog/watchdog.csv'", "SELECT * FROM '/watchcat/watchcat.csv'"),
    ("SELECT * FROM '/weir/s2/hidden'", "SELECT * FROM '/weir/s9/hiddem'"),
    ("SELECT secretcol FROM s2.hidden", "SELECT secretcol FROM s9.hiddem"),
    ("SELECT nosuch FROM s2.hidden", "SELECT nosuch FROM s9.hiddem"),
    ("SELECT (SELECT count(*) FROM s2.hidden)", "SELECT (SELECT count(*) FROM s9.hiddem)"),
    ("SELECT 1 WHERE EXISTS (SELECT 1 FROM s2.hidden)", "SELECT 1 WHERE EXISTS (SELECT 1 FROM s9.hiddem)"),
    ("WITH c AS (SELECT * FROM s2.hidden) SELECT 1", "WITH c AS (SELECT * FROM s9.hiddem) SELECT 1"),
    ("DESCRIBE s2.hidden", "DESCRIBE s9.hiddem"),
    ("SHOW COLUMNS FROM s2.hidden", "SHOW COLUMNS FROM s9.hiddem"),
    ("SHOW CREATE TABLE s2.hidden", "SHOW CREATE TABLE s9.hiddem"),
    ("EXPLAIN SELECT * FROM s2.hidden", "EXPLAIN SELECT * FROM s9.hiddem"),
    ("EXPLAIN ANALYZE SELECT * FROM s2.hidden", "EXPLAIN ANALYZE SELECT * FROM s9.hiddem"),
    ("PREPARE p AS SELECT * FROM s2.hidden", "PREPARE p AS SELECT * FROM s9.hiddem"),
    ("DROP TABLE s2.hidden", "DROP TABLE s9.hiddem"),
    ("DROP TABLE IF EXISTS s2.hidden", "DROP TABLE IF EXISTS s9.hiddem"),
    ("DROP VIEW s1.window", "DROP VIEW s1.windov"),
    ("DROP SCHEMA s2", "DROP SCHEMA s9"),
    ("DROP SCHEMA IF EXISTS s2 CASCADE", "DROP SCHEMA IF EXISTS s9 CASCADE"),
    ("INSERT INTO s2.hidden VALUES (1, 'x')", "INSERT INTO s9.hiddem VALUES (1, 'x')"),
    ("INSERT INTO s2.hidden VALUES (1)", "INSERT INTO s9.hiddem VALUES (1)"),
    ("INSERT INTO s1.drop_box SELECT * FROM s2.hidden", "INSERT INTO s1.drop_box SELECT * FROM s9.hiddem"),
    ("UPDATE s2.hidden SET v = 'x'", "UPDATE s9.hiddem SET v = 'x'"),
    ("DELETE FROM s2.hidden", "DELETE FROM s9.hiddem"),
    ("TRUNCATE TABLE s2.hidden", "TRUNCATE TABLE s9.hiddem"),
    ("CREATE TABLE s2.hidden (a INT)", "CREATE TABLE s9.hiddem (a INT)"),
    ("CREATE TABLE IF NOT EXISTS s2.hidden (a INT)", "CREATE TABLE IF NOT EXISTS s9.hiddem (a INT)"),
    ("CREATE VIEW s2.hidden AS SELECT 1 AS a", "CREATE VIEW s9.hiddem AS SELECT 1 AS a"),
    ("CREATE TABLE t AS SELECT * FROM s2.hidden", "CREATE TABLE t AS SELECT * FROM s9.hiddem"),
    ("CREATE VIEW v AS SELECT * FROM s2.hidden", "CREATE VIEW v AS SELECT * FROM s9.hiddem"),
    ("COPY s2.hidden TO '{out}/x.csv'", "COPY s9.hiddem TO '{out}/x.csv'"),
    ("USE s2", "USE s9"),
    ("USE weir.s2", "USE weir.s9"),
    ("USE watchdog", "USE watchcat"),
    ("REFRESH TABLE s2.hidden", "REFRESH TABLE s9.hiddem"),
    ("REFRESH MOUNT watchdog", "REFRESH MOUNT watchcat"),
    ("DETACH watchdog", "DETACH watchcat"),
    ("GRANT SELECT ON s2.hidden TO alice", "GRANT SELECT ON s9.hiddem TO alice"),
    ("ALTER USER bob PASSWORD 'x'", "ALTER USER bon PASSWORD 'x'"),
    ("CREATE API KEY FOR bob", "CREATE API KEY FOR bon"),
    ("DROP USER bob", "DROP USER bon"),
]
SPELLINGS = [("hiddem", "hidden"), ("s9", "s2"), ("windov", "window"), ("vaulx", "vault"), ("paperx", "papers"),
             ("watchcat", "watchdog"), ("bon", "bob")]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=[pair[0] for pair in PAIRS])
def test_what_is_hidden_answers_as_what_is_not_there(house, alice, tmp_path, pair):
    hidden, missing = (told(alice, sql.replace("{out}", str(tmp_path / "out"))) for sql in pair)
    for wrong, right in SPELLINGS:
        missing = missing.replace(wrong, right)
    assert hidden == missing
    assert "classified" not in hidden and "4242" not in hidden
    assert house.rows("SELECT * FROM s2.hidden") == [(4242, "classified")]
    assert os.listdir(tmp_path / "out") == []


def test_prepared_statements_of_what_is_hidden_are_refused_too(alice):
    assert answer(lambda: alice.prepare("SELECT * FROM s2.hidden"))[0] == NOT_FOUND


@pytest.mark.parametrize("path", ["/weir/s2", "/weir/s2/hidden", "/lake/vault", "/lake/vault/papers.csv", "/watchdog",
                                  "/watchdog/watchdog.csv", "/weir/s2/hidden.parquet"])  # fmt: skip
def test_nodes_that_are_hidden_are_as_those_that_are_not_there(alice, tmp_path, path):
    missing = path
    for wrong, right in SPELLINGS:
        missing = missing.replace(right, wrong)

    def calls(path):
        return [
            lambda: alice.node(path),
            lambda: alice.entries(path),
            lambda: alice.copy(path, tmp_path / "out" / "x"),
            lambda: alice.move(path, tmp_path / "out" / "x"),
            lambda: alice.remove(path),
        ]

    for hidden, absent in zip(calls(path), calls(missing)):
        code, state, message = answer(absent)
        for wrong, right in SPELLINGS:
            message = message.replace(wrong, right)
        assert answer(hidden) == (code, state, message)
    assert os.listdir(tmp_path / "out") == []


def test_directories_show_the_way_to_what_is_granted_and_nothing_else(alice):
    assert alice.entries("/") == ["lake", "system", "weir"]
    assert alice.entries("/lake") == ["open"]
    assert alice.entries("/lake/open") == ["public.csv"]
    assert alice.entries("/weir") == ["public", "s1"]
    assert alice.entries("/weir/s1") == ["drop_box", "keyhole", "open"]


def test_what_is_granted_can_be_read_by_every_name(alice):
    for name in ["s1.open", "weir.s1.open", "'/weir/s1/open'"]:
        assert alice.rows(f"SELECT * FROM {name}") == [(1, "one")]
    for name in ["lake.open.public", "'/lake/open/public.csv'", "'/lake/open/public.parquet'", "'/lake/open/*.csv'", "lake.open"]:
        assert alice.rows(f"SELECT * FROM {name}") == [(1,)]
    with alice.node("/weir/s1/open") as node:
        assert node.schema().names == ["k", "v"]


def test_a_view_reads_for_its_maker_and_does_not_tell_of_what(alice):
    assert alice.rows("SELECT * FROM s1.keyhole") == [(1,)]
    assert alice.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'keyhole'") == [("n",)]
    assert alice.rows("SELECT * FROM '/weir/s1/keyhole'") == [(1,)]
    for sql in ["EXPLAIN SELECT * FROM s1.keyhole", "EXPLAIN ANALYZE VERBOSE SELECT * FROM s1.keyhole", "SHOW CREATE TABLE s1.keyhole"]:
        text = told(alice, sql)
        assert not [secret for secret in SECRETS if secret in text], text
    # Beside the view the table is still not hers.
    assert told(alice, "SELECT * FROM s1.keyhole, s2.hidden").startswith("3 42P01")
    assert told(alice, "SELECT * FROM s2.hidden, s1.keyhole").startswith("3 42P01")


def test_insert_needs_no_select_on_its_target_and_gives_none(house, alice):
    alice.run("INSERT INTO s1.drop_box VALUES (1, 'a'), (2, 'b')")
    alice.run("INSERT INTO s1.drop_box (v, k) SELECT v, k FROM s1.open")
    assert house.rows("SELECT count(*) FROM s1.drop_box") == [(3,)]
    for sql in [
        "SELECT * FROM s1.drop_box",
        "INSERT INTO s1.drop_box SELECT * FROM s1.drop_box",
        "INSERT INTO s1.drop_box (k) SELECT k FROM '/weir/s1/drop_box'",
        "INSERT INTO s1.drop_box (SELECT * FROM s1.drop_box)",
        "EXPLAIN ANALYZE INSERT INTO s1.drop_box SELECT * FROM s1.drop_box",
        "DELETE FROM s1.drop_box",
        "UPDATE s1.drop_box SET k = 0",
        "INSERT OVERWRITE s1.drop_box VALUES (1, 'x')",
        "DROP TABLE s1.drop_box",
        "INSERT INTO s1.open VALUES (1, 'x')",
        "PREPARE p AS INSERT INTO s1.open VALUES (1, 'x')",
        "EXPLAIN ANALYZE INSERT INTO s1.open VALUES (1, 'x')",
        "WITH c AS (SELECT 1) INSERT INTO s1.open VALUES (1, 'x')",
    ]:
        assert answer(lambda sql=sql: alice.rows(sql)), sql
    assert house.rows("SELECT count(*) FROM s1.drop_box") == [(3,)]
    assert house.rows("SELECT count(*) FROM s1.open") == [(1,)]


def test_what_one_makes_is_ones_own_until_it_is_dropped(house, bob, alice):
    bob.run("CREATE TABLE public.mine AS SELECT 1 AS a")
    bob.run("INSERT INTO public.mine VALUES (2)")
    assert bob.rows("SELECT sum(a) FROM public.mine") == [(3,)]
    assert ("bob", "weir", "public", "mine", "DROP") in bob.rows("SHOW GRANTS")
    house.run("GRANT SELECT ON public.mine TO alice")
    assert alice.rows("SELECT sum(a) FROM mine") == [(3,)]
    bob.run("DROP TABLE public.mine")
    bob.run("CREATE TABLE public.mine AS SELECT 4242 AS secretcol")
    assert told(alice, "SELECT * FROM mine").startswith("3 42P01")


def test_a_view_is_made_only_of_what_its_maker_may_read(house, bob):
    bob.run("CREATE VIEW public.v AS SELECT * FROM s2.hidden")
    assert answer(lambda: bob.run("CREATE VIEW public.w AS SELECT * FROM s1.open"))[0] == NOT_FOUND
    assert answer(lambda: bob.run("CREATE TABLE public.d USING derived OPTIONS (query 'SELECT * FROM s1.open')"))[0] == UNAUTHORIZED
    assert bob.rows("SELECT count(*) FROM v") == [(1,)]


def test_a_revoke_holds_for_statements_that_are_prepared_and_sessions_that_are_open(house, alice):
    statement = alice.prepare("SELECT * FROM s1.open")
    assert statement.rows() == [(1, "one")]
    alice.run("PREPARE p AS SELECT * FROM s1.open")
    assert alice.rows("EXECUTE p") == [(1, "one")]
    house.run("REVOKE SELECT ON s1.open FROM readers")
    assert answer(statement.rows)[0] == NOT_FOUND
    assert answer(lambda: alice.rows("EXECUTE p"))
    assert answer(lambda: alice.rows("SELECT * FROM s1.open"))[0] == NOT_FOUND
    house.run("GRANT SELECT ON s1.open TO readers")
    assert statement.rows() == [(1, "one")]
    house.run("ALTER USER alice DISABLE")
    assert answer(statement.rows)[0] == UNAUTHENTICATED
    assert answer(lambda: alice.rows("SELECT 1"))[0] == UNAUTHENTICATED
    house.run("DROP USER alice")
    house.run("CREATE USER alice PASSWORD 'pa'")
    assert answer(lambda: alice.rows("SELECT 1"))[0] == UNAUTHENTICATED
    statement.close()


def test_members_of_admin_may_do_everything_but_leave_the_roots(house, bob, tmp_path):
    house.run("GRANT admin TO bob")
    assert bob.rows("SELECT count(*) FROM s1.open") == [(1,)]
    bob.run("CREATE USER carol PASSWORD 'pc'")
    assert answer(lambda: bob.rows(f"SELECT * FROM '{tmp_path}/decoy.csv'"))[0] == UNAUTHORIZED
    assert bob.rows(f"SELECT * FROM '{tmp_path}/in/x.csv'") == [(7,)]


@pytest.mark.parametrize("sql", [
    "SELECT * FROM '{dir}/decoy.csv'",
    "SELECT * FROM '{dir}/in/../decoy.csv'",
    "SELECT * FROM '{dir}/*.csv'",
    "SELECT * FROM 'file://{dir}/decoy.csv'",
    "SELECT * FROM '{dir}/in/link.csv'",
    "SELECT * FROM files(path => '{dir}/decoy.csv')",
    "SELECT * FROM \"{dir}/decoy.csv\"",
    "SELECT * FROM weir.public.\"{dir}/decoy.csv\"",
    "SELECT * FROM lake.\"../decoy.csv\"",
    "SELECT * FROM lake.\"..\".decoy",
    "SELECT * FROM '/lake/../decoy.csv'",
    "SELECT * FROM '/lake/%2e%2e/decoy.csv'",
    "CREATE EXTERNAL TABLE public.e STORED AS CSV LOCATION '{dir}/decoy.csv'",
    "CREATE TABLE public.e USING files OPTIONS (path '{dir}/decoy.csv')",
    "COPY (SELECT 1 AS a) TO '{dir}/stolen.csv'",
    "COPY (SELECT 1 AS a) TO '{dir}/out/../stolen.csv'",
    "COPY (SELECT 1 AS a) TO 'file://{dir}/stolen.csv'",
    "COPY (SELECT 1 AS a) TO '{dir}/in/stolen.csv'",
    "COPY (SELECT 1 AS a) TO '{dir}/stolen.csv' STORED AS CSV",
    "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO '{dir}/stolen.csv'",
    "PREPARE p AS COPY (SELECT 1 AS a) TO '{dir}/stolen.csv'",
    "ATTACH '{dir}' AS mine",
    "ATTACH '{dir}/x.db' AS mine (TYPE adbc, driver '{dir}/evil.so')",
    "ATTACH 'mysql://h/d?driver={dir}/evil.so' AS mine (TYPE adbc, driver odbc)",
    "DETACH lake",
    "SELECT * FROM adbc(driver => '{dir}/evil.so', uri => 'x', table => 't')",
    "CREATE TABLE public.e USING adbc OPTIONS (driver '{dir}/evil.so', uri 'x', table 't')",
    "CREATE DATABASE mine",
    "SET datafusion.execution.batch_size = 1000000000",
    "SET datafusion.runtime.memory_limit = '100G'",
    "SET datafusion.runtime.temp_directory = '{dir}'",
])  # fmt: skip
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_nothing_outside_is_touched_by_the_unprivileged(house, request, tmp_path, who, sql):
    session = request.getfixturevalue(who)
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "decoy.csv")
    before = os.stat(tmp_path / "decoy.csv").st_atime_ns, sorted(os.listdir(tmp_path))
    found = answer(lambda: session.rows(sql.replace("{dir}", str(tmp_path))))
    assert found, sql
    assert "4242" not in found[2] and "secretcol" not in found[2]
    assert before == (os.stat(tmp_path / "decoy.csv").st_atime_ns, sorted(os.listdir(tmp_path)))
    assert os.listdir(tmp_path / "out") == [] and sorted(os.listdir(tmp_path / "in")) == ["link.csv", "x.csv"]


@pytest.fixture
def decoy():
    """A listener that counts who comes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    hits = []
    done = threading.Event()

    def listen():
        while not done.is_set():
            try:
                client, address = listener.accept()
            except TimeoutError:
                continue
            hits.append(address)
            client.close()

    thread = threading.Thread(target=listen)
    thread.start()
    yield listener.getsockname()[1], hits
    done.set()
    thread.join()
    listener.close()


def test_no_url_makes_the_server_ask_a_host_that_is_not_listed(bob, decoy, tmp_path):
    port, hits = decoy
    urls = [f"{scheme}://{host}:{port}/x.csv" for scheme in ("http", "https") for host in
            ("127.0.0.1", "localhost", "[::1]", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "x@127.0.0.1")]  # fmt: skip
    for url in urls:
        for sql in [
            f"SELECT * FROM '{url}'",
            f"SELECT * FROM files(path => '{url}')",
            f"CREATE EXTERNAL TABLE public.e STORED AS CSV LOCATION '{url}'",
            f"COPY (SELECT 1 AS a) TO '{url}'",
            f"COPY (SELECT 1 AS a) TO 's3://b/x.csv' STORED AS CSV OPTIONS ('aws.endpoint' '{url}')",
            f"COPY (SELECT 1 AS a) TO '{tmp_path}/out/x.csv' STORED AS CSV OPTIONS ('aws.endpoint' '{url}')",
        ]:
            assert answer(lambda sql=sql: bob.rows(sql)), sql
        assert answer(lambda: bob.node(url))
        assert answer(lambda: bob.copy("/weir/s2/hidden", url))
    assert hits == []


def test_roots_can_be_read_and_written_by_those_who_may_nothing_else(alice, tmp_path):
    assert alice.rows(f"SELECT * FROM '{tmp_path}/in/x.csv'") == [(7,)]
    alice.run(f"COPY (SELECT * FROM s1.open) TO '{tmp_path}/out/x.csv'")
    assert os.listdir(tmp_path / "out") == ["x.csv"]


def test_without_users_everybody_reads_and_changes_the_workspaces_own_catalog_only(tmp_path):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "a.csv").write_text("x\n1\n")
    host = Session(LIBRARY, path=tmp_path, settings={"policy.preset": "server", "mounts.lake.url": tmp_path / "lake"})
    someone = Principal(host, NONE)
    try:
        assert someone.name == "anonymous"
        assert someone.rows("SELECT * FROM lake.a") == [(1,)]
        someone.run("CREATE TABLE t AS SELECT 1 AS a")
        someone.run("INSERT INTO t VALUES (2)")
        someone.run("DROP TABLE t")
        for sql in [
            f"SELECT * FROM '{tmp_path}/lake/a.csv'",
            f"ATTACH '{tmp_path}' AS b",
            "DETACH lake",
            "CREATE USER eve PASSWORD 'x'",
            "COPY (SELECT 1 AS a) TO '/lake/b.csv'",
        ]:
            assert answer(lambda sql=sql: someone.rows(sql))[0] == UNAUTHORIZED, sql
        assert answer(lambda: someone.remove("/lake/a.csv"))[0] == UNAUTHORIZED
        assert os.listdir(tmp_path / "lake") == ["a.csv"]
        host.run("CREATE USER eve PASSWORD 'x'")
        assert answer(lambda: Principal(host, NONE))[0] == UNAUTHENTICATED
    finally:
        someone.close()
        host.close()


def test_the_preset_embedded_limits_nothing_that_is_not_named(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    host = Session(LIBRARY, path=tmp_path, settings={**CHEAP})
    host.run("CREATE USER eve PASSWORD 'x'")
    eve = Principal(host, PASSWORD, "eve", "x")
    try:
        assert eve.rows(f"SELECT * FROM '{tmp_path}/a.csv'") == [(1,)]
        assert answer(lambda: eve.rows("CREATE TABLE t AS SELECT 1 AS a"))[0] == UNAUTHORIZED
    finally:
        eve.close()
        host.close()


def test_no_password_stays_in_the_files_of_the_workspace(house, tmp_path):
    house.run("CREATE USER dora PASSWORD 'canary-password'")
    key = house.rows("CREATE API KEY FOR dora")[0][1]
    assert (tmp_path / ".weir" / "catalog.db").stat().st_mode & 0o007 == 0
    for file in (tmp_path / ".weir").iterdir():
        if file.is_file():
            content = file.read_bytes()
            assert b"canary-password" not in content
            assert key.split(".")[1].encode() not in content
    for sql in ["SELECT * FROM system.users", "SELECT * FROM system.grants", "SHOW API KEYS"]:
        assert "argon2" not in told(house, sql) and key not in told(house, sql)
    for sql in ["CREATE USER d PASSWORD 'canary' x", "CREATE USER d PASSWORD canary", "ALTER USER d PASSWORD 'canary' 'x'"]:
        assert "canary" not in answer(lambda sql=sql: house.rows(sql))[2]


def test_queries_and_sessions_are_ones_own_and_others_cannot_be_killed(house, alice, bob):
    bob.rows("SELECT 'what bob asked'")
    assert "what bob asked" in told(bob, "SELECT * FROM system.queries")
    assert "what bob asked" in told(house, "SELECT * FROM system.queries")
    assert "what bob asked" not in told(alice, "SELECT * FROM system.queries")
    ((his,),) = house.rows("SELECT session_id FROM system.sessions WHERE user_name = 'bob'")
    assert {row[0] for row in alice.rows("SELECT user_name FROM system.sessions")} == {"alice"}
    hidden, missing = (answer(lambda one=one: alice.run(f"KILL SESSION '{one}'")) for one in (his, "0" * 32))
    assert hidden[0] == NOT_FOUND and hidden == (missing[0], missing[1], missing[2].replace("0" * 32, his))
    assert bob.rows("SELECT 1") == [(1,)]
    house.run(f"KILL SESSION '{his}'")
    assert answer(lambda: bob.rows("SELECT 1"))
