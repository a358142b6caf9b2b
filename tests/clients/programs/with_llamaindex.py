"""Every way in which an app uses LlamaIndex's model; run by the Python of the clients."""

import json
import sys

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike


def weather(city: str) -> str:
    """The weather."""
    return f"rain in {city}"


def made(url: str, model: str) -> OpenAILike:
    return OpenAILike(
        model=model,
        api_base=url,
        api_key="none",
        is_chat_model=True,
        is_function_calling_model=True,
    )


def of_model(url: str, model: str) -> dict[str, object]:
    chat = made(url, model)
    plain = chat.chat([ChatMessage(role="user", content="hi")])
    return {
        "plain": plain.message.content,
        "complete": chat.complete("hi").text,
        "stream": "".join(piece.delta or "" for piece in chat.stream_complete("hi")),
    }


def of_tools(url: str, model: str) -> dict[str, object]:
    chat = made(url, model)
    weather_tool = FunctionTool.from_defaults(fn=weather)
    answer = chat.chat_with_tools([weather_tool], user_msg="hi")
    [call] = chat.get_tool_calls_from_response(answer)
    pieces = list(chat.stream_chat_with_tools([weather_tool], user_msg="hi"))
    [streamed] = chat.get_tool_calls_from_response(pieces[-1])
    return {"arguments": call.tool_kwargs, "streamed": streamed.tool_kwargs}


url, tools, *models = sys.argv[1:]
answers = {model: of_model(url, model) for model in models}
print(json.dumps({"tools": of_tools(url, tools), "of": answers}))
