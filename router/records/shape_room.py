"""The room for one shape: how deep it may be, and how many nodes it may have."""

from router.records.bounds import refuse

_MOST_NODES, _DEEPEST = 20_000, 40


class ShapeRoom:
    """Counts the nodes of one shape while it is read."""

    def __init__(self) -> None:
        self._left = _MOST_NODES

    def enter(self, depth: int, nodes: int = 1) -> None:
        """Make room for some nodes at this depth; a `Fault` says that there is none."""
        self._left -= nodes
        if depth > _DEEPEST or self._left < 0:
            raise refuse(
                f"shape is deeper than {_DEEPEST} or larger than {_MOST_NODES} nodes, perhaps "
                "because a $ref leads back to itself: make it flatter or smaller"
            )
