"""`waggle solutions why`: what the service would do with a request if another is remembered."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.markup import escape

from router.api.parse import parse_chat
from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import InputRefused, err, facts, out
from router.config.config import Config
from router.domain import Request
from router.engine.foresight import Foresight, foresee
from router.plans.compiled import Plans
from router.reuse.calibration import Calibration
from router.reuse.memory_keeper import VECTORED_CHARACTERS
from router.reuse.neighbourhood import neighbourhood_of
from router.reuse.solution_store import SolutionStore

if TYPE_CHECKING:
    from router.encoding.encoder import Encoder
    from router.reuse.verifier import PairVerifier


@in_context
def why(
    here: CommandContext,
    stored: Annotated[str, typer.Argument(help="The request that was answered.")],
    request: Annotated[str, typer.Argument(help="The new request.")],
    by: Annotated[
        str, typer.Option("--by", help="The backend that gave the answer. Default: any that can.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Say what the service would do with a request if another one is remembered, and why.

    Example: waggle solutions why "5 miles in km?" "8 miles in km?"
    """
    config = here.config
    calibration = Calibration(config.reuse.budget, least_checked=config.reuse.checked)
    if (config.reuse_folder / "solutions.sqlite").is_file():
        store = SolutionStore(config.reuse_folder)
        calibration.learn(store.checks(0))
        store.close()
    requests = _request(stored), _request(request)
    if by and by not in config.backends:
        raise InputRefused(f"no backend has the name {by}", f"known: {', '.join(config.backends)}")
    foresight = foresee(Plans(config), *requests, calibration, ModelsHere(config), by=by)
    if as_json:
        typer.echo(orjson.dumps(asdict(foresight), option=orjson.OPT_INDENT_2).decode())
        return
    color = "yellow" if foresight.tier == "novel" else "green"
    out.print(f"[{color}]{foresight.tier}[/]: {escape(foresight.reason)}", soft_wrap=True)
    out.print(facts(dict(_rows(foresight))))


def _request(text: str) -> Request:
    body = orjson.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]})
    return parse_chat(body, {}, request_id="", key_id="")


class ModelsHere:
    """The encoder and the pair verifier of the data folder; the first use exports them."""

    def __init__(self, config: Config) -> None:
        self._config, self._home = config, str(config.encoders_folder)

    def similarity(self, stored: str, request: str) -> float:
        texts = [text[:VECTORED_CHARACTERS] for text in (stored, request)]
        first, second = self._encoder.encode(texts)
        return float(first @ second)

    def probability(self, stored: str, request: str) -> float:
        return self._verifier.probability(stored, request)

    def accepts(self, probability: float) -> bool:
        return self._verifier.accepts(probability)

    def neighbourhood(self, request: str) -> int:
        return neighbourhood_of(self._encoder.encode([request[:VECTORED_CHARACTERS]])[0])

    @cached_property
    def _encoder(self) -> "Encoder":
        from router.encoding.home import encoder_of

        with err.status("Loading the sentence encoder …"):
            return encoder_of(self._config.reuse.encoder, self._home)

    @cached_property
    def _verifier(self) -> "PairVerifier":
        from router.reuse.verifier import verifier_of

        with err.status("Loading the pair verifier …"):
            return verifier_of(self._home)


def _rows(foresight: Foresight) -> Iterator[tuple[str, str]]:
    """What the service would look at, in the order in which it looks."""
    yield "freshness", _listed(foresight.fresh, "neither asks for what is so now")
    yield "personal data", _listed(foresight.personal, "none")
    yield "may be repeated", _listed(foresight.unrepeatable, "yes")
    first, second = foresight.languages
    spoken = first if first == second else f"{first} and {second}"
    yield "language", spoken if foresight.guarded else f"{spoken}: unknown to guards and verifier"
    guards = "; ".join(foresight.guards) or "no difference found"
    yield "guards", f"{foresight.likeness}: {guards}"
    if foresight.similarity is not None:
        yield "similarity", f"{foresight.similarity:.3f}"
    if foresight.probability is not None:
        accepts = "accepts" if foresight.accepted_by == "verifier" else "does not accept"
        yield "verifier", f"{foresight.probability:.3f} that one answer serves both: {accepts}"
    yield "backend question", _question(foresight)
    if (trust := foresight.trust) is not None:
        yield "likeness", f"{foresight.bucket}, accepted by {foresight.accepted_by}"
        yield "right", f"{trust.chance:.1%} expected"
        served = {"serves": "is served", "not yet": "is not served yet", "stopped": "is stopped"}
        yield "trust", f"at most {trust.bound:.1%} wrong (95%): {served[trust.state]}"
        yield "checked", f"{trust.checked:.0%} of such requests are answered anew"
    yield "budget", f"{foresight.budget:.1%} of reused answers may be wrong"


def _question(foresight: Foresight) -> str:
    if not foresight.question:
        return "none: reuse.verifier names no backend"
    if not foresight.debatable:
        return f"{foresight.question} is not asked: the guards leave no doubt"
    return f"{foresight.question} is asked where nothing else accepts the pair"


def _listed(reasons: Any, otherwise: str) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or otherwise
