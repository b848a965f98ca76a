# SPDX-License-Identifier: Apache-2.0
"""Two users of one server: no answer of any door, in any byte, says anything of what is the other one's."""

import contextlib
import json
import re

import pyarrow as pa
import pytest

from flight import any_of, field
from two_users import (CHIEF, NOBODY, NUMBER, ROWS, USERS, House, basic, descriptor, flight_data, leaks, path_descriptor,
                       prepared_handle, same, statement, tickets_of)  # fmt: skip

PAIRS = [(USERS[0], USERS[1]), (USERS[1], USERS[0])]
FORMATS = ["application/json", "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"]


@pytest.fixture(scope="module")
def house(tmp_path_factory, drivers):
    house = House(tmp_path_factory.mktemp("house"), with_databases=not drivers.software.get("sqlite-missing"))
    try:
        with contextlib.ExitStack() as stack:
            for user in USERS:
                live(house, user, stack)
            yield house
    finally:
        house.close()


def live(house, user, stack):
    """All that a user can leave behind for others to find: statements that ran, failed, run and are prepared, sessions, tickets."""
    for sql in (f"SELECT sum(amount_{user}) AS total_{user} FROM s_{user}.ledger_{user}", f"SELECT nothing_{user} FROM s_{user}.ledger_{user}",
                f"SELECT count(*) FROM s_{user}.copy_{user}", f"SELECT CAST(note_{user} AS INT) FROM s_{user}.ledger_{user}"):  # fmt: skip
        house.http(user, "POST", "/v1/sql", sql)
    flight = stack.enter_context(house.flight(user))
    first = flight.get_all(statement(f"SELECT note_{user} FROM s_{user}.ledger_{user} LIMIT 3"))
    assert first.code == "OK", first
    endless = f"SELECT a.note_{user} FROM s_{user}.ledger_{user} a, s_{user}.ledger_{user} b"
    running = flight.info(statement(endless))
    assert running.code == "OK", running
    stream = flight.start("DoGet", field(1, tickets_of(running.messages[0])[0]))
    stack.callback(stream.cancel)
    next(stream)
    connection = house.server.connect(60)
    connection.request("POST", "/v1/sql", endless, {"Authorization": basic(user), "Accept": "text/csv"})
    response = connection.getresponse()
    stack.callback(connection.close)
    waiting = flight.info(statement(f"SELECT note_{user} FROM s_{user}.ledger_{user} LIMIT 5"))
    house.handles[user] = {
        "cookie": re.search(r"arrow_flight_session_id=([0-9a-f]{32})", first.metadata)[1],
        "running": running.messages[0],
        "waiting": waiting.messages[0],
        "prepared": prepared_handle(flight.prepare(f"SELECT note_{user} FROM s_{user}.ledger_{user} WHERE id_{user} < $1")),
        "update": prepared_handle(flight.prepare(f"INSERT INTO s_{user}.keyed_{user} VALUES (1, 'text of {user}')")),
        "query": response.headers["Weir-Query-Id"],
    }


def says_nothing(answer, owner, *what):
    for word in leaks(answer.bytes, owner):
        at = answer.bytes.lower().index(word)
        raise AssertionError(f"{what} tells {word}: {answer.bytes[max(at - 200, 0) : at + 100]}")


# ---- What names nobody: listings, and names that are nearly right ----

