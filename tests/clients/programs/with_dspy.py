"""Every way in which an app uses DSPy's model; run by the Python of the clients."""

import json
import sys

import dspy


def weather(city: str) -> str:
    """The weather."""
    return f"rain in {city}"


url, _, *models = sys.argv[1:]
answers = {}
for name in models:
    model = dspy.LM(f"openai/{name}", api_base=url, api_key="none", cache=False)
    dspy.configure(lm=model)
    answers[name] = {
        "plain": model("hi")[0],
        "predict": dspy.Predict("question -> answer")(question="hi").answer,
        "reason": dspy.ChainOfThought("question -> answer")(question="hi").answer,
        "usage": bool(model.history[-1]["usage"]),
    }
print(json.dumps({"of": answers}))
