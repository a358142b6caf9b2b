"""Telemetry for the examples of the pages: an hour of traffic, and a request with a known id."""

from pathlib import Path

from tests.dashboard.story import write_story
from tests.telemetry.stored import NOON, Stored, request

REQUEST_ID = "01a1fae8-7a09-761b-9982-5744f9e7daf0"  # the id that pages give a request
KEY = "alice"


def write_telemetry(folder: Path) -> None:
    write_story(folder, begin=NOON, requests=200)
    stored = Stored(folder)
    stored.write("requests", [request(NOON, request_id=REQUEST_ID, key_id=KEY)], writer="pages")
    stored.seal()
