"""How pytest-xdist deals items to workers: items that share cases go to one of them, so that no case is sent twice."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

from conformance.pytest_plugin import SUITE
from conformance.pytest_plugin.layout import GENERATED


class FormatScheduling(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]
    """One operation in one format is one piece of work, its generated cases in all formats another; other tests are dealt singly."""

    def _split_scope(self, nodeid: str) -> str:
        head, _, tail = nodeid.partition("[")
        if not head.startswith(f"{SUITE}::"):
            return nodeid
        if head.endswith(f"::{GENERATED}"):
            return head
        return f"{head.rpartition('::')[0]}[{tail}"
