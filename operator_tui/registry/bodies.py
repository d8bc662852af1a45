"""The text of ``Person.more`` as it lies in the file: zstd with a dictionary of this registry's own texts.

A person's policies and attachments are some hundred characters that look like everybody's; with a dictionary of 4 KB
they become some forty bytes, which is what lets three million whole people fit one gigabyte. Frames have no magic, no
checksum (SQLCipher authenticates the page) and no dictionary number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

DICTIONARY_ROW = 0  # row of the table ``more`` that holds the dictionary
_DICTIONARY_BYTES = 4096


def train(texts: Sequence[str]) -> bytes:
    """A dictionary of these texts; empty when they are too few or too unlike each other for one."""
    import zstandard

    try:
        return zstandard.train_dictionary(_DICTIONARY_BYTES, [text.encode() for text in texts]).as_bytes()
    except zstandard.ZstdError:
        return b""


class Bodies:
    """Packs and unpacks with one dictionary."""

    def __init__(self, dictionary: bytes) -> None:
        import zstandard

        known: dict[str, Any] = {}
        parameters = zstandard.ZstdCompressionParameters.from_level(
            3, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=1, write_dict_id=0, write_checksum=0
        )
        if dictionary:
            known["dict_data"] = zstandard.ZstdCompressionDict(dictionary)
            known["dict_data"].precompute_compress(compression_params=parameters)
        self._packer = zstandard.ZstdCompressor(compression_params=parameters, **known)
        self._unpacker = zstandard.ZstdDecompressor(format=zstandard.FORMAT_ZSTD1_MAGICLESS, **known)

    def pack(self, text: str) -> bytes:
        return self._packer.compress(text.encode())

    def unpack(self, body: bytes | None) -> str:
        """The text; empty for no body."""
        return self._unpacker.decompress(body).decode() if body else ""


def read(connection: Any) -> Bodies:
    """The packer of an open registry."""
    found = connection.execute("SELECT body FROM more WHERE id = ?", (DICTIONARY_ROW,)).fetchone()
    return Bodies(found[0] if found else b"")
