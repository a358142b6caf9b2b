"""OpenAI's Agents SDK: tools, streams, structured output; run by the Python of the clients."""

import asyncio
import json
import sys

from agents import (
    Agent,
    Runner,
    function_tool,
    set_default_openai_client,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel


class Place(BaseModel):
    city: str


called: list[str] = []


@function_tool
def weather(city: str) -> str:
    """The weather."""
    called.append(city)
    return f"rain in {city}"


async def of_model(model: str) -> dict[str, object]:
    plain = await Runner.run(Agent(name="plain", model=model), "hi")
    streamed = Runner.run_streamed(Agent(name="streamed", model=model), "hi")
    kinds = [event.type async for event in streamed.stream_events()]
    return {
        "plain": plain.final_output,
        "stream": streamed.final_output,
        "events": "raw_response_event" in kinds,
        "usage": plain.context_wrapper.usage.total_tokens > 0,
    }


async def of_tools(model: str) -> dict[str, object]:
    agent = Agent(name="a", instructions="Be short.", model=model, tools=[weather])
    after = await Runner.run(agent, "hi")
    streamed = Runner.run_streamed(agent, "hi")
    async for _ in streamed.stream_events():
        pass
    structured = await Runner.run(Agent(name="s", model=model, output_type=Place), "hi")
    return {
        "called": called,
        "after": after.final_output,
        "streamed": streamed.final_output,
        "parsed": structured.final_output.city,
    }


async def main() -> dict[str, object]:
    return {
        "tools": await of_tools(tools),
        "of": {model: await of_model(model) for model in models},
    }


url, tools, *models = sys.argv[1:]
set_default_openai_client(AsyncOpenAI(base_url=url, api_key="none"), use_for_tracing=False)
set_tracing_disabled(True)
print(json.dumps(asyncio.run(main())))
