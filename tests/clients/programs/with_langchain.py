"""Every way in which an app uses LangChain's model; run by the Python of the clients."""

import asyncio
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


def of_model(url: str, model: str) -> dict[str, object]:
    chat = ChatOpenAI(model=model, base_url=url, api_key="none", stream_usage=True)
    plain = chat.invoke([SystemMessage("Be short."), HumanMessage("hi")])
    pieces = list(chat.stream("hi"))
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece

    async def later() -> str:
        return "".join([piece.content async for piece in chat.astream("hi")])

    return {
        "plain": plain.content,
        "stream": whole.content,
        "async": asyncio.run(later()),
        "usage": (plain.usage_metadata or {}).get("total_tokens", 0) > 0,
        "stream usage": (whole.usage_metadata or {}).get("total_tokens", 0) > 0,
        "batch": [answer.content for answer in chat.batch(["hi", "hi"])],
    }


def of_tools(url: str, model: str) -> dict[str, object]:
    chat = ChatOpenAI(model=model, base_url=url, api_key="none")
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
        "after": after.content,
        "streamed": whole.tool_calls[0]["args"],
        "parsed": structured.city,
    }


url, tools, *models = sys.argv[1:]
answers = {model: of_model(url, model) for model in models}
print(json.dumps({"tools": of_tools(url, tools), "of": answers}))
