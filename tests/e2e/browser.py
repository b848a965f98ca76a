# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium through chromedriver, by the WebDriver protocol (w3.org/TR/webdriver2)."""

import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Control": "\ue009", "Enter": "\ue007", "Escape": "\ue00c", "ArrowDown": "\ue015", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowLeft": "\ue012", "Tab": "\ue004"}


def find():
    """The browser, and why there is none; one of the two is None."""
    said = subprocess.run([pathlib.Path(__file__).resolve().parents[2] / "scripts/browser"], stdout=subprocess.PIPE, text=True).stdout
    key, _, value = said.strip().partition("=")
    return (value, None) if key == "browser" else (None, value or "scripts/browser says nothing")


class Browser:
    def start(self, directory):
        """The port, or what the driver said when it ended: another program may have taken the port that it chose."""
        self.process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env={**os.environ, "HOME": str(directory), "TMPDIR": str(directory)})
        said = ""
        for line in self.process.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                return found[1], said
            said += line
        self.process.wait()
        return None, said

    def __init__(self, binary, directory):
        for _ in range(5):
            port, said = self.start(directory)
            if port:
                break
        assert port, said
        self.base = f"http://127.0.0.1:{port}"
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900", f"--user-data-dir={directory}/profile"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        options = {"binary": binary, "args": arguments, "prefs": {"download.default_directory": str(directory)}}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.base += f"/session/{session['sessionId']}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.loads(response.read())["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(20)

    def go(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        element = self.find(selector)
        self.call("POST", f"/element/{element}/clear", {})
        self.call("POST", f"/element/{element}/value", {"text": text})

    def press(self, *names):
        """Presses keys together, on what has the focus."""
        keys = [KEYS.get(name, name) for name in names]
        actions = [{"type": "keyDown", "value": key} for key in keys] + [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def text(self, selector):
        return self.run("const found = document.querySelector(arguments[0]); return found && !found.closest('[hidden]') ? found.innerText : null", selector)

    def problems(self):
        """What the browser complained about: errors of scripts and of the page's policy."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"}) if entry["level"] in ("SEVERE", "WARNING")]

    def picture(self):
        return self.call("GET", "/screenshot")
