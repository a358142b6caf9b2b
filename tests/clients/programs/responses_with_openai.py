"""Every way in which an app uses the Responses of OpenAI's client; run by the clients' Python."""

import asyncio
import json
import sys

import openai
from pydantic import BaseModel

TOOL = {
    "type": "function",
    "name": "weather",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Place(BaseModel):
    city: str


def of_model(client: openai.OpenAI, model: str) -> dict[str, object]:
    plain = client.responses.create(model=model, input="hi")
    with client.responses.stream(model=model, input="hi") as stream:
        whole = stream.get_final_response()
    return {
        "plain": plain.output_text,
        "stream": whole.output_text,
        "status": whole.status,
        "usage": whole.usage.total_tokens > 0,
    }


def of_tools(client: openai.OpenAI, model: str) -> dict[str, object]:
    first = client.responses.create(model=model, input="hi", tools=[TOOL])
    [call] = [item for item in first.output if item.type == "function_call"]
    answered = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    items = [{"role": "user", "content": "hi"}, *first.output, answered]
    second = client.responses.create(model=model, input=items, tools=[TOOL])
    with client.responses.stream(model=model, input="hi", tools=[TOOL]) as stream:
        [streamed] = stream.get_final_response().output
    parsed = client.responses.parse(model=model, input="hi", text_format=Place)
    return {
        "arguments": json.loads(call.arguments),
        "after": second.output_text,
        "streamed": json.loads(streamed.arguments),
        "parsed": parsed.output_parsed.city,
    }


async def side_by_side(url: str, model: str) -> list[str]:
    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:
        asks = (client.responses.create(model=model, input="hi") for _ in range(5))
        return [answer.output_text for answer in await asyncio.gather(*asks)]


url, tools, *models = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="none")
print(
    json.dumps(
        {
            "tools": of_tools(client, tools),
            "together": asyncio.run(side_by_side(url, tools)),
            "of": {model: of_model(client, model) for model in models},
        }
    )
)
