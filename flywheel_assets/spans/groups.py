"""Payloads in groups that a reader takes at once.

What a reader in Rust works with, and hands out, it takes from the system and gives back to it: little at a
time is taken again from the allocator and stays in the processor's cache, much is not and costs as much
again as the reading. The results are put together in Arrow's own memory, which is kept.
"""

from collections.abc import Iterator, Sequence

TOGETHER = 2 * 2**20
Payload = bytes | memoryview


def groups(payloads: Sequence[Payload]) -> Iterator[list[Payload]]:
    """All payloads in order, about TOGETHER bytes at a time."""
    group: list[Payload] = []
    size = 0
    for payload in payloads:
        group.append(payload)
        size += len(payload)
        if size >= TOGETHER:
            yield group
            group, size = [], 0
    if group:
        yield group
