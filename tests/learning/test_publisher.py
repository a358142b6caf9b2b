"""The publisher: news for routers, and the report for people."""

import json
import threading

import pytest

from router.learning.publisher import Publisher
from router.learning.registry import Registry
from router.learning.report import report_of
from router.request.terms import terms
from router.routing.messages import NewsRequest, SeenPrompt
from router.telemetry.store.catalog import CATALOG_FILE
from tests.fakes import MemoryJournal
from tests.learning.traffic import YAML, Traffic, begun, configured, turned
from tests.telemetry.stored import NOON


def test_the_publisher_hands_out_only_what_a_router_lacks_and_fits_a_lens(config, stored):
    journal, now = MemoryJournal(), [1000.0]
    publisher = Publisher(config, journal, wall=lambda: now[0])
    traffic = Traffic(config, stored)
    traffic.send(30)
    assert publisher.turn()
    first = publisher.news(NewsRequest("", 0))
    assert first.policy is not None
    assert first.wants_prompts
    assert publisher.news(NewsRequest(first.version, 0)).policy is None
    words = [f"{a}{b}{c}" for a in "bcdfgklm" for b in "aeiou" for c in "bcdfgklmnprst"]
    prompts = [
        SeenPrompt(terms(f"What is a {word}?"), None, (0.2, 0.8, 0.0, 0.0)) for word in words
    ]
    publisher.news(NewsRequest(first.version, 0, prompts))
    now[0] += 100
    traffic.send(5)
    publisher.turn()
    second = publisher.news(NewsRequest(first.version, 0))
    assert second.lens != 0
    assert second.lens_content
    assert second.policy.features.endswith(f":{second.lens:x}")
    assert not publisher.news(NewsRequest(second.version, second.lens)).lens_content
    assert [e.state for e in journal.events if e.kind == "learner"] == ["lens fitted"]
    assert journal.policies[-1].strategy == "bandit"
    registry = Registry(config.learner_folder)
    registry.pin(registry.versions()[-1].name)
    publisher.turn()  # it must act although no row came
    assert publisher.news(NewsRequest("", 0)).version.startswith("pinned-")
    assert json.loads(json.dumps(publisher.report()))["learned"] > 10


@pytest.mark.parametrize("there", [False, True])
def test_a_first_start_warns_of_nothing_and_a_catalog_that_breaks_is_told(
    config, stored, caplog, there
):
    Traffic(config, stored).send(5)
    catalog, now = config.telemetry_folder / CATALOG_FILE, [1000.0]
    catalog.unlink(missing_ok=True)
    if there:
        catalog.write_bytes(b"no database")
    publisher = Publisher(config, MemoryJournal(), wall=lambda: now[0])
    publisher.turn()
    now[0] += 40_000
    publisher.turn()
    assert bool([each for each in caplog.records if each.levelname == "WARNING"]) == there


def test_the_report_has_what_is_expected_by_kind_and_plan(config, stored):
    Traffic(config, stored).send(200)
    fold = turned(begun(config))
    report = report_of(fold, fold.policy(0.0), config, now=NOON / 1e6)
    by = {(kind["kind"], row["plan"]): row for kind in report["kinds"] for row in kind["plans"]}
    assert by["sql", "dear"]["quality"] == pytest.approx(0.9, abs=0.15)
    assert by["sql", "dear"]["interval"] < 0.3
    assert by["sql", "cheap"]["quality"] < 0.55
    assert by["any", "dear"]["requests"] + by["any", "cheap"]["requests"] == 200
    assert sum(row["share"] for row in report["kinds"][0]["plans"]) == pytest.approx(1, abs=1e-3)


