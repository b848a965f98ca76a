# SPDX-License-Identifier: Apache-2.0
"""The gRPC server with a real client: what goes in, what comes out, how calls end."""

import resource
import socket
import subprocess
import threading
import time

import grpc
import pytest
from grpc_server import Server, block, wait_until


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


def refused(call, code, *words):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() == code, caught.value
    for word in words:
        assert word in caught.value.details(), caught.value
    return dict(caught.value.trailing_metadata() or ())


@pytest.mark.parametrize("size", [0, 1, 5, 16383, 16384, 65536, 1 << 20, 20_000_001])
def test_messages_of_any_size_come_back_as_they_were(client, size):
    message = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert client.call("Echo", message) == message


def test_parts_are_sent_in_order_and_whole(client):
    for size in (0, 3, 7, 8, 1000, 100_000, 3_000_001):
        assert [*client.stream(3, size)] == [block(size)] * 3


def test_an_exchange_gives_and_takes_at_the_same_time(client):
    sent, replies = threading.Semaphore(0), []

    def requests():
        for i in range(50):
            sent.acquire()
            yield bytes([i]) * i * 1000

    sent.release()
    for reply in client.exchange("Chat", requests()):
        replies.append(reply)
        sent.release()
    assert replies == [bytes([i]) * i * 1000 for i in range(50)]


def test_many_messages_go_up(client):
    (reply,) = client.exchange("Sink", [b"x" * 100_000] * 1000)
    assert reply == b"1000 100000000"
    (reply,) = client.exchange("Sink", [])
    assert reply == b"0 0"


def test_errors_have_code_text_sqlstate_and_position(client):
    text = "there is no table \"ä€\" 100%\nnext line"
    trailers = refused(
        lambda: client.call("Fail", f"3 42P01 17 {text}".encode()), grpc.StatusCode.NOT_FOUND, text
    )
    assert trailers["weir-sqlstate"] == "42P01"
    assert trailers["weir-position"] == "17"
    assert trailers["test-trailer"] == "of an error"


def test_an_error_after_messages_keeps_them(client):
    stream = client.channel.unary_stream("/test.Test/FailLate")(b"10 58030 0 the disk is gone", timeout=20)
    assert next(stream) == b"first"
    trailers = refused(lambda: next(stream), grpc.StatusCode.INTERNAL, "the disk is gone")
    assert trailers["weir-sqlstate"] == "58030"


def test_a_long_error_is_cut_at_a_character(client):
    trailers = refused(lambda: client.call("Fail", b"5 22023 0 " + "€".encode() * 1300), grpc.StatusCode.INVALID_ARGUMENT)
    assert trailers["weir-sqlstate"] == "22023"
    with pytest.raises(grpc.RpcError) as caught:
        client.call("Fail", b"5 22023 0 " + "€".encode() * 1300)
    details = caught.value.details()
    assert len(details) > 400 and set(details) == {"€"}


@pytest.mark.parametrize(
    "code, sqlstate, status",
    [
        (2, "0A000", "UNIMPLEMENTED"),
        (4, "42710", "ALREADY_EXISTS"),
        (6, "55000", "FAILED_PRECONDITION"),
        (7, "22000", "INVALID_ARGUMENT"),
        (9, "53200", "RESOURCE_EXHAUSTED"),
        (9, "XX000", "INTERNAL"),
        (10, "57P01", "UNAVAILABLE"),
        (11, "57014", "CANCELLED"),
        (12, "57014", "DEADLINE_EXCEEDED"),
        (13, "28000", "UNAUTHENTICATED"),
        (14, "42501", "PERMISSION_DENIED"),
    ],
)
def test_each_code_has_its_status(client, code, sqlstate, status):
    refused(lambda: client.call("Fail", f"{code} {sqlstate} 0 x".encode()), grpc.StatusCode[status])


