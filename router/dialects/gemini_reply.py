"""Reads answers, streams and errors of Gemini's `generateContent` into OpenAI's dialect. Pure.

What a safety filter stopped has the finish reason `content_filter`. Signatures of thoughts stand
where Google's own OpenAI-like service puts them: in `extra_content.google.thought_signature`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count as numbers
from typing import Any

import orjson

from router.dialects.completions import (
    DONE,
    BadAnswer,
    Choice,
    TokenCounts,
    chunk_of,
    completion_of,
    count,
    function_call,
    usage_chunk,
)
from router.dialects.gemini_request import OWN_CALL

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}
_FILTERED = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"),
    }
)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_TOO_LONG = "exceeds the maximum number of tokens"
_NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True)
class _Delta:
    """What the parts of one candidate add to an answer."""

    text: str = ""
    reasoning: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    signature: str = ""

    @property
    def more(self) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self.signature:
            more["extra_content"] = _google(self.signature)
        if self.images:
            more["images"] = self.images
        return more


def completion_from(answer: Any, request_id: str, created: int) -> bytes:
    """OpenAI's form of a whole answer; `BadAnswer` if this is none."""
    if not isinstance(answer, dict) or not ("candidates" in answer or "promptFeedback" in answer):
        raise BadAnswer("malformed", f"not an answer of Gemini's: {str(answer)[:200]}")
    identities = _identities(request_id)
    choices = []
    for candidate in _candidates(answer):
        delta = _delta(candidate, identities)
        finish, refusal = _finish(candidate, called=bool(delta.calls))
        choices.append(
            Choice(
                delta.text,
                finish or "stop",
                delta.calls,
                refusal,
                delta.reasoning,
                _logprobs(candidate),
                delta.more,
            )
        )
    blocked = _blocked(answer)
    if not choices and blocked:
        choices = [Choice(finish="content_filter", refusal=blocked)]
    if not choices:
        raise BadAnswer("malformed", "the answer of Gemini has no candidate")
    return completion_of(_base(answer, request_id, created), choices, counts_of(answer))


def counts_of(answer: Mapping[str, Any]) -> TokenCounts:
    usage = answer.get("usageMetadata")
    usage = usage if isinstance(usage, dict) else _NOTHING
    thoughts = count(usage.get("thoughtsTokenCount"))
    return TokenCounts(
        prompt=count(usage.get("promptTokenCount")) + count(usage.get("toolUsePromptTokenCount")),
        completion=count(usage.get("candidatesTokenCount")) + thoughts,
        cached=count(usage.get("cachedContentTokenCount")),
        reasoning=thoughts,
    )


class GeminiStream:
    """Turns the events of one streamed answer into chunks, one event at a time."""

    def __init__(self, request_id: str, created: int) -> None:
        self._request_id, self._created = request_id, created
        self._identities = _identities(request_id)
        self._base: dict[str, Any] = {}
        self._counts = TokenCounts()
        self._begun: set[int] = set()
        self._calls: dict[int, int] = {}  # how many calls each candidate has made
        self._finished: set[int] = set()

    def take(self, event: Any) -> Iterator[bytes]:
        """The chunks that follow from an event; `BadAnswer` if the event reports a failure."""
        if not isinstance(event, dict):
            raise BadAnswer("protocol", f"an event of the stream is no object: {str(event)[:200]}")
        if event.get("error"):
            message, _ = error_of(event)
            raise BadAnswer("upstream", f"the backend said: {message[:300]}")
        if not self._base:
            self._base = _base(event, self._request_id, self._created)
        if "usageMetadata" in event:
            self._counts = counts_of(event)
        blocked = _blocked(event)
        if blocked and not event.get("candidates"):
            yield from self._first(0)
            yield self._last(0, "content_filter", blocked)
        for position, candidate in enumerate(_candidates(event)):
            index = candidate.get("index")
            yield from self._more(index if type(index) is int else position, candidate)

    def end(self) -> Iterator[bytes]:
        """The usage and the mark of the end; `BadAnswer` if an answer has no end."""
        if not self._begun or self._begun != self._finished:
            raise BadAnswer("protocol", "the stream ended before a finishReason")
        yield usage_chunk(self._base, self._counts)
        yield DONE

    def _first(self, index: int) -> Iterator[bytes]:
        if index not in self._begun:
            self._begun.add(index)
            yield chunk_of(self._base, {"role": "assistant", "content": ""}, index=index)

    def _last(self, index: int, finish: str, refusal: str | None) -> bytes:
        self._finished.add(index)
        delta = {"refusal": refusal} if refusal else {}
        return chunk_of(self._base, delta, index=index, finish=finish)

    def _more(self, index: int, candidate: Mapping[str, Any]) -> Iterator[bytes]:
        yield from self._first(index)
        added = _delta(candidate, self._identities)
        delta: dict[str, Any] = dict(added.more)
        if added.reasoning:
            delta["reasoning_content"] = added.reasoning
        if added.text:
            delta["content"] = added.text
        if added.calls:
            number = self._calls.get(index, 0)
            delta["tool_calls"] = [{"index": number + n} | c for n, c in enumerate(added.calls)]
            self._calls[index] = number + len(added.calls)
        if delta:
            yield chunk_of(self._base, delta, index=index, logprobs=_logprobs(candidate))
        finish, refusal = _finish(candidate, called=index in self._calls)
        if finish:
            yield self._last(index, finish, refusal)


