"""A generated request of Responses is whole in its chat form, and the check of that can say no."""

import copy
from dataclasses import replace

import pytest

from experiments.dialects.response_requests import Writer, requests
from experiments.dialects.responses import lost_of, round_trip
from router.dialects.responses_request import request_of


def test_nothing_of_a_request_is_lost_without_a_name():
    figures = round_trip(200)
    assert figures["unnamed"] == 0, figures["examples"]
    assert figures["refused"] == 0
    assert figures["carried"] > 20 * figures["requests"]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_taken_from_the_chat_form_is_missed(seed):
    writer = Writer(seed)
    request = writer.request()
    read = request_of(request)
    for taken in range(len(read.chat["messages"])):
        chat = copy.deepcopy(dict(read.chat))
        del chat["messages"][taken]
        assert lost_of(request, replace(read, chat=chat)).unnamed, chat


@pytest.mark.parametrize("name", ["temperature", "max_completion_tokens", "response_format"])
def test_a_field_that_is_taken_from_the_chat_form_is_missed(name):
    having = [request for request in requests(60) if name in request_of(request).chat]
    assert having
    for request in having:
        read = request_of(request)
        chat = {field: value for field, value in read.chat.items() if field != name}
        assert lost_of(request, replace(read, chat=chat)).unnamed
