"""The usual context of a kind moves by the same steps, however the rows come."""

import numpy as np

from router.learning.usual import fade


def one_by_one(usual, context):
    """The arithmetic for one context, feature by feature."""
    share = 0.02 if usual else 1.0
    for name in dict.fromkeys((*usual, *context)):
        usual[name] = usual.get(name, 0.0) + share * (context.get(name, 0.0) - usual.get(name, 0.0))
        if abs(usual[name]) < 1e-4:
            del usual[name]


def test_a_batch_of_contexts_moves_each_kind_as_one_context_after_the_other():
    chance = np.random.default_rng(3)
    batched, single = {}, {"": {}, "kind=a": {}, "kind=b": {}}
    names = [f"vec.{n}" for n in range(12)]
    for size in (1, 2, 0, 60, 300):
        contexts, kinds = [], {"": list(range(size))}
        for place in range(size):
            some = chance.choice(names, 5, replace=False)
            values = chance.normal(scale=0.01, size=5).tolist()
            contexts.append({"bias": 1.0, **dict(zip(some.tolist(), values, strict=True))})
            kind = ("kind=a", "kind=b")[int(chance.integers(2))]
            kinds.setdefault(kind, []).append(place)
            one_by_one(single[""], contexts[-1])
            one_by_one(single[kind], contexts[-1])
        if contexts:
            fade(batched, contexts, kinds)
    assert {kind: dict(sorted(mean.items())) for kind, mean in batched.items()} == {
        kind: dict(sorted(mean.items())) for kind, mean in single.items()
    }
    fade(batched, [{"rare": 0.004}], {"": [0]})
    assert "rare" not in batched[""]  # a feature that hardly matters is left out