SQL = [
    "SHOW TABLES",
    "SHOW MOUNTS",
    "SHOW NAMESPACES",
    "SHOW GRANTS",
    "SHOW API KEYS",
    "SHOW ALL",
    "SHOW FUNCTIONS",
    *(f"SELECT * FROM information_schema.{t}" for t in "tables columns views schemata routines parameters df_settings".split()),
    *(f"SELECT * FROM {c}.information_schema.tables" for c in ("lake", "weir", "system")),
    *(f"SELECT * FROM system.{t}" for t in "caches columns constraints extensions grants jobs live_queries metrics mounts namespaces "
      "queries sessions settings storage_locations tables users views".split()),
    "SELECT count(*) AS n FROM system.tables",
    "SELECT catalog, count(*) AS n, max(name) AS last FROM system.tables GROUP BY catalog",
    "EXPLAIN ANALYZE SELECT * FROM system.tables",
    "EXPLAIN SELECT * FROM common.shared",
    "SELECT * FROM '/lake/*/*.csv'",
    "SELECT * FROM '/lake/**/*.parquet'",
    "SELECT * FROM '/lake/**'",
    "SELECT * FROM '/lake'",
    "SELECT * FROM '/'",
    "SELECT * FROM '/mount_*/*.csv'",
    "SELECT * FROM '/weir/s_*/*'",
    "SELECT * FROM 'lake/*/papers*'",
    "SELECT * FROM common.windo",
    "SELECT * FROM common.window_",
    "SELECT * FROM ledger",
    "SELECT nothing FROM common.shared",
    "SELECT * FROM lake.open.publi",
    "SELECT * FROM nothing.nothing.nothing",
    "USE nothing",
    "DROP SCHEMA common",
    "DROP SCHEMA common CASCADE",
    "DROP TABLE common.shared",
    "INSERT INTO common.shared VALUES (1)",
    "GRANT SELECT ON common.shared TO nobody",
    "CREATE USER somebody PASSWORD 'x'",
    "KILL QUERY '00000000000000000000000000000000'",
    "REFRESH MOUNT lake",
    "DETACH lake",
    "ATTACH 'x' AS y (TYPE files)",
    "COPY common.shared TO '/lake/open/x.csv'",
    "SELECT session_user, current_user",
]  # fmt: skip

# Of these the owner sees his own: so they could show another one's.
TELLING = ["SHOW TABLES", "SHOW MOUNTS", "SHOW NAMESPACES", "SHOW GRANTS", "SELECT * FROM information_schema.tables",
           "SELECT * FROM information_schema.columns", "SELECT * FROM information_schema.schemata",
           *(f"SELECT * FROM system.{t}" for t in "caches columns constraints grants mounts namespaces queries sessions tables users".split())]  # fmt: skip


def nearly(owner):
    """Names that lack a letter of the right ones, to which an error might propose these."""
    part = owner[1:]
    return [f"SELECT * FROM s_{part}.ledger_{part}", f"SELECT * FROM mount_{part}.papers_{part}", f"SELECT * FROM common.window_{part}",
            f"SELECT * FROM lake.box_{part}.papers_{part}", f"SELECT * FROM '/lake/box_{part}/papers_{part}.parquet'", f"GRANT role_{part} TO {part}",
            f"SELECT amount_{part} FROM common.shared", f"USE s_{part}", f"DROP USER {part}", f"DROP TABLE s_{part}.ledger_{part}"]  # fmt: skip


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_no_sql_through_any_door_tells_of_the_other(house, viewer, owner):
    told = {}
    with house.flight(viewer) as flight:
        for sql in [*SQL, *nearly(owner)]:
            answers = {"http": house.http(viewer, "POST", "/v1/sql", sql), "flight": flight.get_all(statement(sql)), "schema": flight.call("GetSchema", descriptor(statement(sql))),
                       "poll": flight.call("PollFlightInfo", descriptor(statement(sql))), "prepared": flight.prepare(sql)}  # fmt: skip
            if not sql.startswith("S"):
                answers["update"] = flight.call("DoPut", *flight_data(any_of("CommandStatementUpdate", field(1, sql)), pa.table({"x": [1]})))
            for door, answer in answers.items():
                says_nothing(answer, owner, (door, sql))
            told[sql] = (answers["http"], answers["flight"])
    for sql in TELLING:
        assert all(leaks(answer.bytes, viewer) for answer in told[sql]), sql


@pytest.mark.parametrize("viewer, owner", PAIRS)
@pytest.mark.parametrize("accept", FORMATS)
def test_no_format_tells_of_the_other(house, viewer, owner, accept):
    for sql in TELLING:
        answer = house.http(viewer, "POST", "/v1/sql", sql, Accept=accept)
        assert answer.status == 200 and leaks(answer.bytes, viewer), sql
        says_nothing(answer, owner, sql)


PATHS = ["/", "/health", "/ready", "/openapi.json", "/metrics", "/v1/sql", "/v1/tables", "/v1/tables?path=/", "/v1/tables?path=/lake", "/v1/tables/weir",
         "/v1/tables?catalog=weir", "/v1/tables/weir/common/shared", "/v1/tables/lake/open/public", "/v1/tables/weir/common/windo", "/v1/files", "/v1/files/",
         "/v1/files/lake", "/v1/files/lake/", "/v1/files/lake/open", "/v1/files/lake/open/public.csv", "/v1/files/lake/open/public.parquet", "/v1/files/lake/publi",
         "/v1/files/weir", "/v1/files/weir/common", "/v1/files/weir/common/shared.csv", "/v1/files/system", "/v1/files/system/tables.csv", "/v1/files/system/queries.jsonl",
         "/v1/files/system/grants.parquet", "/v1/files/system/columns.csv", "/v1/files/mount_", "/v1/queries", "/v1/queries/" + "0" * 32, "/nothing"]  # fmt: skip