def test_headers_and_trailers_go_both_ways(client):
    metadata = [("test-text", "a"), ("test-text", "b"), ("test-bin", b"\0\xff1"), ("test-bin", b"")]
    reply, call = client.channel.unary_unary("/test.Test/Facts").with_call(b"", timeout=20, metadata=metadata)
    lines = reply.decode().splitlines()
    assert "test-text=a" in lines and "test-text=b" in lines and "test-bin=00ff31" in lines
    assert dict(call.initial_metadata()) == {"test-answer": "a header", "test-answer-bin": b"\x01\xff"}
    assert dict(call.trailing_metadata()) == {"test-trailer": "a trailer"}
    peer = next(line for line in lines if line.startswith("peer="))
    assert peer.startswith("peer=127.0.0.1:")
    (left,) = [int(line.split("=")[1]) for line in lines if line.startswith("time_left=")]
    assert 15_000 < left <= 21_000


def test_what_a_connection_holds_lives_as_long_as_it(server):
    wait_until(lambda: server.figures()["sessions"] == 0)  # those of other tests' clients
    with server.client() as client:
        for n in (1, 2, 3):
            assert f"call={n}\n".encode() in client.call("Facts")
        assert server.figures()["sessions"] == 1
    wait_until(lambda: server.figures()["sessions"] == 0)


def test_an_unknown_method_is_unimplemented(client):
    refused(lambda: client.call("Nothing"), grpc.StatusCode.UNIMPLEMENTED, "/test.Test/Nothing")


def test_a_method_takes_as_many_messages_as_it_says(client):
    refused(lambda: [*client.exchange("Echo", [b"a", b"b"])], grpc.StatusCode.UNIMPLEMENTED, "not more")
    refused(lambda: [*client.exchange("Echo", [])], grpc.StatusCode.UNIMPLEMENTED, "none")


def test_compression_is_refused_with_what_is_understood(client):
    with pytest.raises(grpc.RpcError) as caught:
        client.call("Echo", b"x" * 10000, compression=grpc.Compression.Gzip)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "identity" in caught.value.details()


def test_a_message_over_the_limit_is_refused():
    with Server(max_message=100_000) as server, server.client() as client:
        assert client.call("Echo", b"x" * 100_000) == b"x" * 100_000
        refused(lambda: client.call("Echo", b"x" * 100_001), grpc.StatusCode.RESOURCE_EXHAUSTED, "100000 bytes")


def test_headers_over_the_limit_are_refused_and_the_connection_lives(server):
    with server.client(**{"grpc.max_metadata_size": 1 << 20}) as client:
        client.call("Echo")
        metadata = [("test-text", "x" * 70_000)]
        with pytest.raises(grpc.RpcError):
            client.call("Echo", metadata=metadata)
        assert client.call("Echo", b"still here") == b"still here"


@pytest.mark.parametrize("method", ["Sleep", "Block"])
def test_a_deadline_cancels_what_runs(server, client, method):
    before = server.figures()["cancelled"]
    refused(lambda: client.call(method, timeout=0.2), grpc.StatusCode.DEADLINE_EXCEEDED)
    wait_until(lambda: server.figures()["cancelled"] == before + 1)


@pytest.mark.parametrize("method", ["Sleep", "Block"])
def test_a_reset_cancels_what_runs(server, client, method):
    before = server.figures()
    call = client.future(method)
    wait_until(lambda: server.figures()["replies"] == before["replies"] + 1)
    call.cancel()
    wait_until(lambda: (f := server.figures())["replies_released"] == f["replies"])
    wait_until(lambda: server.figures()["n_calls"] == before["n_calls"])


def test_a_client_that_is_gone_is_noticed_while_nothing_is_written(server):
    before = server.figures()
    with server.client() as client:
        calls = [client.future("Sleep") for _ in range(10)]
        wait_until(lambda: server.figures()["replies"] == before["replies"] + 10)
    del calls
    wait_until(lambda: (f := server.figures())["replies_released"] == f["replies"])
    wait_until(lambda: server.figures()["n_calls"] == before["n_calls"])


