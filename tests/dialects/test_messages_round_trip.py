"""No field of a generated request of Anthropic's Messages is lost without a name."""

import pytest

from experiments.dialects.message_requests import requests
from experiments.dialects.messages import compared
from router.dialects.extensions import plain


@pytest.mark.parametrize("seed", range(4))
def test_what_does_not_come_back_is_named(seed):
    results = [compared(request) for request in requests(100, seed)]
    assert [path for result in results for path in result.unnamed] == []
    assert sum(result.carried for result in results) > 50 * 100
    assert sum(result.named for result in results) > 0


def without(name):
    def change(fields):
        messages = [{n: v for n, v in m.items() if n != name} for m in fields["messages"]]
        return fields | {"messages": messages}

    return change


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (without("is_error"), "is_error"),
        (without("thinking_blocks"), "signature"),
        (without("block_order"), "the order of the texts"),
        (plain, "thinking"),
    ],
    ids=["is_error", "thinking_blocks", "block_order", "every extension"],
)
def test_a_way_that_loses_something_is_noticed(change, lost):
    unnamed = [path for request in requests(200) for path in compared(request, change).unnamed]
    assert any(lost in path for path in unnamed)