SHOWING = ["/v1/tables", "/v1/files/", "/v1/files/lake", "/v1/files/weir", "/v1/files/weir/common", "/v1/files/system/tables.csv",
           "/v1/files/system/queries.jsonl", "/v1/files/system/grants.parquet", "/v1/files/system/columns.csv"]  # fmt: skip


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_no_path_tells_of_the_other(house, viewer, owner):
    for path in PATHS:
        for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
            answer = house.http(viewer, method, path)
            says_nothing(answer, owner, (method, path))
            if method == "GET" and path in SHOWING:
                assert leaks(answer.bytes, viewer), (path, answer)


def test_metrics_are_the_administrators(house):
    for user in USERS:
        refused = house.http(user, "GET", "/metrics")
        assert refused.status == 403 and b"weir_" not in refused.bytes and house.rows(user, "SELECT * FROM system.metrics") == []
    assert house.http(None, "GET", "/metrics").status == 401
    assert b"weir_http_sent_bytes_total" in house.http(CHIEF, "GET", "/metrics").body


def commands():
    """Flight SQL's commands of the catalog, with and without each filter."""
    yield any_of("CommandGetCatalogs")
    yield any_of("CommandGetTableTypes")
    yield any_of("CommandGetSqlInfo")
    yield any_of("CommandGetXdbcTypeInfo")
    yield any_of("CommandGetXdbcTypeInfo", field(1, 4))
    patterns = [None, "%", "s%", "s\\_%", "_%", "nothing"]
    for catalog in (None, "weir", "lake", "system", "nothing"):
        for schema in patterns:
            yield any_of("CommandGetDbSchemas", field(1, catalog), field(2, schema))
            yield any_of("CommandGetTables", field(1, catalog), field(2, schema))
            yield any_of("CommandGetTables", field(1, catalog), field(2, schema), field(3, "%"), field(5, True))
        yield any_of("CommandGetTables", field(1, catalog), field(3, "ledger%"), field(4, "TABLE"))
        yield any_of("CommandGetTables", field(1, catalog), field(4, "VIEW"), field(4, "TABLE"), field(5, True))
        for table in ("shared", "keyed", "%", ""):
            for keys in ("PrimaryKeys", "ExportedKeys", "ImportedKeys"):
                yield any_of(f"CommandGet{keys}", field(1, catalog), field(3, table))
            yield any_of("CommandGetCrossReference", field(1, catalog), field(3, table), field(4, catalog), field(6, table))


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_no_command_tells_of_the_other(house, viewer, owner):
    n_telling = 0
    with house.flight(viewer) as flight:
        for command in commands():
            answer = flight.get_all(command)
            says_nothing(answer, owner, (command))
            n_telling += bool(leaks(answer.bytes, viewer))
            answer = flight.call("GetSchema", descriptor(command))
            says_nothing(answer, owner, (command))
    assert n_telling > 30


