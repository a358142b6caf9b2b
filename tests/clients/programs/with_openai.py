"""Every way in which an app uses OpenAI's client; run by the Python of the clients."""

import asyncio
import json
import sys

import openai
from pydantic import BaseModel

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
HI = [{"role": "user", "content": "hi"}]


class Place(BaseModel):
    city: str


def of_model(client: openai.OpenAI, model: str) -> dict[str, object]:
    plain = client.chat.completions.create(model=model, messages=HI)
    with client.chat.completions.stream(model=model, messages=HI) as stream:
        whole = stream.get_final_completion()
    chunks = client.chat.completions.create(
        model=model, messages=HI, stream=True, stream_options={"include_usage": True}
    )
    last = list(chunks)[-1]
    return {
        "plain": plain.choices[0].message.content,
        "stream": whole.choices[0].message.content,
        "finish": whole.choices[0].finish_reason,
        "usage": last.usage is not None and last.usage.total_tokens > 0,
    }


def of_tools(client: openai.OpenAI, model: str) -> dict[str, object]:
    first = client.chat.completions.create(model=model, messages=HI, tools=[TOOL])
    [call] = first.choices[0].message.tool_calls
    answered = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    messages = [*HI, first.choices[0].message, answered]
    second = client.chat.completions.create(model=model, messages=messages)
    with client.chat.completions.stream(model=model, messages=HI, tools=[TOOL]) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls
    parsed = client.chat.completions.parse(model=model, messages=HI, response_format=Place)
    return {
        "arguments": json.loads(call.function.arguments),
        "after": second.choices[0].message.content,
        "streamed": json.loads(streamed[0].function.arguments),
        "parsed": parsed.choices[0].message.parsed.city,
    }


async def side_by_side(url: str, model: str) -> list[str]:
    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:
        asks = (client.chat.completions.create(model=model, messages=HI) for _ in range(5))
        return [answer.choices[0].message.content for answer in await asyncio.gather(*asks)]


url, tools, *models = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="none")
try:
    client.chat.completions.create(model="nobody", messages=HI)
except openai.NotFoundError as error:
    missing = error.code
listed = client.models.list().data
print(
    json.dumps(
        {
            "models": [model.id for model in listed],
            "retrieved": client.models.retrieve(models[0]).id,
            "missing": missing,
            "tools": of_tools(client, tools),
            "together": asyncio.run(side_by_side(url, tools)),
            "of": {model: of_model(client, model) for model in models},
        }
    )
)
