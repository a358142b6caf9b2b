"""LiteLLM's SDK by way of Responses; run by the clients' Python."""

import json
import sys

import litellm

TOOL = {
    "type": "function",
    "name": "weather",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def answer_of(model: str, **more: object) -> object:
    return litellm.responses(
        model=f"openai/{model}", api_base=url, api_key="none", input="hi", **more
    )


def text_of(response: object) -> str:
    return "".join(
        part.text for item in response.output if item.type == "message" for part in item.content
    )


def of_model(model: str) -> dict[str, object]:
    plain = answer_of(model)
    pieces = [
        event.delta
        for event in answer_of(model, stream=True)
        if event.type == "response.output_text.delta"
    ]
    return {
        "plain": text_of(plain),
        "stream": "".join(pieces),
        "usage": plain.usage.total_tokens > 0,
    }


url, tools, *models = sys.argv[1:]
[call] = [i for i in answer_of(tools, tools=[TOOL]).output if i.type == "function_call"]
print(
    json.dumps(
        {
            "tools": {"arguments": json.loads(call.arguments)},
            "of": {model: of_model(model) for model in models},
        }
    )
)
