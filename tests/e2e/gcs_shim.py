# SPDX-License-Identifier: Apache-2.0
"""
What Google's XML API does and fake-gcs-server does not, in front of it: uploads, whole and in parts, copies, and
conditions on reads. All else passes through.
"""

import html
import http.client
import http.server
import itertools
import json
import threading
import time
import urllib.parse
import xml.etree.ElementTree

KEPT = ("content-type", "cache-control", "content-encoding", "content-disposition", "content-language")
HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # The head and a small body go out in one piece.
    wbufsize = -1

    def log_message(self, *_):
        pass

    # ---- Both sides ----

    def ask(self, method, target, body=None, headers=()):
        connection = http.client.HTTPConnection(*self.server.store, timeout=120)
        try:
            connection.request(method, target, body=body, headers=dict(headers))
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def say(self, status, body=b"", headers=()):
        self.send_response(status)
        has_length = False
        for name, value in dict(headers).items():
            if name.lower() not in HOP or (self.command == "HEAD" and name.lower() == "content-length"):
                has_length = has_length or name.lower() == "content-length"
                self.send_header(name, value)
        if not has_length and status not in (204, 304):
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)
        self.wfile.flush()

    def refuse(self, status, code):
        self.say(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode(), {"content-type": "application/xml"})

    def body(self):
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            length = int(self.headers.get("content-length", 0))
            whole = self.rfile.read(length)
            if len(whole) < length:
                raise ConnectionError("the body ends too early")
            return whole
        whole = bytearray()
        while length := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(whole)

    # ---- Requests ----

    def handle_any(self):
        target, _, query = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        _, bucket, *rest = urllib.parse.unquote(target).split("/", 2)
        key = rest[0] if rest else ""
        body = self.body()
        if self.command == "GET" and not key and "uploads" in query:
            return self.list_uploads(bucket, query.get("prefix", ""))
        if bucket in ("storage", "upload", "download", "_internal") or not key:
            return self.pass_on(body)
        if self.command == "POST" and "uploads" in query:
            return self.begin(bucket, key)
        if "uploadId" in query:
            return self.upload(bucket, key, query, body)
        if self.command == "PUT" and "x-goog-copy-source" in self.headers:
            return self.copy(bucket, key)
        if self.command == "PUT":
            return self.put(bucket, key, body, {name: self.headers[name] for name in KEPT if name in self.headers})
        if self.command in ("GET", "HEAD"):
            return self.get(body)
        return self.pass_on(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = handle_any

    def pass_on(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        response, answer = self.ask(self.command, self.path, body or None, headers)
        self.say(response.status, answer, response.headers)

    def get(self, body):
        """fake-gcs-server knows no conditions."""
        wanted, unwanted = self.headers.get("if-match"), self.headers.get("if-none-match")
        if wanted or unwanted:
            head, _ = self.ask("HEAD", self.path)
            etag = head.headers.get("etag", "").strip('"')
            if head.status == 200 and wanted and wanted != "*" and etag not in [t.strip(' "') for t in wanted.split(",")]:
                return self.refuse(412, "PreconditionFailed")
            if head.status == 200 and unwanted and (unwanted == "*" or etag in [t.strip(' "') for t in unwanted.split(",")]):
                return self.say(304, headers={"etag": f'"{etag}"'})
        return self.pass_on(body)

    def put(self, bucket, key, body, headers):
        if made := self.make(bucket, key, body, headers):
            self.say(200, headers=made)

    def make(self, bucket, key, body, headers):
        """What is told of the object; None after a refusal."""
        query = {"uploadType": "multipart", "name": key}
        if "x-goog-if-generation-match" in self.headers:
            query["ifGenerationMatch"] = self.headers["x-goog-if-generation-match"]
        about = {"name": key, "contentType": headers.get("content-type", "application/octet-stream")}
        boundary = "weir-boundary-7c1f"
        parts = f"--{boundary}\r\ncontent-type: application/json\r\n\r\n{json.dumps(about)}\r\n--{boundary}\r\ncontent-type: {about['contentType']}\r\n\r\n"
        content = parts.encode() + body + f"\r\n--{boundary}--\r\n".encode()
        target = f"/upload/storage/v1/b/{urllib.parse.quote(bucket, safe='')}/o?{urllib.parse.urlencode(query)}"
        response, said = self.ask("POST", target, content, {"content-type": f"multipart/related; boundary={boundary}"})
        if response.status != 200:
            return self.refuse(response.status, "PreconditionFailed" if response.status == 412 else "NoSuchBucket" if response.status == 404 else "InvalidRequest")
        made = json.loads(said)
        return {"etag": '"' + made["etag"].strip('"') + '"', "x-goog-generation": str(made["generation"])}

    def copy(self, bucket, key):
        source_bucket, _, source = urllib.parse.unquote(self.headers["x-goog-copy-source"]).lstrip("/").partition("/")
        quoted = [urllib.parse.quote(text, safe="") for text in (source_bucket, source, bucket, key)]
        # fake-gcs-server copies whatever the condition says.
        if self.headers.get("x-goog-if-generation-match") == "0":
            there, _ = self.ask("HEAD", f"/{quoted[2]}/{quoted[3]}")
            if there.status == 200:
                return self.refuse(412, "PreconditionFailed")
        response, _ = self.ask("POST", "/storage/v1/b/{}/o/{}/rewriteTo/b/{}/o/{}".format(*quoted))
        return self.say(200, b"<CopyObjectResult/>") if response.status == 200 else self.refuse(response.status, "NoSuchKey")

    # ---- Uploads in parts ----

    def begin(self, bucket, key):
        number = str(next(self.server.numbers))
        headers = {name: self.headers[name] for name in KEPT if name in self.headers}
        begun = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        self.server.uploads[number] = bucket, key, headers, {}, begun
        self.say(200, f"<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><UploadId>{number}</UploadId></InitiateMultipartUploadResult>".encode())

    def list_uploads(self, bucket, prefix):
        found = [(n, key, begun) for n, (of, key, _, _, begun) in list(self.server.uploads.items()) if of == bucket and key.startswith(prefix)]
        text = "".join(
            f"<Upload><Key>{html.escape(key)}</Key><UploadId>{n}</UploadId><StorageClass>STANDARD</StorageClass><Initiated>{begun}</Initiated></Upload>" for n, key, begun in found
        )
        self.say(200, f"<ListMultipartUploadsResult><Bucket>{bucket}</Bucket>{text}</ListMultipartUploadsResult>".encode(), {"content-type": "application/xml"})

    def upload(self, bucket, key, query, body):
        upload = self.server.uploads.get(query["uploadId"])
        if upload is None or upload[:2] != (bucket, key):
            return self.refuse(404, "NoSuchUpload")
        parts = upload[3]
        if self.command == "DELETE":
            self.server.uploads.pop(query["uploadId"], None)
            return self.say(204)
        if self.command == "PUT":
            parts[int(query["partNumber"])] = body
            return self.say(200, headers={"etag": f'"{query["partNumber"]}-{len(body)}"'})
        numbers = [int(e.text) for e in xml.etree.ElementTree.fromstring(body).iter() if e.tag.endswith("PartNumber")]
        if not numbers or any(n not in parts for n in numbers):
            return self.refuse(400, "InvalidPart")
        if any(len(parts[n]) < 5 << 20 for n in numbers[:-1]):
            return self.refuse(400, "EntityTooSmall")

        if made := self.make(bucket, key, b"".join(parts[n] for n in numbers), upload[2]):
            # Before the answer, which may reach nobody.
            self.server.uploads.pop(query["uploadId"], None)
            text = f"<CompleteMultipartUploadResult><Bucket>{bucket}</Bucket><ETag>{html.escape(made['etag'])}</ETag></CompleteMultipartUploadResult>"
            self.say(200, text.encode(), made)


class GcsShim:
    """On a free port of 127.0.0.1 until close()."""

    def __init__(self, host, port):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.store, self.server.uploads, self.server.numbers = (host, port), {}, itertools.count(1)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), name="gcs-shim", daemon=True)
        self.thread.start()

    def open_uploads(self):
        """The keys of uploads that were begun and neither completed nor aborted."""
        return sorted(key for _, key, *_ in list(self.server.uploads.values()))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
