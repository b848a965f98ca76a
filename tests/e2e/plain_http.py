# SPDX-License-Identifier: Apache-2.0
"""A web server that gives the files of a directory, with or without ranges, as a store that is only read."""

import email.utils
import hashlib
import http.server
import pathlib
import re
import threading
import urllib.parse

from stores import Store


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"content_length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self):
        root = self.server.root
        path = (root / urllib.parse.unquote(self.path.partition("?")[0]).lstrip("/")).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return self.say(404, b"not here\n")
        data = path.read_bytes()
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        about = {"etag": etag, "last_modified": email.utils.formatdate(path.stat().st_mtime, usegmt=True)}
        wanted = self.headers.get("if-match")
        if wanted and wanted not in ("*", etag):
            return self.say(412)
        if self.headers.get("if-none-match") == etag:
            return self.say(304, **about)
        if not self.server.has_ranges:
            return self.say(200, data, **about)
        about["accept_ranges"] = "bytes"
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range", ""))
        if not asked or asked[1] == asked[2] == "":
            return self.say(200, data, **about)
        first = int(asked[1]) if asked[1] else max(len(data) - int(asked[2]), 0)
        last = min(int(asked[2]), len(data) - 1) if asked[1] and asked[2] else len(data) - 1
        if first >= len(data) or first > last:
            return self.say(416, content_range=f"bytes */{len(data)}")
        return self.say(206, data[first : last + 1], content_range=f"bytes {first}-{last}/{len(data)}", **about)

    do_HEAD = do_GET


class PlainHttp(Store):
    scheme = "http"

    def __init__(self, directory, has_ranges=True):
        self.name = "http" if has_ranges else "http without ranges"
        self.root = pathlib.Path(directory).resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.root, self.server.has_ranges = self.root, has_ranges
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), name="plain-http", daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    def url(self, bucket, key="", proxy=None):
        return f"{self.endpoint(proxy)}/{bucket}/{key}"

    def options(self, proxy=None):
        return {"allow_http": "true"}

    def make(self, bucket):
        (self.root / bucket).mkdir(exist_ok=True)
        return bucket

    def put(self, bucket, key, data):
        path = self.root / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
