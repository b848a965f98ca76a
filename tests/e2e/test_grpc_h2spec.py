# SPDX-License-Identifier: Apache-2.0
"""The server held to HTTP/2's standard by h2spec."""

import os
import pathlib
import subprocess
import xml.etree.ElementTree

import pytest
from grpc_server import Server, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def h2spec():
    lines = subprocess.run([ROOT / "scripts/h2spec"], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    found = dict(line.split("=", 1) for line in lines)
    if "h2spec" not in found:
        pytest.skip(f"no h2spec: {found.get('h2spec-missing', 'scripts/h2spec failed')}")
    return found["h2spec"]


@pytest.mark.parametrize("options", [[], ["--tls", "--insecure"]], ids=["plain", "tls"])
def test_every_rule_that_h2spec_knows_is_kept(h2spec, tmp_path, options, request):
    tls = request.getfixturevalue("certificates").server if options else {}
    report = tmp_path / "report.xml"
    with Server(**tls) as server:
        command = [h2spec, "--host", server.host, "--port", str(server.port), "--timeout", "5", "--junit-report", str(report)]
        result = subprocess.run([*command, *options], capture_output=True, text=True, timeout=500)
        wait_until(lambda: server.figures()["n_calls"] == 0)
    cases = [case for case in xml.etree.ElementTree.parse(report).iter("testcase")]
    failed = [case.get("package") + ": " + case.get("classname") for case in cases if case.find("failure") is not None]
    assert failed == [], result.stdout[-3000:]
    assert len(cases) >= 145
    assert os.path.getsize(report) > 0