def option(key, value):
    return field(1, field(1, key) + field(2, field(1, value)))


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_no_other_call_tells_of_the_other(house, viewer, owner):
    calls = [("ListActions", b""), ("ListFlights", b""), ("ListFlights", field(1, "%")), ("Handshake", field(1, 1)), ("DoExchange", field(1, descriptor(statement("SELECT 1"))))]
    calls += [("GetFlightInfo", path_descriptor(*path)) for path in (["lake"], ["weir", "common"], ["weir", "common", "shared"], ["window"], ["nothing"], [])]
    calls += [(method, data) for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo", "DoGet", "DoAction", "DoPut") for data in (b"", b"\xff", field(1, b"x"), descriptor(b"x"))]
    actions = [(name, body) for name in ("CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo", "CancelQuery", "RenewFlightEndpoint", "SetSessionOptions",
                                         "GetSessionOptions", "BeginTransaction", "EndTransaction", "BeginSavepoint", "EndSavepoint", "CreatePreparedSubstraitPlan", "nothing")
               for body in (b"", b"\xff")]  # fmt: skip
    actions += [("SetSessionOptions", option(key, value)) for key, value in (("schema", "common"), ("schema", owner[1:]), ("catalog", "nothing"), ("nothing", "x"), ("catalog", "weir"))]
    actions += [("GetSessionOptions", b""), ("CloseSession", b"")]
    with house.flight(viewer) as flight:
        for method, data in calls:
            answer = flight.call(method, data)
            says_nothing(answer, owner, (method, data))
        for name, body in actions:
            answer = flight.action(name, body)
            says_nothing(answer, owner, (name, body))


# ---- What names the other's: as if it were not there ----

NAMED = [
    *(f"SELECT * FROM {name}" for name in (
        "s_{t}.ledger_{t}", "weir.s_{t}.ledger_{t}", "s_{t}.view_{t}", "s_{t}.copy_{t}", "s_{t}.keyed_{t}", "common.window_{t}", "lake.box_{t}.papers_{t}", "lake.box_{t}",
        "mount_{t}.papers_{t}", "mount_{t}.list_{t}", "mount_{t}.query_{t}", "mount_{t}.broken_{t}", "db_{t}.main.remote_{t}", "mount_{t}.information_schema.tables",
        "'/lake/box_{t}/papers_{t}.parquet'", "'/lake/box_{t}/query_{t}.sql'", "'/lake/box_{t}/broken_{t}.sql'", "'/lake/box_{t}/*.parquet'", "'/lake/box_{t}'",
        "'/mount_{t}/list_{t}.csv'", "'/mount_{t}'", "'/weir/s_{t}/ledger_{t}'", "'/weir/s_{t}'", "'lake/box_{t}/list_{t}.csv'", "'/db_{t}/main/remote_{t}'")),
    "SELECT amount_{t} FROM s_{t}.ledger_{t}",
    "SELECT nothing FROM s_{t}.ledger_{t}",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM s_{t}.ledger_{t})",
    "SELECT k FROM common.shared UNION ALL SELECT amount_{t} FROM s_{t}.ledger_{t}",
    "SELECT * FROM derived(query => 'SELECT * FROM s_{t}.ledger_{t}')",
    "SELECT * FROM system.tables WHERE catalog = 'mount_{t}'",
    "SELECT * FROM system.columns WHERE catalog = 'db_{t}'",
    "SELECT * FROM information_schema.columns WHERE table_schema = 's_{t}'",
    "SELECT * FROM system.queries WHERE user_name = '{t}'",
    "DESCRIBE s_{t}.ledger_{t}",
    "SHOW COLUMNS FROM s_{t}.ledger_{t}",
    "SHOW CREATE TABLE s_{t}.view_{t}",
    "SHOW GRANTS FOR {t}",
    "EXPLAIN SELECT * FROM s_{t}.ledger_{t}",
    "EXPLAIN ANALYZE SELECT * FROM mount_{t}.papers_{t}",
    "INSERT INTO s_{t}.keyed_{t} VALUES (1, 'x')",
    "INSERT INTO s_{t}.keyed_{t} VALUES (1)",
    "UPDATE s_{t}.ledger_{t} SET amount_{t} = 0",
    "DELETE FROM s_{t}.ledger_{t}",
    "TRUNCATE TABLE s_{t}.ledger_{t}",
    "DROP TABLE s_{t}.ledger_{t}",
    "DROP TABLE IF EXISTS s_{t}.ledger_{t}",
    "DROP VIEW common.window_{t}",
    "DROP SCHEMA s_{t} CASCADE",
    "CREATE SCHEMA s_{t}",
    "CREATE TABLE s_{t}.ledger_{t} (a INT)",
    "CREATE TABLE IF NOT EXISTS s_{t}.ledger_{t} (a INT)",
    "CREATE VIEW common.window_{t} AS SELECT 1 AS a",
    "CREATE OR REPLACE VIEW common.window_{t} AS SELECT 1 AS a",
    "CREATE VIEW mine AS SELECT * FROM s_{t}.ledger_{t}",
    "COPY s_{t}.ledger_{t} TO 'x.csv'",
    "USE s_{t}",
    "USE mount_{t}",
    "REFRESH TABLE s_{t}.copy_{t}",
    "REFRESH MOUNT mount_{t}",
    "DETACH mount_{t}",
    "ATTACH 'x' AS mount_{t} (TYPE files)",
    "GRANT SELECT ON s_{t}.ledger_{t} TO {t}",
    "GRANT role_{t} TO {t}",
    "REVOKE role_{t} FROM {t}",
    "DROP ROLE role_{t}",
    "CREATE ROLE role_{t}",
    "CREATE USER {t} PASSWORD 'x'",
    "ALTER USER {t} PASSWORD 'x'",
    "CREATE API KEY FOR {t}",
    "DROP USER {t}",
]  # fmt: skip


