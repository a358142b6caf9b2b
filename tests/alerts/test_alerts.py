"""Alerts: what is told, how often, and that a kill loses none."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from router.alerts.alert import Alert, payload
from router.alerts.outbox import MOST_WAITING, Outbox
from router.alerts.rules import ErrorCount, alert_of, error_alert
from router.alerts.watch import AlertWatch
from router.alerts.webhook import NotSent, Webhook, signature, verified
from router.cli.main import app
from router.config.alerts import Alerts
from router.domain import Event
from router.telemetry.rows import event_row
from tests.telemetry.stored import NOON, Stored, request

AT, SECRET = NOON / 1e6, "s3cret-of-the-webhook"
SETTINGS = Alerts(url="${URL}", secret="${SECRET}")


class Received(list):
    """What a webhook got. `statuses` are its next answers; then it answers 200."""

    def __init__(self):
        super().__init__()
        self.statuses, self.location = [], ""


@contextmanager
def webhook():
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received.append((self.path, headers, body))
            self.send_response(received.statuses.pop(0) if received.statuses else 200)
            if received.location:
                self.send_header("location", received.location)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/T0/secret-path", received
    finally:
        server.shutdown()
        server.server_close()


class Place:
    """A service's folder, a clock, and the watch of its alerts, which can be killed."""

    def __init__(self, folder, url, settings=SETTINGS):
        self.stored, self.url, self.settings = Stored(folder / "telemetry"), url, settings
        self.folder, self.now, self.steady, self.events = folder, AT, 0.0, 0
        self.restart()

    def restart(self):
        self.watch = AlertWatch(
            self.settings,
            self.folder / "telemetry",
            self.folder,
            service="here",
            open_webhook=lambda settings: Webhook(self.url, SECRET),
            wall=lambda: self.now,
            steady=lambda: self.steady,
            runs=False,
        )

    def turn(self, seconds=1.0):
        self.now, self.steady = self.now + seconds, self.steady + seconds
        self.watch.turn()

    def happens(self, kind, subject, state, *, id_="", writer="w1", **detail):
        self.events += 1
        event = Event(id_ or f"e{self.events}", self.now, kind, subject, state, detail)
        self.stored.write("events", [event_row(event)], writer)


@pytest.fixture
def place(tmp_path):
    with webhook() as (url, received):
        place = Place(tmp_path, url)
        place.received = received
        place.happens("breaker", "before", "open")
        place.turn()  # alerts begin with what happens from now on
        yield place


def texts(received):
    return [json.loads(body)["text"] for _, _, body in received]


def test_a_breaker_that_opens_and_closes_is_told_in_the_form_of_slack(place):
    place.happens("breaker", "gpt", "open", reason="5 failures")
    place.turn()
    place.happens("breaker", "gpt", "closed")
    place.turn()
    first, second = (json.loads(body) for _, _, body in place.received)
    assert first["text"] == "Waggle: breaker: Backend gpt rests after its errors: 5 failures."
    assert [block["type"] for block in first["blocks"]] == ["header", "section", "context"]
    assert first["waggle"]["state"] == "open"
    assert second["text"] == "Waggle: breaker: Backend gpt answers again."


def test_an_alert_is_signed_over_its_time_and_its_body(place):
    place.happens("breaker", "gpt", "open")
    place.turn()
    [(_, headers, body)] = place.received
    given, timestamp = headers["x-waggle-signature"], headers["x-waggle-timestamp"]
    assert verified(SECRET, timestamp, body, given, now=place.now)
    assert not verified("another", timestamp, body, given, now=place.now)
    assert not verified(SECRET, timestamp, body + b" ", given, now=place.now)
    assert not verified(SECRET, timestamp, body, given, now=place.now + 301)
    assert not verified(SECRET, "x", body, given, now=place.now)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (("drift", "gpt", "detected", {}), "The answers of plan gpt became worse or better"),
        (("trial", "t1", "rolled back", {"why": "worse"}), "trial t1 was rolled back: worse."),
        (
            ("budget", "team a dollars_per_month 2026-11", "80%",
             {"owner": "team a", "rule": "dollars_per_month", "used": 8.0, "limit": 10.0}),
            "The budget of team a is 80% used: $8.00 of dollars_per_month = $10.00.",
        ),
        (
            ("budget", "team a dollars_per_day 2026-11-27", "100%",
             {"owner": "team a", "rule": "dollars_per_day", "used": 10.0, "limit": 10.0}),
            "The budget of team a is used up: $10.00 of dollars_per_day = $10.00.",
        ),
    ],
)  # fmt: skip
def test_what_an_alert_says(event, words):
    kind, subject, state, detail = event
    alert = alert_of(Event("e", AT, kind, subject, state, detail), SETTINGS)
    assert words in alert.text


