# SPDX-License-Identifier: Apache-2.0
"""Credentials that are forged, expired, cut or another one's, through both doors of a server: all are refused, and alike."""

import base64
import time

import pytest

import tokens
from flight import any_of, field
from http_server import until
from two_users import USERS, House, basic, password, same, statement

WHO = "SELECT user_name FROM system.sessions WHERE session_id = (SELECT max(session_id) FROM system.sessions)"
HIM, OTHER = USERS


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return tokens.Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def house(tmp_path_factory, issuer):
    house = House(tmp_path_factory.mktemp("house"), with_databases=False, jwt=f"keys: {issuer.public}, issuer: 'https://issuer.test', audience: weir")
    try:
        yield house
    finally:
        house.close()


@pytest.fixture(scope="module")
def key(house):
    """An API key of one of the users."""
    made = house.rows("the_chief", f"CREATE API KEY FOR {HIM}")
    return next(value for value in made[0].values() if str(value).startswith("weir_"))


@pytest.fixture(scope="module")
def login(house):
    """The token of a handshake."""
    with house.flight(HIM) as flight:
        answer = flight.call("Handshake", field(1, 0))
        assert answer.code == "OK", answer
        return answer.metadata.split("Bearer ")[1][:32]


@pytest.fixture(scope="module")
def cookie(house):
    with house.flight(HIM) as flight:
        flight.headers.append(("x-stays", "open"))
        answer = flight.action("GetSessionOptions")
        yield answer.metadata.split("arrow_flight_session_id=")[1][:32]


def bearer(token):
    return [("authorization", f"Bearer {token}")]


def changed(text, at):
    """With another character at a place, of the same sort."""
    at = at % len(text)
    return text[:at] + ("b" if text[at] != "b" else "c") + text[at + 1 :]


def test_what_is_right_is_taken(house, issuer, key, login):
    for headers in (bearer(issuer.token(HIM)), bearer(key), [("x-api-key", key)], [("authorization", basic(HIM))]):
        assert allowed(house, headers) == (True, True), headers
    assert allowed(house, bearer(login)) == (False, True)  # a session of the Flight door


def ask_http(house, headers):
    return house.http(None, "POST", "/v1/sql", f"SELECT count(*) AS n FROM s_{HIM}.ledger_{HIM}", **{name: value for name, value in headers})


def calls(house, headers):
    """Every sort of call of the Flight door, each over a connection of its own."""
    yield "GetFlightInfo", lambda flight: flight.info(statement(f"SELECT note_{HIM} FROM s_{HIM}.ledger_{HIM} LIMIT 1"))
    yield "DoGet", lambda flight: flight.call("DoGet", field(1, any_of("CommandGetCatalogs")))
    yield "DoAction", lambda flight: flight.action("GetSessionOptions")
    yield "DoPut", lambda flight: flight.call("DoPut", field(1, field(1, 2) + field(2, any_of("CommandStatementUpdate", field(1, "CREATE TABLE mine (a INT)")))))
    yield "ListActions", lambda flight: flight.call("ListActions", b"")
    yield "Handshake", lambda flight: flight.call("Handshake", field(1, 0))


def allowed(house, headers):
    with house.flight(None) as flight:
        flight.headers = headers
        by_flight = flight.info(statement(f"SELECT note_{HIM} FROM s_{HIM}.ledger_{HIM} LIMIT 1"))
    return ask_http(house, headers).status == 200, by_flight.code == "OK"


