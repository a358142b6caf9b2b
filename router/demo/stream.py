"""`waggle demo`: a mixed stream through the running service, checked for real, beside its controls.

Each request goes out once for the learner to route, and once to every plan by name. What came back
is checked here, by rules the service is not told: the learner hears only how good its own answer
was, as feedback. What every fixed plan and the rule ladder would have brought is known from the
same requests, so the table compares like with like.

Nothing is lost by a kill: what was done lies in a file, and the service is waited for.
"""

import http.client
import math
import random
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from learner.policy import Arm
from learner.preference import PRESETS
from router.cli.context import CommandContext, UrlOption, in_context
from router.cli.terminal import CommandRefused, InputRefused, err, out
from router.config.config import Config
from router.config.environment import environment
from router.demo.tasks import Task, linked, plain
from router.deployment import local_service as service
from router.request.complexity import complexity
from router.request.reading import reading_of
from router.routing.ladder import ladder_of
from router.trials.logged import utility_of

_AT_ONCE = 4
_PATIENCE = 180.0  # seconds that a service may be away
_AUTO = "auto"


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """What one plan made of one request."""

    request: int
    asked: str  # `auto`, or a plan
    kind: str
    plan: str
    strategy: str
    quality: float
    cost_usd: float
    seconds: float
    ladder: str = ""  # where the rule ladder would have sent it

    @property
    def utility(self) -> float:
        return utility_of(self.quality, self.cost_usd, self.seconds, PRESETS["balanced"])


@in_context
def demo(
    here: CommandContext,
    requests: Annotated[
        int, typer.Option(help="How many requests; with --weeks, of a week.", min=50)
    ] = 1500,
    seed: Annotated[int, typer.Option(help="Of the stream.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, not where it stood.")] = False,
    weeks: Annotated[
        int | None,
        typer.Option(min=1, max=104, help="Go through so many weeks, without a service."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="The table as JSON.")] = False,
    url: UrlOption = None,
) -> None:
    """Send a mixed stream through the service and show what learning brought.

    With --weeks, a router's life in compressed time, in this process: trials, adoptions, a
    rollback, and a report of it all in DATA/weeks.
    """
    if weeks is not None:
        _weeks(weeks, requests, seed, here, as_json=json_)
        return
    config = here.config
    here.url(url)  # refuses where no service runs
    where = _Where(url, config.data)
    path = config.data / f"demo-{seed}.jsonl"
    if fresh:
        path.unlink(missing_ok=True)
    done = _done(path)
    if done:
        begun = len({one.request for one in done})
        err.print(f"Going on after {begun} requests ({path}; --fresh begins anew).")
    told = [*done, *_run(config, where, path, requests, seed, {one.request for one in done})]
    told = [one for one in told if one.request < requests]
    rows = compared(told)
    if json_:
        out.print_json(orjson.dumps({"requests": requests, "strategies": rows}).decode())
    else:
        _show(rows, told)


def _weeks(count: int, requests: int, seed: int, here: CommandContext, *, as_json: bool) -> None:
    from router.demo.weeks import weeks

    folder = CommandContext(None, here.data).config.data / "weeks"
    if folder.exists():
        if not (folder / "trials").exists() and any(folder.iterdir()):
            raise InputRefused(f"{folder} holds something else", "give another --data")
        shutil.rmtree(folder)
    told = weeks(count, requests=requests, seed=seed, data=folder, config_file=here.config_file)
    if as_json:
        out.print_json(orjson.dumps(told).decode())


def stream(requests: int, seed: int) -> Iterator[Task]:
    """The same for the same seed: shapes plain and linked, statistics, questions, open ones."""
    chance = random.Random(seed)
    makers = (plain, linked, _statistics, _question, _open)
    for _ in range(requests):
        yield chance.choices(makers, weights=(3, 4, 1.5, 1.5, 0.5))[0](chance)


def _statistics(chance: random.Random) -> Task:
    values = [chance.randint(1, 99) for _ in range(chance.randint(5, 9))]
    name = chance.choice(("mean", "median", "sum"))
    ordered = sorted(values)
    middle = len(values) // 2
    median = (ordered[middle] + ordered[~middle]) / 2
    truth = {"mean": sum(values) / len(values), "median": median, "sum": float(sum(values))}[name]
    prompt = f"What is the {name} of {', '.join(map(str, values))}?"
    return Task("statistics", prompt, lambda text: float(_near(text, truth)))


def _near(text: str, truth: float) -> bool:
    cleaned = "".join(c if c.isdigit() or c in ".-" else " " for c in text)
    for word in cleaned.split():
        try:
            if abs(float(word.rstrip(".")) - truth) <= 0.01 * max(1.0, abs(truth)):
                return True
        except ValueError:
            continue
    return False


