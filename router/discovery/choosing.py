"""Chooses a handful of a server's models, as a person would who reads its list. Pure.

Left out are models that do not chat, older versions and dated copies of a model that is there, and
models whose price nobody knows, because a bound on spending cannot count them. Of the rest, the
cheapest, the dearest and what lies between them are taken: price is the only hint of strength that
needs no request. A server of this machine has no prices, and its models are ordered by size.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from router.catalog import FREE, ModelFacts, Price
from router.config.values import Capability
from router.discovery.listing import Listed
from router.discovery.providers import Place, Provider

LookUp = Callable[[str, str], ModelFacts | None]

_OTHER_WORK = re.compile(
    r"embed|whisper|\btts\b|audio|realtime|transcri|\bimagen?\b|image|dall-e|moderation|guard|rerank"
    r"|\bocr\b|\bsora\b|\bveo\b|video|\blive\b|robotics|lyria|\baqa\b|voice|voxtral|speech|orpheus"
    r"|search|research|babbage|davinci|\bbge\b|\bbert\b|minilm|diffusion|\bflux\b|computer-use"
    r"|multi-agent|cyber|banana|\bbase\b|cloud$|:batch|distill-reward|prm\b"
)
# Models of OpenAI that answer another endpoint than chat completions.
_NO_CHAT_ENDPOINT = re.compile(r"\bpro\b|codex|instruct|rosalind")
_MAKERS = frozenset(
    ("openai", "anthropic", "google", "x-ai", "mistralai", "deepseek", "deepseek-ai", "qwen",
     "meta-llama", "moonshotai", "z-ai", "zai-org", "meta", "minimaxai", "nvidia")
)  # fmt: skip
_AZURE = "https://any.openai.azure.com"  # Azure's prices do not depend on the resource's name
_DATE = re.compile(r"[-@](?:20\d\d-?\d\d-?\d\d|\d\d-20\d\d|\d{4}|\d\d-\d\d|0\d\d)$")
_TAIL = re.compile(r"-(?:latest|preview|exp|experimental|beta)$|:(?:latest|free)$")
_OLD = timedelta(days=400).total_seconds()
_DEAREST_OUTPUT = 40.0  # dollars per million tokens: dearer models are taken if they are named
_MOST, _MOST_LOCAL, _MOST_IN_ALL = 3, 2, 8  # few plans: each has to be tried before it is known


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that could become a backend, with all that is known about it."""

    place: Place
    title: str  # of its server
    model: str
    price: Price | None
    price_note: str
    context_window: int | None
    window_note: str
    capabilities: tuple[Capability, ...]
    efforts: tuple[str, ...]
    logprobs: bool
    created: float
    size: float
    chats: bool

    @property
    def provider(self) -> Provider:
        return self.place.provider

    @property
    def label(self) -> str:
        """The model's name without its maker's, its file's ending and `:latest`."""
        name = self.model.rsplit("/", 1)[-1].removesuffix(".gguf").removesuffix(":latest")
        return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("._-")[:45] or "model"

    @property
    def short_label(self) -> str:
        """The label without a date."""
        return _DATE.sub("", self.label) or self.label

    @property
    def blended(self) -> float:
        """Dollars of a million tokens, three of four in the prompt."""
        return 0.0 if self.price is None else (3 * self.price.input + self.price.output) / 4

    @property
    def strength(self) -> tuple[float, float, str]:
        return self.blended, self.size, self.model


def candidate(place: Place, title: str, listed: Listed, look_up: LookUp) -> Candidate:
    """A listed model with what the catalog adds; what its server says about itself wins."""
    provider = place.provider
    usual = provider.base_url or _AZURE
    facts = None if provider.local else look_up(listed.served or listed.model, usual)
    price, note = _price(place, listed, facts)
    usual_abilities: tuple[Capability, ...] = ()
    if facts is not None:
        usual_abilities = tuple(each for each in _CAPABILITIES if each in facts.capabilities)
    windows = (listed.context_window, facts and facts.context_window)
    reasons = bool(facts and facts.efforts)
    logprobs = provider.logprobs and not reasons if listed.logprobs is None else listed.logprobs
    return Candidate(
        place, title, listed.model, price, note,
        context_window=next((window for window in windows if window), None),
        window_note=listed.window_note,
        capabilities=listed.capabilities or usual_abilities or _ASSUMED,
        efforts=facts.efforts if facts is not None else (),
        logprobs=logprobs,
        created=listed.created,
        size=listed.size or _billions(listed.model),
        chats=_chats(provider, listed),
    )  # fmt: skip


_CAPABILITIES: tuple[Capability, ...] = ("chat", "tools", "images", "json")
_ASSUMED: tuple[Capability, ...] = ("chat", "tools", "json")


def _price(place: Place, listed: Listed, facts: ModelFacts | None) -> tuple[Price | None, str]:
    if place.provider.local:
        return (FREE, f"found on {place.whose}") if place.whose else (None, "")
    if listed.price is not None:
        return listed.price, f"as {place.provider.title} says"
    return (None if facts is None else facts.price), ""


def _chats(provider: Provider, listed: Listed) -> bool:
    name = listed.model.lower()
    if listed.chat is False or _OTHER_WORK.search(name) or _OTHER_WORK.search(listed.served):
        return False
    return not (provider.name == "openai" and _NO_CHAT_ENDPOINT.search(name))


