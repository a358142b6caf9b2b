"""`waggle guard`: tries the guards of a configuration on a text, without a service or a backend."""

import asyncio
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from router.api.parse import parse_chat
from router.cli.context import CommandContext, ConfigOption
from router.cli.terminal import InputRefused, out
from router.config.config import Config
from router.config.guardrails import Guard
from router.domain import GuardNote
from router.engine.guard_functions import GuardFunctions
from router.engine.guarding import Guarding, GuardRun
from router.guardrails.refusals import GuardRefused
from router.telemetry.metrics import Metrics


def guard(
    text: Annotated[str, typer.Argument(help="The text to try them on, in quotes.")],
    config_file: ConfigOption = None,
    answer: Annotated[
        bool, typer.Option("--answer", help="Take the text as an answer, not as a request.")
    ] = False,
) -> None:
    """Try the guards on a text: what each does, by which rule, and what a backend would see.

    Nothing is sent: a guard that asks a backend is skipped. Ends with 1 if a guard blocks.

    Example: waggle guard "Write to ann@example.org"
    """
    config = CommandContext(config_file).config
    if not config.guardrails:
        wrong = "this configuration has no guards"
        raise InputRefused(wrong, "add `guardrails:`, see waggle.example.yaml")
    keys = [guard.keys[0] for guard in config.guardrails if guard.keys]
    notes, left, blocked = asyncio.run(_tried(config, text, keys[0] if keys else "", answer=answer))
    for note in notes:
        rule = f"  by {escape(note.rule)}" if note.rule else ""
        out.print(
            f"[bold]{escape(note.guard)}[/] {note.outcome}{rule}  {1000 * note.seconds:.2f} ms"
        )
    out.print(escape(blocked or left), soft_wrap=True, highlight=False)
    if blocked:
        raise typer.Exit(1)


async def _tried(
    config: Config, text: str, key_id: str, *, answer: bool
) -> tuple[tuple[GuardNote, ...], str, str]:
    """What the guards did, the text that they left, and the refusal if one blocks."""
    guarding = Guarding(_NOBODY, Metrics(), GuardFunctions())
    message = {"role": "assistant" if answer else "user", "content": text}
    messages = [{"role": "user", "content": ""}] if answer else [message]
    body = orjson.dumps({"model": "auto", "messages": messages})
    request = parse_chat(body, {}, request_id="try", key_id=key_id)
    run = GuardRun("after")
    try:
        if answer:
            choices = {"choices": [{"index": 0, "message": message}]}
            fields = await guarding.answer(config, request, choices, run, asks=False)
            return tuple(run.notes), fields["choices"][0]["message"]["content"], ""
        request = await guarding.before(config, request, asks=False)
        notes = request.guarded.notes if request.guarded is not None else ()
        return notes, request.fields["messages"][0]["content"], ""
    except GuardRefused as refused:
        return refused.guarded.notes, "", refused.message
    finally:
        await guarding.functions.close()


class _Nobody:
    """No backend is asked here: such guards are skipped."""

    async def label(self, *_: Any) -> str:
        raise RuntimeError("a guard asked a backend in a try without backends")


_NOBODY = _Nobody()


def line_of(guard: Guard) -> str:
    """What a guard does, for `waggle check`."""
    when = {"before": "before a call", "after": "after a call", "both": "before and after a call"}
    match guard.kind:
        case "redact":
            does = f"{guard.does} {', '.join(guard.find)}"
            does += ", put back in the answer" if guard.before and guard.does == "redact" else ""
        case "words":
            does = f"{guard.does} {len(guard.words)} words and {len(guard.regexes)} patterns"
        case "schema":
            what = guard.part if guard.before else "an answer"
            does = f"{guard.does} {what} that does not fit the schema"
        case "classifier":
            allowed = ", ".join(guard.allow)
            does = f"{guard.does} what {guard.ask} does not label {allowed}; each call is paid for"
        case "function":
            does = f"{guard.does} what its function blocks, within {guard.timeout_ms:g} ms"
    held = "; a stream waits for its end" if guard.holds_streams else ""
    failing = "nothing passes" if guard.on_error == "block" else "words pass unchecked, marked"
    keys = f"; only keys {', '.join(guard.keys)}" if guard.keys else ""
    return f"{guard.kind}, {when[guard.when]}: {does}{held}; if it fails, {failing}{keys}"


def guard_warnings(config: Config) -> list[str]:
    """Guards that stand in an order that lets a backend read what a later guard takes out."""
    warnings = []
    for place, guard in enumerate(config.guardrails):
        later = [
            each.name
            for each in config.guardrails[place + 1 :]
            if each.kind == "redact" and each.before and each.does == "redact"
        ]
        if guard.kind == "classifier" and guard.before and later:
            warnings.append(
                f"guard {guard.name}: {guard.ask} reads the words that {later[0]} takes out. Put "
                f"{later[0]} before it, unless {guard.ask} may see them."
            )
    return warnings
