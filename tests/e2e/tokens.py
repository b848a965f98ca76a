# SPDX-License-Identifier: Apache-2.0
"""JSON web tokens, right and forged, signed by the openssl program."""

import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import time


def encoded(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


class Issuer:
    """Has a key, and knows how to make tokens that only look right."""

    def __init__(self, directory, name="issuer"):
        self.private, self.public = pathlib.Path(directory) / f"{name}.key", pathlib.Path(directory) / f"{name}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.private], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", self.private, "-pubout", "-out", self.public], check=True, capture_output=True)

    def claims(self, user, **changes):
        now = int(time.time())
        claims = {"iss": "https://issuer.test", "aud": "weir", "sub": user, "iat": now, "exp": now + 600, **changes}
        return {key: value for key, value in claims.items() if value is not None}

    def sign(self, header, claims):
        text = f"{encoded(header)}.{encoded(claims)}"
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.private], input=text.encode(), check=True, capture_output=True)
        return f"{text}.{encoded(done.stdout)}"

    def token(self, user, **changes):
        return self.sign({"alg": "RS256", "typ": "JWT"}, self.claims(user, **changes))

    def by_public_key(self, user):
        """The key that everybody knows, taken for a secret: right for who lets the token choose its algorithm."""
        text = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(self.claims(user))}"
        return f"{text}.{encoded(hmac.new(self.public.read_bytes(), text.encode(), hashlib.sha256).digest())}"

    def unsigned(self, user, algorithm="none"):
        return f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(self.claims(user))}."

