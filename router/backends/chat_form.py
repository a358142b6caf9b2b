"""The form in which a model reads a conversation: the same where it answers and where it learns."""

from collections.abc import Mapping, Sequence
from typing import Any

CHAT_FORM = "chat-form-1"  # the name of this form; an adapter that learned another one is refused


def prompt_tokens(tokenizer: Any, messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """The tokens of a conversation that waits for an answer, by the model's chat template; without
    a template, line by line."""
    plain = [{"role": m["role"], "content": content_text(m.get("content"))} for m in messages]
    if tokenizer.chat_template:
        text = tokenizer.apply_chat_template(plain, add_generation_prompt=True, tokenize=False)
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])
    text = "\n".join(f"{m['role']}: {m['content']}" for m in plain) + "\nassistant:"
    return list(tokenizer(text)["input_ids"])


def answer_tokens(tokenizer: Any, answer: str) -> list[int]:
    """The tokens of a whole answer, with the token that ends it if the model has one."""
    tokens = list(tokenizer(answer, add_special_tokens=False)["input_ids"])
    end = tokenizer.eos_token_id
    return tokens if end is None else [*tokens, end]


def content_text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(p["text"] for p in content if isinstance(p, dict) and "text" in p)
    return str(content or "")
