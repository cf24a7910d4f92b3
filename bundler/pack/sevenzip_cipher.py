"""Encrypts and decrypts as a 7z does: AES-256 in CBC mode, its key hashed from the password.

Source: 7zAes.cpp of the LZMA SDK: SHA-256 over 1 << 19 times the password in UTF-16 and a counter of eight bytes. Our
archives have no salt, so that one key serves all blocks of an archive; the IV of each is random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from bundler.pack.sevenzip_form import AES_BLOCK, CYCLES, padded

_AT_ONCE = 1 << 10


def key(password: str) -> bytes:
    """The key of ``password``. Takes about a quarter of a second, on purpose."""
    text = password.encode("utf-16-le", "surrogatepass")
    digest = hashlib.sha256()
    for start in range(0, 1 << CYCLES, _AT_ONCE):
        digest.update(b"".join(text + at.to_bytes(8, "little") for at in range(start, start + _AT_ONCE)))
    return digest.digest()


class Encryption:
    """Encrypts one block."""

    def __init__(self, secret: bytes, iv: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self._cipher = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
        self._size = 0

    def update(self, chunk: bytes) -> bytes:
        """Encrypt ``chunk``: what fills whole blocks of the cipher; the rest comes with the next."""
        self._size += len(chunk)
        return self._cipher.update(chunk)

    def finish(self) -> bytes:
        """The last bytes, padded with zeros."""
        return self._cipher.update(bytes(padded(self._size) - self._size)) + self._cipher.finalize()


def decrypted(chunks: Iterator[bytes], secret: bytes, iv: bytes, size: int) -> Iterator[bytes]:
    """Decrypt ``chunks`` to ``size`` bytes. Raises ValueError unless zeros fill the rest, and less than a block."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    cipher = Cipher(algorithms.AES(secret), modes.CBC(iv)).decryptor()
    left, behind = size, b""
    for chunk in chunks:
        plain = cipher.update(chunk)
        if left:
            yield plain[:left]
        behind = (behind + plain[left:])[: AES_BLOCK + 1]
        left -= min(left, len(plain))
    cipher.finalize()
    if left or behind != bytes(padded(size) - size):
        raise ValueError("the padding of an encrypted block is not as it is written")
