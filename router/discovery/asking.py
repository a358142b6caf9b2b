"""Asks each server for its models, all at once, and reports each as soon as it is known.

A server that refuses, is silent or talks nonsense gets a line of its own; the others go on. Nothing
here asks a model, so nothing here costs money.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from router.discovery import listing, local_listing
from router.discovery.fetching import Fetcher, NoAnswer
from router.discovery.listing import Listed, NoList
from router.discovery.providers import Place, Unusable

_MOST_PAGES = 20
_MOST_SHOWN = 40  # models of Ollama that are looked at one by one
_DEPLOYMENTS_VERSION = "2023-03-15-preview"  # later versions list them to no key
_LOADING = "it is still loading its model"


@dataclass(frozen=True, slots=True)
class Answered:
    """The models of a server."""

    place: Place
    models: tuple[Listed, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A server that gave no list, and why."""

    title: str
    reason: str
    quiet: bool = False  # the environment does not name it
    absent: bool = False  # nothing listens there


Outcome = Answered | Failed


def _no_proxy(url: str) -> str:  # noqa: ARG001
    return ""


async def ask_all(
    servers: Sequence[Place | Unusable],
    *,
    seconds: float,
    proxy_for: Callable[[str], str] = _no_proxy,
) -> AsyncIterator[tuple[int, Outcome]]:
    """Each outcome with the place of its server in the sequence, the quickest first."""

    async def outcome(at: int) -> tuple[int, Outcome]:
        server = servers[at]
        if isinstance(server, Unusable):
            return at, Failed(server.provider.title, server.reason)
        return at, await ask(server, seconds=seconds, proxy=proxy_for(server.base_url))

    tasks = [asyncio.create_task(outcome(at)) for at in range(len(servers))]
    try:
        for task in asyncio.as_completed(tasks):
            yield await task
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ask(place: Place, *, seconds: float, proxy: str = "") -> Outcome:
    """The models of one server, or why it gave none."""
    fetch = Fetcher(place.base_url, _headers(place), seconds, place.key, proxy)
    title, quiet = place.provider.title, not place.stated
    if place.provider.local:
        title = f"{title} at {place.host}"
    try:
        async with asyncio.timeout(seconds):
            models, maker = await _models(place, fetch)
    except TimeoutError:
        return Failed(title, f"did not answer within {seconds:g} s", quiet)
    except (NoAnswer, NoList) as error:
        absent = isinstance(error, NoAnswer) and error.absent
        return Failed(title, _explained(place, error), quiet, absent)
    if any(model.owner == "waggle" for model in models):
        return Failed(title, _itself(place), quiet)
    if not models:
        return Failed(title, "lists no models" + (": load one there" if quiet else ""))
    return Answered(place, tuple(models), f"{maker} at {place.host}" if maker else title)


def _itself(place: Place) -> str:
    if not place.stated:
        return "is Waggle itself, and is left out"
    variable = place.provider.urls[0]
    return f"is Waggle itself, by {variable}: unset {variable} while `waggle init` runs"


def _headers(place: Place) -> Mapping[str, str]:
    match place.provider.kind if place.provider.dialect != "azure" else "azure":
        case "anthropic":
            return {"x-api-key": place.secret, "anthropic-version": "2023-06-01"}
        case "gemini":
            return {"x-goog-api-key": place.secret}
        case "azure":
            return {"api-key": place.secret}
    return {"authorization": f"Bearer {place.secret}"} if place.secret else {}


def _explained(place: Place, error: NoAnswer | NoList) -> str:
    if not isinstance(error, NoAnswer):
        return str(error)
    variable = place.provider.urls[0]
    if error.status in (404, 301, 302, 307, 308):
        return f"{error}; {variable} says where it is"
    if error.status == 401 and not place.key:
        return f"{error}: set {variable} and {place.provider.keys[0]}"
    return str(error)


async def _models(place: Place, fetch: Fetcher) -> tuple[list[Listed], str]:
    """The models, and the maker of a server that is another than its port lets expect."""
    match place.provider.dialect:
        case "anthropic":
            return await _anthropic(fetch), ""
        case "gemini":
            return await _gemini(fetch), ""
        case "azure":
            return await _azure(place, fetch), ""
        case "ollama":
            return await _ollama(place, _root(fetch)), ""
        case "lmstudio":
            return await _lmstudio(fetch), ""
        case "server":
            return await _server(place, fetch)
        case dialect:
            if dialect == "openrouter":
                await fetch.get("/key")  # everybody may read the list, so the list proves no key
            path = "/language-models" if dialect == "xai" else "/models"
            return _READERS[dialect](await fetch.get(path)), ""


