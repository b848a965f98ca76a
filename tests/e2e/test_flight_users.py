# SPDX-License-Identifier: Apache-2.0
"""Who gets in through the Flight SQL door, and that nobody finds what is another one's."""

import base64
import time

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from flight import Client, any_of, door, field


@pytest.fixture(scope="module")
def address():
    with door(users=True) as address:
        yield address


def basic(user, password="secret"):
    return ("authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


def bearer(token):
    return ("authorization", f"Bearer {token}")


def who(client):
    return client.query("SELECT 1 AS n").num_rows == 1


@pytest.mark.parametrize(
    "header",
    [basic("ada"), ("x-api-key", "key-of-ada"), bearer("x.y.ada"), bearer("key-of-ada"), ("authorization", "basic YWRhOnNlY3JldA")],
)
def test_each_credential_is_taken_in_each_call(address, header):
    with Client(address, [header]) as client:
        assert who(client) and who(client)


FORGERIES = [
    (),
    basic("ada", "wrong"),
    basic("ada", ""),
    basic("eve"),
    basic("ada\0bob"),
    ("authorization", "Basic !!!"),
    ("authorization", "Basic " + base64.b64encode(b"no colon").decode()),
    ("authorization", "Digest x"),
    ("authorization", "Bearer"),
    bearer("0" * 32),
    bearer("x.y.eve"),
    bearer("x.y.ad"),
    bearer("x.y.adaa"),
    ("x-api-key", "key-of-eve"),
    ("x-api-key", "key-of-ad"),
]


@pytest.mark.parametrize("header", FORGERIES, ids=str)
def test_forgeries_are_refused_everywhere(address, header):
    with Client(address, [header] if header else []) as client:
        calls = [
            lambda: client.query("SELECT 1"),
            lambda: client.get(any_of("CommandGetCatalogs")).read_all(),
            lambda: client.get(any_of("TicketStatementQuery", field(1, "0" * 32))).read_all(),
            lambda: client.action("GetSessionOptions"),
            lambda: list(client.flight.list_actions(client.options())),
            lambda: list(client.flight.list_flights(options=client.options())),
            lambda: client.put(any_of("CommandStatementUpdate", field(1, "CREATE TABLE t (i BIGINT)"))),
            lambda: client.flight.get_schema(flight.FlightDescriptor.for_command(b""), client.options()),
        ]
        for call in calls:
            with pytest.raises((flight.FlightUnauthenticatedError, OSError), match="unauthenticated"):
                call()


def test_a_handshake_gives_a_token_and_a_wrong_password_none(address):
    with Client(address) as client:
        header, token = client.flight.authenticate_basic_token(b"ada", b"secret")
        token = token.decode()
        with pytest.raises(flight.FlightUnauthenticatedError):
            client.flight.authenticate_basic_token(b"ada", b"wrong")
    with Client(address, [(header.decode(), token)]) as client:
        assert who(client)
    for forged in (token[:-1], token + "0", token[:-1] + ("0" if token[-1] != "0" else "1"), token.upper()):
        if forged == token:
            continue
        with Client(address, [("authorization", forged)]) as client:
            with pytest.raises(flight.FlightUnauthenticatedError):
                who(client)


class Legacy(flight.ClientAuthHandler):
    """The handshake of clients of the first generation: user and password in a message."""

    def __init__(self, user, password):
        super().__init__()
        self.basic = flight.BasicAuth(user, password)
        self.token = None

    def authenticate(self, outgoing, incoming):
        outgoing.write(self.basic.serialize())
        self.token = incoming.read()

    def get_token(self):
        return self.token


def test_a_handshake_by_message_works_too(address):
    with Client(address) as client:
        client.flight.authenticate(Legacy(b"ada", b"secret"))
        assert who(client)
    with Client(address) as client:
        with pytest.raises(flight.FlightUnauthenticatedError):
            client.flight.authenticate(Legacy(b"ada", b"wrong"))


def test_a_credential_that_ends_is_refused_then(address):
    with Client(address) as client:
        _, token = client.flight.authenticate_basic_token(b"late", b"secret")
    with Client(address, [("authorization", token.decode())]) as client, Client(address, [bearer("x.y.late")]) as other:
        assert who(client) and who(other)
        deadline = time.monotonic() + 20
        while True:
            try:
                client.query("SELECT 1")
            except flight.FlightUnauthenticatedError:
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_what_is_anothers_is_not_there(address):
    with Client(address, [basic("ada")], cookies=True) as ada, Client(address, [basic("bob")]) as bob:
        info = ada.info("CommandStatementQuery", field(1, "SELECT 'of ada' AS s"))
        prepared = ada.prepare("SELECT 'of ada' AS s")
        ticket = info.endpoints[0].ticket
        handle = any_of("CommandPreparedStatementQuery", field(1, prepared.handle))
        with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
            bob.get(ticket).read_all()
        with pytest.raises(pa.ArrowKeyError, match="no such prepared"):
            bob.get(handle).read_all()
        with pytest.raises(pa.ArrowKeyError, match="no such prepared"):
            bob.flight.get_flight_info(flight.FlightDescriptor.for_command(handle), bob.options())
        with pytest.raises(pa.ArrowKeyError, match="no such prepared"):
            bob.put(handle, pa.table({"a": [1]}))
        with pytest.raises(pa.ArrowKeyError, match="no such prepared"):
            bob.action("ClosePreparedStatement", any_of("ActionClosePreparedStatementRequest", field(1, prepared.handle)))
        with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
            bob.action("CancelFlightInfo", field(1, field(3, field(1, field(1, ticket.ticket)))))
        with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
            bob.action("RenewFlightEndpoint", field(1, field(1, field(1, ticket.ticket))))
        cookie = ada.cookies.jar["arrow_flight_session_id"]
        with pytest.raises(flight.FlightUnauthenticatedError, match="session"):
            bob.query("SELECT 1", bob.options(("cookie", f"arrow_flight_session_id={cookie}")))
        assert ada.get(ticket).read_all().column("s").to_pylist() == ["of ada"]
        assert prepared.rows().column("s").to_pylist() == ["of ada"]


def test_two_users_of_one_connection_are_two(address):
    with Client(address) as client:
        ada, bob = client.options(basic("ada")), client.options(basic("bob"))
        descriptor = flight.FlightDescriptor.for_command(any_of("CommandStatementQuery", field(1, "SELECT 1 AS n")))
        info = client.flight.get_flight_info(descriptor, ada)
        with pytest.raises(pa.ArrowKeyError, match="no such ticket"):
            client.flight.do_get(info.endpoints[0].ticket, bob).read_all()
        assert client.flight.do_get(info.endpoints[0].ticket, ada).read_all().num_rows == 1


# ---- TLS ----


def settings(certificates, *more):
    options = certificates.server
    return [f"tls.certificate={options['certificate']}", f"tls.key={options['key']}", *more]


def test_tls_and_users_may_be_open_to_others(certificates):
    with door("--listen", "0.0.0.0:0", *settings(certificates), users=True) as address:
        port = address.rsplit(":", 1)[1]
        authority = open(certificates.path("authority.pem"), "rb").read()
        with Client(f"grpc+tls://localhost:{port}", [basic("ada")], tls_root_certs=authority) as client:
            table = client.query("SELECT i FROM generate_series(1, 100000) AS t(i) ORDER BY i")
            assert table.column("i").to_pylist() == list(range(1, 100001))


def test_users_without_tls_and_tls_without_users_may_not(certificates):
    with pytest.raises(AssertionError, match="that takes TLS"):
        with door("--listen", "0.0.0.0:0", users=True):
            pass
    with pytest.raises(AssertionError, match="that takes users"):
        with door("--listen", "0.0.0.0:0", *settings(certificates)):
            pass


def test_a_certificate_is_a_user(certificates):
    authority = certificates.path("authority.pem")
    with door(*settings(certificates, f"tls.client_ca={authority}"), users=True) as address:
        port = address.rsplit(":", 1)[1]
        trusted = open(authority, "rb").read()
        pair = {
            "cert_chain": open(certificates.path("ada.pem"), "rb").read(),
            "private_key": open(certificates.path("ada.key"), "rb").read(),
        }
        with Client(f"grpc+tls://localhost:{port}", tls_root_certs=trusted, **pair) as client:
            assert who(client)
        with Client(f"grpc+tls://localhost:{port}", tls_root_certs=trusted) as client:
            with pytest.raises(flight.FlightUnauthenticatedError):
                who(client)
