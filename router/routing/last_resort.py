"""What a last resort takes, and the refusal where even a last resort cannot answer. Pure functions.

A last resort answers only what no other plan can. It leaves records, figures and documents where
they are, also where their plans can only say what they did not understand. Two cases are its own
though another plan would say something: a question whose answer must have a form, where a maker of
records would invent an answer; and words that a cheap guess took for a calculation because of their
numbers, though they ask for none.
"""

from collections.abc import Mapping

from router.domain import Request
from router.plans.compiled import Plans
from router.request.kinds import asks
from router.request.statistical import interpretation_of
from sandbox.reading.kind import names_calculation
from sandbox.request import NO_COMPUTATION

INVENTING = frozenset({"generator", "enricher"})
_SURELY = 1.0  # what the words of a question say, without doubt
_MOST_REASONS = 2
_LONGEST_REASON = 120  # characters


def asks_for_a_form(request: Request) -> bool:
    """Whether a request asks a question and states a schema for its answer. A shape among the
    words, or in the field `shape`, asks for records."""
    wanted = request.fields.get("response_format")
    schema = isinstance(wanted, dict) and wanted.get("type") == "json_schema"
    text = request.reading.last_words.rstrip()
    plain = request.fields.get("shape") is None
    return schema and plain and text.endswith("?") and asks(text) >= _SURELY


def asks_for_no_computation(request: Request) -> bool:
    if interpretation_of(request).reasons == (NO_COMPUTATION,):
        return True
    return not names_calculation(request.reading.last_words)


def unanswerable(plans: Plans, request: Request, reasons: Mapping[str, str]) -> str:
    """Why no plan can answer a request, in a sentence or two."""
    backends = plans.config.backends
    needs = {*request.reading.needs, request.operation}
    missing = needs.difference(*(settings.capabilities for settings in backends.values()))
    if missing:
        needed = " and ".join(sorted(missing))
        return f"No plan can answer this request: it needs {needed}, and no backend can do that."

    def rank(plan: str) -> int:
        """The reason of a model tells most; that a plan may not be used tells least."""
        leading = plans[plan].lead
        return 2 if leading not in reasons[plan] else 0 if backends[leading].is_model else 1

    ranked = sorted(reasons, key=rank)
    shown = [f"{plan}: {_brief(reasons[plan])}" for plan in ranked[:_MOST_REASONS]]
    others = len(ranked) - len(shown)
    if others:
        shown.append(f"{others} other plan{'s' if others > 1 else ''} cannot either")
    return f"No plan can answer this request. {'; '.join(shown)}."


def _brief(reason: str) -> str:
    first = reason.partition("; ")[0]
    return first if len(first) <= _LONGEST_REASON else f"{first[:_LONGEST_REASON]}…"
