# SPDX-License-Identifier: Apache-2.0
"""The page at /, in headless Chromium."""

import http.client
import re

import pytest

import browser
from http_server import HttpServer, until


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with HttpServer(tmp_path_factory.mktemp("page")) as server:
        assert server.sql("COPY (SELECT i, i * 1.5 AS x, 'row ' || i AS s FROM generate_series(1, 100) t(i)) TO 'data/t.parquet'").status == 200
        (server.directory / "data" / "v.sql").write_text("SELECT i, x FROM t")
        (server.directory / "data" / "notes.txt").write_text("hello\n")
        yield server


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    binary, missing = browser.find()
    if missing:
        pytest.skip(missing)
    found = browser.Browser(binary, tmp_path_factory.mktemp("browser"))
    yield found
    found.close()


@pytest.fixture
def page(server, chromium):
    chromium.go(server.url + "/")
    chromium.problems()
    yield chromium
    # An answer that is an error is told there too.
    assert [text for text in chromium.problems() if "Failed to load resource" not in text] == []


def run(page, sql, expected):
    """Runs SQL and waits for its end. The status of an earlier run is taken away first: it may be the very same."""
    page.type("#sql", sql)
    page.run("document.getElementById('status').textContent = ''")
    page.press("Control", "Enter")
    until(lambda: expected in (page.text("#status") or ""), expected)


def rows(page):
    return page.run("return [...document.querySelectorAll('#rows tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))")


