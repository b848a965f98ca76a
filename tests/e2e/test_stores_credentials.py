# SPDX-License-Identifier: Apache-2.0
"""Credentials that change while a statement runs, from each place that has them; and a secret that must not be seen."""

import json
import pathlib
import re

import pyarrow
import pytest
from credential_server import CredentialServer, Rotating, write_file, write_program, write_role, write_sign_in
from fault_proxy import FaultProxy, delay, expired_token
from http_server import HttpServer
from stores import KEY_ID, SECRET, MinIO
from test_stores import parquet
from test_stores_faults import write_config
from waiting import repeatedly

FILES = 120
WAYS = ["container", "instance", "file", "program", "sign-in", "role"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = MinIO(tmp_path_factory.mktemp("minio"))
    try:
        store.make("rotate")
        for i in range(FILES):
            store.put("rotate", f"t/{i:03}.parquet", parquet(pyarrow.table({"a": list(range(i * 10, i * 10 + 10))})))
        yield store
    finally:
        store.close()


class Place:
    """A home directory and a server that have credentials, and the configuration of a workspace that takes them."""

    def __init__(self, way, home, store, proxy, seconds=3600):
        self.way, self.home = way, pathlib.Path(home)
        self.home.mkdir(exist_ok=True)
        self.rotating = Rotating(store, proxy, seconds)
        self.server = CredentialServer(self.rotating)
        (self.home / "token").write_text("ecs-token\n")
        more = {
            "container": {"container_credentials_full_uri": f"{self.server.url}/ecs", "container_authorization_token_file": str(self.home / "token")},
            "instance": {"metadata_endpoint": self.server.url},
            "file": {"profile": "keys"},
            "program": {"profile": "program"},
            "sign-in": {"profile": "signed-in", "endpoint_url_sso": self.server.url},
            "role": {"profile": "role", "endpoint_url_sts": self.server.url},
        }[way]
        options = {"url": "s3://rotate/", "endpoint": store.endpoint(proxy), "allow_http": "true", "region": "us-east-1", "concurrency": "8", **more}
        lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in options.items())
        (self.home / "weir.yaml").write_text(f"stores:\n  own:\n{lines}")
        if way == "sign-in":
            write_sign_in(self.home)
        if way == "role":
            write_role(self.home)
        self.write()

    def write(self):
        if self.way == "file":
            write_file(self.home, self.rotating)
        elif self.way == "program":
            write_program(self.home, self.rotating)

    def rotate(self):
        self.rotating.rotate()
        self.write()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()


@pytest.mark.parametrize("way", WAYS)
def test_credentials_change_while_a_scan_and_a_write_run(store, tmp_path, way):
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy, Place(way, tmp_path / "w", store, proxy) as place:
        proxy.rule(delay(0.05))
        with HttpServer(place.home, deadline=120) as server:
            with repeatedly(place.rotate, 0.4):
                assert server.rows("SELECT count(*), sum(a) FROM 's3://rotate/t/*.parquet'") == [(1200, 719400)]
                read = place.rotating.rotations
                sql = f"COPY (SELECT value AS id, random() AS x, random() AS y FROM generate_series(1, 3000000)) TO 's3://rotate/{way}.parquet'"
                assert server.sql(sql).status == 200, sql
                written = place.rotating.rotations - read
            assert server.rows(f"SELECT count(*), sum(id) FROM 's3://rotate/{way}.parquet'") == [(3000000, 4500001500000)]
            renewed = dict(server.rows("SELECT name, value FROM system.metrics WHERE store IS NOT NULL"))["objects_renewed_requests"]
            print(f"{read} rotations in the scan, {written} in the write, {renewed} requests signed again")
            assert read > 0 and written > 0 and renewed > 0 and proxy.requests(fault="ExpiredToken")
    assert store.open_uploads("rotate") == []


def test_credentials_are_asked_for_again_before_they_expire(store, tmp_path):
    """They hold for four seconds: nothing that is refused, and more than one question."""
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy, Place("container", tmp_path / "w", store, proxy, seconds=4) as place:
        proxy.rule(delay(0.4))
        with HttpServer(place.home, deadline=120) as server:
            assert server.rows("SELECT count(*) FROM 's3://rotate/t/*.parquet'") == [(1200,)]
        assert 2 <= place.rotating.given <= 20 and not proxy.requests(fault="ExpiredToken")


