"""LlamaIndex's model by way of Responses; run by the clients' Python."""

import json
import sys

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAIResponses


def weather(city: str) -> str:
    """The weather."""
    return f"rain in {city}"


def made(model: str) -> OpenAIResponses:
    return OpenAIResponses(model=model, api_base=url, api_key="none", context_window=8000)


def of_model(model: str) -> dict[str, object]:
    chat = made(model)
    plain = chat.chat([ChatMessage(role="user", content="hi")])
    return {
        "plain": plain.message.content,
        "stream": "".join(piece.delta or "" for piece in chat.stream_complete("hi")),
    }


def of_tools(model: str) -> dict[str, object]:
    chat = made(model)
    answer = chat.chat_with_tools([FunctionTool.from_defaults(fn=weather)], user_msg="hi")
    [call] = chat.get_tool_calls_from_response(answer)
    return {"arguments": call.tool_kwargs}


url, tools, *models = sys.argv[1:]
print(json.dumps({"tools": of_tools(tools), "of": {model: of_model(model) for model in models}}))
