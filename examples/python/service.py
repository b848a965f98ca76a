# SPDX-License-Identifier: Apache-2.0
"""A service to try rest.py with: python3 service.py 8000, then http://127.0.0.1:8000/items?page=1."""

import http.server
import json
import sys
import urllib.parse

ITEMS = [{"id": i, "name": f"item {i}", "price": i * 1.25} for i in range(1, 251)]


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = int(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["page"][0])
        body = json.dumps(ITEMS[(page - 1) * 100 : page * 100]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
