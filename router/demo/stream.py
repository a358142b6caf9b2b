"""`waggle demo`: sends a mixed stream through the running service, and compares strategies.

Each request goes out once for the learner to route, and once to every plan by name. The demo checks
every answer by rules that the service does not see; the learner gets only the score of its own
answer, as feedback. So the table compares the learner, each fixed plan and the rule ladder on the
same requests. The demo writes its answers to a file and waits for a service that stopped, so a kill
loses nothing.
"""

import http.client
import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from learner.policy import Arm
from router.cli.context import CommandContext, UrlOption, in_context
from router.cli.terminal import CommandRefused, InputRefused, err, out
from router.config.config import Config
from router.config.environment import environment
from router.demo.answers import (
    AUTO,
    DemoAnswer,
    compared,
    comparison,
    conclusion,
    learning_curve,
)
from router.demo.tasks import Task, stream
from router.deployment.local_service import find_running
from router.plans.compiled import Plans
from router.request.complexity import complexity
from router.request.reading import reading_of
from router.routing.ladder import configured_ladder

_AT_ONCE = 4
_PATIENCE = 180.0  # seconds that the demo waits for a stopped service
_CHAT = "/v1/chat/completions"


@in_context
def demo(
    here: CommandContext,
    requests: Annotated[
        int | None,
        typer.Option(
            help="Number of requests: 1500; with --train 2400; with --weeks, in each week: 250.",
            min=50,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the stream.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop earlier answers first.")] = False,
    weeks: Annotated[
        int | None,
        typer.Option(min=1, max=104, help="Simulate this many weeks, without a service."),
    ] = None,
    of: Annotated[
        Literal["office", "records"],
        typer.Option("--stream", help="With --weeks: an office's questions, or mock records."),
    ] = "office",
    train: Annotated[
        bool,
        typer.Option("--train", help="Show a task leave its dear model, without a service."),
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="The table as JSON.")] = False,
    url: UrlOption = None,
) -> None:
    """Send a mixed stream through the service and show what learning brought.

    With --weeks, a router's life in compressed time, in this process: a library that grows,
    trials, rollbacks, and a report of it all in DATA/weeks.

    With --train, a repeated task that a trained model takes over, and what happens when the rule of
    the task changes; the record of it stays in DATA/train.

    Example: waggle demo --weeks 24
    """
    if train:
        _train(requests or 2400, seed, here, as_json=json_)
        return
    if weeks is not None:
        _weeks(weeks, requests or (250 if of == "office" else 1500), seed, here, of, as_json=json_)
        return
    requests = requests or 1500
    config = here.config
    here.url(url)  # refuses the command if no service runs
    path = config.data / f"demo-{seed}.jsonl"
    if fresh:
        path.unlink(missing_ok=True)
    done = _done(path)
    begun = {answer.request for answer in done}
    if done:
        err.print(f"Going on after {len(begun)} requests ({path}; --fresh begins anew).")
    todo = {n: task for n, task in enumerate(stream(requests, seed)) if n not in begun}
    answers = [*done, *_run(config, _Service(url, config.data), path, todo, requests)]
    answers = [answer for answer in answers if answer.request < requests]
    rows = compared(answers)
    if json_:
        out.print_json(orjson.dumps({"requests": requests, "strategies": rows}).decode())
        return
    out.print(comparison(rows))
    out.print(conclusion(rows))
    out.print(f"The learner's utility in each fifth of the stream: {learning_curve(answers)}")


def _weeks(
    count: int, requests: int, seed: int, here: CommandContext, of: str, *, as_json: bool
) -> None:
    # These load River, which takes a second.
    from router.demo.eras import eras
    from router.demo.weeks import weeks

    folder = _emptied(here.config.data / "weeks")
    run = eras if of == "office" else weeks
    try:
        rows = run(count, requests=requests, seed=seed, data=folder, config_file=here.config_file)
    except KeyboardInterrupt:  # everything is closed by now
        err.print(f"Stopped. What was played is in {folder}, until the next demo.")
        os._exit(130)  # else DuckDB's binding prints what is left of it
    if as_json:
        out.print_json(orjson.dumps(rows).decode())


def _train(requests: int, seed: int, here: CommandContext, *, as_json: bool) -> None:
    from router.demo.training_story import training_story

    folder = _emptied(here.config.data / "train")
    rows = training_story(requests, seed=seed, data=folder, config_file=here.config_file)
    if as_json:
        out.print_json(orjson.dumps(rows).decode())


def _emptied(folder: Path) -> Path:
    """The folder, without what an earlier demo left in it."""
    if folder.exists():
        if not (folder / "trials").exists() and any(folder.iterdir()):
            raise InputRefused(f"{folder} holds something else", "give another --data")
        shutil.rmtree(folder)
    return folder


class _Service:
    """The running service, found again after a restart at another port."""

    def __init__(self, url: str | None, data: Path) -> None:
        self._url, self._data = url, data
        self._key = environment("WAGGLE_API_KEY")

    def post(self, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any, bytes]:
        """Status, headers and body of the answer; if no service answers, try again for a while."""
        give_up_at = time.monotonic() + _PATIENCE
        headers = {"content-type": "application/json", **headers}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        while True:
            try:
                status, given, content = self._post_once(path, orjson.dumps(body), headers)
                if status not in (502, 503) or (path == _CHAT and content[:1] == b"{"):
                    return status, given, content
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > give_up_at:
                raise CommandRefused(f"the service did not come back within {_PATIENCE:g} s")
            time.sleep(0.5)

    def _post_once(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Any, bytes]:
        running = find_running(self._data)
        parts = urlsplit(self._url or (running.url if running is not None else ""))
        if not parts.hostname:
            raise OSError("no service runs")
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


def _run(
    config: Config, service: _Service, path: Path, todo: Mapping[int, Task], requests: int
) -> list[DemoAnswer]:
    """Send the remaining requests, and append their answers to the file."""
    answers: list[DemoAnswer] = []
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    columns = (
        *(TextColumn("[progress.description]{task.description}"), BarColumn()),
        *(MofNCompleteColumn(), TimeRemainingColumn()),
    )
    with (
        Progress(*columns, console=err) as progress,
        path.open("ab") as file,
        ThreadPoolExecutor(_AT_ONCE) as threads,
    ):
        bar = progress.add_task("Asking", total=requests, completed=requests - len(todo))
        for group in threads.map(lambda item: _send_all(config, service, *item), todo.items()):
            file.write(b"".join(answer.written() for answer in group))
            file.flush()
            answers += group
            routed = [answer.quality for answer in answers if answer.model == AUTO][-100:]
            mean = sum(routed) / max(len(routed), 1)
            progress.update(bar, advance=1, description=f"Asking (recent quality {mean:.2f})")
    return answers


def _send_all(config: Config, service: _Service, number: int, task: Task) -> list[DemoAnswer]:
    """Send a request for the learner to route, with feedback, then to every plan by name."""
    routed = replace(_send(service, number, task, AUTO), ladder=_ladder(config, task))
    # A last resort would write hundreds of words to requests that are not for it.
    plans = [plan for plan in config.plans if plan not in config.last_resorts]
    return [routed, *(_send(service, number, task, plan) for plan in plans)]


def _send(service: _Service, number: int, task: Task, model: str) -> DemoAnswer:
    body = {"model": model, "seed": number, **_fields(task)}
    headers = {"x-waggle-task": task.kind, "x-session-id": f"demo-{number}-{model}"}
    begun = time.perf_counter()
    status, given, content = service.post(_CHAT, body, headers)
    seconds = time.perf_counter() - begun
    quality, cost = 0.0, 0.0
    if status == 200:
        completion = orjson.loads(content)
        cost = float(completion.get("usage", {}).get("cost", 0.0))
        quality = task.check(completion["choices"][0]["message"]["content"] or "")
        request_id = given.get("x-waggle-request-id")
        if model == AUTO and request_id:
            service.post("/v1/feedback", {"request_id": request_id, "score": quality}, {})
    plan, strategy = given.get("x-waggle-plan", ""), given.get("x-waggle-strategy", "")
    return DemoAnswer(number, model, task.kind, plan, strategy, quality, cost, seconds)


def _fields(task: Task) -> dict[str, Any]:
    fields: dict[str, Any] = {"messages": [{"role": "user", "content": task.prompt}]}
    if task.most is not None:
        fields["max_tokens"] = task.most
    return fields if task.shape is None else fields | {"shape": task.shape}


def _ladder(config: Config, task: Task) -> str:
    """The plan that the rule ladder would choose."""
    weights = config.objective.ladder.all_weights
    score = complexity(reading_of(_fields(task)), weights).score
    arms = [Arm(plan) for plan in config.asking]
    shares = configured_ladder(Plans(config)).distribution({"complexity": score}, arms)
    return str(max(shares, key=lambda arm: shares[arm]))


def _done(path: Path) -> list[DemoAnswer]:
    """The answers of an earlier run; a last line that a kill cut short is left out."""
    answers = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with suppress(orjson.JSONDecodeError, TypeError, KeyError):
            answers.append(DemoAnswer.read(line))
    return answers
