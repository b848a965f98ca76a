# SPDX-License-Identifier: Apache-2.0
"""The gRPC server with TLS: who gets in, what is agreed, and certificates that change."""

import shutil
import socket
import ssl
import subprocess

import grpc
import pytest
from grpc_server import SERVER, Server, block, wait_until


def secured(server, protocol="h2", **versions):
    """A connection of Python's own TLS; what it verifies is the other tests' business."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocol:
        context.set_alpn_protocols([protocol])
    for key, value in versions.items():
        setattr(context, key, value)
    return context.wrap_socket(server.connect())


def test_messages_go_both_ways(certificates):
    with Server(**certificates.server) as server:
        with server.client(credentials=certificates.credentials()) as client:
            for size in (0, 1, 16384, 100_000, 5_000_001):
                message = b"x" * size
                assert client.call("Echo", message) == message
                assert [*client.stream(2, size)] == [block(size)] * 2
            (reply,) = client.exchange("Sink", [b"x" * 1_000_000] * 20)
            assert reply == b"20 20000000"
            assert b"subject=\n" in client.call("Facts")
        wait_until(lambda: server.figures()["n_connections"] == 0)


@pytest.mark.parametrize("required", [0, 1])
def test_a_certificate_of_the_authority_has_a_subject(certificates, required):
    options = {**certificates.server, "client_ca": certificates.path("authority.pem"), "client_ca_is_required": required}
    with Server(**options) as server:
        with server.client(credentials=certificates.credentials("ada")) as client:
            assert b"subject=CN=ada,O=Engines\\, Ltd\n" in client.call("Facts")
        with server.client(credentials=certificates.credentials("mallory")) as client:
            with pytest.raises(grpc.RpcError):
                client.call("Facts", timeout=5)
        with server.client(credentials=certificates.credentials()) as client:
            if required:
                with pytest.raises(grpc.RpcError):
                    client.call("Facts", timeout=5)
            else:
                assert b"subject=\n" in client.call("Facts")
        assert server.figures()["calls"] == (1 if required else 2)


def test_http_2_and_tls_1_2_are_the_least(certificates):
    with Server(**certificates.server) as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with secured(server, minimum_version=version, maximum_version=version) as connection:
                assert connection.selected_alpn_protocol() == "h2"
        with pytest.raises(ssl.SSLError):
            secured(server, protocol="http/1.1")
        # A client that names no protocol gets its handshake, and no answer.
        with secured(server, protocol=None) as connection:
            connection.settimeout(10)
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            assert connection.recv(100) == b""
        old = ["openssl", "s_client", "-connect", server.address, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-alpn", "h2"]
        assert subprocess.run(old, stdin=subprocess.DEVNULL, capture_output=True, timeout=20).returncode != 0
        wait_until(lambda: server.figures()["n_connections"] == 0)


def test_what_is_no_tls_is_closed(certificates):
    with Server(**certificates.server) as server:
        for words in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70000):
            with server.connect() as connection:
                try:
                    connection.sendall(words)
                    while connection.recv(1000):
                        pass
                except ConnectionError:
                    pass
        wait_until(lambda: server.figures()["n_connections"] == 0)
        assert server.figures()["calls"] == 0


def test_a_handshake_that_does_not_end_is_closed(certificates):
    with Server(handshake_ms=300, **certificates.server) as server:
        with server.connect() as silent, server.connect() as slow:
            slow.sendall(b"\x16\x03\x01\x02\x00\x01")
            for connection in (silent, slow):
                connection.settimeout(10)
                assert connection.recv(1) == b""
        wait_until(lambda: server.figures()["n_connections"] == 0)


def test_certificates_are_read_again_for_new_connections(certificates, tmp_path):
    names = {"certificate": tmp_path / "server.pem", "key": tmp_path / "server.key"}

    def install(name):
        shutil.copy(certificates.path(f"{name}.pem"), names["certificate"])
        shutil.copy(certificates.path(f"{name}.key"), names["key"])

    def shown(server):
        with secured(server) as connection:
            return connection.getpeercert(binary_form=True)

    install("server")
    with Server(**names) as server, server.client(credentials=certificates.credentials()) as client:
        client.call("Echo")
        first = shown(server)
        names["key"].write_text("no key")
        assert "private key" in server.order("reload")
        assert shown(server) == first
        certificates.make("next", "/CN=localhost", "authority", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        install("next")
        assert server.order("reload") == "reloaded"
        assert shown(server) != first
        # The connection that is there lives on.
        client.call("Echo")
        wait_until(lambda: server.figures()["n_connections"] == 1)
        assert server.figures()["connections"] == 4


def test_a_key_that_does_not_fit_is_an_error(certificates, tmp_path):
    def complaint(**options):
        arguments = [SERVER, *(f"{key}={value}" for key, value in options.items())]
        result = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        assert result.returncode == 1, result
        return result.stderr

    server = certificates.server
    assert "private key" in complaint(certificate=server["certificate"], key=certificates.path("ada.key"))
    assert "certificate" in complaint(certificate=tmp_path / "none.pem", key=server["key"])
    assert "authority" in complaint(**server, client_ca=server["key"])
    assert "authority" in complaint(**server, client_ca_is_required=1)
    locked = tmp_path / "locked.key"
    certificates.openssl("ec", "-in", server["key"], "-aes256", "-passout", "pass:x", "-out", str(locked))
    assert "private key" in complaint(certificate=server["certificate"], key=locked)


def test_a_client_that_vanishes_in_the_middle_harms_nobody(certificates):
    with Server(**certificates.server) as server:
        with server.client(credentials=certificates.credentials()) as client:
            for _ in range(5):
                connection = secured(server)
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
                # A reset instead of an end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                socket.socket.close(connection)
            stream = client.stream(100, 1_000_000)
            next(stream)
            assert sum(map(len, stream)) == 99_000_000
