"""Answers with a model that Waggle trained on its own traffic: a label, or that it is unsure.

The reply's `learned` says which version answered, with which probability, and why it is unsure.
Where a plan has another way to answer, it goes on when the model is unsure.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from router.backends.request_fields import fields_of_call
from router.config.backends import LearnedSettings
from router.domain import CHAT, Call, Fault, Reply
from router.models.card import BrokenModel
from router.models.features import Asked, words_of
from router.models.models import Models, OpenModel
from router.models.registry import NoSuchModel
from router.request.text import prompt_text, tokens_in
from router.wire.beside import beside
from router.wire.chat_replies import chat_reply

if TYPE_CHECKING:
    from router.encoding.encoder import Encoder
    from router.models.head import Guess

UNSURE = "unsure"
_MOST_LISTED = 5


class LearnedBackend:
    """Each call looks which version is promoted, and the first call of a version opens it."""

    def __init__(self, settings: LearnedSettings) -> None:
        self._settings = settings
        self._models = Models(Path(settings.home or ""))
        self._encoder: Encoder | None = None

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"a learned model answers {CHAT}, not {call.path}")
        if self._settings.home is None:
            wrong = "the settings have no `home` of models: load them from a file"
            raise Fault("unavailable", wrong)
        fields = await fields_of_call(call)
        question = words_of(fields.get("messages"))
        if not question.last.strip():
            raise Fault("bad_request", "The last message of the user holds no words")
        try:
            model = self._models.get(self._settings.model or str(fields.get("model")))
            if model.model.encoder:
                guess = await asyncio.to_thread(self._with_vector, model, question)
            else:
                guess = await beside(
                    len(question.last) + len(question.before), lambda: _of(model, question)
                )
        except (NoSuchModel, BrokenModel) as error:
            raise Fault("no_model", str(error)) from None
        text = UNSURE if guess.unsure else guess.answer
        listed = sorted(guess.chances.items(), key=lambda item: -item[1])[:_MOST_LISTED]
        report = {
            "model": model.card.reference,
            "answer": guess.answer,
            "probability": round(guess.probability, 4),
            "unsure": guess.why or False,
            "chances": {name: round(chance, 4) for name, chance in listed},
        }
        prompt_tokens = tokens_in(prompt_text(fields))
        yield chat_reply(
            call, model.card.reference, [text], prompt_tokens, more={"learned": report}
        )

    async def close(self) -> None:
        pass

    def _with_vector(self, model: OpenModel, question: Asked) -> "Guess":
        from router.encoding.encoder import CannotEncode
        from router.encoding.home import encoder_of

        try:
            self._encoder = self._encoder or encoder_of(None, self._settings.encoders)
        except CannotEncode as error:
            raise Fault("unavailable", str(error)) from None
        return model.model.of(question, self._encoder)


def _of(model: OpenModel, question: Asked) -> "Guess":
    return model.model.of(question)
