"""Chat requests as different apps send them, each with its right translation.

`claude` and `gemini` are the bodies that must go out, without the model's name and, for Claude,
without `max_tokens` where the app sets none; a `Refuses` names the field without a translation.
`models` are the models that the case is about. The table follows the documents of the three APIs
and the types of anthropic-sdk-python 0.121 and python-genai 2.19, not what our code does.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

Body = dict[str, Any]
CLAUDE, GEMINI = "claude-sonnet-4-5", "gemini-2.5-flash"


@dataclass(frozen=True)
class Refuses:
    field: str


@dataclass(frozen=True)
class Case:
    app: str
    request: Body
    claude: Body | Refuses
    gemini: Body | Refuses
    models: tuple[str, str] = (CLAUDE, GEMINI)
    options: Body = field(default_factory=dict)


def digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()


def user(content: Any, **more: Any) -> Body:
    return {"role": "user", "content": content, **more}


def assistant(content: Any = None, **more: Any) -> Body:
    return {"role": "assistant", "content": content, **more}


def words(text: str, **more: Any) -> Body:
    return {"type": "text", "text": text, **more}


def call(identity: str, name: str, arguments: str, **more: Any) -> Body:
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function, **more}


def from_user(*blocks: Body) -> Body:
    return {"role": "user", "content": list(blocks)}


def from_claude(*blocks: Body) -> Body:
    return {"role": "assistant", "content": list(blocks)}


def to_gemini(*parts: Body) -> Body:
    return {"role": "user", "parts": list(parts)}


def from_gemini(*parts: Body) -> Body:
    return {"role": "model", "parts": list(parts)}


HI = [user("hi")]
ODD_ID = f"functions_weather_0_{digest('functions.weather:0', 6)}"  # in the letters Claude takes
CLAUDE_HI = {"messages": [from_user(words("hi"))]}
GEMINI_HI = {"contents": [to_gemini({"text": "hi"})]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather.", "parameters": SCHEMA},
}
CLOCK = {"type": "function", "function": {"name": "clock"}}
CLAUDE_WEATHER = {"name": "weather", "description": "The weather.", "input_schema": SCHEMA}
CLAUDE_CLOCK = {"name": "clock", "input_schema": {"type": "object", "properties": {}}}
GEMINI_WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "parametersJsonSchema": SCHEMA,
}
GEMINI_CLOCK = {
    "name": "clock",
    "parametersJsonSchema": {"type": "object", "properties": {}},
}
GEMINI_TOOLS = [{"functionDeclarations": [GEMINI_WEATHER]}]
STRICT = SCHEMA | {"additionalProperties": False}
WANTED = {"type": "json_schema", "json_schema": {"name": "place", "schema": STRICT, "strict": True}}
PNG = "iVBORw0KGgo="
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
REMOTE = {"type": "image_url", "image_url": {"url": "https://x.org/a.jpg", "detail": "low"}}
CLAUDE_PICTURE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PNG},
}


def choice_of(mode: Any, claude: Body, gemini: Body) -> Case:
    """A request with a tool and this choice."""
    config = {"toolConfig": {"functionCallingConfig": gemini}}
    return Case(
        f"tool choice {mode}",
        {"messages": HI, "tools": [WEATHER], "tool_choice": mode},
        CLAUDE_HI | {"tools": [CLAUDE_WEATHER], "tool_choice": claude},
        GEMINI_HI | {"tools": GEMINI_TOOLS} | config,
    )


def generation(**config: Any) -> Body:
    return GEMINI_HI | {"generationConfig": config}


TALKS = [
    Case("curl", {"messages": HI}, CLAUDE_HI, GEMINI_HI),
    Case(
        "an SDK that sends every default",
        {
            "messages": [user("hi")],
            "n": 1,
            "logprobs": False,
            "frequency_penalty": 0,
            "presence_penalty": 0.0,
            "logit_bias": {},
            "top_p": 1,
            "stop": None,
            "tools": [],
            "user": None,
            "service_tier": "auto",
            "stream": False,
            "metadata": {"session_id": "s1"},
            "store": False,
            "modalities": ["text"],
            "response_format": {"type": "text"},
        },
        CLAUDE_HI,
        GEMINI_HI,
    ),
    Case(
        "a chat window after some turns",
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                user("Who are you?"),
                assistant("A bee."),
                user("Really?"),
            ],
            "temperature": 0.7,
            "max_tokens": 100,
        },
        {
            "system": [words("Be brief.")],
            "messages": [
                from_user(words("Who are you?")),
                from_claude(words("A bee.")),
                from_user(words("Really?")),
            ],
            "temperature": 0.7,
            "max_tokens": 100,
        },
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                to_gemini({"text": "Who are you?"}),
                from_gemini({"text": "A bee."}),
                to_gemini({"text": "Really?"}),
            ],
            "generationConfig": {"temperature": 0.7, "maxOutputTokens": 100},
        },
    ),
    Case(
        "a new SDK: developer role and max_completion_tokens",
        {
            "messages": [{"role": "developer", "content": [words("Be brief.")]}, user("hi")],
            "max_completion_tokens": 50,
        },
        {**CLAUDE_HI, "system": [words("Be brief.")], "max_tokens": 50},
        {
            **GEMINI_HI,
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "generationConfig": {"maxOutputTokens": 50},
        },
    ),
    Case(
        "an agent that reminds in the middle",
        {
            "messages": [
                user("Plan."),
                assistant("1. Look."),
                {"role": "system", "content": "Time is short."},
                user("Go on."),
            ]
        },
        {
            "messages": [
                from_user(words("Plan.")),
                from_claude(words("1. Look.")),
                from_user(words("<system>\nTime is short.\n</system>"), words("Go on.")),
            ]
        },
        {
            "contents": [
                to_gemini({"text": "Plan."}),
                from_gemini({"text": "1. Look."}),
                to_gemini({"text": "<system>\nTime is short.\n</system>"}, {"text": "Go on."}),
            ]
        },
    ),
    Case(
        "a chat window that keeps empty messages",
        {"messages": [user(""), assistant(""), user([words("")]), user("hi"), assistant(None)]},
        CLAUDE_HI,
        GEMINI_HI,
    ),
    Case(
        "two messages of the user at once",
        {"messages": [user("a"), user("b")]},
        {"messages": [from_user(words("a"), words("b"))]},
        {"contents": [to_gemini({"text": "a"}, {"text": "b"})]},
    ),
    Case(
        "a bot that greets first",
        {"messages": [assistant("Welcome!"), user("hi")]},
        {
            "messages": [
                from_user(words("(The conversation begins with the answer.)")),
                from_claude(words("Welcome!")),
                from_user(words("hi")),
            ]
        },
        {"contents": [from_gemini({"text": "Welcome!"}), to_gemini({"text": "hi"})]},
    ),
    Case(
        "a group chat with names",
        {"messages": [user("hi", name="Ann"), user("hello", name="Bo")]},
        {"messages": [from_user(words("Ann: hi"), words("Bo: hello"))]},
        {"contents": [to_gemini({"text": "Ann: hi"}, {"text": "Bo: hello"})]},
    ),
    Case(
        "an app that sends the message back as the SDK dumped it",
        {
            "messages": [
                user("hi"),
                assistant("yes", refusal=None, annotations=[], audio=None, function_call=None),
                user("so?"),
            ]
        },
        {
            "messages": [
                from_user(words("hi")),
                from_claude(words("yes")),
                from_user(words("so?")),
            ]
        },
        {
            "contents": [
                to_gemini({"text": "hi"}),
                from_gemini({"text": "yes"}),
                to_gemini({"text": "so?"}),
            ]
        },
    ),
    Case(
        "an answer to be gone on with, which ends in a space",
        {"messages": [user("The answer is"), assistant("forty ")]},
        {"messages": [from_user(words("The answer is")), from_claude(words("forty"))]},
        {"contents": [to_gemini({"text": "The answer is"}), from_gemini({"text": "forty "})]},
    ),
    Case(
        "an app that marks what to cache",
        {
            "messages": [
                {
                    "role": "system",
                    "content": [words("Long.", cache_control={"type": "ephemeral"})],
                },
                user("hi"),
            ]
        },
        {**CLAUDE_HI, "system": [words("Long.", cache_control={"type": "ephemeral"})]},
        {**GEMINI_HI, "systemInstruction": {"parts": [{"text": "Long."}]}},
    ),
    Case(
        "nothing to answer",
        {"messages": [{"role": "system", "content": "Be brief."}]},
        Refuses("messages"),
        Refuses("messages"),
    ),
    Case("a role that nobody has", {"messages": [{"role": "judge", "content": "x"}]},
         Refuses("messages[0].role"), Refuses("messages[0].role")),
    Case("a field of the app's own", {"messages": HI, "chat_id": 7},
         Refuses("chat_id"), Refuses("chat_id")),
    Case("a message with a field of the app's own", {"messages": [user("hi", timestamp=7)]},
         Refuses("messages[0].timestamp"), Refuses("messages[0].timestamp")),
    Case("the same, and the operator leaves it out",
         {"messages": [user("hi", timestamp=7)], "chat_id": 7, "seed": 7}, CLAUDE_HI, GEMINI_HI,
         options={"leave_out": ("timestamp", "chat_id", "seed")}),
]  # fmt: skip

SAMPLING = [
    Case("greedy", {"messages": HI, "temperature": 0},
         CLAUDE_HI | {"temperature": 0}, generation(temperature=0)),
    Case("hot", {"messages": HI, "temperature": 1.5},
         Refuses("temperature"), generation(temperature=1.5)),
    Case("a temperature that a newest model no longer takes",
         {"messages": HI, "temperature": 0.7}, Refuses("temperature"),
         generation(temperature=0.7), models=("claude-opus-4-7", "gemini-3-pro-preview")),
    Case("the default temperature, which it may have",
         {"messages": HI, "temperature": 1, "top_p": 1}, CLAUDE_HI,
         generation(temperature=1), models=("claude-opus-5", "gemini-3-pro-preview")),
    Case("nucleus and top_k", {"messages": HI, "top_p": 0.9, "top_k": 40},
         CLAUDE_HI | {"top_p": 0.9, "top_k": 40}, generation(topP=0.9, topK=40)),
    Case("an evaluation with a seed", {"messages": HI, "seed": 42},
         Refuses("seed"), generation(seed=42)),
    Case("a seed that is too large", {"messages": HI, "seed": 2**40},
         Refuses("seed"), Refuses("seed")),
    Case("several answers", {"messages": HI, "n": 3},
         Refuses("n"), generation(candidateCount=3)),
    Case("too many answers", {"messages": HI, "n": 9}, Refuses("n"), Refuses("n")),
    Case("logprobs", {"messages": HI, "logprobs": True, "top_logprobs": 3},
         Refuses("logprobs"), generation(responseLogprobs=True, logprobs=3)),
    Case("penalties", {"messages": HI, "frequency_penalty": 0.5, "presence_penalty": -0.5},
         Refuses("frequency_penalty"), generation(presencePenalty=-0.5, frequencyPenalty=0.5)),
    Case("biased tokens", {"messages": HI, "logit_bias": {"50256": -100}},
         Refuses("logit_bias"), Refuses("logit_bias")),
    Case("one stop", {"messages": HI, "stop": "END"},
         CLAUDE_HI | {"stop_sequences": ["END"]}, generation(stopSequences=["END"])),
    Case("stops", {"messages": HI, "stop": ["END", "###"]},
         CLAUDE_HI | {"stop_sequences": ["END", "###"]}, generation(stopSequences=["END", "###"])),
    Case("stop at a line's end", {"messages": HI, "stop": "\n"},
         Refuses("stop"), generation(stopSequences=["\n"])),
    Case("short words", {"messages": HI, "verbosity": "low"},
         Refuses("verbosity"), Refuses("verbosity")),
    Case("sound wanted", {"messages": HI, "modalities": ["text", "audio"]},
         Refuses("modalities"), Refuses("modalities")),
    Case("searching the web", {"messages": HI, "web_search_options": {}},
         Refuses("web_search_options"), Refuses("web_search_options")),
    Case("who asks", {"messages": HI, "user": "u-17"},
         CLAUDE_HI | {"metadata": {"user_id": "u-17"}}, GEMINI_HI),
    Case("who asks, by address", {"messages": HI, "user": "ann@x.org"},
         CLAUDE_HI | {"metadata": {"user_id": digest("ann@x.org", 16)}}, GEMINI_HI),
    Case("a bound that is no number", {"messages": HI, "max_tokens": "100"},
         Refuses("max_tokens"), Refuses("max_tokens")),
]  # fmt: skip

TOOLS = [
    Case(
        "tools offered",
        {"messages": HI, "tools": [WEATHER, CLOCK]},
        CLAUDE_HI | {"tools": [CLAUDE_WEATHER, CLAUDE_CLOCK]},
        GEMINI_HI | {"tools": [{"functionDeclarations": [GEMINI_WEATHER, GEMINI_CLOCK]}]},
    ),
    choice_of("auto", {"type": "auto"}, {"mode": "AUTO"}),
    choice_of("none", {"type": "none"}, {"mode": "NONE"}),
    choice_of("required", {"type": "any"}, {"mode": "ANY"}),
    choice_of(
        {"type": "function", "function": {"name": "weather"}},
        {"type": "tool", "name": "weather"},
        {"mode": "ANY", "allowedFunctionNames": ["weather"]},
    ),
    Case(
        "allowed tools",
        {
            "messages": HI,
            "tools": [WEATHER, CLOCK],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "weather"}}],
                },
            },
        },
        CLAUDE_HI | {"tools": [CLAUDE_WEATHER], "tool_choice": {"type": "any"}},
        GEMINI_HI
        | {"tools": GEMINI_TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
    ),
    Case(
        "one call at a time",
        {"messages": HI, "tools": [WEATHER], "parallel_tool_calls": False},
        CLAUDE_HI
        | {
            "tools": [CLAUDE_WEATHER],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        },
        Refuses("parallel_tool_calls"),
    ),
    Case(
        "two calls at once, and their results",
        {
            "messages": [
                user("Weather in Oslo, and the time?"),
                assistant(
                    tool_calls=[call("c1", "weather", '{"city": "Oslo"}'), call("c2", "clock", "")]
                ),
                {"role": "tool", "tool_call_id": "c1", "content": "rain"},
                {"role": "tool", "tool_call_id": "c2", "content": [words("12:00")]},
                user("Thanks. And?"),
            ],
            "tools": [WEATHER, CLOCK],
        },
        {
            "messages": [
                from_user(words("Weather in Oslo, and the time?")),
                from_claude(
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}},
                    {"type": "tool_use", "id": "c2", "name": "clock", "input": {}},
                ),
                from_user(
                    {"type": "tool_result", "tool_use_id": "c1", "content": [words("rain")]},
                    {"type": "tool_result", "tool_use_id": "c2", "content": [words("12:00")]},
                    words("Thanks. And?"),
                ),
            ],
            "tools": [CLAUDE_WEATHER, CLAUDE_CLOCK],
        },
        {
            "contents": [
                to_gemini({"text": "Weather in Oslo, and the time?"}),
                from_gemini(
                    {"functionCall": {"name": "weather", "args": {"city": "Oslo"}, "id": "c1"}},
                    {"functionCall": {"name": "clock", "args": {}, "id": "c2"}},
                ),
                to_gemini(
                    {
                        "functionResponse": {
                            "name": "weather",
                            "response": {"output": "rain"},
                            "id": "c1",
                        }
                    },
                    {
                        "functionResponse": {
                            "name": "clock",
                            "response": {"output": "12:00"},
                            "id": "c2",
                        }
                    },
                    {"text": "Thanks. And?"},
                ),
            ],
            "tools": [{"functionDeclarations": [GEMINI_WEATHER, GEMINI_CLOCK]}],
        },
    ),
    Case(
        "a summary of calls, without the tools",
        {
            "messages": [
                user("?"),
                assistant("", tool_calls=[call("functions.weather:0", "weather", "{}")]),
                {"role": "tool", "tool_call_id": "functions.weather:0", "content": ""},
            ]
        },
        {
            "messages": [
                from_user(words("?")),
                from_claude(
                    {
                        "type": "tool_use",
                        "id": ODD_ID,
                        "name": "weather",
                        "input": {},
                    }
                ),
                from_user(
                    {"type": "tool_result", "tool_use_id": ODD_ID}
                ),
            ],
            "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": {"type": "none"},
        },
        {
            "contents": [
                to_gemini({"text": "?"}),
                from_gemini(
                    {"functionCall": {"name": "weather", "args": {}, "id": "functions.weather:0"}}
                ),
                to_gemini(
                    {
                        "functionResponse": {
                            "name": "weather",
                            "response": {"output": ""},
                            "id": "functions.weather:0",
                        }
                    }
                ),
            ]
        },
    ),
    Case(
        "an app of 2023: functions",
        {
            "messages": [
                user("?"),
                assistant(None, function_call={"name": "clock", "arguments": "{}"}),
                {"role": "function", "name": "clock", "content": "12:00"},
            ],
            "functions": [CLOCK["function"]],
            "function_call": "auto",
        },
        {
            "messages": [
                from_user(words("?")),
                from_claude({"type": "tool_use", "id": "call_0", "name": "clock", "input": {}}),
                from_user(
                    {"type": "tool_result", "tool_use_id": "call_0", "content": [words("12:00")]}
                ),
            ],
            "tools": [CLAUDE_CLOCK],
            "tool_choice": {"type": "auto"},
        },
        {
            "contents": [
                to_gemini({"text": "?"}),
                from_gemini({"functionCall": {"name": "clock", "args": {}, "id": "call_0"}}),
                to_gemini(
                    {
                        "functionResponse": {
                            "name": "clock",
                            "response": {"output": "12:00"},
                            "id": "call_0",
                        }
                    }
                ),
            ],
            "tools": [{"functionDeclarations": [GEMINI_CLOCK]}],
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        },
    ),
    Case("arguments that are no object",
         {"messages": [user("?"), assistant(tool_calls=[call("c1", "clock", "[1]")])]},
         Refuses("messages[1].tool_calls[0].function.arguments"),
         Refuses("messages[1].tool_calls[0].function.arguments")),
    Case("a free-form tool", {"messages": HI, "tools": [{"type": "custom", "custom": {}}]},
         Refuses("tools[0]"), Refuses("tools[0]")),
    Case("a choice of no tool",
         {"messages": HI, "tools": [CLOCK],
          "tool_choice": {"type": "function", "function": {"name": "weather"}}},
         Refuses("tool_choice"), Refuses("tool_choice")),
]  # fmt: skip

FORMS = [
    Case("a schema", {"messages": HI, "response_format": WANTED},
         CLAUDE_HI | {"output_config": {"format": {"type": "json_schema", "schema": STRICT}}},
         generation(responseMimeType="application/json", responseJsonSchema=STRICT)),
    Case("a schema, for a model that cannot be held to one",
         {"messages": HI, "response_format": WANTED},
         CLAUDE_HI | {
             "tools": [{"name": "answer_in_json", "input_schema": STRICT,
                        "description": "Give the whole answer by this tool, as its input."}],
             "tool_choice": {"type": "tool", "name": "answer_in_json"}},
         generation(responseMimeType="application/json", responseJsonSchema=STRICT),
         models=("claude-3-5-haiku-20241022", GEMINI)),
    Case("any JSON", {"messages": HI, "response_format": {"type": "json_object"}},
         CLAUDE_HI | {
             "tools": [{"name": "answer_in_json", "input_schema": {"type": "object"},
                        "description": "Give the whole answer by this tool, as its input."}],
             "tool_choice": {"type": "tool", "name": "answer_in_json"}},
         generation(responseMimeType="application/json")),
    Case("any JSON, with tools",
         {"messages": HI, "response_format": {"type": "json_object"}, "tools": [CLOCK]},
         Refuses("response_format"), Refuses("response_format")),
    Case("a grammar", {"messages": HI, "response_format": {"type": "grammar"}},
         Refuses("response_format"), Refuses("response_format")),
]  # fmt: skip

PICTURES = [
    Case("a picture in the request", {"messages": [user([words("What?"), PICTURE])]},
         {"messages": [from_user(words("What?"), CLAUDE_PICTURE)]},
         {"contents": [to_gemini({"text": "What?"},
                                 {"inlineData": {"mimeType": "image/png", "data": PNG}})]}),
    Case("a picture elsewhere", {"messages": [user([REMOTE])]},
         {"messages": [from_user(
             {"type": "image", "source": {"type": "url", "url": "https://x.org/a.jpg"}})]},
         {"contents": [to_gemini(
             {"fileData": {"fileUri": "https://x.org/a.jpg", "mimeType": "image/jpeg"}})]}),
    Case("a kind of picture that Claude does not see",
         {"messages": [user([{"type": "image_url",
                              "image_url": {"url": "data:image/tiff;base64,AAAA"}}])]},
         Refuses("messages"),
         {"contents": [to_gemini({"inlineData": {"mimeType": "image/tiff", "data": "AAAA"}})]}),
    Case("a picture that is no address",
         {"messages": [user([{"type": "image_url", "image_url": {"url": "a.png"}}])]},
         Refuses("messages[0].content[0].image_url.url"),
         Refuses("messages[0].content[0].image_url.url")),
    Case("a letter as PDF",
         {"messages": [user([{"type": "file", "file": {
             "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}])]},
         {"messages": [from_user({"type": "document", "title": "a.pdf", "source": {
             "type": "base64", "media_type": "application/pdf", "data": "JVBE"}})]},
         {"contents": [to_gemini(
             {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}})]}),
    Case("a file at OpenAI", {"messages": [user([{"type": "file", "file": {"file_id": "f1"}}])]},
         Refuses("messages[0].content[0].file.file_id"),
         Refuses("messages[0].content[0].file.file_id")),
    Case("a sound",
         {"messages": [user([{"type": "input_audio",
                              "input_audio": {"format": "wav", "data": "UklG"}}])]},
         Refuses("messages"),
         {"contents": [to_gemini({"inlineData": {"mimeType": "audio/wav", "data": "UklG"}})]}),
    Case("a kind of part that nobody knows", {"messages": [user([{"type": "smell"}])]},
         Refuses("messages[0].content[0].type"), Refuses("messages[0].content[0].type")),
]  # fmt: skip


def effort(level: str, claude: Any, gemini: Any, models: tuple[str, str], **more: Any) -> Case:
    if isinstance(gemini, dict):
        tokens = {"maxOutputTokens": more["max_tokens"]} if more else {}
        gemini = generation(**tokens, thinkingConfig=gemini)
    if isinstance(claude, dict):
        claude = CLAUDE_HI | claude | more
    name = f"effort {level} of {' and '.join(models)} {more or ''}"
    return Case(name, {"messages": HI, "reasoning_effort": level, **more}, claude, gemini, models)


def budget(tokens: int) -> Body:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


def adaptive(level: str) -> Body:
    thinking = {"type": "adaptive", "display": "summarized"}
    return {"thinking": thinking, "output_config": {"effort": level}}


NONE = Refuses("reasoning_effort")
BUDGETS = (CLAUDE, GEMINI)
NEWEST = ("claude-opus-4-8", "gemini-3-flash-preview")
EFFORTS = [
    effort("low", budget(2048), {"thinkingBudget": 1024, "includeThoughts": True}, BUDGETS),
    effort("medium", budget(8192), {"thinkingBudget": 8192, "includeThoughts": True}, BUDGETS),
    effort("high", budget(16_000), {"thinkingBudget": 24_576, "includeThoughts": True}, BUDGETS),
    effort("high", budget(1024), {"thinkingBudget": 24_576, "includeThoughts": True}, BUDGETS,
           max_tokens=1500),
    effort("high", NONE, {"thinkingBudget": 24_576, "includeThoughts": True}, BUDGETS,
           max_tokens=1000),
    effort("none", {}, {"thinkingBudget": 0}, BUDGETS),
    effort("minimal", adaptive("low"),
           {"thinkingLevel": "MINIMAL", "includeThoughts": True}, NEWEST),
    effort("xhigh", adaptive("xhigh"), NONE, NEWEST),
    effort("none", {}, NONE, NEWEST),
    effort("xhigh", NONE, NONE, ("claude-opus-4-6", "gemini-2.5-pro")),
    effort("max", adaptive("max"), NONE, ("claude-sonnet-4-6", "gemini-2.0-flash")),
    effort("none", NONE, NONE, ("claude-fable-5", "gemini-2.5-pro")),
    effort("medium", NONE, {"thinkingLevel": "HIGH", "includeThoughts": True},
           ("claude-3-5-sonnet-20241022", "gemini-3-pro-preview")),
    Case("thinking at a temperature",
         {"messages": HI, "reasoning_effort": "low", "temperature": 0.2},
         Refuses("temperature"),
         generation(temperature=0.2,
                    thinkingConfig={"thinkingBudget": 1024, "includeThoughts": True})),
    Case("thinking, and a call forced",
         {"messages": HI, "reasoning_effort": "low", "tools": [WEATHER],
          "tool_choice": "required"},
         Refuses("tool_choice"),
         generation(thinkingConfig={"thinkingBudget": 1024, "includeThoughts": True})
         | {"tools": GEMINI_TOOLS, "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
]  # fmt: skip

CASES = [*TALKS, *SAMPLING, *TOOLS, *FORMS, *PICTURES, *EFFORTS]