@pytest.mark.parametrize("event", [("trial", "adopted"), ("topology", "grew"), ("reuse", "right")])
def test_other_events_are_no_alerts(event):
    assert alert_of(Event("e", AT, event[0], "x", event[1]), SETTINGS) is None


def test_what_the_configuration_leaves_out_is_not_told():
    only = Alerts(on=("budget",))
    assert alert_of(Event("e", AT, "breaker", "x", "open"), only) is None
    assert error_alert(ErrorCount(100, 100), only, high=False, now=AT) is None


def test_two_routers_that_see_the_same_make_one_alert(place):
    for writer in ("w1", "w2"):
        place.happens("breaker", "gpt", "open", writer=writer)
        place.happens("budget", "team a x 2026-11", "80%", id_="same", writer=writer)
    place.turn()
    assert len(place.received) == 2


def test_the_same_news_is_quiet_for_a_while_and_then_told_again(place):
    for _ in range(3):
        place.happens("drift", "gpt", "detected")
        place.turn()
    assert len(place.received) == 1
    place.now += SETTINGS.quiet_seconds
    place.happens("drift", "gpt", "detected")
    place.turn()
    assert len(place.received) == 2


def test_after_flapping_the_last_state_is_told_when_the_quiet_span_ends(place):
    for state in ("open", "closed", "open"):
        place.happens("breaker", "gpt", state)
        place.turn()
    assert [json.loads(body)["waggle"]["state"] for _, _, body in place.received] == [
        "open",
        "closed",
    ]
    place.turn(SETTINGS.quiet_seconds)
    assert json.loads(place.received[-1][2])["waggle"]["state"] == "open"


def test_that_a_backend_answers_again_is_no_news_to_whom_nobody_said_it_rested(place):
    place.happens("breaker", "before", "closed")
    place.turn()
    assert place.received == []


def test_errors_are_told_when_they_begin_and_when_they_are_over():
    fails = error_alert(ErrorCount(20, 2), SETTINGS, high=False, now=AT)
    assert fails.text == "10% of 20 requests in 5 min failed with a status of 500 or more."
    assert error_alert(ErrorCount(19, 19), SETTINGS, high=False, now=AT) is None
    assert error_alert(ErrorCount(40, 3), SETTINGS, high=False, now=AT) is None
    assert error_alert(ErrorCount(20, 2), SETTINGS, high=True, now=AT) is None
    assert error_alert(ErrorCount(40, 1), SETTINGS, high=True, now=AT).state == "over"


def test_errors_are_counted_from_the_rows_of_the_last_minutes(place):
    now = place.stored.value("select epoch_us(utc_now())")
    old = [request(now - 600_000_000, status=503) for _ in range(50)]
    recent = [request(now, status=503 if n < 4 else 200) for n in range(20)]
    place.stored.write("requests", old)
    place.turn()
    assert place.received == []
    place.stored.write("requests", recent)
    place.turn()
    assert texts(place.received) == [
        "Waggle: error rate: 20% of 20 requests in 5 min failed with a status of 500 or more."
    ]


def test_an_alert_that_is_not_taken_is_sent_again_with_growing_pauses_and_the_same_id(place):
    place.received.statuses = [500, 429]
    place.happens("breaker", "gpt", "open")
    place.turn()
    place.turn()  # the first pause, of two seconds, is not over
    assert len(place.received) == 1
    place.turn(2.0)
    place.turn(2.0)  # the second pause is of four seconds
    assert len(place.received) == 2
    place.turn(4.0)
    place.turn(400.0)
    assert len({headers["x-waggle-alert-id"] for _, headers, _ in place.received}) == 1
    assert len(place.received) == 3


def test_a_kill_between_reading_and_sending_loses_nothing(place):
    place.received.statuses = [503]
    place.happens("breaker", "gpt", "open")
    place.turn()
    place.restart()
    place.turn()
    assert len(place.received) == 2
    assert texts(place.received)[0] == texts(place.received)[1]


def test_events_that_came_while_no_sender_ran_are_told(place):
    place.happens("breaker", "gpt", "open")
    place.restart()
    place.turn()
    assert len(place.received) == 1


