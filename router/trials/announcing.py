"""Writes the lines of the book to telemetry: each line once, whichever process added it."""

import contextlib
from pathlib import Path
from typing import Any

import orjson

from router.domain import Event, PolicyInForce, TrialNews, new_id
from router.files import write_whole
from router.routing.strategies import Strategy
from router.telemetry.journal import Journal
from router.trials.book import Book, Line
from router.trials.node_reviews import in_short

_EVENTFUL = ("rolled back", "adopted", "adopting")
# The fields of a made plan that its event holds.
_TOLD = ("pattern", "parent", "author", "evidence", "version", "stands_for", "merges")
_NAMED = ("do", "at", "subject", "what")  # keys that are other fields of the event


class Announcer:
    """Stores in a file how many lines telemetry has, so that a new process repeats none."""

    def __init__(self, book: Book, journal: Journal, folder: Path) -> None:
        self._book, self._journal = book, journal
        self._path = folder / "told"
        try:
            self._announced = int(self._path.read_text())
        except (OSError, ValueError):
            self._announced = 0
        self._read = 0

    def announce(self, lines: list[Line]) -> list[Line]:
        """Write the lines that telemetry lacks, and return these lines."""
        new = lines[max(self._announced - self._read, 0) :]
        self._read += len(lines)
        for line in new:
            self._announce(line)
        if new:
            self._announced = self._read
            with contextlib.suppress(OSError):
                write_whole(self._path, orjson.dumps(self._announced))
        return new

    def trial(self, id_: str, at: float, state: str, line: Line) -> None:
        """Write a row about a trial, with values from the line where the line has them."""
        trial = self._book.trials[id_]
        settings = {
            "candidate": trial.candidate,
            "current": trial.current,
            "goal": trial.goal,
            "opened_by": trial.opened_by,
            "layer": trial.slot.layer,
            "split": trial.slot.share,
            "share": line.get("share", trial.share),
            "why": line.get("why") or trial.why or trial.effect,
            "numbers": line.get("numbers", {}),
        }
        self._journal.trial(TrialNews(id_, trial.name, state, settings, at))

    def _announce(self, line: Line) -> None:
        at = line["at"]
        match line["do"]:
            case "register":
                strategy = Strategy.read(line["strategy"])
                self._journal.policy(
                    PolicyInForce(strategy.key, strategy.kind, strategy.written(), at)
                )
            case "node":
                node = line["node"]
                detail = {"role": node["kind"], "version": node["version"]}
                self._event("node", node["name"], "written", at, author=node["author"], **detail)
            case "reviewed":
                detail = {name: line[name] for name in ("author", "parent")}
                detail |= {"role": line["kind"], "reviews": in_short(line["verdicts"])}
                self._event("node", line["key"], "reviewed", at, **detail)
            case "open":
                self.trial(line["trial"]["id"], at, line["trial"]["state"], line)
            case "state":
                self._state(line, at)
            case "share":
                self.trial(line["trial"], at, self._book.trials[line["trial"]].state, line)
                self._event("trial", line["trial"], f"share {line['share']:g}", at, why=line["why"])
            case "trouble":
                state = "cannot be judged" if line["why"] else "can be judged again"
                self._event("trial", line["trial"], state, at, why=line["why"])
            case "serve":
                self._event("strategy", line["strategy"], "serves", at, why=line["why"])
            case "switch":
                state = "live" if line["live"] else "in the shadow again"
                self._event("switch", "auto", state, at, why=line["why"], by=line["by"])
            case "made" | "grown":
                self._growth(line, at)
            case "note" | "prompt":
                subject = str(line.get("subject", "prompt"))
                detail = {name: value for name, value in line.items() if name not in _NAMED}
                self._event("proposal", subject, line["what"], at, **detail)

    def _state(self, line: Line, at: float) -> None:
        self.trial(line["trial"], at, line["state"], line)
        if self._book.trials[line["trial"]].pattern:
            self._event("growth", line["trial"], line["state"], at, why=line["why"])
        elif line["state"] in _EVENTFUL:
            self._event("trial", line["trial"], line["state"], at, why=line["why"])

    def _growth(self, line: Line, at: float) -> None:
        if line["do"] == "grown":
            why = {"why": line["why"], "by": line["by"]}
            self._event("growth", line["plan"], line["state"], at, **why)
            return
        made = line["plan"]
        detail = {name: made[name] for name in _TOLD} | {"way": made["kind"]}
        self._event("growth", made["name"], "made", at, **detail)

    def _event(self, kind: str, subject: str, state: str, at: float, **detail: Any) -> None:
        trial = self._book.trials.get(subject)
        name = trial.name if trial is not None else subject
        self._journal.note(Event(new_id(at), at, kind, name, state, detail))
