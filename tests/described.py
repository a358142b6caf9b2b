"""What the OpenAPI document says of an answer, and whether an answer keeps it."""

import json
from functools import lru_cache

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from router.api.openapi import document

_URI = "urn:openapi"
# The schemas of the events of a stream.
_EVENTS = {"/v1/responses": "ResponseEvent", "/v1/messages": "MessageEvent"}


@lru_cache(maxsize=1)
def described():
    return json.loads(document())


def resolved(value):
    """A part of the document, with a reference to a component followed."""
    while "$ref" in value:
        target = described()
        for name in value["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        value = target
    return value


def validator(schema):
    """A validator of one of the document's schemas, whose references point into the document."""
    inside = json.loads(json.dumps(schema).replace('"#/', f'"{_URI}#/'))
    whole = Resource(contents=described(), specification=DRAFT202012)
    return jsonschema.Draft202012Validator(inside, registry=Registry().with_resource(_URI, whole))


def template_of(path):
    """The path of the document that a request's path is described by."""
    path = path.partition("?")[0]
    if path in described()["paths"]:
        return path
    if path.startswith("/v1/models/"):  # a model's name may hold slashes
        return "/v1/models/{name}"
    segments = path.split("/")
    return next(
        template
        for template in described()["paths"]
        if len(parts := template.split("/")) == len(segments)
        and all(a == b or a.startswith("{") for a, b in zip(parts, segments, strict=True))
    )


def response_of(method, path, status):
    """The description of an answer; an undescribed status is an error of the test's caller."""
    operation = described()["paths"][template_of(path)][method.lower()]
    responses = operation["responses"]
    assert str(status) in responses, f"{method} {path} answers {status}, and does not say so"
    return resolved(responses[str(status)])


def check_answer(method, path, status, headers, body):
    """Hold an answer against the document: its status, its type, its headers and its body."""
    response = response_of(method, path, status)
    kind = headers["content-type"].partition(";")[0]
    assert kind in response["content"], f"{method} {path} {status} is {kind}"
    stated = {name for name in headers if name.startswith("x-waggle-")}
    described_headers = {name.lower() for name in response.get("headers", ())} | {
        "x-waggle-request-id"
    }
    assert stated <= described_headers, (
        f"{method} {path} {status} does not describe {stated - described_headers}"
    )
    if kind == "application/json":
        validator(response["content"][kind]["schema"]).validate(json.loads(body))
    if kind == "text/event-stream":
        name = _EVENTS.get(template_of(path), "ChatCompletionChunk")
        chunk = validator({"$ref": f"#/components/schemas/{name}"})
        events = [line for line in body.decode().splitlines() if line.startswith("data: {")]
        assert events
        for event in events:
            chunk.validate(json.loads(event.removeprefix("data: ")))