FORGERIES = {
    "a token without signature": lambda f: bearer(f.issuer.unsigned(HIM)),
    "a token that says None": lambda f: bearer(f.issuer.unsigned(HIM, "None")),
    "a token signed with the public key as a secret": lambda f: bearer(f.issuer.by_public_key(HIM)),
    "a token of another key": lambda f: bearer(f.stranger.token(HIM)),
    "a token that brings its key along": lambda f: bearer(f.stranger.sign({"alg": "RS256", "jwk": {"kty": "RSA", "e": "AQAB", "n": "AQAB"}, "jku": "http://127.0.0.1:1/"}, f.stranger.claims(HIM))),
    "a token that was good": lambda f: bearer(f.issuer.token(HIM, exp=int(time.time()) - 3600)),
    "a token that will be good": lambda f: bearer(f.issuer.token(HIM, nbf=int(time.time()) + 3600)),
    "a token without an end": lambda f: bearer(f.issuer.token(HIM, exp=None)),
    "a token of another issuer": lambda f: bearer(f.issuer.token(HIM, iss="https://issuer.test.example")),
    "a token for another service": lambda f: bearer(f.issuer.token(HIM, aud="weir2")),
    "a token for nobody": lambda f: bearer(f.issuer.token(HIM, aud=None)),
    "a token of no user": lambda f: bearer(f.issuer.token(None)),
    "a token of the program itself": lambda f: bearer(f.issuer.token("")),
    "a token of a role": lambda f: bearer(f.issuer.token("admin")),
    "a token of another user's signature": lambda f: bearer(".".join(f.issuer.token(HIM).split(".")[:2] + f.issuer.token(OTHER).split(".")[2:])),
    "a token that is cut": lambda f: bearer(f.issuer.token(HIM)[:-4]),
    "a token with something behind": lambda f: bearer(f.issuer.token(HIM) + "A"),
    "a token with something before": lambda f: bearer("A" + f.issuer.token(HIM)),
    "a token with a fourth part": lambda f: bearer(f.issuer.token(HIM) + ".AAAA"),
    "a token twice": lambda f: bearer(f.issuer.token(HIM) + "," + f.issuer.token(HIM)),
    "a key whose secret's end is wrong": lambda f: bearer(changed(f.key, -1)),
    "a key whose secret's beginning is wrong": lambda f: bearer(changed(f.key, f.key.index(".") + 1)),
    "a key whose number is wrong": lambda f: bearer(changed(f.key, 5)),
    "a key that is cut": lambda f: bearer(f.key[:-1]),
    "a key of its number alone": lambda f: bearer(f.key.split(".")[0]),
    "a key with something behind": lambda f: bearer(f.key + "0"),
    "a key with something before": lambda f: [("x-api-key", "0" + f.key)],
    "a key in capitals": lambda f: [("x-api-key", f.key.upper())],
    "an empty key": lambda f: [("x-api-key", "")],
    "a login that is cut": lambda f: bearer(f.login[:-1]),
    "a login's beginning": lambda f: bearer(f.login[:8]),
    "a login with something behind": lambda f: bearer(f.login + "0"),
    "a login that is changed": lambda f: bearer(changed(f.login, 3)),
    "a session's cookie for a login": lambda f: bearer(f.cookie),
    "a cookie alone": lambda f: [("cookie", f"arrow_flight_session_id={f.cookie}")],
    "a cookie and another one's password": lambda f: [("cookie", f"arrow_flight_session_id={f.cookie}"), ("authorization", basic(HIM, password(OTHER)))],
    "no credential": lambda f: [],
    "another one's password": lambda f: [("authorization", basic(HIM, password(OTHER)))],
    "a password that is cut": lambda f: [("authorization", basic(HIM, password(HIM)[:-1]))],
    "a password with something behind": lambda f: [("authorization", basic(HIM, password(HIM) + " "))],
    "a password and a zero": lambda f: [("authorization", "Basic " + base64.b64encode(f"{HIM}:{password(HIM)}\0".encode()).decode())],
    "no password": lambda f: [("authorization", basic(HIM, ""))],
    "the name in capitals": lambda f: [("authorization", basic(HIM.upper(), password(HIM)))],
    "a role's name": lambda f: [("authorization", basic("admin", ""))],
    "the program's name": lambda f: [("authorization", basic("", ""))],
    "anonymous": lambda f: [("authorization", basic("anonymous", ""))],
    "a scheme that is none": lambda f: [("authorization", f"Negotiate {f.key}")],
    "a password as a bearer": lambda f: bearer(base64.b64encode(f"{HIM}:{password(HIM)}".encode()).decode()),
}


class Forger:
    def __init__(self, issuer, stranger, key, login, cookie):
        self.issuer, self.stranger, self.key, self.login, self.cookie = issuer, stranger, key, login, cookie