def test_a_profile_takes_its_role_at_the_token_service(store, db):
    """MinIO's own, which checks what is signed."""
    home = pathlib.Path(db.directory)
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy:
        options = {"url": "s3://rotate/", "endpoint": store.endpoint(proxy), "allow_http": "true", "region": "us-east-1", "profile": "role", "endpoint_url_sts": store.endpoint()}
        (home / "weir.yaml").write_text("stores:\n  own:\n" + "".join(f"    {key}: {json.dumps(value)}\n" for key, value in options.items()))
        write_role(home, more="external_id = a b\nrole_session_name = weir-test\nduration_seconds = 3600\n")
        assert db.rows("SELECT count(*) FROM 's3://rotate/t/00*.parquet'") == [(100,)]
        assert all("x-amz-security-token" in r.headers and f"Credential={KEY_ID}/" not in r.headers["authorization"] for r in proxy.requests())
    write_role(home, secret="wrong")
    assert "wrong" not in db.fail("SELECT count(*) FROM 's3://rotate/t/00*.parquet'", "s3://rotate/", "credentials from", "the answer is 403")


SIGNED_IN = {"clientId": "client", "clientSecret": "client-secret", "refreshToken": "refresh-0", "region": "us-east-1"}


@pytest.mark.parametrize("seconds", [-60, 60], ids=["ended", "ends soon"])
def test_a_sign_in_is_renewed_and_the_next_process_finds_it(store, db, seconds):
    home = pathlib.Path(db.directory)
    sql = "SELECT count(*) FROM 's3://rotate/t/00*.parquet'"
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy, Place("sign-in", home, store, proxy) as place:
        text = (home / "weir.yaml").read_text()
        (home / "weir.yaml").write_text(f"{text}    endpoint_url_sso_oidc: {place.server.url}/\n")
        write_sign_in(home, seconds, SIGNED_IN)
        file = home / ".aws/sso/cache/aaaa.json"
        for _ in range(2):
            assert db.rows(sql) == [(100,)]
            assert place.server.asked.count("/token") == 1
            left = json.loads(file.read_text())
            assert left["accessToken"] == "sso-token-1" and left["refreshToken"] == "refresh-1" and left["clientId"] == "client"
            assert file.stat().st_mode & 0o777 == 0o600 and len(list(file.parent.iterdir())) == 3
        # Another took the refresh token: what holds still is used, and what has ended is told.
        for n, ends in enumerate((60, -60)):
            write_sign_in(home, ends, SIGNED_IN | {"refreshToken": "gone"})
            place.server.sign_in["token"] = "sso-token"
            if ends > 0:
                assert db.rows(sql) == [(100,)]
            else:
                db.fail(sql, "aws sso login --profile signed-in")
            assert place.server.asked.count("/token") == 2 + n
        write_sign_in(home, -60, {**SIGNED_IN, "registrationExpiresAt": "2020-01-01T00:00:00Z"})
        db.fail(sql, "aws sso login --profile signed-in")
        assert place.server.asked.count("/token") == 3


def test_what_cannot_be_renewed_is_a_clear_error(store, tmp_path):
    with FaultProxy("127.0.0.1", store.port, seed=1) as proxy:
        write_config(tmp_path / "w", store, "rotate", proxy)
        with HttpServer(tmp_path / "w", deadline=120) as server:
            rule = proxy.rule(expired_token())
            answer = server.sql("SELECT count(*) FROM 's3://rotate/t/000.parquet'")
            assert answer.status >= 400 and "s3://rotate/" in answer.error()["message"] and "credentials have expired" in answer.error()["message"]
            # One question is enough where there is no other credential.
            assert rule.fired <= 2