_QUESTIONS = (
    ("How many players are on a football team?", "eleven"),
    ("How long is a football match?", "45"),
    ("When is a player offside?", "offside"),
    ("How high is the crossbar of a football goal?", "2.44"),
    ("What is a gwei?", "gwei"),
    ("How many wei are in one ether?", "wei"),
    ("What is slashing of a validator?", "slash"),
    ("What was the Merge on Ethereum?", "stake"),
    ("What does a smart contract do on Ethereum?", "contract"),
    ("What are the two kinds of account on Ethereum?", "contract"),
)
_OPEN = (
    "Write a haiku about autumn rain.",
    "What is the capital of Australia?",
    "Name a good title for a story about a lighthouse.",
)


def _question(chance: random.Random) -> Task:
    question, word = chance.choice(_QUESTIONS)
    return Task("question", question, lambda text: float(word in text.lower()))


def _open(chance: random.Random) -> Task:
    """On a bare machine nobody can answer these; with models configured somebody may."""
    return Task("open", chance.choice(_OPEN), lambda text: float(bool(text.strip())))


class _Where:
    """The service, also after it was restarted at another port."""

    def __init__(self, url: str | None, data: Path) -> None:
        self._url, self._data = url, data

    @property
    def address(self) -> str:
        running = service.find_running(self._data)
        return self._url or (running.url if running is not None else "")

    def post(self, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any, bytes]:
        """The answer; while nobody is there, another try now and then."""
        until = time.monotonic() + _PATIENCE
        key = environment("WAGGLE_API_KEY")
        given = {"content-type": "application/json", **headers}
        if key:
            given["authorization"] = f"Bearer {key}"
        while True:
            try:
                told = self._once(path, orjson.dumps(body), given)
                if told[0] not in (502, 503) or (
                    path == "/v1/chat/completions" and told[2][:1] == b"{"
                ):
                    return told
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > until:
                raise CommandRefused(f"the service did not come back within {_PATIENCE:g} s")
            time.sleep(0.5)

    def _once(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any, bytes]:
        parts = urlsplit(self.address)
        if not parts.hostname:
            raise OSError("nobody listens")
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def _run(
    config: Config, where: _Where, path: Path, requests: int, seed: int, known: set[int]
) -> list[DemoAnswer]:
    told: list[DemoAnswer] = []
    columns = (
        *(TextColumn("[progress.description]{task.description}"), BarColumn()),
        *(MofNCompleteColumn(), TimeRemainingColumn()),
    )
    todo = [(n, task) for n, task in enumerate(stream(requests, seed)) if n not in known]
    with (
        Progress(*columns, console=err) as progress,
        path.open("ab") as file,
        ThreadPoolExecutor(_AT_ONCE) as threads,
    ):
        bar = progress.add_task("Asking", total=requests, completed=requests - len(todo))
        for answers in threads.map(lambda one: _one(config, where, *one), todo):
            file.write(b"".join(orjson.dumps(asdict(one)) + b"\n" for one in answers))
            file.flush()
            told += answers
            routed = [one for one in told if one.asked == _AUTO][-100:]
            mean = sum(one.quality for one in routed) / max(len(routed), 1)
            progress.update(bar, advance=1, description=f"Asking (recent quality {mean:.2f})")
    return told


def _one(config: Config, where: _Where, number: int, task: Task) -> list[DemoAnswer]:
    """The routed answer first, and its feedback; then every plan by name."""
    ladder = _ladder(config, task)
    return [_ask(where, number, task, asked, ladder) for asked in (_AUTO, *config.plans)]


def _ask(where: _Where, number: int, task: Task, asked: str, ladder: str) -> DemoAnswer:
    body: dict[str, Any] = {
        "model": asked,
        "messages": [{"role": "user", "content": task.prompt}],
        "seed": number,
    }
    if task.shape is not None:
        body["shape"] = task.shape
    headers = {"x-waggle-task": task.kind, "x-session-id": f"demo-{number}-{asked}"}
    begun = time.perf_counter()
    status, told, content = where.post("/v1/chat/completions", body, headers)
    seconds = time.perf_counter() - begun
    quality, cost = 0.0, 0.0
    if status == 200:
        answer = orjson.loads(content)
        cost = float(answer.get("usage", {}).get("cost", 0.0))
        quality = task.check(answer["choices"][0]["message"]["content"] or "")
        request_id = told.get("x-waggle-request-id")
        if asked == _AUTO and request_id:
            where.post("/v1/feedback", {"request_id": request_id, "score": quality}, {})
    plan, strategy = told.get("x-waggle-plan", ""), told.get("x-waggle-strategy", "")
    return DemoAnswer(
        number,
        asked,
        task.kind,
        plan,
        strategy,
        quality,
        cost,
        seconds,
        ladder if asked == _AUTO else "",
    )


