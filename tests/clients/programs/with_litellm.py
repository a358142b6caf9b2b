"""Every way in which an app uses LiteLLM, on which Aider and DSPy stand."""

import json
import sys

import litellm

HI = [{"role": "user", "content": "hi"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def answer_of(model: str, **more: object) -> object:
    return litellm.completion(
        model=f"openai/{model}", api_base=url, api_key="none", messages=HI, **more
    )


def of_model(model: str) -> dict[str, object]:
    plain = answer_of(model)
    chunks = list(answer_of(model, stream=True, stream_options={"include_usage": True}))
    whole = litellm.stream_chunk_builder(chunks, messages=HI)
    return {
        "plain": plain.choices[0].message.content,
        "stream": whole.choices[0].message.content,
        "usage": plain.usage.total_tokens > 0 and whole.usage.total_tokens > 0,
    }


url, tools, *models = sys.argv[1:]
called = answer_of(tools, tools=[TOOL]).choices[0].message.tool_calls
chunks = list(answer_of(tools, tools=[TOOL], stream=True))
streamed = litellm.stream_chunk_builder(chunks, messages=HI).choices[0].message.tool_calls
print(
    json.dumps(
        {
            "tools": {
                "arguments": json.loads(called[0].function.arguments),
                "streamed": json.loads(streamed[0].function.arguments),
            },
            "of": {model: of_model(model) for model in models},
        }
    )
)
