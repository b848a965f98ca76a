# SPDX-License-Identifier: Apache-2.0
"""
Object stores that the tests start, each on a free port of 127.0.0.1 with data of its own: MinIO and versitygw (S3),
Azurite (Azure), fake-gcs-server behind its shim (Google), and plain HTTP with and without ranges. scripts/stores gets
them; where one cannot be had, its tests are skipped with the reason.

A store has `scheme`, `make(bucket)`, `url(bucket, key)`, `options(proxy)` (what weir must be told; with a FaultProxy:
through it), `put`, `get`, `list`, `delete`, `open_uploads`, and `port` for a proxy.
"""

import contextlib
import functools
import json
import pathlib
import signal
import socket
import subprocess
import xml.etree.ElementTree

import pytest
import signed
from gcs_shim import GcsShim
from waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY_ID, SECRET = "weirtest", "weirtest/s3cret+123"
# Azurite's account, which is the same everywhere.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@functools.cache
def software(name):
    """The program of a server, or a skipped test."""
    printed = subprocess.run([ROOT / "scripts/stores", name], stdout=subprocess.PIPE, text=True).stdout
    found = dict(line.split("=", 1) for line in printed.splitlines())
    return found.get(name), found.get(f"{name}-missing", "scripts/stores failed")


def need(name):
    program, reason = software(name)
    if program is None:
        pytest.skip(f"no {name}: {reason}")
    return program


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A server process, ended by its id. Another may take a port between our look and its start: then again."""

    def __init__(self, directory, command, env=None, ready=None):
        directory.mkdir(parents=True, exist_ok=True)
        self.messages = directory / "server.log"
        for attempt in range(5):
            self.port = free_port()
            with self.messages.open("wb") as out:
                self.process = subprocess.Popen(
                    [str(part).replace("PORT", str(self.port)) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=directory, env=env
                )
            try:
                until(lambda: self._is_ready(ready), f"{command[0]} is ready", 180)
                return
            except AssertionError as error:
                self.close()
                failed = error
        raise failed

    def _is_ready(self, ready):
        assert self.process.poll() is None, self.messages.read_text(errors="replace")[-2000:]
        with contextlib.suppress(OSError):
            return ready(self.port)
        return False

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def environment(**more):
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", **more}


def checked(answer, *also):
    if answer.status >= 300 and answer.status not in also:
        raise signed.Refused(answer.status, answer.body)
    return answer


def texts(document, name):
    return [e.text or "" for e in xml.etree.ElementTree.fromstring(document).iter() if e.tag.rpartition("}")[2] == name]


class Store:
    # Whether an object may be made only where there is none, or only over the one that is known.
    has_conditions = True

    def close(self):
        self.process.close()

    def url(self, bucket, key=""):
        return f"{self.scheme}://{bucket}/{key}"

    def address(self, proxy=None):
        return ("127.0.0.1", proxy.port if proxy else self.port)

    def endpoint(self, proxy=None):
        return "http://127.0.0.1:{1}".format(*self.address(proxy))


class S3(Store):
    scheme = "s3"

    def request(self, method, path, query=(), body=b"", headers=()):
        return signed.s3(self.address(), KEY_ID, SECRET, method, path, query, body, headers)

    def options(self, proxy=None):
        return {"endpoint": self.endpoint(proxy), "access_key_id": KEY_ID, "secret_access_key": SECRET, "region": "us-east-1", "allow_http": "true"}

    def make(self, bucket):
        checked(self.request("PUT", f"/{bucket}"), 409)
        return bucket

    def put(self, bucket, key, data):
        return checked(self.request("PUT", f"/{bucket}/{key}", body=data)).headers["etag"]

    def get(self, bucket, key):
        return checked(self.request("GET", f"/{bucket}/{key}")).body

    def delete(self, bucket, key):
        checked(self.request("DELETE", f"/{bucket}/{key}"))

    def list(self, bucket, prefix=""):
        found, token = [], None
        while True:
            query = [("list-type", "2"), ("prefix", prefix)] + ([("continuation-token", token)] if token else [])
            body = checked(self.request("GET", f"/{bucket}", query)).body
            found += texts(body, "Key")
            (token,) = texts(body, "NextContinuationToken") or [None]
            if not token:
                return sorted(found)

    def open_uploads(self, bucket):
        return sorted(texts(checked(self.request("GET", f"/{bucket}", [("uploads", "")])).body, "Key"))


def is_s3_ready(port):
    """It answers before it takes requests."""
    return signed.s3(("127.0.0.1", port), KEY_ID, SECRET, "GET", "/").status == 200


class MinIO(S3):
    name = "minio"

    def __init__(self, directory):
        program = need("minio")
        env = environment(MINIO_ROOT_USER=KEY_ID, MINIO_ROOT_PASSWORD=SECRET, MINIO_BROWSER="off", MINIO_UPDATE="off", HOME=str(directory))
        command = [program, "server", directory / "data", "--address", "127.0.0.1:PORT", "--quiet"]
        self.process = Process(directory, command, env, is_s3_ready)
        self.port = self.process.port

    def open_uploads(self, bucket):
        # It lists the uploads of one key at a time only: those of its disk are asked.
        found = (self.process.messages.parent / "data" / ".minio.sys" / "multipart").glob("*/*/xl.meta")
        return sorted(str(path.parent.name) for path in found)


class VersityGW(S3):
    name = "versitygw"

    def __init__(self, directory):
        program = need("versitygw")
        (directory / "data").mkdir(parents=True)
        env = environment(ROOT_ACCESS_KEY=KEY_ID, ROOT_SECRET_KEY=SECRET)
        command = [program, "--port", "127.0.0.1:PORT", "--quiet", "posix", directory / "data"]
        self.process = Process(directory, command, env, is_s3_ready)
        self.port = self.process.port


class Azurite(Store):
    name, scheme = "azurite", "az"

    def __init__(self, directory):
        command = ["node", need("azurite"), "--blobHost", "127.0.0.1", "--blobPort", "PORT", "--location", directory / "data"]
        more = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--debug", directory / "debug.log"]
        self.process = Process(directory, command + more, environment(), lambda port: signed.send(("127.0.0.1", port), "GET", "/").status > 0)
        self.port = self.process.port

    def request(self, method, path, query=(), body=b"", headers=()):
        return signed.azure(self.address(), ACCOUNT, ACCOUNT_KEY, method, f"/{ACCOUNT}{path}", query, body, headers)

    def options(self, proxy=None):
        return {"endpoint": f"{self.endpoint(proxy)}/{ACCOUNT}", "account_name": ACCOUNT, "account_key": ACCOUNT_KEY, "allow_http": "true"}

    def make(self, bucket):
        checked(self.request("PUT", f"/{bucket}", [("restype", "container")]), 409)
        return bucket

    def put(self, bucket, key, data):
        return checked(self.request("PUT", f"/{bucket}/{key}", body=data, headers={"x-ms-blob-type": "BlockBlob"})).headers["etag"]

    def get(self, bucket, key):
        return checked(self.request("GET", f"/{bucket}/{key}")).body

    def delete(self, bucket, key):
        checked(self.request("DELETE", f"/{bucket}/{key}"))

    def list(self, bucket, prefix="", include=""):
        found, marker = [], ""
        while True:
            query = [("restype", "container"), ("comp", "list"), ("prefix", prefix), ("marker", marker), ("include", include)]
            body = checked(self.request("GET", f"/{bucket}", [(k, v) for k, v in query if v])).body
            found += texts(body, "Name")
            marker = "".join(texts(body, "NextMarker"))
            if not marker:
                return sorted(found)

    def open_uploads(self, bucket):
        return sorted(set(self.list(bucket, include="uncommittedblobs")) - set(self.list(bucket)))


class Gcs(Store):
    name, scheme = "fake-gcs-server", "gs"

    def __init__(self, directory):
        program = need("fake-gcs-server")
        command = [program, "-scheme", "http", "-host", "127.0.0.1", "-port", "PORT", "-backend", "memory", "-public-host", "127.0.0.1:PORT"]
        self.process = Process(directory, command, environment(), lambda port: signed.send(("127.0.0.1", port), "GET", "/storage/v1/b").status == 200)
        self.shim = GcsShim("127.0.0.1", self.process.port)
        self.port = self.shim.port

    def close(self):
        self.shim.close()
        self.process.close()

    def request(self, method, path, query=(), body=b"", headers=()):
        return signed.send(self.address(), method, path, query, body, headers)

    def options(self, proxy=None):
        account = {"gcs_base_url": self.endpoint(proxy), "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
        return {"service_account_key": json.dumps(account), "allow_http": "true"}

    def make(self, bucket):
        checked(self.request("POST", "/storage/v1/b", body=json.dumps({"name": bucket}).encode(), headers={"content-type": "application/json"}), 409)
        return bucket

    def put(self, bucket, key, data):
        return checked(self.request("PUT", f"/{bucket}/{key}", body=data)).headers["etag"]

    def get(self, bucket, key):
        return checked(self.request("GET", f"/{bucket}/{key}")).body

    def delete(self, bucket, key):
        checked(self.request("DELETE", f"/{bucket}/{key}"))

    def list(self, bucket, prefix=""):
        found, token = [], ""
        while True:
            query = [("prefix", prefix)] + ([("pageToken", token)] if token else [])
            page = json.loads(checked(self.request("GET", f"/storage/v1/b/{bucket}/o", query)).body)
            found += [item["name"] for item in page.get("items", [])]
            token = page.get("nextPageToken")
            if not token:
                return sorted(found)

    def open_uploads(self, bucket):
        return self.shim.open_uploads()
