"""The tools of `waggle mcp`: what an agent may do with a running service.

Each tool is one or two calls of the service's HTTP API, with the caller's key and under its scopes
and limits. There is no other way out: no shell, no file, no other address. Long answers are cut,
and say so. An error names what to change.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from router.batches.asking import error_message
from router.cli.client import PostAnswer, ServiceClient, ServiceRefused
from router.domain import CHAT

MOST_CHARACTERS = 24_000  # of the answer of a tool
_MOST_CELL = 1_000  # characters of a cell of a row
_MOST_PROMPT = 200_000
_MOST_ROWS = 200
_PLAN = r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}"
_TASK = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

Prompt = Annotated[
    str, Field(min_length=1, max_length=_MOST_PROMPT, description="The question or the task.")
]
Plan = Annotated[
    str,
    Field(
        pattern=f"^{_PLAN}$",
        description='Which plan or backend answers; "auto" lets Waggle choose.',
    ),
]
Task = Annotated[
    str,
    Field(
        pattern=f"^(?:{_TASK})?$",
        description="Your name for this kind of request: Waggle learns by task which plan is best.",
    ),
]
RequestId = Annotated[UUID, Field(description="The request_id that `ask` returned.")]


class Asked(BaseModel):
    """An answer, and how it came about."""

    answer: str
    request_id: str
    plan: str
    backend: str
    cost_usd: float | None = Field(description="null: unknown")
    cut: bool = Field(False, description="whether the end of the answer was left out here")


class Stored(BaseModel):
    """What was stored of a feedback."""

    request_id: str
    new: int = Field(description="how many statements were not stored before")


class Rows(BaseModel):
    """Rows of telemetry."""

    columns: list[str]
    rows: list[list[Any]]
    cut: bool = Field(description="whether rows or the ends of long cells were left out")


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools, over a client for each caller."""

    client_of: Callable[[Mapping[str, str]], ServiceClient]  # by the headers of the caller

    def all(self) -> list[Tool]:
        return [
            _tool(self.ask, "Ask", changes=True),
            _tool(self.route, "Route without calling"),
            _tool(self.explain, "Explain a past request"),
            _tool(self.scores, "Scores"),
            _tool(self.sql, "Query telemetry"),
            _tool(self.feedback, "Give feedback", changes=True),
        ]

    def ask(
        self,
        context: Context,
        prompt: Prompt,
        plan: Plan = "auto",
        task: Task = "",
        system: Annotated[
            str, Field(max_length=_MOST_PROMPT, description="Rules that stand before the prompt.")
        ] = "",
    ) -> Asked:
        """Ask a language model through Waggle, which chooses the plan that is worth most for this
        prompt, and return the answer with its cost and its request_id. This may cost money."""
        body, headers = _request(prompt, plan, task, system)
        answer = self._post(context, "/v1" + CHAT, body, headers)
        content = json.loads(answer.body)
        text = "\n".join(
            str((choice.get("message") or {}).get("content") or "") for choice in content["choices"]
        )
        return Asked(
            answer=text[:MOST_CHARACTERS],
            request_id=answer.headers.get("x-waggle-request-id", ""),
            plan=answer.headers.get("x-waggle-plan", ""),
            backend=answer.headers.get("x-waggle-backend", ""),
            cost_usd=(content.get("usage") or {}).get("cost"),
            cut=len(text) > MOST_CHARACTERS,
        )

    def route(
        self, context: Context, prompt: Prompt, plan: Plan = "auto", task: Task = ""
    ) -> dict[str, Any]:
        """Show which plan Waggle would choose for a prompt, with the probabilities, the expected
        quality, cost and time of each plan, and the reasons. No model is called; it is free."""
        body, headers = _request(prompt, plan, task, "")
        route: dict[str, Any] = json.loads(self._post(context, "/v1/route", body, headers).body)
        route.pop("features", None)
        return _bounded(route, ("probabilities", "expected", "ineligible", "most_usd"))

    def explain(self, context: Context, request_id: RequestId) -> dict[str, Any]:
        """Explain a past request by its id: the plan and why, each call with its cost, time and
        failure, and every statement about its quality. Needs a key with the scope analyst."""
        requests = self._query(
            context, f"SELECT * FROM requests WHERE request_id = '{request_id}'", 1
        )
        if not requests["rows"]:
            raise ToolError(
                f"There is no request {request_id} in the telemetry: take the request_id that "
                "`ask` returned. The row of a request follows its answer within some seconds."
            )
        names = [column["name"] for column in requests["columns"]]
        row = dict(zip(names, requests["rows"][0], strict=True))
        signals = self._query(
            context,
            "SELECT source, metric, value, score, weight, comment FROM signals "
            f"WHERE request_id = '{request_id}' ORDER BY ts",
            _MOST_ROWS,
        )
        row = {
            name: _short(value) for name, value in row.items() if value not in (None, "", [], {})
        }
        row.pop("features", None)
        row["signals"] = signals["rows"]
        return _bounded(row, ("signals", "attempts", "probabilities"))

    def scores(
        self,
        context: Context,
        kind: Annotated[
            str, Field(max_length=200, description='One kind of request; "any" for all together.')
        ] = "any",
    ) -> dict[str, Any]:
        """Show what Waggle's learner knows: the quality, cost and time of each plan on a kind of
        request, how far each source of quality is believed, and the weight that each behaviour of
        users has earned. Needs a key with the scope analyst."""
        learner = self._get(context, "/v1/learner")
        if learner.get("state") != "learning":
            raise ToolError("The learner is starting: ask again in some seconds.")
        kinds = {row["kind"]: row for row in learner["kinds"]}
        if kind not in kinds:
            names = ", ".join(kinds) or "none yet"
            raise ToolError(f"The learner has no scores for the kind {kind!r}; there are: {names}.")
        shown = ("strategy", "learned", "guard", "sources", "behaviours")
        return _bounded(
            {"kind": kinds[kind], **{name: learner.get(name) for name in shown}},
            ("behaviours", "sources"),
        )

    def sql(
        self,
        context: Context,
        query: Annotated[
            str,
            Field(
                min_length=1,
                max_length=20_000,
                description="One SELECT in DuckDB's SQL; `SHOW TABLES` lists the views.",
            ),
        ],
        rows: Annotated[int, Field(ge=1, le=_MOST_ROWS, description="At most so many rows.")] = 50,
    ) -> Rows:
        """Query Waggle's telemetry with SQL, read-only: views such as requests, signals, events.
        Needs a key with the scope analyst."""
        result = self._query(context, query, rows)
        shown, left = list[list[Any]](), MOST_CHARACTERS
        for row in result["rows"]:
            cells = [_short(cell) for cell in row]
            left -= len(json.dumps(cells))
            if left < 0:
                break
            shown.append(cells)
        cut = bool(result["truncated"]) or len(shown) < len(result["rows"])
        cut = cut or any(a != b for a, b in zip(shown, result["rows"], strict=False))
        return Rows(columns=[column["name"] for column in result["columns"]], rows=shown, cut=cut)

    def feedback(
        self,
        context: Context,
        request_id: RequestId,
        score: Annotated[
            float | None, Field(ge=0, le=1, description="How good the answer was: 0 to 1.")
        ] = None,
        thumbs: Annotated[Literal["up", "down"] | None, Field(description="Good or bad.")] = None,
        comment: Annotated[str, Field(max_length=10_000, description="Why.")] = "",
    ) -> Stored:
        """Say how good the answer to a request was, by its request_id: a score or thumbs. Waggle
        learns from it which plan to choose."""
        if score is None and thumbs is None:
            raise ToolError("Give `score` (0 to 1) or `thumbs` (up or down).")
        body: dict[str, Any] = {"request_id": str(request_id), "source": "mcp"}
        body |= {} if score is None else {"score": score}
        body |= {} if thumbs is None else {"thumbs": thumbs}
        body |= {"comment": comment} if comment else {}
        receipt = json.loads(self._post(context, "/v1/feedback", body).body)
        return Stored(request_id=receipt["request_id"], new=receipt["new"])

    def _query(self, context: Context, sql: str, rows: int) -> dict[str, Any]:
        answer = self._post(context, "/v1/sql", {"sql": sql, "rows": rows})
        result: dict[str, Any] = json.loads(answer.body)
        return result

    def _get(self, context: Context, path: str) -> dict[str, Any]:
        try:
            content = self._client(context).get(path)
        except ServiceRefused as refused:
            raise ToolError(_unreachable(refused)) from None
        if "error" in content:
            error = content["error"]
            raise ToolError(_refusal(str(error.get("message")), str(error.get("code"))))
        return content

    def _post(
        self,
        context: Context,
        path: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> PostAnswer:
        try:
            answer = self._client(context).post(path, body, headers)
        except ServiceRefused as refused:
            raise ToolError(_unreachable(refused)) from None
        if answer.status >= 400:
            raise ToolError(_refusal(error_message(answer.body), _code(answer.body)))
        return answer

    def _client(self, context: Context) -> ServiceClient:
        return self.client_of(context.headers or {})


def _tool(function: Callable[..., Any], title: str, *, changes: bool = False) -> Tool:
    notes = ToolAnnotations(
        title=title, read_only_hint=not changes, destructive_hint=False, open_world_hint=False
    )
    tool = Tool.from_function(function, annotations=notes)
    model = tool.fn_metadata.arg_model  # a misspelt argument is an error, not ignored
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    return tool.model_copy(update={"parameters": model.model_json_schema(by_alias=True)})


def _request(
    prompt: str, plan: str, task: str, system: str
) -> tuple[dict[str, Any], dict[str, str]]:
    rules = [{"role": "system", "content": system}] if system else []
    messages = [*rules, {"role": "user", "content": prompt}]
    return {"model": plan, "messages": messages}, {"x-waggle-task": task} if task else {}


def _unreachable(refused: ServiceRefused) -> str:
    return f"{refused}. Start the service with `waggle serve`, or name its address with --url."


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


_MENDS = {
    "scope_missing": "Set WAGGLE_API_KEY to a key that has it: "
    "waggle keys new NAME --scope app --scope analyst.",
    "missing_api_key": "Set WAGGLE_API_KEY to a key of the service: waggle keys new NAME.",
    "invalid_api_key": "Set WAGGLE_API_KEY to a key of the service: waggle keys new NAME.",
    "revoked_api_key": "Set WAGGLE_API_KEY to another key: waggle keys new NAME.",
}


def _refusal(message: str, code: str) -> str:
    mend = _MENDS.get(code, "")
    return f"{message} {mend}".strip()


def _short(value: Any) -> Any:
    """A cell as it is shown: long texts are cut."""
    if isinstance(value, str):
        return value if len(value) <= _MOST_CELL else f"{value[:_MOST_CELL]}…"
    text = json.dumps(value)
    return value if len(text) <= 4 * _MOST_CELL else f"{text[: 4 * _MOST_CELL]}…"


def _bounded(content: dict[str, Any], long: Sequence[str]) -> dict[str, Any]:
    """An object that fits. Members that may be `long` are left out, one after another, by name."""
    for name in long:
        if len(json.dumps(content)) <= MOST_CHARACTERS:
            return content
        if content.pop(name, None) is not None:
            content.setdefault("left_out", []).append(name)
    text = json.dumps(content)
    return content if len(text) <= MOST_CHARACTERS else {"cut": text[:MOST_CHARACTERS]}
