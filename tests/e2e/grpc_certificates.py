# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests of TLS, made by the openssl program."""

import pathlib
import subprocess

import grpc
import pytest


class Certificates:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.make_authority("authority")
        self.make_authority("stranger")
        self.make("server", "/CN=localhost", "authority", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.make("ada", "/O=Engines, Ltd/CN=ada", "authority")
        self.make("mallory", "/CN=ada", "stranger")

    def path(self, name):
        return str(self.directory / name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.directory)

    def make_authority(self, name):
        self.openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"),
        )

    def make(self, name, subject, authority, extension="basicConstraints=CA:FALSE"):
        (self.directory / f"{name}.ext").write_text(extension + "\n")
        self.openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject),
        )
        self.openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key"),
            *("-CAcreateserial", "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.pem"),
        )

    @property
    def server(self):
        """Options of the server."""
        return {"certificate": self.path("server.pem"), "key": self.path("server.key")}

    def credentials(self, name=None, authority="authority"):
        def read(file):
            return (self.directory / file).read_bytes()

        if name is None:
            return grpc.ssl_channel_credentials(read(f"{authority}.pem"))
        return grpc.ssl_channel_credentials(read(f"{authority}.pem"), read(f"{name}.key"), read(f"{name}.pem"))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))
