"""Models are files that nobody can change unnoticed, under the features they were trained on."""

import json

import pytest

from router.models import model_files
from router.models.card import BrokenModel
from router.models.features import BUCKETS, Asked, features_of, words_of
from router.models.models import Models, open_model
from router.models.registry import NoSuchModel, Registry
from tests.models.made import by_hand, register


def test_a_head_answers_what_it_knows_and_says_why_it_is_unsure(tmp_path):
    head = open_model(tmp_path / "files", register(tmp_path)).model
    sure = head.of(Asked("My invoice shows a wrong charge!"))
    assert (sure.answer, sure.unsure) == ("billing", False)
    assert sure.probability > 0.9
    torn = head.of(Asked("my invoice, my parcel"))
    assert "0.80 is needed" in torn.why
    strange = head.of(Asked("my invoice " + "quantum gravity lecture tomorrow morning there"))
    assert "of the request's words" in strange.why


def test_features_are_those_of_the_latest_user_and_of_what_stands_before():
    messages = [
        {"role": "system", "content": "Sort tickets."},
        {"role": "user", "content": [{"type": "text", "text": "It cost 1,250.50 EUR"}]},
        {"role": "assistant", "content": "unfinished"},
    ]
    question = words_of(messages)
    assert question == Asked("It cost 1,250.50 EUR", "Sort tickets.")
    same = features_of(Asked("it COST 1250.50 eur", "sort tickets"))
    words = [each.buckets[each.buckets < 22528].tolist() for each in (features_of(question), same)]
    assert words[0] == words[1]  # but their style differs
    more = features_of(Asked("it cost 4,250.50 eur", "sort tickets"))
    sizes = [set(each.buckets) & set(range(16384, 20480)) for each in (same, more)]
    assert sizes[0] < sizes[1]  # a larger number reaches every step of the smaller, and more
    assert more.buckets.max() < BUCKETS
    assert words_of(None) == words_of([1, "x"]) == Asked("")


def test_what_a_data_set_blanks_out_has_the_same_features_in_a_request():
    request = Asked("Write to anna.berg@example.com or +49 30 1234567", "from bob@example.org")
    row = Asked("Write to [EMAIL_1] or [PHONE_1]", "from [EMAIL_2]")
    own, theirs = features_of(request), features_of(row)
    assert own.buckets.tolist() == theirs.buckets.tolist()
    assert own.weights.tolist() == theirs.weights.tolist()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda place: (place / "head.npz").write_bytes(b"x"), "were changed since it was made"),
        (lambda place: (place / "head.json").unlink(), "cannot be read"),
        (lambda place: (place / "card.json").write_text("{}"), "is no card of a model"),
        (
            lambda place: (place / "card.json").write_text(
                (place / "card.json").read_text().replace("features-1", "features-0")
            ),
            "were changed since it was made",
        ),
    ],
)
def test_a_changed_model_is_refused_and_the_one_in_use_goes_on(tmp_path, change, reason):
    first = register(tmp_path)
    models = Models(tmp_path)
    before = models.get("triage")
    second = register(tmp_path, by_hand(least=0.7), version=2)
    assert first != second
    change(tmp_path / "files" / second)
    assert models.get("triage") is before
    with pytest.raises(BrokenModel, match=reason):
        Models(tmp_path).get("triage")


def test_a_model_of_other_features_or_with_an_object_in_it_is_refused(tmp_path):
    register(tmp_path, features="features-0")
    with pytest.raises(BrokenModel, match=r"features-0, and this Waggle has features-1.*train"):
        Models(tmp_path).get("triage")
    with pytest.raises(BrokenModel, match="no arrays of numbers"):
        model_files.unpacked(model_files.packed({"x": {"code": print}}), "head.npz")
    register(tmp_path / "b", kind="adapter")
    with pytest.raises(BrokenModel, match="kind adapter"):
        Models(tmp_path / "b").get("triage")


def test_a_reference_names_the_promoted_version_or_the_one_it_numbers(tmp_path):
    with pytest.raises(NoSuchModel, match="waggle models train triage"):
        Models(tmp_path).get("triage")
    register(tmp_path, promote=False)
    with pytest.raises(NoSuchModel, match="waggle models promote triage@1"):
        Models(tmp_path).get("triage")
    assert Models(tmp_path).get("triage@1").card.version == 1
    register(tmp_path, version=2)
    registry = Registry(tmp_path)
    assert registry.find("triage")[1].number == 2
    registry.change(lambda _: [{"do": "promoted", "name": "triage", "version": 1}])
    assert registry.find("triage")[1].number == 1
    registry.change(lambda _: [{"do": "rolled back", "name": "triage", "version": 1}])
    assert Registry(tmp_path).find("triage")[1].number == 2
    registry.change(lambda _: [{"do": "removed", "name": "triage", "version": 2}])
    with pytest.raises(NoSuchModel, match="triage@2 was removed: there is triage@1"):
        registry.find("triage@2")
    with pytest.raises(NoSuchModel, match="after @ stands"):
        registry.find("triage@x")


def test_the_files_are_for_their_owner_alone_and_hold_no_code(tmp_path):
    place = tmp_path / "files" / register(tmp_path)
    assert place.stat().st_mode & 0o077 == 0
    assert {path.name for path in place.iterdir()} == {"card.json", "head.json", "head.npz"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.iterdir())
    assert json.loads((place / "card.json").read_text())["data"]["name"] == "tickets"
