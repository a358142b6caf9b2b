"""The learner publishes patterns to routers that lack them, and names them by routers' words."""

from router.learning.publisher import Publisher
from router.request.patterns import bucket
from router.routing.following import Following
from router.routing.messages import NewsRequest
from tests.fakes import MemoryJournal
from tests.telemetry.stored import NOON


def publisher_of(config, journal):
    return Publisher(config, journal, wall=lambda: NOON / 1e6 + 1e5)


def test_a_router_gets_patterns_once_and_names_them_by_words_that_several_used(config, requests):
    journal = MemoryJournal()
    publisher = publisher_of(config, journal)
    requests.send(130)
    publisher.turn()
    following = Following()
    following.hear(publisher.news(following.take_request()), now=1.0)
    assert len(following.patterns.patterns) == 3
    assert publisher.news(following.take_request()).patterns is None
    patterns = following.patterns.patterns
    zone = next(each for each in patterns if bucket("flight") in each.centre)
    for at in range(5):
        following.words.see(zone.id, f"flight lands, clock in {'abcde'[at]}ville")
    publisher.news(following.take_request())
    publisher.turn()
    following.hear(publisher.news(following.take_request()), now=2.0)
    named = following.patterns.named(zone.id)
    assert set(named.name.split()) == {"flight", "clock", "lands"}
    events = [event for event in journal.events if event.kind == "pattern"]
    assert [event.state for event in events] == ["found"] * 3 + ["named"]
    assert events[-1].detail["name"] == named.name
    again = publisher_of(config, journal)
    again.turn()
    assert again.news(NewsRequest("", 0)).patterns == following.patterns


def test_trouble_with_the_files_does_not_stop_the_learner(config, requests):
    journal = MemoryJournal()
    requests.send(130)
    config.growth_folder.write_text("a file where a folder belongs")
    publisher = publisher_of(config, journal)
    publisher.turn()
    assert publisher.news(NewsRequest("", 0)).policy is not None
    assert publisher.news(NewsRequest("", 0)).patterns is None
    config.growth_folder.unlink()
    publisher.turn()
    assert len(publisher.news(NewsRequest("", 0)).patterns.patterns) == 3
