"""Guesses by rules how hard a request is, and what kind of request it is. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.domain import Reading
from router.request.cues import counted
from router.request.kinds import BY_WORDS, asks, by_words, needed

_LOOKED_AT = 20_000  # characters of a prompt; a regex over megabytes stalls
_RULE_KEYS = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"),
        *("format", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "enum"),
        *("const", "if", "then", "allOf", "oneOf", "not"),
    )
)
_SCHEMA_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_RULE_WORDS = counted(
    r"\b(must|should|at least|at most|between|unique|valid(?:ate)?|exactly|no more than|"
    r"less than|greater than|consistent|required|only if|unless)\b",
    (
        *("must", "should", "at least", "at most", "between", "unique", "valid", "validate"),
        *("exactly", "no more than", "less than", "greater than", "consistent", "required"),
        *("only if", "unless"),
    ),
)
_CODE = counted(
    r"```|\bdef \w+\(|\bclass \w+[:({]|\bfunction\b|\bSELECT\b.{1,300}\bFROM\b|#include|=>|"
    r"\b(?:python|javascript|typescript|rust|golang|java|c\+\+|sql|regex|traceback|stack trace|"
    r"unit tests?|refactor|debug|consulta sql|funci[oó]n en)\b",
    (
        *("def ", "class ", "function", "select", "python", "javascript", "typescript", "rust"),
        *("golang", "java", "c++", "sql", "regex", "traceback", "stack trace", "unit test"),
        *("refactor", "debug", "consulta sql", "funcion en", "función en"),
    ),
    always=("```", "#include", "=>"),
)
_HARD = counted(
    r"\b(why|prove|proof|derive|compare|contrast|analy[sz]e|critique|examine|assess|demonstrate|"
    r"justify|clarify|design|architect\w*|trade-?offs?|optimi[sz]e|step by step|plan|evaluate|"
    r"implications|strategy|reason(?:ing)?|por qu[eé]|demuestra|refuta|deduce|compara|contrasta|"
    r"analiza|examina|critica|justifica|motivos?|dise[nñ]a|eval[uú]a|valora|razona\w*|"
    r"paso a paso|consecuencias|ventajas|estrategia)\b",
    (
        *("why", "prove", "proof", "derive", "compare", "contrast", "analyse", "analyze"),
        *("critique", "examine", "assess", "demonstrate", "justify", "clarify", "design"),
        *("trade-off", "tradeoff", "tradeoffs", "optimise", "optimize", "step by step", "plan"),
        *("evaluate", "implications", "strategy", "reason", "reasoning", "por que", "por qué"),
        *("demuestra", "refuta", "deduce", "compara", "contrasta", "analiza", "examina", "critica"),
        *("justifica", "motivo", "motivos", "disena", "diseña", "evalua", "evalúa", "valora"),
        *("paso a paso", "consecuencias", "ventajas", "estrategia"),
    ),
    always=("architect", "razona"),
)
_EASY = counted(
    r"\b(what is|who is|when|where|list|define|translate|capital of|summari[sz]e|"
    r"qu[eé] es|qui[eé]n es|cu[aá]ndo|d[oó]nde|lista|traduce|resume)\b",
    (
        *("what is", "who is", "when", "where", "list", "define", "translate", "capital of"),
        *("summarise", "summarize", "que es", "qué es", "quien es", "quién es", "cuando"),
        *("cuándo", "donde", "dónde", "lista", "traduce", "resume"),
    ),
)

PARTS = ("fields", "nesting", "arrays", "rules", "length", "code", "question")


@dataclass(frozen=True, slots=True)
class Complexity:
    """How hard a request looks, from 0 to 10, and the points that each part alone would give."""

    score: float
    parts: Mapping[str, float]
    kind: str = ""  # the kind of request, such as `code`


def complexity(reading: Reading, weights: Mapping[str, float]) -> Complexity:
    """The complexity of a request under these weights.

    One strong part is enough for a high score, and many weak parts never add up past 10.
    """
    simple, points = 1.0, dict.fromkeys(reading.difficulty, 0.0)
    for name, part in reading.difficulty.items():
        if part:
            weight = weights[name]
            simple *= 1 - min(weight, 1.0) * part
            points[name] = round(10 * weight * part, 3)
    return Complexity(round(10 * (1 - simple), 3), points, reading.kind)


def difficulty(
    text: str, last_words: str, shape: Any, needs: frozenset[str]
) -> tuple[dict[str, float], str, tuple[float, ...]]:
    """How hard each part of a request looks, from 0 to 1, its likeliest kind, and how much its
    words speak for each kind that words tell apart."""
    words = last_words[:_LOOKED_AT]
    count, depth, arrays, rules = _structure(shape)
    rules += _RULE_WORDS.count(words)
    hard, easy, code = _HARD.count(words), _EASY.count(words), _CODE.count(words)
    parts = {
        "fields": min(count / 30, 1.0),
        "nesting": min(max(depth - 1, 0) / 4, 1.0),
        "arrays": min(arrays / 4, 1.0),
        "rules": min(rules / 8, 1.0),
        "length": min(len(text) / 12_000, 1.0),
        "code": min(code / 3, 1.0),
        "question": min(max(hard - 0.5 * easy, 0) / 3, 1.0),
    }
    if shape is not None:
        needs |= {"json"}
    kinds = by_words(question=asks(words), hard=hard, code=code)
    return parts, needed(needs) or BY_WORDS[kinds.index(max(kinds))], kinds


def _structure(shape: Any) -> tuple[int, int, int, int]:
    """Count fields, depth, arrays and rules of a shape, by a loop: a shape may be very deep."""
    count = arrays = rules = deepest = 0
    todo = [(shape, 0)] if isinstance(shape, dict | list) else []
    while todo:
        node, depth = todo.pop()
        if isinstance(node, dict):
            deepest = max(deepest, depth + 1)
            rules += len(_RULE_KEYS & node.keys())
            fields, inner = _members(node)
            count += fields
            arrays += node.get("type") == "array"
            todo += [(value, depth + 1) for value in inner]
        elif isinstance(node, list):
            arrays += 1
            todo += [(value, depth) for value in node]
    return count, deepest, arrays, rules


def _members(node: Mapping[str, Any]) -> tuple[int, list[Any]]:
    """The number of fields in an object of a shape or schema, and the values to count next."""
    if not (isinstance(node.get("type"), str) and node["type"] in _SCHEMA_TYPES):
        return len(node), list(node.values())
    properties = node.get("properties")
    inner = list(properties.values()) if isinstance(properties, dict) else []
    return len(inner), [*inner, node.get("items")]
