"""Substring search over many short texts: the distinct ones stand in one string, which C code scans."""

import re
from collections.abc import Iterator

_MERGE_AT = 512


class Texts:
    """Ids by text. Fleets repeat names, tags and VMIDs thousands of times, so distinct texts are few; a scan costs
    about a millisecond per megabyte of them, and each hit gives all its ids at once."""

    def __init__(self) -> None:
        self._ids: dict[str, set[int]] = {}
        self._text = "\n"
        self._fresh: set[str] = set()
        self._gone = 0

    def add(self, text: str, number: int) -> None:
        if not text:
            return
        ids = self._ids.get(text)
        if ids is None:
            ids = self._ids[text] = set()
            self._fresh.add(text)
        ids.add(number)

    def remove(self, text: str, number: int) -> None:
        ids = self._ids.get(text)
        if ids is not None:
            ids.discard(number)
            if not ids:
                del self._ids[text]
                self._fresh.discard(text)
                self._gone += 1

    def exact(self, text: str) -> set[int]:
        return self._ids.get(text, set())

    def find(self, needle: str, beginning: bool = False) -> Iterator[tuple[str, set[int]]]:
        """Every text that contains ``needle`` (or begins with it), with its ids (not to be changed)."""
        if not needle or "\n" in needle:
            return
        self._merge()
        text, at = self._text, -1
        sought = "\n" + needle if beginning else needle
        while (at := text.find(sought, at + 1)) >= 0:
            start = at + 1 if beginning else text.rfind("\n", 0, at) + 1
            end = text.find("\n", at + 1 if beginning else at)
            found = text[start:end]
            if (ids := self._ids.get(found)) is not None and found not in self._fresh:
                yield found, ids
            at = end - 1
        for found in self._fresh:
            if found.startswith(needle) if beginning else needle in found:
                yield found, self._ids[found]

    def match(self, pattern: str) -> Iterator[tuple[str, set[int]]]:
        """Every text in which the regular expression is found."""
        self._merge()
        searched = re.compile(pattern)
        for hit in re.finditer(rf"^.*?(?:{pattern}).*$", self._text, re.MULTILINE):
            if (ids := self._ids.get(hit[0])) is not None and hit[0] not in self._fresh:
                yield hit[0], ids
        for found in self._fresh:
            if searched.search(found):
                yield found, self._ids[found]

    def _merge(self) -> None:
        if len(self._fresh) > _MERGE_AT or self._gone > _MERGE_AT + len(self._ids) // 2:
            self._text = "\n" + "\n".join(self._ids) + "\n"
            self._fresh.clear()
            self._gone = 0