def test_a_client_that_does_not_read_holds_two_messages_and_no_thread(server):
    wait_until(lambda: (f := server.figures())["made"] == f["released"] and f["n_calls"] == 0)
    before = server.figures()
    # Its windows would grow to hundreds of megabytes otherwise.
    with server.client(**{"grpc.http2.bdp_probe": 0}) as client:
        streams = [client.stream(1000, 2_000_000) for _ in range(20)]
        for stream in streams:
            next(stream)

        def is_still():
            made = server.figures()["made"]
            time.sleep(0.3)
            return made == server.figures()["made"]

        wait_until(is_still)
        figures = server.figures()
        assert figures["made"] - figures["released"] == 2 * 20
        assert figures["made"] - before["made"] <= 5 * 20
        # Others have their turn.
        with server.client() as other:
            assert other.call("Echo", b"x") == b"x"
        # Threads without work end after ten seconds; a held one would not.
        wait_until(lambda: server.threads() <= 12, 30)
        for stream in streams:
            stream.cancel()
        wait_until(lambda: (f := server.figures())["made"] == f["released"])
        wait_until(lambda: (f := server.figures())["replies"] == f["replies_released"])


def test_small_messages_wait_in_numbers_up_to_a_bound(server):
    wait_until(lambda: (f := server.figures())["made"] == f["released"] and f["n_calls"] == 0)
    with server.client(**{"grpc.http2.bdp_probe": 0}) as client:
        few = client.stream(100_000, 100_000)
        next(few)
        n_few = held_when_still(server)
        many = client.stream(100_000, 10_000)
        next(many)
        n_many = held_when_still(server) - n_few
        # Until there are 3 MiB of them, or 64; the last ones are sent in part, and are not low yet.
        assert 3 <= n_few <= 32, n_few
        assert 32 < n_many <= 64, n_many
        few.cancel()
        # A client that goes on gets all of them.
        assert sum(map(len, many)) == 99_999 * 10_000
    wait_until(lambda: (f := server.figures())["made"] == f["released"])


def held_when_still(server):
    """How many messages the server has made and not sent, once it makes no more."""

    def found():
        made = server.figures()["made"]
        time.sleep(0.3)
        figures = server.figures()
        return made == figures["made"] and figures["made"] - figures["released"]

    return wait_until(found)


def test_fifty_clients_get_all_of_their_streams(server):
    sizes = []

    def read(n):
        with server.client() as client:
            sizes.append((n, sum(map(len, client.stream(20, 100_000 + n)))))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sizes) == [(n, 20 * (100_000 + n)) for n in range(50)]


def test_a_server_that_drains_ends_calls_and_takes_no_more():
    with Server() as server, server.client() as client:
        stream = client.stream(200, 100_000)
        next(stream)
        drained = []
        thread = threading.Thread(target=lambda: drained.append(server.order("drain 20000")))
        thread.start()
        assert sum(map(len, stream)) == 199 * 100_000
        thread.join()
        assert drained == ["drained"]
        with pytest.raises(OSError):
            server.connect()


def test_a_drain_cancels_after_its_deadline():
    with Server() as server, server.client() as client:
        call = client.future("Sleep")
        wait_until(lambda: server.figures()["n_calls"] == 1)
        assert server.order("drain 200") == "drained"
        refused(call.result, grpc.StatusCode.UNAVAILABLE)
        wait_until(lambda: server.figures()["cancelled"] == 1)


def test_a_server_is_closed_with_calls_that_run():
    with Server() as server, server.client() as client:
        calls = [client.future("Sleep"), client.future("Block"), client.stream(1000, 1_000_000)]
        wait_until(lambda: server.figures()["n_calls"] == 3)
        server.close()
        del calls


def test_a_connection_without_calls_is_closed_after_a_while():
    with Server(idle_ms=300) as server, server.client() as client:
        client.call("Echo")
        assert server.figures()["n_connections"] == 1
        wait_until(lambda: server.figures()["n_connections"] == 0)
        # The client makes another.
        assert client.call("Echo", b"x") == b"x"


def test_a_client_that_waits_long_stays_by_keepalive():
    # On loopback the answer to a ping comes in the same millisecond, mostly.
    with Server(keepalive_ms=100, keepalive_timeout_ms=400) as server, server.client() as client:
        refused(lambda: client.call("Sleep", timeout=1.5), grpc.StatusCode.DEADLINE_EXCEEDED)
        assert server.figures()["connections"] == 1