def error_of(answer: Any) -> tuple[str, str]:
    """The message and the status word of an error; both may be empty."""
    if isinstance(answer, list) and answer:  # an error of a stream that has not begun
        answer = answer[0]
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return "", ""
    message, status = str(error.get("message") or ""), str(error.get("status") or "")
    return message, "context_length_exceeded" if _TOO_LONG in message else status


def status_of(status: int, answer: Any) -> int:
    """The HTTP status that tells what is wrong: Gemini gives 400 for a bad key or account too."""
    if status == 400 and "API_KEY_INVALID" in {d.get("reason") for d in _details(answer)}:
        return 401
    return 403 if status == 400 and error_of(answer)[1] == "FAILED_PRECONDITION" else status


def retry_seconds(answer: Any) -> str:
    """The seconds after which to try again, if the error says that."""
    for detail in _details(answer):
        match = _SECONDS.fullmatch(str(detail.get("retryDelay")))
        if match:
            return match[1]
    return ""


def _details(answer: Any) -> list[dict[str, Any]]:
    if isinstance(answer, list) and answer:
        answer = answer[0]
    error = answer.get("error") if isinstance(answer, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    return [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []


def _base(answer: Mapping[str, Any], request_id: str, created: int) -> dict[str, Any]:
    identity = answer.get("responseId") or request_id
    return {"id": f"chatcmpl-{identity}", "created": created, "model": answer.get("modelVersion")}


def _identities(request_id: str) -> Iterator[str]:
    return (f"{OWN_CALL}{request_id.replace('-', '')[-12:]}_{n}" for n in numbers())


def _candidates(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = answer.get("candidates")
    return [c for c in listed if isinstance(c, dict)] if isinstance(listed, list) else []


def _blocked(answer: Mapping[str, Any]) -> str:
    feedback = answer.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    return f"the provider blocked this prompt: {reason}" if reason else ""


def _finish(candidate: Mapping[str, Any], *, called: bool) -> tuple[str, str | None]:
    """The finish reason in OpenAI's words, empty if there is none yet, and the refusal."""
    reason = candidate.get("finishReason")
    if not reason or reason == "FINISH_REASON_UNSPECIFIED":
        return "", None
    if reason in _FILTERED:
        explanation = candidate.get("finishMessage")
        return "content_filter", str(explanation or f"the provider stopped this answer: {reason}")
    if reason not in _FINISH:
        raise BadAnswer("upstream", f"the model failed to answer: {reason}")
    finish = _FINISH[reason]
    return "tool_calls" if called and finish == "stop" else finish, None


def _delta(candidate: Mapping[str, Any], identities: Iterator[str]) -> _Delta:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    delta = _Delta()
    for part in parts if isinstance(parts, list) else ():
        match part:
            case {"thought": True, "text": str(text)}:
                delta.reasoning += text
            case {"functionCall": {"name": str(name), **rest}}:
                arguments = orjson.dumps(rest.get("args") or {}).decode()
                identity = rest.get("id") or next(identities)
                call = function_call(str(identity), name, arguments)
                if part.get("thoughtSignature"):
                    call["extra_content"] = _google(part["thoughtSignature"])
                delta.calls.append(call)
            case {"inlineData": {"mimeType": str(kind), "data": str(data)}}:
                address = {"url": f"data:{kind};base64,{data}"}
                delta.images.append({"type": "image_url", "image_url": address})
            case {"text": str(text)}:
                delta.text += text
                delta.signature = part.get("thoughtSignature") or delta.signature
    return delta


def _google(signature: str) -> dict[str, Any]:
    return {"google": {"thought_signature": signature}}


def _logprobs(candidate: Mapping[str, Any]) -> Any:
    result = candidate.get("logprobsResult")
    chosen = result.get("chosenCandidates") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(chosen, list):
        return None
    tops = result.get("topCandidates") or []
    content = []
    for n, token in enumerate(chosen):
        others = tops[n].get("candidates", []) if n < len(tops) else []
        content.append(_token(token) | {"top_logprobs": [_token(other) for other in others]})
    return {"content": content, "refusal": None}


def _token(token: Mapping[str, Any]) -> dict[str, Any]:
    word = str(token.get("token") or "")
    return {
        "token": word,
        "logprob": token.get("logProbability", 0.0),
        "bytes": list(word.encode()),
    }
