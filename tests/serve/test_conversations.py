"""A real service, killed whole amid conversations, loses no turn that it acknowledged."""

import threading

import openai
import pytest

from tests.conversations.recalling import RecallingModel
from tests.serve.running import end_hard, own_service
from tests.waiting import blocking_until

pytestmark = pytest.mark.ray

BACKENDS = """
backends:
  a: {{kind: openai, base_url: "{url}", price: {{input: 1, output: 2}}, retry: {{times: 0}}}}
"""
CALLERS = 6


class Caller(threading.Thread):
    """Tells one fact after another in one chain, until the service is gone."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__(daemon=True)
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)
        self.number, self.acknowledged = number, list[str]()

    def run(self) -> None:
        previous = None
        while True:
            fact = f"The code of N{len(self.acknowledged)} is {self.number}."
            try:
                with self.client.responses.stream(
                    model="a", input=fact, previous_response_id=previous
                ) as stream:
                    previous = stream.get_final_response().id
            except openai.OpenAIError:
                return
            self.acknowledged.append(previous)


def test_the_whole_service_is_killed_and_every_acknowledged_turn_is_remembered(
    background, tmp_path
):
    upstream = background.upstream(RecallingModel())
    with own_service(tmp_path, BACKENDS.format(url=upstream.url)) as service:
        callers = [Caller(service.url, number) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        blocking_until(lambda: all(len(caller.acknowledged) > 5 for caller in callers))
        end_hard(service)
        for caller in callers:
            caller.join()
        service.start()
        for caller in callers:
            last = len(caller.acknowledged) - 1
            answer = caller.client.responses.create(
                model="a",
                input=f"What is the code of N0? What is the code of N{last}?",
                previous_response_id=caller.acknowledged[-1],
            )
            assert answer.output_text == f"{caller.number}, {caller.number}"
            for id_ in caller.acknowledged:
                assert caller.client.responses.retrieve(id_).id == id_
            caller.client.close()