def compare(ask, owner, *what):
    """The answer about the other's must be the answer about nobody's but for the name, and say no more than the question."""
    hidden, missing = ask(owner), ask(NOBODY)
    expected = same(missing.bytes).replace(NOBODY.encode(), owner.encode())
    assert same(hidden.bytes) == expected, (what, same(hidden.bytes)[:2000], expected[:2000])
    for word in leaks(hidden.bytes, owner):
        assert word == owner.encode(), (what, word)


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_sql_about_the_others_is_answered_as_about_nobodys(house, viewer, owner):
    with house.flight(viewer) as flight:
        flight.action("GetSessionOptions")  # the first answer brings a cookie

        def update(sql):
            return flight.call("DoPut", *flight_data(any_of("CommandStatementUpdate", field(1, sql)), pa.table({"x": [1]})))

        for sql in NAMED:
            compare(lambda t: house.http(viewer, "POST", "/v1/sql", sql.format(t=t)), owner, "http", sql)
            compare(lambda t: flight.get_all(statement(sql.format(t=t))), owner, "flight", sql)
            compare(lambda t: flight.prepare(sql.format(t=t)), owner, "prepare", sql)
            compare(lambda t: flight.call("GetSchema", descriptor(statement(sql.format(t=t)))), owner, "GetSchema", sql)
            compare(lambda t: flight.call("PollFlightInfo", descriptor(statement(sql.format(t=t)))), owner, "PollFlightInfo", sql)
            if not sql.startswith(("SE", "SH", "DESC", "EX", "USE")):
                compare(lambda t: update(sql.format(t=t)), owner, "update", sql)
    untouched(house)


