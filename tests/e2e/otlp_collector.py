# SPDX-License-Identifier: Apache-2.0
"""
An OpenTelemetry collector that keeps what it is sent (OTLP over HTTP, JSON):

    with Collector() as collector:
        ... OTEL_EXPORTER_OTLP_ENDPOINT=collector.url ...
        collector.spans()
"""

import http.server
import json
import threading


class Span:
    def __init__(self, data, resource):
        self.data, self.resource = data, resource
        self.trace, self.id, self.parent = data["traceId"], data["spanId"], data.get("parentSpanId")
        self.name, self.kind = data["name"], data["kind"]
        self.start, self.end = int(data["startTimeUnixNano"]), int(data["endTimeUnixNano"])
        self.attributes = values(data["attributes"])
        self.has_failed = data.get("status", {}).get("code") == 2


def values(attributes):
    """Of a list of OTLP's attributes, whose keys must differ."""
    found = {}
    for one in attributes:
        ((kind, value),) = one["value"].items()
        assert one["key"] not in found and kind in ("stringValue", "intValue"), one
        found[one["key"]] = int(value) if kind == "intValue" else value
    return found


class Collector:
    def __init__(self, statuses=()):
        """The first answers have these statuses."""
        self.statuses, self.requests, self.hold = list(statuses), [], None
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if collector.hold:
                    collector.hold.wait(60)
                status = collector.statuses.pop(0) if collector.statuses else 200
                collector.requests.append((self.path, dict(self.headers.items()), body, status))
                self.send_response(status)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.hold:
            self.hold.set()
        self.server.shutdown()
        self.server.server_close()

    def text(self):
        return b"".join(body for _, _, body, _ in self.requests).decode()

    def spans(self):
        found = []
        for _, _, body, status in self.requests:
            if status != 200:
                continue
            for resource in json.loads(body)["resourceSpans"]:
                of = values(resource["resource"]["attributes"])
                for scope in resource["scopeSpans"]:
                    assert scope["scope"]["name"] == "weir"
                    found += [Span(data, of) for data in scope["spans"]]
        return found
