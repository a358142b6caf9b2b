"""LangChain's model by way of Responses; run by the clients' Python."""

import json
import sys

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Place(BaseModel):
    city: str


@tool
def weather(city: str) -> str:
    """The weather."""
    return f"rain in {city}"


def made(model: str) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=url, api_key="none", use_responses_api=True)


def of_model(model: str) -> dict[str, object]:
    chat = made(model)
    plain = chat.invoke([SystemMessage("Be short."), HumanMessage("hi")])
    pieces = list(chat.stream("hi"))
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    return {
        "plain": plain.text,
        "stream": whole.text,
        "usage": (plain.usage_metadata or {}).get("total_tokens", 0) > 0,
    }


def of_tools(model: str) -> dict[str, object]:
    chat = made(model)
    bound = chat.bind_tools([weather])
    question = HumanMessage("hi")
    first = bound.invoke([question])
    [call] = first.tool_calls
    done = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    after = chat.invoke([question, first, done])
    whole = None
    for piece in bound.stream([question]):
        whole = piece if whole is None else whole + piece
    structured = chat.with_structured_output(Place, method="json_schema").invoke("hi")
    return {
        "arguments": call["args"],
        "after": after.text,
        "streamed": whole.tool_calls[0]["args"],
        "parsed": structured.city,
    }


url, tools, *models = sys.argv[1:]
print(json.dumps({"tools": of_tools(tools), "of": {model: of_model(model) for model in models}}))