_READERS: Mapping[str, Callable[[Any], list[Listed]]] = {
    "openai": listing.openai,
    "mistral": listing.mistral,
    "xai": listing.xai,
    "openrouter": listing.openrouter,
    "together": listing.together,
    "fireworks": listing.fireworks,
}


async def _anthropic(fetch: Fetcher) -> list[Listed]:
    models: list[Listed] = []
    after = ""
    for _ in range(_MOST_PAGES):
        answer = await fetch.get("/v1/models?limit=1000" + (f"&after_id={after}" if after else ""))
        models += listing.anthropic(answer)
        after = quote(listing.cursor(answer, "has_more", "last_id"), safe="")
        if not after:
            break
    return models


async def _gemini(fetch: Fetcher) -> list[Listed]:
    models: list[Listed] = []
    token = ""
    for _ in range(_MOST_PAGES):
        page = f"&pageToken={token}" if token else ""
        answer = await fetch.get("/v1beta/models?pageSize=1000" + page)
        models += listing.gemini(answer)
        token = quote(listing.cursor(answer, "nextPageToken", "nextPageToken"), safe="")
        if not token:
            break
    return models


async def _azure(place: Place, fetch: Fetcher) -> list[Listed]:
    """The deployments: those that the environment names, else those that the resource lists."""
    if place.deployments:
        rows = [{"id": name} for name in place.deployments]
        return listing.azure({"data": rows})
    try:
        answer = await fetch.get(f"/openai/deployments?api-version={_DEPLOYMENTS_VERSION}")
    except NoAnswer as error:
        if error.status not in (400, 404) or "key" in str(error):
            raise
        names = "name them in AZURE_OPENAI_DEPLOYMENT, with commas between"
        raise NoAnswer(f"does not list its deployments ({error.status}): {names}") from None
    return listing.azure(answer)


async def _ollama(place: Place, fetch: Fetcher) -> list[Listed]:
    models = local_listing.ollama(await fetch.get("/api/tags"))
    try:
        logprobs = local_listing.knows_logprobs(await fetch.get("/api/version"))
    except NoAnswer:
        logprobs = False

    async def shown(model: Listed) -> Listed:
        try:
            answer = await fetch.post("/api/show", {"model": model.model})
        except NoAnswer:
            answer = {}
        return local_listing.shown_by_ollama(model, answer, place.window, logprobs=logprobs)

    return list(await asyncio.gather(*(shown(model) for model in models[:_MOST_SHOWN])))


async def _lmstudio(fetch: Fetcher) -> list[Listed]:
    try:
        return local_listing.lmstudio(await _root(fetch).get("/api/v0/models"))
    except (NoAnswer, NoList) as error:
        if isinstance(error, NoAnswer) and error.absent:
            raise
    return listing.openai(await fetch.get("/models"))


async def _server(place: Place, fetch: Fetcher) -> tuple[list[Listed], str]:
    """The models of a server that speaks OpenAI's dialect: vLLM, llama.cpp, or another."""
    try:
        models = listing.openai(await fetch.get("/models"))
    except NoAnswer as error:
        if error.status == 401 and await _is_waggle(fetch):
            raise NoAnswer(_itself(place)) from None
        if error.status == 503 and place.provider.name == "llamacpp":
            raise NoAnswer(f"{error}: {_LOADING}", status=503) from None
        raise
    owners = {model.owner for model in models}
    if "llamacpp" in owners:
        return await _llamacpp(fetch, models), "llama.cpp"
    if "vllm" in owners:
        return [replace(model, logprobs=True) for model in models], "vLLM"
    return models, "" if place.stated else "a model server"


async def _llamacpp(fetch: Fetcher, models: list[Listed]) -> list[Listed]:
    try:
        window, sees = local_listing.window_of_llamacpp(await _root(fetch).get("/props"))
    except NoAnswer:
        return models
    able = listing.abilities(tools=True, images=sees)
    note = "of one of its slots"
    return [
        replace(
            model, context_window=window or model.context_window, capabilities=able,
            window_note=note if window else "", logprobs=True,
        )
        for model in models
    ]  # fmt: skip


async def _is_waggle(fetch: Fetcher) -> bool:
    try:
        health = await _root(fetch).get("/health/live")
    except NoAnswer:
        return False
    return isinstance(health, dict) and health.get("status") == "live" and "router" in health


def _root(fetch: Fetcher) -> Fetcher:
    """The same server, without the path of its OpenAI dialect."""
    parts = urlsplit(fetch.base_url)
    return replace(fetch, base_url=f"{parts.scheme}://{parts.netloc}")
