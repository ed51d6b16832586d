"""Signatures: who published a routing document, for those who load it from a place that others can write.

Ed25519 over the document's bytes, in base64, beside it as `<document>.sig`. Needs the extra `sign`
and a private key in PEM; without one nothing is signed. The pointer's hash is what clients check.
"""

import base64
from collections.abc import Callable
from pathlib import Path

Sign = Callable[[bytes], str]


def signer(key_file: Path) -> Sign:
    """What signs with a private key. Raises TypeError where the file holds no Ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{key_file} is no Ed25519 private key")
    return lambda content: base64.b64encode(key.sign(content)).decode()


def signature_file(document: Path) -> Path:
    """Where a document's signature is."""
    return document.with_name(f"{document.name}.sig")


def is_signed(document: Path, public_key: bytes) -> bool:
    """Whether the document's bytes were signed by the owner of a public key in PEM."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("this is no Ed25519 public key")
    beside = signature_file(document)
    if not beside.is_file():
        return False
    try:
        key.verify(base64.b64decode(beside.read_text()), document.read_bytes())
    except InvalidSignature:
        return False
    return True