@pytest.fixture(scope="module")
def forger(issuer, key, login, cookie, tmp_path_factory):
    return Forger(issuer, tokens.Issuer(tmp_path_factory.mktemp("stranger"), "stranger"), key, login, cookie)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_by_every_call_of_both_doors(house, forger, name):
    headers = FORGERIES[name](forger)
    answer = ask_http(house, headers)
    assert answer.status == 401 and b'"sqlstate":"28000"' in answer.body, answer
    for path in ("/v1/tables", "/v1/files/", f"/v1/files/lake/box_{HIM}/plain_{HIM}.txt", "/metrics"):
        assert house.http(None, "GET", path, **dict(headers)).status == 401
    for method, call in calls(house, headers):
        with house.flight(None) as flight:
            flight.headers = headers
            answer = call(flight)
            assert answer.code == "UNAUTHENTICATED" and answer.messages == [], (method, answer)


def test_refusals_do_not_say_what_was_wrong(house, forger):
    said = set()
    for name in ("another one's password", "a token of another key", "a token that was good", "a key whose secret's end is wrong", "a key whose number is wrong", "anonymous"):
        answer = ask_http(house, FORGERIES[name](forger))
        said.add((same(answer.bytes)))
    said.add(same(ask_http(house, [("authorization", basic("nobody", "x"))]).bytes))
    assert len(said) == 1, said


def test_a_password_is_checked_anew_when_it_was_changed_and_its_user_locked_out_or_dropped(house):
    """What was right a moment ago is known for a minute, but not after any of these."""
    old, new = ([("authorization", basic("passer", secret))] for secret in ("the old one", "the new one"))
    house.order("CREATE USER passer PASSWORD 'the old one'")

    def right(headers):
        with house.flight(None) as flight:
            flight.headers = headers
            by_flight = flight.info(statement("SELECT 1 AS a")).code == "OK"
        by_http = house.http(None, "POST", "/v1/sql", "SELECT 1 AS a", **dict(headers)).status == 200
        assert by_flight == by_http
        return by_http

    with house.flight(None) as stays:
        stays.headers = old
        assert right(old) and right(old) and not right(new) and stays.action("GetSessionOptions").code == "OK"
        house.order("ALTER USER passer PASSWORD 'the new one'")
        assert right(new) and not right(old)
        house.order("ALTER USER passer DISABLE")
        assert not right(new) and not right(old)
        house.order("ALTER USER passer ENABLE")
        assert right(new)
        house.order("DROP USER passer")
        assert not right(new)
        house.order("CREATE USER passer PASSWORD 'the old one'")
        assert right(old) and not right(new)
        # The connection that was there all the time is of a user who is no more.
        assert stays.info(statement("SELECT 1 AS a")).code == "UNAUTHENTICATED"
    house.order("DROP USER passer")


def test_a_token_ends_in_the_middle_of_its_connection(house, issuer):
    with house.flight(None) as flight:
        flight.headers = bearer(issuer.token(HIM, exp=int(time.time()) - 57))  # of the 60 seconds that clocks may differ
        assert flight.info(statement("SELECT 1 AS a")).code == "OK"
        until(lambda: flight.info(statement("SELECT 1 AS a")).code == "UNAUTHENTICATED", "it has expired")


def test_basic_over_http_pays_for_argon2_once(tmp_path):
    """A right password is known for a minute: requests cost the server less than the hashes would."""
    house = House(tmp_path, with_databases=False, password_cost="{ memory: 64MiB, operations: 3 }")
    try:
        house.http(HIM, "GET", "/v1/files/")
        first = house.server.cpu()
        assert house.http(HIM, "POST", "/v1/sql", "SELECT 1 AS a").status == 200
        for _ in range(16):
            assert house.http(HIM, "POST", "/v1/sql", "SELECT 1 AS a").status == 200
        right = house.server.cpu() - first
        for _ in range(16):
            assert house.http(None, "POST", "/v1/sql", "SELECT 1 AS a", Authorization=basic(HIM, "wrong")).status == 401
        wrong = house.server.cpu() - first - right
        assert right < wrong / 3, (right, wrong)
    finally:
        house.close()
