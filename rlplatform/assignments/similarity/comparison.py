"""Comparison of programs: fingerprints by winnowing (Schleimer, Wilkerson and Aiken, 2003), with ``copydetect``.

Names, strings and comments do not count, nor does code that the assignment itself gives out. Programs are text here:
nothing of them is run. The process of :mod:`~rlplatform.assignments.similarity.process` calls this.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from copydetect import CodeFingerprint, compare_files
from copydetect.utils import get_token_coverage

from rlplatform.assignments.similarity.models import MAX_PAIRS, Passage
from rlplatform.assignments.similarity.ports import ComparedProgram, Comparison, Program, ProgramPair

NOISE = 25
"""Shortest run of characters, with each name as one, that counts as alike."""
WINDOW = 8
"""Fingerprints that one is chosen from: runs of ``NOISE + WINDOW - 1`` characters are always found."""
CANDIDATES = 1000
"""Largest number of pairs that are compared exactly: those that share most fingerprints."""
_BLOCK = 4096
_MAX_PASSAGES = 20


def compare(programs: Sequence[Program], given: Program, min_similarity: float) -> Comparison:
    """Return the pairs of ``programs`` that are alike, most similar first.

    Args:
        given: files of the assignment itself, whose code does not count.
    """
    ours = set[int]()
    for path, text in given.files.items():
        ours |= CodeFingerprint(_tokenized_as(path), NOISE, WINDOW, fp=io.StringIO(text)).hashes
    known, short = [], []
    for program in programs:
        fingerprint = _fingerprint(program, ours)
        if fingerprint.token_coverage > 0:
            known.append((program, fingerprint))
        else:
            short.append(program.id)
    found = []
    for i, j in _candidates([fingerprint.hashes for _, fingerprint in known], min_similarity):
        (first, one), (second, other) = known[i], known[j]
        _, shares, slices = compare_files(one, other)
        if max(shares) >= min_similarity:
            a = ComparedProgram(first.id, _share(shares[0]), _passages(first, slices[0]))
            b = ComparedProgram(second.id, _share(shares[1]), _passages(second, slices[1]))
            found.append(ProgramPair(a, b))
    found.sort(
        key=lambda pair: (-max(pair.a.share, pair.b.share), -(pair.a.share + pair.b.share), pair.a.id, pair.b.id)
    )
    return Comparison(pairs=found[:MAX_PAIRS], too_short=short)


def _fingerprint(program: Program, ours: set[int]) -> CodeFingerprint:
    entry = next(iter(program.files), "main.py")
    made = CodeFingerprint(_tokenized_as(entry), NOISE, WINDOW, fp=io.StringIO(program.text))
    made.hash_idx = {value: places for value, places in made.hash_idx.items() if value not in ours}
    made.hashes = set(made.hash_idx)
    made.token_coverage = int(get_token_coverage(made.hash_idx, NOISE, len(made.filtered_code)))
    return made


def _tokenized_as(path: str) -> str:
    """Return the name whose ending tells the language: the text of a notebook is its code cells."""
    return "main.py" if path.endswith(".ipynb") else path


def _candidates(hashes: Sequence[set[int]], min_similarity: float) -> list[tuple[int, int]]:
    """Return the pairs that share most of the fingerprints of the shorter one."""
    count = len(hashes)
    if count < 2:
        return []
    column = {value: number for number, value in enumerate(sorted(set().union(*hashes)))}
    shared = np.zeros((count, count), dtype=np.float32)
    rows = [np.sort(np.fromiter((column[value] for value in one), dtype=np.int64)) for one in hashes]
    for start in range(0, len(column), _BLOCK):
        block = np.zeros((count, _BLOCK), dtype=np.float32)
        for number, row in enumerate(rows):
            block[number, row[np.searchsorted(row, start) : np.searchsorted(row, start + _BLOCK)] - start] = 1
        shared += block @ block.T
    sizes = np.array([len(one) for one in hashes], dtype=np.float32)
    share = np.triu(shared / np.minimum(sizes[:, None], sizes[None, :]), 1)
    first, second = np.nonzero(share >= min_similarity / 2)  # fingerprints are a sample: exact shares differ somewhat
    order = np.argsort(-share[first, second], kind="stable")[:CANDIDATES]
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def _share(value: float) -> float:
    return round(min(1.0, float(value)), 4)


def _passages(program: Program, slices: np.ndarray) -> list[Passage]:
    """Return the lines of the ``slices`` (starts and ends in the text), by file."""
    paths = list(program.files)
    starts = [0, *accumulate(len(text) + 1 for text in program.files.values())]
    found = []
    for begin, end in sorted(zip(*slices.astype(int).tolist(), strict=True)):
        number = min(bisect_right(starts, begin) - 1, len(paths) - 1)
        text = program.files[paths[number]]
        first = text.count("\n", 0, begin - starts[number]) + 1
        last = text.count("\n", 0, max(begin, end - 1) - starts[number]) + 1
        found.append(Passage(path=paths[number], first_line=first, last_line=last))
        if len(found) == _MAX_PASSAGES:
            break
    return found