def _ladder(config: Config, task: Task) -> str:
    fields: dict[str, Any] = {"messages": [{"role": "user", "content": task.prompt}]}
    if task.shape is not None:
        fields["shape"] = task.shape
    settings = config.objective.ladder
    score = complexity(reading_of(fields), settings.all_weights)
    arms = [Arm(plan) for plan in config.asking]
    told = ladder_of(settings, config.asking).distribution({"complexity": score.score}, arms)
    return str(max(told, key=lambda arm: told[arm]))


def _done(path: Path) -> list[DemoAnswer]:
    """Of an earlier run; a request that was cut short is asked again."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    told = []
    for line in lines:
        try:
            told.append(DemoAnswer(**orjson.loads(line)))
        except (orjson.JSONDecodeError, TypeError):
            continue
    return told


def compared(told: Sequence[DemoAnswer]) -> list[dict[str, Any]]:
    """Every strategy on the same requests, best first, and how far the learner is ahead of it."""
    by: dict[int, dict[str, DemoAnswer]] = {}
    for one in told:
        by.setdefault(one.request, {})[one.asked] = one
    whole = {n: asked for n, asked in by.items() if _AUTO in asked and len(asked) > 1}
    routed = [asked[_AUTO] for asked in whole.values()]
    plans = list(next(iter(whole.values()), {}))
    fixed = [plan for plan in plans if plan != _AUTO]
    strategies: dict[str, list[DemoAnswer]] = {"the learner": routed}
    # What a rule outside any policy decides is the same under the ladder.
    strategies["rule ladder"] = [
        asked[asked[_AUTO].plan]
        if asked[_AUTO].strategy in ("computed", "specialist")
        else asked.get(asked[_AUTO].ladder, asked[_AUTO])
        for asked in whole.values()
    ]
    for plan in fixed:
        strategies[f"always {plan}"] = [asked[plan] for asked in whole.values()]
    rows = []
    for name, answers in strategies.items():
        ahead = [a.utility - b.utility for a, b in zip(routed, answers, strict=True)]
        mean, half = _interval(ahead)
        count = max(len(answers), 1)
        rows.append(
            {
                "strategy": name,
                "requests": len(answers),
                "utility": sum(one.utility for one in answers) / count,
                "quality": sum(one.quality for one in answers) / count,
                "usd_per_1k": 1000 * sum(one.cost_usd for one in answers) / count,
                "seconds": sum(one.seconds for one in answers) / count,
                "ahead": mean,
                "ahead_ci95": half,
            }
        )
    return sorted(rows, key=lambda row: -float(str(row["utility"])))


def _interval(values: Sequence[float]) -> tuple[float, float]:
    count = len(values)
    if count < 2:
        return 0.0, math.inf
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return mean, 1.96 * math.sqrt(variance / count)


def _show(rows: Sequence[Mapping[str, Any]], told: Sequence[DemoAnswer]) -> None:
    table = Table(title="The same requests under each strategy", box=None)
    for name in (
        "strategy",
        "utility",
        "quality",
        "$ per 1k",
        "seconds",
        "the learner is ahead by",
    ):
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for row in rows:
        own = row["strategy"] == "the learner"
        table.add_row(
            f"[bold]{row['strategy']}[/]" if own else str(row["strategy"]),
            f"{row['utility']:.3f}",
            f"{row['quality']:.3f}",
            f"{row['usd_per_1k']:.4g}",
            f"{row['seconds']:.3f}",
            "" if own else f"{row['ahead']:+.3f} ± {row['ahead_ci95']:.3f}",
        )
    out.print(table)
    behind = [
        row
        for row in rows
        if row["strategy"] != "the learner" and row["ahead"] <= row["ahead_ci95"]
    ]
    if not behind:
        out.print("The learner is above every other strategy, beyond the 95% interval of each.")
    else:
        names = ", ".join(str(row["strategy"]) for row in behind)
        out.print(f"The learner is not clearly above: {names}.")
    routed = sorted((one for one in told if one.asked == _AUTO), key=lambda one: one.request)
    fifths = [routed[len(routed) * n // 5 : len(routed) * (n + 1) // 5] for n in range(5)]
    curve = " → ".join(f"{sum(o.utility for o in part) / max(len(part), 1):.3f}" for part in fifths)
    out.print(f"Its utility, fifth by fifth of the stream: {curve}")