@pytest.mark.parametrize(
    "config, said",
    [
        ("[profile p]\nregion = x\n", "has no keys"),
        ("[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = q\n", 'no profile "q"'),
        ("[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = q\n[profile q]\nrole_arn = x\nsource_profile = p\n", "too many"),
        ("[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = q\nmfa_serial = x\n", "mfa_serial"),
        ("[profile p]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Ec2InstanceMetadata\n", "Environment alone"),
        ("[profile p]\ncredential_process = sh -c 'echo hunter2; echo hunter2 >&2; exit 3'\n", "exit status: 3"),
        ("[profile p]\ncredential_process = echo hunter2\n", "no JSON"),
        ("[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\nsso_start_url = https://x/start\n", "aws sso login --profile p"),
        ("", 'no profile "p"'),
    ],
    ids=["nothing", "role", "roles in a ring", "device", "source", "program fails", "program prints no JSON", "sign-in expired", "no profile"],
)
def test_a_profile_that_gives_no_credentials_says_why(db, config, said):
    home = pathlib.Path(db.directory)
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text(config)
    sql = "CREATE SECRET s (TYPE s3, PROFILE 'p', ENDPOINT 'http://127.0.0.1:1', ALLOW_HTTP 'true', REGION 'x'); SELECT * FROM 's3://b/x.csv'"
    assert "hunter2" not in db.fail(sql, said)


# ---- A secret that must not be seen ----

CANARY = "Canary1/hunter2+canary"


def everything(server, url):
    """What users can ask for and get, also when it fails."""
    asked = [
        f"SELECT * FROM '{url}x.csv'",
        f"SELECT * FROM '{url}none.csv'",
        f"COPY (SELECT 1 AS a) TO '{url}y.csv'",
        f"EXPLAIN SELECT * FROM '{url}x.csv'",
        f"EXPLAIN ANALYZE SELECT * FROM '{url}x.csv'",
        f"EXPLAIN VERBOSE COPY (SELECT 1 AS a) TO '{url}y.csv'",
        f"CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{url}x.csv'",
        "SHOW ALL",
    ]
    asked += [f"SELECT * FROM system.{name}" for (name,) in server.rows("SELECT table_name FROM information_schema.tables WHERE table_catalog = 'system' ORDER BY 1")]
    answers = [server.sql(sql).body.decode() for sql in asked]
    return answers + [server.request("GET", "/metrics").body.decode()]


@pytest.mark.parametrize("way", ["configuration", "secret", "environment", "profile", "token"])
def test_a_secret_appears_nowhere(store, tmp_path, way):
    directory = tmp_path / "w"
    directory.mkdir()
    env, config, begin = {}, {"url": "s3://rotate/", "endpoint": store.endpoint(), "allow_http": "true", "region": "us-east-1"}, None
    keys = {"access_key_id": "weirtest", "secret_access_key": CANARY}
    if way in ("configuration", "token"):
        config |= keys | ({"session_token": CANARY + "token"} if way == "token" else {})
    elif way == "environment":
        env = {"AWS_ACCESS_KEY_ID": "weirtest", "AWS_SECRET_ACCESS_KEY": CANARY, "AWS_SESSION_TOKEN": CANARY}
    elif way == "profile":
        (directory / ".aws").mkdir()
        (directory / ".aws/credentials").write_text(f"[default]\naws_access_key_id = weirtest\naws_secret_access_key = {CANARY}\n")
    else:
        options = ", ".join(f"{key} '{value}'" for key, value in {**config, **keys}.items() if key != "url")
        begin = f"CREATE SECRET own (TYPE s3, SCOPE 's3://rotate/', {options})"
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in config.items())
    stores = "" if begin else f"stores:\n  own:\n{lines}"
    (directory / "weir.yaml").write_text(f"log.level: debug\nlog.file: weir.log\naudit.log: audit.log\n{stores}")
    with HttpServer(directory, env=env) as server:
        answers = [server.sql(begin).body.decode()] if begin else []
        answers += everything(server, "s3://rotate/")
        # A core file would hold it: none is written.
        limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
        assert re.search(r"Max core file size\s+1\s+1\s", limits)
        assert server.end(seconds=60) == 0
        answers.append(server.said())
    assert "operation=" in (directory / "weir.log").read_text()
    for text in answers:
        assert "anary" not in text and SECRET not in text
    sources = {directory / "weir.yaml", directory / ".aws/credentials"}
    for path in directory.rglob("*"):
        if path.is_file() and path not in sources:
            data = path.read_bytes()
            assert CANARY.encode() not in data and b"hunter2" not in data, path
