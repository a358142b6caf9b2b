"""`/v1/learned` promotes a model and goes back, and says why it does not."""

from router.api.learned import TrainedModels
from router.models.models import Models
from tests.models.made import by_hand, register


async def test_a_model_is_promoted_and_taken_back(tmp_path):
    register(tmp_path, version=1)
    register(tmp_path, by_hand(least=0.7), version=2, promote=False)
    events = []
    trained = TrainedModels(tmp_path, events.append, lambda: 1.7e9)
    listed = await trained.carry_out({"do": "promote", "name": "triage@2"})
    assert [row["promoted"] for row in listed["models"]] == [False, True]
    assert Models(tmp_path).get("triage").card.version == 2
    await trained.carry_out({"do": "rollback", "name": "triage@2"})
    assert Models(tmp_path).get("triage").card.version == 1
    states = [("triage@2", "promoted"), ("triage@1", "rolled back to")]
    assert [(event.subject, event.state) for event in events] == states
    for command, reason in (
        ({"do": "promote", "name": "triage@1"}, "promoted already"),
        ({"do": "rollback", "name": "triage"}, "nothing was before it"),
        ({"do": "promote", "name": "other@1"}, "no model is called other"),
        ({"do": "promote"}, "`name` must be the name of a model"),
        ({"do": "sell"}, "must be list, promote or rollback"),
    ):
        assert reason in (await trained.carry_out(command))["rejected"]
