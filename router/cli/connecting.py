"""What each app needs to use a service: a file, a program or the steps in its settings.

A text holds no key. Programs and apps read the key from the environment, so that a text may be
committed. A service without keys ignores what it gets there.

Not covered: apps that run in a browser (no site's pages may use a service).
"""

from dataclasses import dataclass

URL, ROOT, MODEL = "@URL@", "@ROOT@", "@MODEL@"  # with /v1, and without
_ENVIRONMENT = 'os.environ.get("WAGGLE_API_KEY", "none")'


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """An app, the text that connects it, and how far somebody saw that the text works."""

    name: str
    title: str
    place: str  # where the text belongs
    text: str
    proof: str
    local: bool = True  # whether it calls the service from the machine on which it runs

    def filled(self, url: str, model: str) -> str:
        return self.text.replace(URL, f"{url}/v1").replace(ROOT, url).replace(MODEL, model)


_TRIED = "tried: `make clients` runs this very text against a service"
_SHAPE = "not run by us: written after its documentation; a test sends requests of its shape"

_CURL = """\
curl @URL@/chat/completions \\
    -H "authorization: Bearer ${WAGGLE_API_KEY:-none}" -H 'content-type: application/json' \\
    -H 'x-waggle-task: my-task' \\
    -d '{"model": "@MODEL@", "messages": [{"role": "user", "content": "Why do bees dance?"}]}'
"""

_OPENAI = f"""\
import os

from openai import OpenAI

client = OpenAI(
    base_url="@URL@",
    api_key={_ENVIRONMENT},
    default_headers={{"x-waggle-task": "my-task"}},
)
messages = [{{"role": "user", "content": "Why do bees dance?"}}]
reply = client.chat.completions.with_raw_response.create(model="@MODEL@", messages=messages)
answer = reply.parse()
print(answer.choices[0].message.content)
print("plan", reply.headers["x-waggle-plan"], "cost", answer.usage.model_extra["cost"])

# Say how good the answer was, and the learner learns.
client.post(
    "/feedback",
    cast_to=object,
    body={{"request_id": reply.headers["x-waggle-request-id"], "thumbs": "up"}},
)
"""

_LANGCHAIN = f"""\
import os

from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model="@MODEL@",
    base_url="@URL@",
    api_key={_ENVIRONMENT},
    default_headers={{"x-waggle-task": "my-task"}},
    include_response_headers=True,
)
answer = model.invoke("Why do bees dance?")
print(answer.content)
print("plan", answer.response_metadata["headers"]["x-waggle-plan"])
for piece in model.stream("Why do bees dance?"):
    print(piece.content, end="")
"""

_LLAMAINDEX = f"""\
import os

from llama_index.llms.openai_like import OpenAILike

model = OpenAILike(
    model="@MODEL@",
    api_base="@URL@",
    api_key={_ENVIRONMENT},
    default_headers={{"x-waggle-task": "my-task"}},
    is_chat_model=True,
    is_function_calling_model=True,
)
print(model.complete("Why do bees dance?"))
for piece in model.stream_complete("Why do bees dance?"):
    print(piece.delta, end="")
"""

_DSPY = f"""\
import os

import dspy

model = dspy.LM(
    "openai/@MODEL@",
    api_base="@URL@",
    api_key={_ENVIRONMENT},
    extra_headers={{"x-waggle-task": "my-task"}},
    cache=False,  # otherwise DSPy answers from its own memory, and Waggle learns nothing
)
dspy.configure(lm=model)
answer = dspy.Predict("question -> answer")(question="Why do bees dance?")
print(answer.answer)
"""

_LITELLM = f"""\
import os

import litellm

answer = litellm.completion(
    model="openai/@MODEL@",
    api_base="@URL@",
    api_key={_ENVIRONMENT},
    extra_headers={{"x-waggle-task": "my-task"}},
    messages=[{{"role": "user", "content": "Why do bees dance?"}}],
)
print(answer.choices[0].message.content)
"""

_AGENTS_SDK = f"""\
import os

from agents import Agent, Runner, function_tool, set_default_openai_client, set_tracing_disabled
from openai import AsyncOpenAI

client = AsyncOpenAI(
    base_url="@URL@",
    api_key={_ENVIRONMENT},
    default_headers={{"x-waggle-task": "my-task"}},
)
set_default_openai_client(client, use_for_tracing=False)
set_tracing_disabled(True)  # traces would go to OpenAI


@function_tool
def weather(city: str) -> str:
    \"\"\"The weather in a city.\"\"\"
    return f"sunny in {{city}}"


agent = Agent(name="Scout", instructions="Be brief.", model="@MODEL@", tools=[weather])
result = Runner.run_sync(agent, "How is the weather in Paris?")
print(result.final_output)
"""

_AIDER = """\
# .aider.conf.yml; the key comes from the environment: export OPENAI_API_KEY=$WAGGLE_API_KEY
# (a service without keys takes any word: export OPENAI_API_KEY=none)
model: openai/@MODEL@
weak-model: openai/@MODEL@
editor-model: openai/@MODEL@
openai-api-base: @URL@
# Aider knows no model of this name, and would ask for its price and its context at each start.
show-model-warnings: false
"""

