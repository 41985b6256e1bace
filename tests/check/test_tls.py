"""A host whose certificate is its own."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.check.support import Checker, serving

OPENSSL = shutil.which("openssl")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for 127.0.0.1, and a server's context with it."""
    if OPENSSL is None:
        pytest.skip("there is no openssl command to make a certificate with")
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    asked = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {pem}".split()
    subprocess.run(
        [OPENSSL, *asked, "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return pem, context


def test_a_certificate_that_nobody_trusts(checker: Checker, certificate: tuple[Path, ssl.SSLContext]) -> None:
    """TLS fails, exit 5, nothing is sent; the remedy is --ca-file, and with it all is well."""
    pem, context = certificate
    with serving({}, context) as server:
        untrusted = checker(server.url)
        assert not server.seen
        trusted = checker(server.url, "--ca-file", str(pem))
    assert untrusted.code == 5
    assert untrusted.named("failed") == ["tls"]
    assert "--ca-file" in untrusted.found("tls")
    assert untrusted.state("connection") == "ok"
    assert trusted.code == 0
    assert trusted.state("tls") == "ok"


def test_a_host_that_speaks_no_tls(checker: Checker) -> None:
    """Plain http behind an https URL fails at TLS."""
    with serving({}) as server:
        checked = checker(server.url.replace("http:", "https:"))
    assert checked.code == 5
    assert checked.named("failed") == ["tls"]