def family(model: str) -> tuple[str, tuple[float, ...]]:
    """A model's name without its version, and the version: `gpt-4.1-mini` is a `gpt-mini`, 4.1.

    Sizes stay in the name: a model of 8b is no newer version of one of 3b.
    """
    words: list[str] = []
    version: list[float] = []
    for word in re.split(r"[-_ ]", stem(model)):
        match = re.fullmatch(r"([a-z]*)(\d{1,3})(?:[.p](\d{1,3}))?o?", word)
        if match:
            words += [match[1]] if match[1] else []
            version += [float(number) for number in match.groups()[1:] if number]
        else:
            words.append(word)
    return "-".join(words), tuple(version)


def stem(model: str) -> str:
    """A model's name in small letters without its date and words such as `-latest`."""
    name = model.rsplit("/", 1)[-1].lower().removesuffix(".gguf")
    for _ in range(3):
        name = _DATE.sub("", _TAIL.sub("", name))
    return name


def chosen(
    candidates: Sequence[Candidate], *, only: Sequence[str], every: bool
) -> tuple[Candidate, ...]:
    """The models for the file, in the order of the candidates' servers.

    `only` names servers (`openai`) or models (`gpt-5*`, `openai/gpt-5-mini`); a model that is named
    is taken whatever it is like. `every` takes all that chat and have a price.
    """
    if only:
        candidates = [each for each in candidates if named(each, only)]
    taken = [each for each in candidates if precisely_named(each, only)]
    rest = [each for each in candidates if each not in taken and each.chats]
    rest = [each for each in rest if each.price is not None]
    servers = list(dict.fromkeys(each.place for each in rest))
    clouds = sum(not server.provider.local for server in servers)
    most = max(2, min(_MOST, _MOST_IN_ALL // max(clouds, 1)))
    seen = {stem(each.model) for each in taken}
    for server in servers:
        here = [each for each in rest if each.place == server]
        if not every:
            here = _handful([each for each in here if stem(each.model) not in seen], most)
        seen |= {stem(each.model) for each in here}
        taken += here
    return tuple(each for each in candidates if each in taken)


def named(each: Candidate, only: Sequence[str]) -> bool:
    return each.provider.name in only or precisely_named(each, only)


def precisely_named(each: Candidate, only: Sequence[str]) -> bool:
    """Whether a pattern names the model itself, not only its server."""
    names = (each.model, each.label, f"{each.provider.name}/{each.model}")
    patterns = [pattern for pattern in only if pattern != each.provider.name]
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _handful(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    if not candidates:
        return []
    provider = candidates[0].provider
    if provider.local:
        newest = list(_newest(candidates))
        return _spread(newest, _MOST_LOCAL, [math.log(each.size + 0.1) for each in newest])
    usual = [each for each in candidates if each.price and each.price.output <= _DEAREST_OUTPUT]
    if provider.many_makers:
        usual = [each for each in usual if _well_made(each)] or usual
    recent = list(_recent(list(_newest(usual)), versions=not provider.many_makers))
    recent = [each for each in recent if each.blended > 0] or recent
    return _spread(recent, most, [math.log(each.blended + 0.001) for each in recent])


def _well_made(each: Candidate) -> bool:
    maker, slash, _ = each.model.lower().removeprefix("accounts/fireworks/models/").partition("/")
    return not slash or maker in _MAKERS


def _newest(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """The newest version of each family; of copies of one version, the one without a date."""
    best: dict[str, Candidate] = {}
    for each in candidates:
        name = family(each.model)[0]
        if name not in best or _newness(each) > _newness(best[name]):
            best[name] = each
    yield from best.values()


def _newness(each: Candidate) -> tuple[tuple[float, ...], bool, float]:
    plain = each.model.rsplit("/", 1)[-1].lower() == stem(each.model)
    return family(each.model)[1], plain, each.created


def _recent(candidates: Sequence[Candidate], *, versions: bool) -> Iterator[Candidate]:
    """Without the models that are a year older than the newest, or two versions behind."""
    latest = max((each.created for each in candidates), default=0.0)
    majors = [version[0] for each in candidates if (version := family(each.model)[1])]
    for each in candidates:
        version = family(each.model)[1]
        old = bool(each.created) and each.created < latest - _OLD
        behind = versions and bool(version) and version[0] < max(majors) - 1
        if not old and not behind:
            yield each


def _spread(candidates: Sequence[Candidate], most: int, scale: Sequence[float]) -> list[Candidate]:
    """The least, the greatest, and those nearest to even steps between them."""
    if len(candidates) <= most:
        return list(candidates)
    low, high = min(scale), max(scale)
    left = list(range(len(candidates)))
    taken: list[int] = []
    order = [0, most - 1, *range(1, most - 1)]
    for step in order:
        wanted = low + (high - low) * step / (most - 1)
        nearest = min(left, key=lambda at: (abs(scale[at] - wanted), -candidates[at].created))
        left.remove(nearest)
        taken.append(nearest)
    return [candidates[at] for at in sorted(taken)]


def _billions(model: str) -> float:
    match = re.search(r"(?<![a-z0-9.])(\d{1,4}(?:\.\d{1,2})?)b(?![a-z0-9])", model.lower())
    return float(match[1]) if match else 0.0