def test_more_connections_than_the_limit_are_turned_away():
    with Server(max_connections=3) as server:
        held = [server.connect() for _ in range(3)]
        wait_until(lambda: server.figures()["n_connections"] == 3)
        with server.connect() as one_more:
            assert one_more.recv(1) == b""
        for connection in held:
            connection.close()
        with server.client() as client:
            wait_until(lambda: server.figures()["n_connections"] == 0)
            assert client.call("Echo", b"x") == b"x"


def test_more_connections_of_one_address_than_the_limit_are_turned_away():
    with Server(max_per_address=3) as server:
        held = [server.connect() for _ in range(3)]
        wait_until(lambda: server.figures()["n_connections"] == 3)
        for _ in range(5):
            with server.connect() as one_more:
                assert one_more.recv(1) == b""
        with socket.create_connection((server.host, server.port), source_address=("127.0.0.2", 0), timeout=20) as other:
            wait_until(lambda: server.figures()["n_connections"] == 4)
            held.pop().close()
            wait_until(lambda: server.figures()["n_connections"] == 3)
            with server.client() as client:
                assert client.call("Echo", b"x") == b"x"
            other.close()
        for connection in held:
            connection.close()
        wait_until(lambda: server.figures()["n_connections"] == 0)


def test_exchanges_that_hold_all_of_their_threads_do_not_hold_calls():
    with Server(max_threads=2) as server, server.client() as client:
        sent = [threading.Semaphore(0) for _ in range(3)]

        def requests(i):
            yield b"first"
            sent[i].acquire()

        running = []
        for i in range(2):
            running.append(client.exchange("Chat", requests(i)))
            assert next(running[i]) == b"first"
        third = client.exchange("Chat", requests(2))
        # An exchange whose client says nothing yet is not begun.
        silent = [client.exchange("Chat", iter(threading.Event().wait, None)) for _ in range(5)]
        assert client.call("Echo", b"x") == b"x"
        assert len([*client.stream(10, 1000)]) == 10
        sent[0].release()
        assert [*running[0]] == []
        assert next(third) == b"first"
        for call in (running[1], third, *silent):
            call.cancel()
        for semaphore in sent:
            semaphore.release()


def test_a_drain_does_not_wait_for_who_says_nothing():
    with Server() as server, server.connect() as silent:
        wait_until(lambda: server.figures()["n_connections"] == 1)
        start = time.monotonic()
        assert server.order("drain 20000") == "drained"
        assert time.monotonic() - start < 8
        silent.recv(100)


def test_without_descriptors_it_waits_for_some():
    with Server() as server:
        n = server.fds()
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (n + 5, n + 5))
        held = [server.connect() for _ in range(20)]
        wait_until(lambda: server.figures()["n_connections"] == 5)
        before = server.seconds()
        time.sleep(0.5)
        assert server.seconds() - before < 0.2
        for connection in held:
            connection.close()
        with server.client() as client:
            assert client.call("Echo", b"x", wait_for_ready=True) == b"x"


def test_it_listens_at_several_addresses():
    with Server(listen="127.0.0.1:0,127.0.0.2:0") as server:
        addresses = server.address.split(",")
        assert len(addresses) == 2
        import grpc_server

        for address in addresses:
            with grpc_server.Client(address) as client:
                assert client.call("Echo", b"x") == b"x"


def test_it_listens_at_ipv6():
    try:
        server = Server(listen="[::1]:0")
    except AssertionError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with server, server.client() as client:
        assert b"peer=[::1]:" in client.call("Facts")


@pytest.mark.parametrize("listen", ["", "127.0.0.1", "127.0.0.1:99999", "[::1", "nowhere.invalid:1", "1.2.3.4:1"])
def test_an_address_that_cannot_be_is_an_error(listen):
    from grpc_server import SERVER

    result = subprocess.run([SERVER, f"listen={listen}"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "cannot listen at" in result.stderr
