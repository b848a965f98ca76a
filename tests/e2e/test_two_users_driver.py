# SPDX-License-Identifier: Apache-2.0
"""Two users of one workspace through libweir as an ADBC driver: the same rules as for the doors (test_two_users.py)."""

import dataclasses

import adbc_driver_manager as manager
import pytest
from adbc_driver_manager import dbapi

from principals import LIBRARY
from test_two_users import NAMED, PAIRS, TELLING, compare, house, says_nothing  # noqa: F401  one is a fixture
from two_users import NOBODY, USERS, leaks, password


def opened_as(house, user):
    return dbapi.connect(driver=str(LIBRARY), autocommit=True, db_kwargs={"adbc.weir.workspace": str(house.directory), "adbc.weir.config.policy.preset": "server",
                                                                      "username": user, "password": password(user)})  # fmt: skip


def told(call):
    """Rows, schema or error of a call, as bytes."""
    try:
        found = call()
        found = found.read_all() if hasattr(found, "read_all") else found
        return repr(found.to_pylist() if hasattr(found, "to_pylist") else found).encode()
    except manager.Error as error:
        return f"{type(error).__name__} {error} {error.sqlstate} {error.vendor_code} {error.details}".encode()


@dataclasses.dataclass
class Told:
    bytes: bytes


def driver_calls(connection, t):
    for sql in TELLING:  # first: one's own queries will have the other's names in them
        yield sql, lambda: rows_by_driver(connection, sql)
    for depth in ("catalogs", "db_schemas", "tables", "columns", "all"):
        yield "GetObjects", lambda: connection.adbc_get_objects(depth=depth)
    for filters in ({"catalog_filter": f"mount_{t}"}, {"catalog_filter": "weir", "db_schema_filter": f"s_{t}"}, {"table_name_filter": f"%{t}"}, {"column_name_filter": f"id_{t}"}):
        yield f"GetObjects {filters}", lambda: connection.adbc_get_objects(depth="all", **filters)
    for filters in ({}, {"catalog_filter": f"mount_{t}"}, {"catalog_filter": "lake", "db_schema_filter": f"box_{t}"}, {"table_name_filter": f"papers_{t}"}):
        for approximate in (False, True):
            yield f"GetStatistics {filters}", lambda: connection.adbc_get_statistics(approximate=approximate, **filters)
    for catalog, schema, table in (("mount_{t}", None, "papers_{t}"), ("lake", "box_{t}", "papers_{t}"), (None, "s_{t}", "view_{t}"), ("weir", "common", "window_{t}")):
        names = [name and name.format(t=t) for name in (catalog, schema, table)]
        yield f"GetTableSchema {names}", lambda: connection.adbc_get_table_schema(names[2], catalog_filter=names[0], db_schema_filter=names[1])
    yield "GetTableTypes", lambda: connection.adbc_get_table_types()
    yield "GetInfo", lambda: connection.adbc_get_info()
    for sql in NAMED[:25]:
        yield sql, lambda: rows_by_driver(connection, sql.format(t=t))
        yield f"schema of {sql}", lambda: schema_by_driver(connection, sql.format(t=t))


def rows_by_driver(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def schema_by_driver(connection, sql):
    with connection.cursor() as cursor:
        return cursor.adbc_execute_schema(sql)


@pytest.mark.parametrize("viewer, owner", PAIRS)
def test_the_driver_tells_of_the_other_what_it_tells_of_nobody(house, viewer, owner):
    n_telling = 0
    with opened_as(house, viewer) as connection:
        for (what, hidden), (_, missing) in zip(driver_calls(connection, owner), driver_calls(connection, NOBODY)):
            said = {owner: Told(told(hidden)), NOBODY: Told(told(missing))}
            if what in TELLING:  # which names nobody, and whose own figures change
                says_nothing(said[owner], owner, what)
            else:
                compare(lambda t: said[t], owner, what)
            n_telling += bool(leaks(said[owner].bytes, viewer))
    assert n_telling > 10


def test_the_driver_refuses_wrong_passwords(house):
    for user, secret in ((USERS[0], "wrong"), (USERS[0], password(USERS[1])), (NOBODY, "wrong"), ("", "")):
        with pytest.raises(manager.Error) as caught, dbapi.connect(driver=str(LIBRARY), autocommit=True, db_kwargs={"adbc.weir.workspace": str(house.directory), "username": user, "password": secret}):
            pass
        assert caught.value.sqlstate == "28000" and "the credential is not valid" in str(caught.value)
