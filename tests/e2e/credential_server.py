# SPDX-License-Identifier: Apache-2.0
"""
Where programs of AWS find temporary credentials, in the shapes of ECS, IMDS, `aws sso login` and files; and credentials
that end when the test says so.
"""

import datetime
import http.server
import json
import os
import re
import threading
import time
import urllib.parse

import signed
from fault_proxy import expired_token
from stores import KEY_ID, SECRET, texts


ROLE = "arn:aws:iam::123456789012:role/reader"


def assume_role(store):
    """Temporary credentials of MinIO: key, secret, token."""
    body = b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = signed.s3(store.address(), KEY_ID, SECRET, "POST", "/", body=body, headers=headers, service="sts")
    assert answer.status == 200, answer.body
    return tuple(texts(answer.body, name)[0] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))


class Rotating:
    """The credentials that hold now; of those before, the proxy says that they have expired."""

    def __init__(self, store, proxy, seconds=3600):
        self.store, self.seconds, self.given = store, seconds, 0
        self.rotations = 0
        self.now = assume_role(store)
        self.rule = proxy.rule(expired_token(), when=lambda request: f"Credential={self.now[0]}/" not in request.headers.get("authorization", ""))

    def rotate(self):
        self.now = assume_role(self.store)
        self.rotations += 1

    def expires(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.seconds)

    def document(self, token="Token"):
        self.given += 1
        key, secret, session = self.now
        return {"Version": 1, "Code": "Success", "AccessKeyId": key, "SecretAccessKey": secret, token: session, "Expiration": self.expires().strftime("%Y-%m-%dT%H:%M:%SZ")}


class CredentialServer:
    """ECS at /ecs (with the token "ecs-token"), instance metadata, the portal of the sign-in, and what renews its token: each
    refresh token once."""

    def __init__(self, rotating):
        self.asked = asked = []
        self.sign_in = sign_in = {"token": "sso-token", "refresh": "refresh-0"}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self):
                asked.append(self.path)
                path, headers = self.path.partition("?")[0], self.headers
                if self.command == "PUT" and path == "/latest/api/token":
                    return 200, "imds-token"
                if path == "/latest/meta-data/iam/security-credentials/" and headers["X-aws-ec2-metadata-token"] == "imds-token":
                    return 200, "role"
                if path == "/latest/meta-data/iam/security-credentials/role":
                    return 200, json.dumps(rotating.document())
                if path == "/ecs" and headers["Authorization"] == "ecs-token":
                    return 200, json.dumps(rotating.document())
                if path == "/federation/credentials" and headers["x-amz-sso_bearer_token"] == sign_in["token"]:
                    assert "role_name=reader" in self.path and "account_id=123456789012" in self.path
                    found = rotating.document("SessionToken")
                    named = {name[0].lower() + name[1:]: value for name, value in found.items()}
                    return 200, json.dumps({"roleCredentials": {**named, "expiration": int(rotating.expires().timestamp() * 1000)}})
                return 403, "no"

            def do_GET(self):
                self.send(*self.reply())

            def send(self, status, text):
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def renew(self, given):
                wanted = {"grantType": "refresh_token", "clientId": "client", "clientSecret": "client-secret", "refreshToken": sign_in["refresh"]}
                if given != wanted:
                    return 400, json.dumps({"error": "invalid_grant"})
                n = int(sign_in["refresh"].removeprefix("refresh-")) + 1
                sign_in.update(token=f"sso-token-{n}", refresh=f"refresh-{n}")
                return 200, json.dumps({"accessToken": sign_in["token"], "expiresIn": 3600, "refreshToken": sign_in["refresh"], "tokenType": "Bearer"})

            def do_POST(self):
                """Of the token service, to whom the keys of the source are shown."""
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                if self.path == "/token":
                    asked.append(self.path)
                    return self.send(*self.renew(json.loads(body)))
                form = dict(urllib.parse.parse_qsl(body))
                asked.append(form["Action"])
                assert form["RoleArn"] == ROLE and f"Credential={KEY_ID}/" in self.headers["authorization"] and "/sts/aws4_request" in self.headers["authorization"]
                text = "".join(f"<{name}>{value}</{name}>" for name, value in rotating.document("SessionToken").items())
                self.send(200, f"<AssumeRoleResponse><AssumeRoleResult><Credentials>{text}</Credentials></AssumeRoleResult></AssumeRoleResponse>")

            def do_PUT(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.do_GET()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(30)


def write_file(home, rotating):
    """Keys of ~/.aws/credentials, replaced as a whole."""
    key, secret, token = rotating.now
    path = home / ".aws/credentials"
    path.parent.mkdir(exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(f"[keys]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\naws_session_token = {token}\n")
    os.replace(new, path)


def write_program(home, rotating):
    """A profile whose program prints a file."""
    new = home / "credentials.new"
    new.write_text(json.dumps(rotating.document("SessionToken")))
    os.replace(new, home / "credentials.json")
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws/config").write_text(f"[profile program]\nregion = us-east-1\ncredential_process = cat '{home}/credentials.json'\n")


def write_role(home, key=KEY_ID, secret=SECRET, more=""):
    """A profile that takes a role with the keys of another."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws/config").write_text(f"[profile role]\nregion = us-east-1\nrole_arn = {ROLE}\nsource_profile = base\n{more}")
    (home / ".aws/credentials").write_text(f"[base]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")


def write_sign_in(home, seconds=3600, renewable=None):
    """What `aws sso login` leaves: a token for so many seconds, and what it is renewed with."""
    cache = home / ".aws/sso/cache"
    cache.mkdir(parents=True, exist_ok=True)
    start = "https://example.awsapps.com/start"
    (home / ".aws/config").write_text(
        f"[sso-session s]\nsso_start_url = {start}\nsso_region = us-east-1\n\n"
        "[profile signed-in]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = reader\nregion = us-east-1\n"
    )
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    (cache / "aaaa.json").write_text(json.dumps({"startUrl": start, "region": "us-east-1", "accessToken": "sso-token", "expiresAt": until, **(renewable or {})}))
    (cache / "bbbb.json").write_text(json.dumps({"startUrl": start, "region": "us-east-1", "accessToken": "old-token", "expiresAt": old}))
    (cache / "cccc.json").write_text(json.dumps({"startUrl": "https://other/start", "accessToken": "other-token", "expiresAt": until}))
    assert re.fullmatch(r"\d{4}-.*Z", until)
