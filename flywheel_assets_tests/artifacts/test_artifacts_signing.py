"""A published document is signed by its publisher's key, and by no other."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flywheel_assets.artifacts.publish import publish
from flywheel_assets.artifacts.signing import is_signed, signer
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES

PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def pem(key) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


@pytest.fixture
def key(tmp_path):
    made = Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(pem(made))
    return made


def test_the_signature_is_the_publishers_and_fits_the_bytes(tmp_path, key, rollout, skills, grounds):
    folder = tmp_path / "artifacts"
    sign = signer(tmp_path / "key.pem")
    done = publish(folder, {"triage": rollout()}, skills, PROMPT_CANDIDATES.empty(), grounds, sign=sign)
    document = folder / done.pointer.path
    assert is_signed(document, key.public_key().public_bytes(*PUBLIC))
    assert not is_signed(document, Ed25519PrivateKey.generate().public_key().public_bytes(*PUBLIC))
    document.write_bytes(document.read_bytes() + b" ")
    assert not is_signed(document, key.public_key().public_bytes(*PUBLIC))


def test_without_a_key_nothing_is_signed(tmp_path, key, rollout, skills, grounds):
    done = publish(tmp_path / "a", {"triage": rollout()}, skills, PROMPT_CANDIDATES.empty(), grounds)
    assert not list((tmp_path / "a").glob("**/*.sig"))
    assert not is_signed(tmp_path / "a" / done.pointer.path, key.public_key().public_bytes(*PUBLIC))


def test_another_kind_of_key_is_refused(tmp_path):
    (tmp_path / "key.pem").write_bytes(pem(generate_private_key(SECP256R1())))
    with pytest.raises(TypeError, match="no Ed25519"):
        signer(tmp_path / "key.pem")
