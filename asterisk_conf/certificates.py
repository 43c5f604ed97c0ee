"""The certificate of the telephone lines (SIP over TLS, secure WebSocket): the operator's own, or one made here."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.settings import Settings

YEARS = 10
RENEW_DAYS = 30


def certificate(settings: Settings) -> tuple[Path, Path]:
    """Certificate and key files (PEM). `{home}/tls/hotline.crt` and `.key` if the operator has put them there,
    else a self-signed pair that is made here, and again in its last 30 days; phones must be told to accept it."""
    own = settings.home / "tls"
    if (own / "hotline.crt").exists() and (own / "hotline.key").exists():
        return own / "hotline.crt", own / "hotline.key"
    keys = settings.paths.asterisk / "lib" / "tls"
    cert, key = keys / "hotline.crt", keys / "hotline.key"
    if not (cert.exists() and key.exists()) or _ends_soon(cert):
        keys.mkdir(parents=True, exist_ok=True)
        _make(settings, cert, key)
    return cert, key


def _ends_soon(cert_file: Path) -> bool:
    try:
        ends = x509.load_pem_x509_certificate(cert_file.read_bytes()).not_valid_after_utc
    except ValueError:
        return True
    return ends - dt.datetime.now(dt.UTC) < dt.timedelta(days=RENEW_DAYS)


def _make(settings: Settings, cert_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"hotline {settings.node}")])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(settings.sip_host)))
    except ValueError:
        names.append(x509.DNSName(settings.sip_host))
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(private)
    cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