def test_an_old_event_is_not_told_any_more(place):
    place.happens("breaker", "gpt", "open")
    place.now += 2 * 86_400
    place.turn()
    assert place.received == []


def test_a_file_of_garbage_is_set_aside(place):
    (place.folder / "alerts.json").write_text("{}")
    place.restart()
    place.turn()
    place.happens("breaker", "gpt", "open")
    place.turn()
    assert len(place.received) == 1
    assert (place.folder / "alerts.unreadable").exists()


def test_no_redirect_is_followed(place):
    place.received.statuses, place.received.location = [302], place.url + "/elsewhere"
    place.happens("breaker", "gpt", "open")
    place.turn()
    assert [path for path, _, _ in place.received] == ["/T0/secret-path"]


def test_errors_and_the_log_hold_neither_the_address_nor_the_secret(place, caplog):
    place.received.statuses = [500]
    place.happens("breaker", "gpt", "open")
    place.turn()
    gone = Webhook("http://127.0.0.1:1/T0/secret-path", SECRET)
    with pytest.raises(NotSent, match=r"127\.0\.0\.1") as error:
        gone.send(b"{}", alert_id="a", now=AT)
    assert "127.0.0.1 answered 500" in caplog.text
    for text in (caplog.text, str(error.value)):
        assert "secret-path" not in text
        assert SECRET not in text


@pytest.mark.parametrize("url", ["ftp://example.org/x", "file:///etc/passwd", "example.org", ""])
def test_only_http_and_https_are_spoken(url):
    with pytest.raises(ValueError, match="http:// or https://") as error:
        Webhook.of(SETTINGS, lambda reference: url)
    assert not url or url not in str(error.value)


def test_the_queue_is_bounded_and_counts_what_found_no_room():
    box = Outbox()
    for n in range(MOST_WAITING + 5):
        alert = Alert("drift", f"p{n}", "detected", "text", AT)
        box = box.hears(alert, now=AT, quiet=900)
    assert len(box.waiting) == MOST_WAITING
    assert box.dropped == 5
    assert Outbox.read(json.loads(json.dumps(box.written()))) == box


def test_names_cannot_mention_people_or_make_links():
    alert = Alert("breaker", "x", "open", "Backend <!channel|x> & <http://evil|here>", AT)
    fields = json.loads(payload(alert, "<here>"))
    assert "<" not in json.dumps(fields["blocks"]) + fields["text"]
    assert "&lt;!channel|x&gt; &amp;" in fields["text"]


def test_the_signature_is_what_the_page_says():
    assert signature("k", "1", b"{}").startswith("v1=")
    assert len(signature("k", "1", b"{}")) == 3 + 64


@pytest.fixture
def waggle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALERTS_SECRET", SECRET)
    text = 'backends: {a: {kind: openai, base_url: "http://127.0.0.1:1/v1"}}\n'
    text += f"server: {{data: {tmp_path}/var}}\n"
    text += 'alerts: {url: "${ALERTS_URL}", secret: "${ALERTS_SECRET}"}\n'
    (tmp_path / "waggle.yaml").write_text(text)
    return lambda *args: CliRunner().invoke(app, ["alerts", *args])


def test_the_command_sends_a_signed_test_and_names_no_more_than_the_host(waggle, monkeypatch):
    with webhook() as (url, received):
        monkeypatch.setenv("ALERTS_URL", url)
        sent = waggle("test", "--text", "hello")
        received.statuses = [404]
        refused = waggle("test")
    assert sent.exit_code == 0
    assert "127.0.0.1 took the alert (signed)" in sent.output
    [(_, headers, body), _] = received
    assert json.loads(body)["text"].endswith("hello")
    given, timestamp = headers["x-waggle-signature"], headers["x-waggle-timestamp"]
    assert verified(SECRET, timestamp, body, given, now=int(timestamp))
    assert refused.exit_code == 1
    assert "127.0.0.1 answered 404" in refused.output
    assert "secret-path" not in sent.output + refused.output


def test_the_command_says_what_is_missing(waggle, monkeypatch, tmp_path):
    monkeypatch.setenv("ALERTS_URL", "ftp://example.org")
    assert "http:// or https://" in waggle("test").output
    (tmp_path / "waggle.yaml").write_text(
        'backends: {a: {kind: openai, base_url: "http://127.0.0.1:1/v1"}}\n'
    )
    assert "alerts.url is not set" in waggle("test").output
    assert "No alert was sent, and none waits." in waggle("status").output