def test_nothing_comes_from_elsewhere(server):
    answer = server.get("/")
    text = answer.body.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)""", text.split("<script>")[0]) and "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text
    assert "'sha256-" in answer.headers["Content-Security-Policy"] and "unsafe-inline" not in answer.headers["Content-Security-Policy"]


def test_control_and_enter_runs_sql(page):
    run(page, "SELECT 1 AS a, 'x<b>y' AS s, NULL AS n, 9007199254740993 AS big, [1, 2] AS list", "1 row")
    assert rows(page) == [["1", "x<b>y", "NULL", "9007199254740993", "[1,2]"]]
    assert page.run("return [...document.querySelectorAll('#rows th')].map((cell) => cell.firstChild.data)") == ["a", "s", "n", "big", "list"]
    page.type("#sql", "SELECT 2 AS b")
    page.click("#run")
    until(lambda: rows(page) == [["2"]], "the button runs it")
    run(page, "SELECT i FROM lake.t WHERE i < 0", "0 rows")
    assert "No rows." in page.text("#rows")


def test_an_error_is_shown_and_goes_away(page):
    page.type("#sql", "SELEC 1")
    page.press("Control", "Enter")
    until(lambda: "42601" in (page.text("#error") or ""), "the error")
    run(page, "SELECT 1 AS a", "1 row")
    assert page.text("#error") is None


def test_a_large_result_is_cut_and_its_query_ended(server, page):
    run(page, "SELECT i FROM generate_series(1, 4000000000) t(i)", "the first 2,000 rows")
    assert len(rows(page)) == 2000
    until(server.is_quiet, "the query has ended")


def test_a_running_query_is_cancelled_by_key(server, page):
    page.type("#sql", "SELECT count(*) FROM generate_series(1, 1000000) a(i), generate_series(1, 1000000) b(j) WHERE (i * j) % 7 = 3")
    page.press("Control", "Enter")
    until(lambda: "running" in page.text("#status"), "it runs")
    page.press("Escape")
    until(lambda: "cancelled" in page.text("#status"), "it is cancelled")
    until(server.is_quiet, "the query has ended")


def test_a_failure_on_the_way_is_told(tmp_path, page):
    # One partition in batches of 100 rows of a kilobyte, and pieces of the answer of 64 KiB: rows are sent before the 1,500th fails.
    small = "settings: { datafusion.execution.batch_size: 100, datafusion.execution.target_partitions: 1 }\n"
    sql = "SELECT i, repeat('y', 1000) AS s, CASE WHEN i = 1500 THEN CAST('x' || i AS INT) ELSE 1 END AS b FROM generate_series(1, 100000) t(i)"
    with HttpServer(tmp_path, config=small) as server:
        connection = server.connect()
        connection.request("POST", "/v1/sql", sql, {"Accept": "application/x-ndjson"})
        response = connection.getresponse()
        assert response.status == 200
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
        assert 0 < caught.value.partial.count(b"\n") < 1500
        connection.close()
        page.go(server.url + "/")
        page.type("#sql", sql)
        page.press("Control", "Enter")
        until(lambda: page.text("#error"), "the error")
        page.go("about:blank")


def test_the_tree_is_browsed_by_mouse(page):
    until(lambda: page.text("#tree") and "lake" in page.text("#tree"), "the tree")
    page.click("#tree [title='/lake']")
    until(lambda: "t.parquet" in page.text("#tree"), "the mount's files")
    page.click("#tree [title='/lake/t.parquet']")
    until(lambda: "100 rows" in page.text("#tree"), "the columns")
    assert re.search(r"i\s+int64\s+x\s+double\s+s\s+string", page.text("#tree"))
    assert re.search(r"notes.txt\s+6 B", page.text("#tree"))
    page.run("document.querySelector(\"#tree [title='/lake/v.sql']\").dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))")
    assert page.run("return document.getElementById('sql').value") == 'SELECT * FROM "/lake/v.sql" LIMIT 100'
    page.click("#run")
    until(lambda: len(rows(page)) == 100, "the view's rows")


def test_the_tree_is_browsed_by_keys(page):
    until(lambda: page.text("#tree") and "lake" in page.text("#tree"), "the tree")
    focus = "return document.activeElement.querySelector('.name')?.innerText"
    page.run("document.querySelector('#tree [role=treeitem]').focus()")
    assert page.run(focus) == "lake"
    page.press("ArrowRight")
    until(lambda: "t.parquet" in page.text("#tree"), "it opens")
    page.press("ArrowDown")
    assert page.run(focus) == "notes.txt"
    page.press("ArrowDown")
    page.press("Enter")
    assert page.run("return document.getElementById('sql').value") == 'SELECT * FROM "/lake/t.parquet" LIMIT 100'
    assert page.run("return document.activeElement.id") == "sql"


def test_two_columns_are_drawn(page):
    run(page, "SELECT i, x FROM lake.t ORDER BY i", "100 rows")
    page.click("#tab-chart")
    assert "x over i" in page.run("return document.querySelector('#chart svg').getAttribute('aria-label')")
    points = page.run("return document.querySelector('#chart polyline').getAttribute('points').split(' ').length")
    assert points == 100
    run(page, "SELECT 'k' || i AS k, i FROM generate_series(1, 5) t(i)", "5 rows")
    assert page.run("return document.querySelectorAll('#chart rect').length") == 5
    run(page, "SELECT date '2026-01-01' + i AS d, -i AS y FROM generate_series(1, 5) t(i)", "5 rows")
    assert page.run("return document.querySelectorAll('#chart circle').length") == 5
    run(page, "SELECT 'a' AS a", "1 row")
    assert "whose second column is a number" in page.text("#chart")


def test_queries_are_listed_and_ended(server, page):
    run(page, "SELECT 1 AS a_name_to_be_found", "1 row")
    page.click("#tab-queries")
    until(lambda: "a_name_to_be_found" in (page.text("#queries") or ""), "the query is listed")
    connection = server.connect()
    connection.request("POST", "/v1/sql", "SELECT count(*) AS long_one FROM generate_series(1, 1000000) a(i), generate_series(1, 1000000) b(j) WHERE (i * j) % 7 = 3")
    until(lambda: page.run("return [...document.querySelectorAll('#queries tbody tr')].some((row) => row.innerText.includes('long_one') && !row.querySelector('button').disabled)"), "it runs")
    page.run("[...document.querySelectorAll('#queries tbody tr')].find((row) => row.innerText.includes('long_one') && !row.querySelector('button').disabled).querySelector('button').click()")
    assert connection.getresponse().status == 409
    connection.close()


def test_tabs_and_colours_change_by_keys(page):
    page.run("document.getElementById('tab-rows').focus()")
    page.press("ArrowRight")
    assert page.run("return document.activeElement.id") == "tab-chart" and page.run("return document.getElementById('rows').hidden")
    before = page.run("return [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]")
    page.run("document.getElementById('theme').focus()")
    page.press("Enter")
    after = page.run("return [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]")
    assert {before[0], after[0]} == {"dark", "light"} and before[1] != after[1]


def test_a_result_is_saved(page, chromium):
    page.type("#sql", "SELECT 1 AS a")
    saved = "window.saved = null; const old = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return old.call(URL, blob); };"
    page.run(saved + "const box = document.getElementById('save'); box.value = 'text/csv'; box.dispatchEvent(new Event('change'))")
    until(lambda: page.run("return window.saved") == "a\n1\n", "the file")
