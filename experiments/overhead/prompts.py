"""The requests of the load, and the scores by which the bandit learns them beforehand.

The prompts are of six kinds, easy and hard, about forty subjects. The cheap plan is good at what is
easy, the dear one at everything, so a policy that has learned decides by the context of a request.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

SYSTEM = "You are a helpful assistant that answers briefly."
# Words for the model server (`upstream.c`), at the end of a prompt.
SLOWLY, MANY = "Take 50 ms.", "Stream 200 tokens."
PLANS = ("fast", "usual", "premium")
SUBJECTS = (
    "bees",
    "glaciers",
    "bridges",
    "ports",
    "violins",
    "elections",
    "enzymes",
    "volcanoes",
    "railways",
    "vaccines",
    "tides",
    "looms",
    "comets",
    "markets",
    "orchards",
    "dams",
    "spices",
    "lighthouses",
    "fungi",
    "satellites",
    "canals",
    "mirrors",
    "magnets",
    "harvests",
    "museums",
    "storms",
    "batteries",
    "cathedrals",
    "coral",
    "insulin",
    "printing",
    "whales",
    "deserts",
    "sails",
    "clocks",
    "lenses",
    "rivers",
    "cheeses",
    "turbines",
    "alphabets",
)
EASY = (
    "What is the most common use of {}? Answer in one word.",
    "List three facts about {}.",
    "Translate into French: the {} are near the old town.",
    "Write a short, friendly sentence about {} for a postcard.",
    "Is it true that {} were known in antiquity? Yes or no.",
    "Give me a title for an article about {}.",
)
HARD = (
    "Prove, step by step, a bound for the number of {} that a network with n nodes can hold, and "
    "compare it with the bound for trees. State each assumption.",
    "Write a Python function that parses a CSV file about {}, groups its rows by year, and returns "
    "the median of each group; handle missing values, and add type hints and tests.",
    "Compare three theories of how {} shaped trade in the nineteenth century, and design a study "
    "that could tell them apart. Discuss the confounders.",
    "Analyse the following SQL and make it faster:\n```sql\nselect region, avg(price) from {} join "
    "sales using (id) where year > 1990 group by region having count(*) > 10\n```",
    "Derive the optimal schedule for inspecting {} under a budget of 12,000 euros a year, when the "
    "risk of failure grows by 3% a month. Show the equations.",
    "Refactor this into an async design, and explain each decision:\n```python\ndef fetch(xs):\n"
    "    return [load('{}', x) for x in xs]\n```",
)
_MEANS = {"easy": (0.9, 0.92, 0.93), "hard": (0.25, 0.6, 0.92)}


def _prompts() -> Iterator[tuple[str, str]]:
    for subject in SUBJECTS:
        for difficulty, texts in (("easy", EASY), ("hard", HARD)):
            for text in texts:
                yield difficulty, text.format(subject)


def bodies(*, words: str = "", **fields: Any) -> list[str]:
    """The bodies of the load, in an order that mixes the kinds of request."""
    chosen = list(_prompts())
    random.Random(1).shuffle(chosen)
    return [
        json.dumps(
            {
                "model": "auto",
                "messages": [
                    {"role": "system", "content": SYSTEM},
                    {"role": "user", "content": f"{prompt} {words}".strip()},
                ],
                "temperature": 0.7,
                "max_tokens": 100,
                **fields,
            }
        )
        for _, prompt in chosen
    ]


def lessons() -> str:
    """The lines for `waggle warm`: each prompt with the scores of all plans."""
    noise = random.Random(2)
    lines = []
    for difficulty, prompt in _prompts():
        scores = {
            plan: round(min(max(noise.gauss(mean, 0.12), 0.0), 1.0), 3)
            for plan, mean in zip(PLANS, _MEANS[difficulty], strict=True)
        }
        lines.append(json.dumps({"prompt": prompt, "scores": scores}))
    return "\n".join(lines) + "\n"
