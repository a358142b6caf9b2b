"""`python -m experiments.training.twin.run` measures whether twins write as their authors.

Four authors wrote to the same forty requests. A twin of each is made of the first 26 texts. The
other texts teach a judge, who then says whose voice it is that answers their requests: the author's
own, a twin's, that of the twin's writer without a twin, and that of a writer that only copies.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments import readme
from experiments.training.fill.run import Desk
from experiments.training.twin.judge import (
    Judge,
    Run,
    Text,
    copied,
    runs,
    signatures,
    unsigned,
    words,
)
from router.backends.build import build
from router.backends.protocol import Backend
from router.config.backends import TwinSettings
from router.config.llama import LlamaSettings
from router.domain import CHAT, Call
from router.models.card import Card
from router.models.features import FEATURES
from router.models.registry import Registry
from router.models.twin import Twin, twin_in
from router.training.consent import consent_of, texts_set
from router.training.data_sets import DataSets
from router.training.model_changes import register
from router.training.trainer import Wish
from router.training.twin_trainer import train_twin

AUTHORS = Path(__file__).parent.parent / "worlds" / "authors.jsonl"
TAUGHT = 26  # texts of each author that a twin is made of
REQUESTS = 12  # of the others, to which is written
WRITER = LlamaSettings(kind="llama", model="packaged:smollm2", max_new_tokens=140)
# As the model's makers advise; without a penalty it repeats one sentence until it is stopped.
SAMPLED = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.15, "seed": 7}
SHOWN = 3  # texts that a twin shows to its writer, unless its settings say otherwise
_KEY_LETTERS = 4  # of a word of a request that an answer may be expected to take up

Way = Mapping[Text, str]  # what was written in place of an author's text


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        result = asyncio.run(measured(Path(place)))
    (Path(__file__).parent / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    readme.put("twin", readme_table(result), "training/twin")
    print(readme_table(result))


async def measured(home: Path) -> dict[str, Any]:
    rows = [json.loads(line) for line in AUTHORS.read_text("utf-8").splitlines()]
    texts = [Text(row["author"], row["n"], row["prompt"], row["text"]) for row in rows]
    taught = [text for text in texts if text.number <= TAUGHT]
    held = [text for text in texts if text.number > TAUGHT]
    asks = sorted(
        (text for text in held if text.number <= TAUGHT + REQUESTS),
        key=lambda text: (text.number, text.author),
    )
    authors = sorted({text.author for text in texts})
    twins = {author: _trained(taught, author, home) for author in authors}

    ways: dict[str, Way] = {"the author, texts held out": {text: text.text for text in held}}
    plain = build(WRITER, _no_secret)
    answers = {ask.prompt: "" for ask in asks}
    for prompt in answers:
        answers[prompt] = await _written(plain, prompt)
    await plain.close()
    ways["the writer alone"] = {ask: answers[ask.prompt] for ask in asks}
    backends = {author: build(_settings(home, author), _no_secret) for author in authors}
    ways["a twin: style card and texts"] = {
        ask: await _written(backends[ask.author], ask.prompt) for ask in asks
    }
    for backend in backends.values():
        await backend.close()
    ways["a script that copies a text shown"] = {
        ask: twins[ask.author].texts[ask.number % SHOWN] for ask in asks
    }

    signed = signatures([text.text for text in taught])
    bare = [Text(t.author, t.number, t.prompt, unsigned(t.text, signed)) for t in held]
    judges = Judge(held), Judge(bare)
    sources = {
        author: frozenset(run for text in twins[author].texts[:SHOWN] for run in runs(text))
        for author in authors
    }
    return {
        "authors": len(authors),
        "taught": TAUGHT,
        "judge_learns_from": len(held) - len(authors),
        "ways": {name: _figures(way, judges, signed, sources) for name, way in ways.items()},
    }


def _figures(
    way: Way,
    judges: tuple[Judge, Judge],
    signed: frozenset[str],
    sources: Mapping[str, frozenset[Run]],
) -> dict[str, Any]:
    whole, bare = judges
    right = {ask: whole.author_of(text, ask.number) == ask.author for ask, text in way.items()}
    unnamed = {
        ask: bare.author_of(unsigned(text, signed), ask.number) == ask.author
        for ask, text in way.items()
    }
    parts = [copied(text, sources[ask.author]) for ask, text in way.items()]
    keys = [_kept(ask.prompt, text) for ask, text in way.items()]
    return {
        "texts": len(way),
        "taken_for_the_author": sum(right.values()),
        "taken_without_sign_off": sum(unnamed.values()),
        "by_author": {
            author: [
                sum(each[ask] for ask in way if ask.author == author) for each in (right, unnamed)
            ]
            for author in sources
        },
        "runs_copied": round(sum(own for own, _ in parts) / max(1, sum(n for _, n in parts)), 4),
        "texts_mostly_copied": sum(2 * own > n for own, n in parts),
        "words_of_the_request": round(fmean(keys), 3),
        "words": round(fmean(len(words(text)) for text in way.values()), 1),
    }


def readme_table(result: Mapping[str, Any]) -> str:
    head = [
        "who writes",
        "taken for the author",
        "the same, without sign-offs",
        "eight words in a row copied",
        "words of the request taken up",
    ]
    rows: list[Sequence[str]] = [
        [
            name,
            f"{way['taken_for_the_author']} of {way['texts']}",
            f"{way['taken_without_sign_off']} of {way['texts']}",
            f"{way['runs_copied']:.1%}",
            f"{way['words_of_the_request']:.0%}",
        ]
        for name, way in result["ways"].items()
    ]
    return readme.table(head, rows)


def _kept(prompt: str, text: str) -> float:
    """The share of a request's longer words that a text takes up."""
    own = {word.casefold() for word in words(prompt) if len(word) >= _KEY_LETTERS}
    return len(own & {word.casefold() for word in words(text)}) / max(1, len(own))


def _settings(home: Path, author: str) -> TwinSettings:
    return TwinSettings(
        **{"kind": "twin", "model": author, "writer": WRITER, "examples": SHOWN},
        home=str(home / "models"),
        notice=None,  # names the author, and so would give the voice away
    )


def _no_secret(reference: str) -> str:
    raise ValueError(f"{reference}: no backend here needs a secret")


def _trained(taught: Sequence[Text], author: str, home: Path) -> Twin:
    folder = home / "texts" / author
    folder.mkdir(parents=True)
    for text in taught:
        if text.author == author:
            (folder / f"{text.number:02}.txt").write_text(text.text, "utf-8")
    person = author.capitalize()
    words_of = f"I, {person}, agree that a program writes as I do"
    consent = consent_of(person, words_of, "this measurement", "", datetime.now(UTC))
    data = texts_set(DataSets(home / "data"), f"{author}-texts", folder)
    made = train_twin(data, Wish("twin", consent=asdict(consent)), Desk())
    facts: dict[str, Any] = {"name": data.name, "version": 1, "hash": data.hash}
    card = Card(author, 1, "twin", "answer", FEATURES, 0.0, f"run-{author}", facts)
    register(Registry(home / "models"), card, made.files, promote=True)
    return twin_in(card, made.files)


async def _written(backend: Backend, prompt: str) -> str:
    body = json.dumps({"messages": [{"role": "user", "content": prompt}], **SAMPLED}).encode()
    async with backend.send(Call(CHAT, body, False)) as reply:
        whole = json.loads(b"".join([piece async for piece in reply.body]))
    return str(whole["choices"][0]["message"]["content"])


if __name__ == "__main__":
    main()
