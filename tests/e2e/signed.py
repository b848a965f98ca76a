# SPDX-License-Identifier: Apache-2.0
"""Plain HTTP requests, signed for S3 (Signature Version 4) or Azure (Shared Key), by nothing but Python's own modules."""

import base64
import datetime
import email.utils
import hashlib
import hmac
import http.client
import urllib.parse


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:500]!r}")
        self.status, self.body = status, body


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body


def send(address, method, path, query=(), body=b"", headers=(), timeout=60):
    """One request on a connection of its own. `path` is not encoded yet, `query` is a list of pairs."""
    target = urllib.parse.quote(path)
    if query:
        target += "?" + encoded(query)
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request(method, target, body=body or None, headers=dict(headers) | ({"content-length": "0"} if not body and method in ("PUT", "POST") else {}))
        response = connection.getresponse()
        return Answer(response, response.read())
    finally:
        connection.close()


def encoded(query):
    return "&".join(f"{urllib.parse.quote(k, safe='')}={urllib.parse.quote(v, safe='')}" for k, v in sorted(query))


def s3(address, key_id, secret, method, path, query=(), body=b"", headers=(), region="us-east-1", service="s3"):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    content = hashlib.sha256(body).hexdigest()
    signed = {"host": f"{address[0]}:{address[1]}", "x-amz-date": now, "x-amz-content-sha256": content} | {k.lower(): v for k, v in dict(headers).items()}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = "\n".join([method, urllib.parse.quote(path), encoded(query), lines, names, content])
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed["authorization"] = f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return send(address, method, path, query, body, signed)


def azure(address, account, key, method, path, query=(), body=b"", headers=()):
    """`path` begins with the account, as an emulator wants it."""
    sent = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2023-11-03"} | {k.lower(): v for k, v in dict(headers).items()}
    if body:
        sent.setdefault("content-type", "application/octet-stream")
    plain = ["content-encoding", "content-language", "", "content-md5", "content-type", "date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"]
    values = [str(len(body)) if name == "" and body else sent.get(name, "") for name in plain]
    own = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent) if name.startswith("x-ms-"))
    resource = f"/{account}{urllib.parse.quote(path)}" + "".join(f"\n{k}:{v}" for k, v in sorted(query))
    text = "\n".join([method, *values, own]) + resource
    signature = base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), "sha256")).decode()
    return send(address, method, path, query, body, sent | {"authorization": f"SharedKey {account}:{signature}"})


def azure_sas(account, key, hours=1):
    """A shared access signature of the account for all of its blobs, as the query of a URL."""
    until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"sv": "2023-11-03", "ss": "b", "srt": "sco", "sp": "rwdlacup", "se": until}
    lines = [account, given["sp"], given["ss"], given["srt"], "", given["se"], "", "", given["sv"], "", ""]
    signature = hmac.digest(base64.b64decode(key), "\n".join(lines).encode(), "sha256")
    return urllib.parse.urlencode({**given, "sig": base64.b64encode(signature).decode()})
