# SPDX-License-Identifier: Apache-2.0
"""The fault proxy does the faults that tests ask of it, tells what it saw, and changes nothing else."""

import http.client
import time

import pytest
import signed
from fault_proxy import FaultProxy, answer, cut, delay, expired_token, lost, reset, slow, stall, throttle
from http_server import until
from plain_http import PlainHttp
from stores import VersityGW

DATA = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    server = PlainHttp(tmp_path_factory.mktemp("origin"))
    server.put(server.make("b"), "data", DATA)
    server.put("b", "small", b"0123456789")
    yield server
    server.close()


@pytest.fixture
def proxy(origin):
    with FaultProxy("127.0.0.1", origin.port, seed=1) as proxy:
        yield proxy


def get(proxy, path="/b/small", **headers):
    return signed.send(("127.0.0.1", proxy.port), "GET", path, headers=headers, timeout=60)


BROKEN = (ConnectionError, http.client.HTTPException)


def test_without_rules_everything_passes_and_is_logged(proxy):
    assert get(proxy, "/b/data").body == DATA
    assert get(proxy, Range="bytes=2-4").body == b"234"
    assert signed.send(("127.0.0.1", proxy.port), "GET", "/b/none", [("prefix", "x y")]).status == 404
    assert [(r.method, r.path, r.range, r.status, r.sent, r.fault) for r in proxy.log] == [
        ("GET", "/b/data", "", 200, len(DATA), ""),
        ("GET", "/b/small", "bytes=2-4", 206, 3, ""),
        ("GET", "/b/none", "", 404, len(b"not here\n"), ""),
    ]
    assert proxy.log[2].query == {"prefix": "x y"} and [r.kind for r in proxy.log] == ["GET", "GET", "LIST"]
    assert proxy.bytes(kind="GET") == len(DATA) + 3 and len(proxy.requests(path="small")) == 1
    until(lambda: all(r.seconds for r in proxy.log), "all have ended")
    assert all(0 < r.first_byte <= r.seconds for r in proxy.log)


def test_many_requests_go_through_one_connection(proxy, origin):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    for _ in range(20):
        connection.request("GET", "/b/small")
        assert connection.getresponse().read() == b"0123456789"
        connection.request("HEAD", "/b/small")
        assert connection.getresponse().read() == b""
    connection.close()
    assert proxy.connections == 1 and len(proxy.log) == 40 and proxy.peak == 1


def test_a_delay_comes_before_the_first_byte(proxy):
    proxy.rule(delay(0.1))
    proxy.rule(delay(0.1), path="data")
    get(proxy)
    get(proxy, "/b/data")
    assert proxy.log[0].first_byte >= 0.1 and proxy.log[1].first_byte >= 0.2


def test_a_rule_fires_for_its_method_path_and_count(proxy):
    rule = proxy.rule(throttle(("retry-after", "1")), method="GET|HEAD", path=r"small$", skip=1, count=2)
    answers = [get(proxy) for _ in range(5)]
    assert [a.status for a in answers] == [200, 503, 503, 200, 200]
    assert b"SlowDown" in answers[1].body and answers[1].headers["retry-after"] == "1"
    assert get(proxy, "/b/data").status == 200 and rule.fired == 2
    assert len(proxy.requests(fault="SlowDown")) == 2 and len(proxy.requests(fault=False)) == 4
    proxy.rule(expired_token())
    refused = get(proxy)
    assert refused.status == 400 and b"ExpiredToken" in refused.body
    proxy.forget(rules=True)
    assert get(proxy).status == 200 and len(proxy.log) == 1


def test_a_share_of_the_requests_is_hit_and_the_seed_says_which(origin):
    def hits(seed):
        with FaultProxy("127.0.0.1", origin.port, seed) as proxy:
            proxy.rule(answer(500), share=0.3)
            return [get(proxy).status for _ in range(30)]

    first = hits(5)
    assert 2 < first.count(500) < 20 and first == hits(5) and first != hits(6)


def test_a_cut_body_tells_its_whole_length_and_ends_early(proxy):
    proxy.rule(cut(0.5), count=1)
    proxy.rule(cut(3), count=1, skip=1)
    for n in (len(DATA) // 2, 3):
        with pytest.raises(http.client.IncompleteRead) as broken:
            get(proxy, "/b/data")
        assert broken.value.partial == DATA[:n]
    assert [r.sent for r in proxy.requests(fault="cut")] == [len(DATA) // 2, 3]
    assert get(proxy, "/b/data").body == DATA


def test_a_slow_body_comes_whole_but_slowly(proxy):
    proxy.rule(slow(4 << 20))
    start = time.monotonic()
    assert get(proxy, "/b/data").body == DATA
    assert time.monotonic() - start >= 0.2


def test_resets_break_before_or_after_the_store_did_it(tmp_path):
    store = VersityGW(tmp_path)
    try:
        store.make("bucket")
        with FaultProxy("127.0.0.1", store.port) as proxy:
            address = ("127.0.0.1", proxy.port)
            proxy.rule(reset(), count=1)
            proxy.rule(lost(), skip=1, count=1)
            for key in ("never", "done"):
                with pytest.raises(BROKEN):
                    signed.s3(address, "weirtest", "weirtest/s3cret+123", "PUT", f"/bucket/{key}", body=b"x")
            # The signature covers the proxy's address, which the store never hears of but in the Host.
            assert signed.s3(address, "weirtest", "weirtest/s3cret+123", "PUT", "/bucket/third", body=b"xyz").status == 200
            assert store.list("bucket") == ["done", "third"]
            assert [r.received for r in proxy.log] == [0, 1, 3]
    finally:
        store.close()


def test_a_stalled_request_gets_no_answer(proxy):
    proxy.rule(stall(), count=1)
    with pytest.raises(TimeoutError):
        signed.send(("127.0.0.1", proxy.port), "GET", "/b/small", timeout=0.5)
    assert get(proxy).status == 200


def test_requests_side_by_side_are_counted(proxy):
    proxy.rule(delay(0.5))
    connections = [http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60) for _ in range(8)]
    for connection in connections:
        connection.request("GET", "/b/small")
    for connection in connections:
        assert connection.getresponse().read() == b"0123456789"
        connection.close()
    assert proxy.peak == 8 and proxy.connections == 8


def test_a_body_is_asked_for_before_it_is_sent(proxy):
    proxy.rule(answer(201))
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    connection.putrequest("PUT", "/b/new")
    connection.putheader("Expect", "100-continue")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    assert connection.sock.recv(100).startswith(b"HTTP/1.1 100")
    connection.send(b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n")
    assert connection.getresponse().status == 201
    connection.close()
    assert proxy.log[0].received == 8


def test_close_ends_what_is_going_on(origin):
    proxy = FaultProxy("127.0.0.1", origin.port)
    proxy.rule(stall())
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    connection.request("GET", "/b/small")
    proxy.close()
    with pytest.raises(BROKEN):
        connection.getresponse()
    connection.close()
    assert not proxy.thread.is_alive()