def untouched(house):
    """Everything is as it was, for whom it belongs to."""
    for user in USERS:
        for sql in ("SELECT count(*) AS n FROM s_{t}.ledger_{t} WHERE amount_{t} = " + str(NUMBER[user]), "SELECT n_{t} AS n FROM common.window_{t}"):
            answer = house.http(user, "POST", "/v1/sql", sql.format(t=user))
            assert answer.status == 200 and json.loads(answer.body)["rows"] == [{"n": ROWS[user]}], answer
        answer = house.http(user, "POST", "/v1/sql", f"SELECT count(*) AS n FROM s_{user}.keyed_{user}")
        assert json.loads(answer.body)["rows"] == [{"n": 0}]
    assert list((house.directory / "out").iterdir()) == []


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_commands_about_the_others_are_answered_as_about_nobodys(house, viewer, owner):
    def commands(t):
        for catalog in (None, "weir", f"mount_{t}", f"db_{t}", "lake"):
            for schema in (None, f"s_{t}", f"box_{t}", "main", f"%{t}"):
                yield any_of("CommandGetDbSchemas", field(1, catalog), field(2, schema))
                for table in (None, f"ledger_{t}", f"papers_{t}", f"%{t}", f"remote_{t}"):
                    yield any_of("CommandGetTables", field(1, catalog), field(2, schema), field(3, table), field(5, True))
                for keys in ("PrimaryKeys", "ExportedKeys", "ImportedKeys"):
                    yield any_of(f"CommandGet{keys}", field(1, catalog), field(2, schema), field(3, f"keyed_{t}"))
                yield any_of("CommandGetCrossReference", field(1, catalog), field(2, schema), field(3, f"keyed_{t}"), field(4, catalog), field(5, schema), field(6, f"keyed_{t}"))

    with house.flight(viewer) as flight:
        flight.action("GetSessionOptions")
        for hidden, missing in zip(commands(owner), commands(NOBODY)):
            compare(lambda t: flight.get_all(hidden if t == owner else missing), owner, hidden)
        for path in (["weir", "s_{t}", "ledger_{t}"], ["mount_{t}"], ["mount_{t}", "papers_{t}.parquet"], ["lake", "box_{t}", "papers_{t}.parquet"], ["s_{t}", "view_{t}"], ["common", "window_{t}"]):
            for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo"):
                compare(lambda t: flight.call(method, path_descriptor(*(part.format(t=t) for part in path))), owner, method, path)
        compare(lambda t: flight.call("ListFlights", field(1, f"mount_{t}")), owner, "ListFlights")
        for key, value in (("schema", "s_{t}"), ("catalog", "mount_{t}"), ("catalog", "db_{t}")):
            compare(lambda t: flight.action("SetSessionOptions", option(key, value.format(t=t))), owner, key, value)


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_ingest_into_the_others_is_refused_as_into_nobodys(house, viewer, owner):
    def ingest(table, schema, catalog, not_exist, exists, t):
        command = any_of("CommandStatementIngest", field(1, field(1, not_exist) + field(2, exists)), field(2, table.format(t=t)),
                         field(3, schema and schema.format(t=t)), field(4, catalog and catalog.format(t=t)))  # fmt: skip
        return flight.call("DoPut", *flight_data(command, pa.table({f"id_{t}": [1], f"v_{t}": ["x"]})))

    with house.flight(viewer) as flight:
        flight.action("GetSessionOptions")
        for table, schema, catalog in (("keyed_{t}", "s_{t}", "weir"), ("ledger_{t}", "s_{t}", None), ("window_{t}", "common", "weir"), ("papers_{t}", None, "mount_{t}"),
                                       ("remote_{t}", "main", "db_{t}"), ("papers_{t}", "box_{t}", "lake")):  # fmt: skip
            for not_exist, exists in ((1, 1), (2, 2), (1, 2), (1, 3), (2, 3)):
                compare(lambda t: ingest(table, schema, catalog, not_exist, exists, t), owner, table, schema, catalog, not_exist, exists)
    untouched(house)


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_paths_of_the_other_are_answered_as_nobodys(house, viewer, owner):
    paths = ["/v1/tables/weir/s_{t}/ledger_{t}", "/v1/tables/weir/common/window_{t}", "/v1/tables/mount_{t}/./papers_{t}", "/v1/tables/db_{t}/main/remote_{t}", "/v1/tables?path=/mount_{t}",
             "/v1/tables?path=/lake/box_{t}/papers_{t}.parquet", "/v1/tables?path=/lake/box_{t}/broken_{t}.sql", "/v1/files/lake/box_{t}", "/v1/files/lake/box_{t}/",
             "/v1/files/lake/box_{t}/papers_{t}.parquet", "/v1/files/lake/box_{t}/papers_{t}.csv", "/v1/files/lake/box_{t}/plain_{t}.txt", "/v1/files/lake/box_{t}/broken_{t}.csv",
             "/v1/files/lake/box_{t}/query_{t}.sql", "/v1/files/mount_{t}", "/v1/files/mount_{t}/list_{t}.csv", "/v1/files/weir/s_{t}", "/v1/files/weir/s_{t}/ledger_{t}.parquet",
             "/v1/files/weir/common/window_{t}.csv", "/v1/files/db_{t}/main", "/v1/files/db_{t}/main/remote_{t}.csv"]  # fmt: skip
    tag = house.http(owner, "GET", f"/v1/files/lake/box_{owner}/papers_{owner}.parquet").headers["ETag"]
    conditions = [{}, {"Range": "bytes=0-3"}, {"Range": "bytes=-9999999"}, {"If_None_Match": tag}, {"If_None_Match": "*"}, {"If_Match": tag}, {"If_Range": tag, "Range": "bytes=4-8"},
                  {"If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, {"Accept": "text/csv"}]  # fmt: skip
    for path in paths:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            for condition in conditions if method in ("GET", "HEAD") else [{}]:
                compare(lambda t: house.http(viewer, method, path.format(t=t), **condition), owner, method, path, condition)
    for body in ({"sql": "SELECT * FROM ledger_{t}", "namespace": "s_{t}"}, {"sql": "SELECT 1 AS a", "namespace": "s_{t}"}, {"sql": "SELECT 1 AS a", "namespace": "mount_{t}"}):
        compare(lambda t: house.http(viewer, "POST", "/v1/sql", json.dumps(body).replace("{t}", t), Content_Type="application/json"), owner, body)


# ---- Handles ----


def expect_not_found(hidden, missing, *what):
    assert same(hidden.bytes) == same(missing.bytes), (what, hidden, missing)
    assert (hidden.code == "NOT_FOUND") if hasattr(hidden, "code") else hidden.status in (400, 404), (what, hidden)


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_handles_of_the_other_are_not_found(house, viewer, owner):
    held = house.handles[owner]
    nothing = b"0" * 32
    rows = pa.table({"p": [1]})

    def uses(handle):
        query, change = any_of("CommandPreparedStatementQuery", field(1, handle)), any_of("CommandPreparedStatementUpdate", field(1, handle))
        yield from ((method, [descriptor(query)]) for method in ("GetFlightInfo", "GetSchema", "PollFlightInfo"))
        yield "DoGet", [field(1, query)]
        yield from (("DoPut", flight_data(command, rows)) for command in (query, change))
        yield "DoAction", [field(1, "ClosePreparedStatement") + field(2, any_of("ActionClosePreparedStatementRequest", field(1, handle)))]
        endpoint = field(1, field(1, query))
        yield "DoAction", [field(1, "CancelFlightInfo") + field(2, field(1, field(3, endpoint)))]
        yield "DoAction", [field(1, "RenewFlightEndpoint") + field(2, field(1, endpoint))]

    def uses_of_ticket(info):
        (ticket,) = tickets_of(info)
        yield "DoGet", [field(1, ticket)]
        yield "DoAction", [field(1, "CancelFlightInfo") + field(2, field(1, info))]
        yield "DoAction", [field(1, "CancelQuery") + field(2, any_of("ActionCancelQueryRequest", field(1, info)))]
        yield "DoAction", [field(1, "RenewFlightEndpoint") + field(2, field(1, field(1, field(1, ticket))))]

    with house.flight(viewer) as flight:
        flight.action("GetSessionOptions")
        for name in ("prepared", "update"):
            for (method, hidden), (_, missing) in zip(uses(held[name]), uses(nothing)):
                expect_not_found(flight.call(method, *hidden), flight.call(method, *missing), name, method)
        for name in ("running", "waiting"):
            (ticket,) = tickets_of(held[name])
            handle = re.search(rb"[0-9a-f]{32}", ticket)[0]
            for (method, hidden), (_, missing) in zip(uses_of_ticket(held[name]), uses_of_ticket(held[name].replace(handle, nothing))):
                expect_not_found(flight.call(method, *hidden), flight.call(method, *missing), name, method)
    for cookie in (held["cookie"], nothing.decode()):
        with house.flight(viewer) as flight:
            flight.headers.append(("cookie", f"arrow_flight_session_id={cookie}"))
            answer = flight.action("GetSessionOptions")
            assert answer.code == "UNAUTHENTICATED" and not answer.messages, answer
    (session,) = [row["session_id"] for row in house.rows(owner, "SELECT session_id FROM system.sessions WHERE door = 'flight'")][:1]
    for sql, one in (("KILL QUERY '{}'", held["query"]), ("KILL SESSION '{}'", session)):
        expect_not_found(house.http(viewer, "POST", "/v1/sql", sql.format(one)), house.http(viewer, "POST", "/v1/sql", sql.format("0" * 32)), sql)
    expect_not_found(house.http(viewer, "DELETE", f"/v1/queries/{held['query']}"), house.http(viewer, "DELETE", "/v1/queries/" + "0" * 32))
    running = house.rows(owner, "SELECT door FROM system.queries WHERE state = 'running' AND sql LIKE '%ledger%ledger%' AND sql NOT LIKE '%system%'")
    assert sorted(row["door"] for row in running) == ["flight", "http"]


@pytest.mark.parametrize("owner", USERS)
def test_handles_are_good_for_the_owner_still(house, owner):
    """The last of these tests: what the other one tried did not even use up a ticket."""
    held = house.handles[owner]
    with house.flight(owner) as flight:
        answer = flight.call("DoGet", field(1, tickets_of(held["waiting"])[0]))
        assert answer.code == "OK" and leaks(answer.bytes, owner), answer
        answer = flight.call("DoPut", *flight_data(any_of("CommandPreparedStatementQuery", field(1, held["prepared"])), pa.table({"p": [3]})))
        assert answer.code == "OK", answer
        answer = flight.get_all(any_of("CommandPreparedStatementQuery", field(1, held["prepared"])))
        assert answer.code == "OK" and leaks(answer.bytes, owner), answer
