"""Whose requests the rows of telemetry are: groups that count together, owners, shared words."""

from collections.abc import Iterable, Mapping

from router.keys import Key
from router.telemetry.sql import quoted

_EVERYBODY = "everybody"  # on a machine without keys


class Requesters:
    """Keys by their ids. A group is `team NAME`, `key NAME`, or everybody without keys."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = {key.id: key for key in keys}

    def group(self, key_id: str, team: str) -> str:
        """The group of a row, by the key and the team that it names."""
        if team:
            return f"team {team}"
        if not self._keys:
            return _EVERYBODY
        key = self._keys.get(key_id)
        return f"key {key.name if key is not None else key_id or 'none'}"

    def team_of(self, group: str) -> str:
        return group.removeprefix("team ") if group.startswith("team ") else ""

    def owner(self, requests: Mapping[str, int]) -> str:
        """The name of the key that made most of these requests; empty if it is in force no more."""
        best = sorted(requests.items(), key=lambda pair: (-pair[1], pair[0]))
        names = [k.name for id_, _ in best if (k := self._keys.get(id_)) and not k.revoked]
        return names[0] if names else ""

    def shares(self, key_id: str, owner: str) -> bool:
        """Whether words of this key may go into a store of this owner: they are the owner's own,
        or the two keys share what they remember."""
        if not self._keys:
            return True
        key = self._keys.get(key_id)
        own = {each.remembers_as for each in self._keys.values() if each.name == owner}
        return key is not None and key.remembers_as in own

    def key_ids(self, owner: str) -> list[str]:
        """The keys whose words may go into a store of this owner."""
        return [id_ for id_ in self._keys or ("",) if self.shares(id_, owner)]

    def where(self, group: str) -> str:
        """SQL for the rows of a group."""
        team = self.team_of(group)
        if team:
            return f"team = {quoted(team)}"
        ids = [id_ for id_, key in self._keys.items() if group == f"key {key.name}"]
        return f"key_id = {quoted(ids[0])}" if ids else "team is null"