def test_the_report_says_what_there_is_to_learn_and_what_exploring_costs_a_day(config, stored):
    Traffic(config, stored).send(400, good=lambda plan, task: (plan == "dear") == (task == "sql"))
    fold = turned(begun(config))
    by = {
        kind["kind"]: kind
        for kind in report_of(fold, fold.policy(0.0), config, now=NOON / 1e6 + 500)["kinds"]
    }
    best = {name: max(kind["plans"], key=lambda plan: plan["utility"]) for name, kind in by.items()}
    utility = {
        (name, plan["plan"]): plan["utility"] for name, kind in by.items() for plan in kind["plans"]
    }
    single = by["any"]["single"]
    other = next(name for name in ("sql", "chat") if best[name]["plan"] != single)
    assert by[other]["gain"] == pytest.approx(
        best[other]["utility"] - utility[other, single], abs=2e-4
    )
    assert by[other]["gain"] > 2 * by[other]["gain_deviation"] > 0
    assert f"{best[other]['plan']} is 0." in by[other]["verdict"]
    for name, kind in by.items():
        exploring, requests = kind["exploring"], sum(plan["requests"] for plan in kind["plans"])
        assert exploring["requests_per_day"] == exploring["of_requests_per_day"] == requests, name
        assert exploring["utility_per_day"] == pytest.approx(
            exploring["utility"] * requests, abs=1e-3
        )
        assert kind["requests_since_judged"] < 20
    lost = sum(
        plan["share"] * (best["sql"]["utility"] - plan["utility"]) for plan in by["sql"]["plans"]
    )
    assert by["sql"]["exploring"]["utility"] == pytest.approx(lost, abs=2e-4)


class Unjudged:
    """Stores the requests of traffic, and no signal about them."""

    def __init__(self, stored):
        self.stored = stored

    def write(self, table, rows, writer):
        if table == "requests":
            self.stored.write(table, rows, writer)


def test_without_judged_answers_the_report_says_that_nothing_can_be_learned(config, stored):
    rows = Traffic(config, Unjudged(stored))
    rows.send(30)
    fold = turned(begun(config))
    report = report_of(fold, fold.policy(0.0), config, now=NOON / 1e6 + 100)
    for kind in report["kinds"]:
        assert kind["outlook"] == "no judged answers"
        assert kind["verdict"].startswith("no judged answers yet: nothing can be learned, ")
        explored = kind["exploring"]["utility"] >= 5e-5
        assert kind["verdict"].endswith("a request" if explored else "so nothing is explored")
        assert kind["last_judged"] is None


def test_the_outlook_on_each_kind_is_written_for_the_dashboard_when_it_changes(config, stored):
    journal, now = MemoryJournal(), [NOON / 1e6]
    publisher = Publisher(config, journal, wall=lambda: now[0])
    traffic = Traffic(config, stored)

    def kept():
        now[0] += 2  # longer than `snapshot_seconds`
        traffic.send(10)
        publisher.turn()
        return [event for event in journal.events if event.kind == "outlook"]

    traffic.send(200)
    (event, *more) = kept()
    assert not more
    kinds = {kind["kind"]: kind for kind in event.detail["kinds"]}
    assert set(kinds) == {"any", "sql", "chat"}
    report = {kind["kind"]: kind for kind in publisher.report()["kinds"]}
    assert kinds["sql"]["verdict"] == report["sql"]["verdict"]
    before = {name: kind["outlook"] for name, kind in kinds.items()}
    events = kept()
    after = {kind["kind"]: kind["outlook"] for kind in events[-1].detail["kinds"]}
    assert (len(events) == 1) == (before == after)
    now[0] += 600
    assert len(kept()) == len(events) + 1


def test_a_configuration_that_comes_while_the_learner_begins_is_followed(config, stored, tmp_path):
    Traffic(config, stored).send(40)
    fold = turned(begun(config))
    fold.keep(1.0).path.write_bytes(b"damaged")  # so that the learner writes an event as it begins
    third = configured(
        tmp_path, yaml=YAML.replace("dear: {{ask: b}}", "dear: {{ask: b}}, third: {{ask: b}}")
    )

    class Interrupting(MemoryJournal):
        def note(self, event):
            if event.state == "set aside":
                reconfiguring.start()
                reconfiguring.join(0.2)

    publisher = Publisher(config, Interrupting())
    reconfiguring = threading.Thread(target=publisher.reconfigure, args=(third,))
    publisher.turn()
    reconfiguring.join()
    policy = publisher.news(NewsRequest("", 0)).policy
    assert set(policy.arms) == {"cheap", "dear", "third"}


def test_a_first_judgement_is_published_at_once_and_later_news_gathers_for_some_seconds(
    config, stored
):
    now = [NOON / 1e6]
    publisher = Publisher(config, MemoryJournal(), wall=lambda: now[0])
    traffic = Traffic(config, stored)

    def published(count):
        traffic.send(count)
        publisher.turn()
        return publisher.news(NewsRequest("", 0)).version

    versions = [published(5), published(5)]
    assert versions[0] != versions[1]
    published(700)
    now[0] += 5
    late = published(5)
    assert published(5) == late
    now[0] += 5
    assert published(0) != late  # what gathered goes out although no row came