_CONTINUE = """\
# ~/.continue/config.yaml; put the key into ~/.continue/.env as WAGGLE_API_KEY=wg-...
name: Waggle
version: 1.0.0
schema: v1
models:
  - name: Waggle
    provider: openai
    model: @MODEL@
    apiBase: @URL@
    apiKey: ${{ secrets.WAGGLE_API_KEY }}
    roles: [chat, edit, apply]
    requestOptions:
      headers:
        x-waggle-task: coding
"""

_ZED = """\
{
  "language_models": {
    "openai_compatible": {
      "Waggle": {
        "api_url": "@URL@",
        "available_models": [
          {"name": "@MODEL@", "display_name": "Waggle", "max_tokens": 32000,
           "capabilities": {"tools": true, "images": false}}
        ]
      }
    }
  }
}
"""

_OPEN_WEBUI = """\
# Open WebUI calls the service from its own server, not from your browser.
export OPENAI_API_BASE_URL=@URL@
export OPENAI_API_KEY="${WAGGLE_API_KEY:-none}"
open-webui serve

# Its settings are kept after the first start: from then on change them in Admin Settings >
# Connections > OpenAI. Then choose the model `@MODEL@`.
# In a container on the same machine (Linux), share the network, so that loopback is the same:
# docker run --network host -e OPENAI_API_BASE_URL -e OPENAI_API_KEY -e PORT=3000 \\
#     -v open-webui:/app/backend/data ghcr.io/open-webui/open-webui:main
"""

_CODEX = """\
# ~/.codex/config.toml; the key comes from the environment: export WAGGLE_API_KEY=wg-...
# (a service without keys takes any word: export WAGGLE_API_KEY=none)
model = "@MODEL@"
model_provider = "waggle"
web_search = "disabled"  # OpenAI's servers run it, and no other backend has it

[model_providers.waggle]
name = "Waggle"
base_url = "@URL@"
env_key = "WAGGLE_API_KEY"
wire_api = "responses"
http_headers = { "x-waggle-task" = "coding" }
"""

_CLAUDE_CODE = """\
# In the terminal where Claude Code is started. A service without keys takes any word as the token.
export ANTHROPIC_BASE_URL=@ROOT@
export ANTHROPIC_AUTH_TOKEN="${WAGGLE_API_KEY:-none}"
export ANTHROPIC_MODEL=@MODEL@
export ANTHROPIC_DEFAULT_OPUS_MODEL=@MODEL@ ANTHROPIC_DEFAULT_SONNET_MODEL=@MODEL@
export ANTHROPIC_DEFAULT_HAIKU_MODEL=@MODEL@  # for titles and summaries
export ANTHROPIC_CUSTOM_HEADERS="x-waggle-task: coding"
export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
claude
"""

_CURSOR = """\
Cursor Settings > Models:
  OpenAI API key              a key of this service: waggle keys new cursor
  Override OpenAI base URL    @URL@
  Add a custom model          @MODEL@

Cursor calls the address from its own servers, not from your machine. It must be public, with TLS,
and the service needs keys: put a reverse proxy with TLS before it. `localhost` cannot work.
Cursor has a choice "Auto" of its own: if it takes `auto` for that, name a plan of yours instead.
"""

# How apps that take tools over MCP get those of `waggle mcp`.
MCP_CLIENTS = {
    "claude-code": "claude mcp add waggle -- waggle mcp",
    "codex": "codex mcp add waggle -- waggle mcp",
    "cursor": '{"mcpServers": {"waggle": {"command": "waggle", "args": ["mcp"]}}} in '
    "~/.cursor/mcp.json, which runs on your machine",
}
APPS = {
    app.name: app
    for app in (
        ConnectedApp("curl", "curl", "a terminal", _CURL, _TRIED),
        ConnectedApp("openai", "OpenAI's Python client", "a Python program", _OPENAI, _TRIED),
        ConnectedApp("langchain", "LangChain", "a Python program", _LANGCHAIN, _TRIED),
        ConnectedApp("llamaindex", "LlamaIndex", "a Python program", _LLAMAINDEX, _TRIED),
        ConnectedApp("dspy", "DSPy", "a Python program", _DSPY, _TRIED),
        ConnectedApp("litellm", "LiteLLM", "a Python program", _LITELLM, _TRIED),
        ConnectedApp("agents-sdk", "OpenAI's Agents SDK", "a Python program", _AGENTS_SDK, _TRIED),
        ConnectedApp("aider", "Aider", ".aider.conf.yml", _AIDER, _TRIED),
        ConnectedApp("codex", "OpenAI's Codex", "~/.codex/config.toml", _CODEX, _TRIED),
        ConnectedApp("claude-code", "Claude Code", "a terminal", _CLAUDE_CODE, _TRIED),
        ConnectedApp("open-webui", "Open WebUI", "a terminal", _OPEN_WEBUI, _SHAPE),
        ConnectedApp("cursor", "Cursor", "its settings", _CURSOR, _SHAPE, local=False),
        ConnectedApp("continue", "Continue", "~/.continue/config.yaml", _CONTINUE, _SHAPE),
        ConnectedApp("zed", "Zed", "its settings.json", _ZED, _SHAPE),
    )
}
