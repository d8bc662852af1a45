"""The zstd dictionaries that ship with the program: what messages look like, without a word of a real person.

A dictionary holds pieces of what it was trained on: reference data and made-up people only (bench/train_dictionary.py
makes it). Its id stands in the header of every frame packed with it and in its file's name; a released one is never
changed, a better one gets the next id.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import zstandard

from operator_tui.sync.packing import LEVEL

CURRENT = 26001


@cache
def dictionaries() -> dict[int, zstandard.ZstdCompressionDict]:
    """All that this program knows, by id."""
    folder = resources.files("assets").joinpath("sync")
    files = [file for file in folder.iterdir() if file.name.endswith(".dict")] if folder.is_dir() else []
    found = [zstandard.ZstdCompressionDict(file.read_bytes()) for file in files]
    for dictionary in found:
        dictionary.precompute_compress(level=LEVEL)  # else each message pays for it: 0.2 ms
    return {dictionary.dict_id(): dictionary for dictionary in found}


def current() -> zstandard.ZstdCompressionDict | None:
    """The one that requests are packed with, None when the program was shipped without it."""
    return dictionaries().get(CURRENT)


def dictionary_of(frame: bytes) -> zstandard.ZstdCompressionDict | None:
    """The dictionary a frame was packed with, None for a plain frame, one of an unknown dictionary and no frame."""
    try:
        return dictionaries().get(zstandard.get_frame_parameters(frame).dict_id)
    except zstandard.ZstdError:
        return None
