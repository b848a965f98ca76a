# SPDX-License-Identifier: Apache-2.0
"""
Tokens of Azure and Google that change while a statement runs: a managed identity's and an instance's. Neither Azurite without TLS
nor fake-gcs-server looks at tokens: the proxy refuses those that hold no longer, and signs for Azurite what has the right one.
"""

import http.server
import json
import threading
import time

import pyarrow
import pytest
import signed
from fault_proxy import FaultProxy, answer, delay, rewritten
from http_server import HttpServer
from stores import ACCOUNT, ACCOUNT_KEY, Azurite, Gcs
from test_stores import parquet
from waiting import repeatedly

FILES = 120


class TokenServer:
    """The metadata of Azure's and Google's machines, which give the token that holds now."""

    def __init__(self):
        self.n = self.given = 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.partition("?")[0]
                until = int(time.time()) + 3600
                if path == "/msi" and self.headers["metadata"] == "true":
                    said = {"access_token": server.token(), "expires_on": str(until), "expires_in": "3600", "resource": "https://storage.azure.com", "token_type": "Bearer"}
                elif path == "/computeMetadata/v1/instance/service-accounts/default/token" and self.headers["metadata-flavor"] == "Google":
                    said = {"access_token": server.token(), "expires_in": 3600, "token_type": "Bearer"}
                else:
                    said = None
                body = json.dumps(said).encode()
                self.send_response(200 if said else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                server.given += said is not None

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def token(self):
        return f"token-{self.n}"

    def holds(self, request):
        return request.headers.get("authorization") == f"Bearer {self.token()}"

    def rotate(self):
        self.n += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(30)


def signed_for_azurite():
    sas = signed.azure_sas(ACCOUNT, ACCOUNT_KEY).encode()

    def rewrite(head):
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"authorization:")]
        method, target, version = lines[0].split(b" ")
        lines[0] = b" ".join([method, target + (b"&" if b"?" in target else b"?") + sas, version])
        return b"\r\n".join(lines)

    return rewritten(rewrite)


@pytest.fixture(scope="module", params=[Azurite, Gcs], ids=lambda kind: kind.name)
def store(request, tmp_path_factory):
    store = request.param(tmp_path_factory.mktemp(request.param.name))
    try:
        store.make("rotate")
        for i in range(FILES):
            store.put("rotate", f"t/{i:03}.parquet", parquet(pyarrow.table({"a": list(range(i * 10, i * 10 + 10))})))
        yield store
    finally:
        store.close()


def options(store, proxy, tokens):
    if store.name == "azurite":
        return {"endpoint": f"{store.endpoint(proxy)}/{ACCOUNT}", "account_name": ACCOUNT, "msi_endpoint": f"http://{tokens.host}/msi"}
    return {"base_url": store.endpoint(proxy)}


def test_tokens_change_while_a_scan_and_a_write_run(store, tmp_path):
    (tmp_path / "w").mkdir()
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy, TokenServer() as tokens:
        if store.name == "azurite":
            proxy.rule(signed_for_azurite())
        proxy.rule(delay(0.05))
        proxy.rule(answer(401, b"<Error><Code>InvalidAuthenticationInfo</Code></Error>", name="old token"), when=lambda request: not tokens.holds(request))
        given = {"url": store.url("rotate"), "allow_http": "true", "concurrency": "8", **options(store, proxy, tokens)}
        (tmp_path / "w/weir.yaml").write_text("log.level: debug\nlog.file: weir.log\nstores:\n  own:\n" + "".join(f"    {key}: {json.dumps(value)}\n" for key, value in given.items()))
        with HttpServer(tmp_path / "w", deadline=120, env={"GCE_METADATA_HOST": tokens.host}) as server:
            with repeatedly(tokens.rotate, 0.4):
                assert server.rows(f"SELECT count(*), sum(a) FROM '{store.url('rotate', 't/*.parquet')}'") == [(1200, 719400)]
                read = tokens.n
                sql = f"COPY (SELECT value AS id, random() AS x, random() AS y FROM generate_series(1, 3000000)) TO '{store.url('rotate', 'out.parquet')}'"
                assert server.sql(sql).status == 200, sql
                written = tokens.n - read
            assert server.rows(f"SELECT count(*), sum(id) FROM '{store.url('rotate', 'out.parquet')}'") == [(3000000, 4500001500000)]
            renewed = dict(server.rows("SELECT name, value FROM system.metrics WHERE store IS NOT NULL"))["objects_renewed_requests"]
            assert read > 0 and written > 0 and renewed > 0 and proxy.requests(fault="old token")
            assert server.end(seconds=60) == 0
    assert "token-" not in (tmp_path / "w/weir.log").read_text()
    assert store.open_uploads("rotate") == []


def test_a_token_that_is_refused_for_good_is_a_clear_error(store, tmp_path):
    (tmp_path / "w").mkdir()
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy, TokenServer() as tokens:
        refused = proxy.rule(answer(401, b"<Error><Code>InvalidAuthenticationInfo</Code></Error>"))
        given = {"url": store.url("rotate"), "allow_http": "true", **options(store, proxy, tokens)}
        (tmp_path / "w/weir.yaml").write_text("stores:\n  own:\n" + "".join(f"    {key}: {json.dumps(value)}\n" for key, value in given.items()))
        with HttpServer(tmp_path / "w", deadline=120, env={"GCE_METADATA_HOST": tokens.host}) as server:
            said = server.sql(f"SELECT count(*) FROM '{store.url('rotate', 't/000.parquet')}'")
            assert said.status >= 400 and store.url("rotate") in said.error()["message"] and "token-" not in said.body.decode()
            assert refused.fired <= 2 and tokens.given <= 2
