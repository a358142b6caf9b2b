"""Decides which labels of a request are columns.

A label of which nothing is said is a column only if its figures are usual. Otherwise it names what the
records are, sets the scene before them, repeats another label, or is the reason of a refusal.
"""

from collections.abc import Sequence

from sandbox.reading.records_columns import said_more
from sandbox.reading.records_draft import Draft
from sandbox.reading.records_scan import Scan
from sandbox.reading.records_usual import usual_of
from sandbox.reading.rules import NotUnderstood

_SPEAKERS = frozenset("i i'm we we're our my for estoy estamos para tengo".split())


def columns(scan: Scan) -> list[Draft]:
    """The drafts that are columns."""
    drafts = [draft for draft in scan.drafts if not draft.shared]
    _usual_chances(drafts)
    _name_the_unnamed(scan, drafts)
    _share(scan, drafts)
    _date_that_is_named_later(drafts)
    _named_later(drafts)
    _merge_shorter(scan, drafts)
    return [
        draft
        for draft in drafts
        if draft.label or _says_something(draft)
        if _kept(scan, draft, drafts)
    ]


def same_name(name: str, names: Sequence[str]) -> str:
    """The one name that a shorter or longer name means: `revenue` is `annual_revenue`."""
    if name in names:
        return name
    near = [
        other for other in names
        if other.endswith("_" + name) or name.endswith("_" + other) or other.startswith(name + "_")
    ]  # fmt: skip
    if not near and len(name) < 5:  # `bp` is `blood_pressure`
        near = [other for other in names if "".join(w[:1] for w in other.split("_")) == name]
    elif not near and "_" in name:
        near = [other for other in names if "".join(w[:1] for w in name.split("_")) == other]
    return near[0] if len(near) == 1 else ""


def _says_something(draft: Draft) -> bool:
    return draft.described or draft.unique or draft.decimals is not None or draft.cut


def _kept(scan: Scan, draft: Draft, drafts: Sequence[Draft]) -> bool:
    if draft.described or draft.role:
        return True
    name = draft.label or "the column"
    if draft.counted:
        said_more(draft, name, "what the records are", set())
        return False
    if not draft.unique and _only_sets_the_scene(scan, draft):
        return False
    others = [d.label for d in drafts if d is not draft and (d.described or d.role)]
    related = {other for relation in scan.relations for other in relation.names}
    if same_name(draft.label, others) or draft.label in related:
        said_more(draft, name, "described elsewhere", set())
        return False
    if draft.label and usual_of(draft.label) is None:
        raise NotUnderstood(f"it does not say what the column {name} contains", (name,))
    return True


def _usual_chances(drafts: Sequence[Draft]) -> None:
    """A die is fair and has six sides, and a coin is fair, unless the request says otherwise."""
    for draft in drafts:
        if draft.role == "die" and not draft.described:
            draft.low, draft.high, draft.whole_bounds = 1.0, 6.0, True
        if draft.role == "coin" and not draft.family:
            draft.family = "bernoulli"
            draft.numbers.setdefault("probability", [0.5])
        if draft.role in ("die", "coin"):
            draft.role = ""


def _name_the_unnamed(scan: Scan, drafts: Sequence[Draft]) -> None:
    """Give the noun that was counted to the column without a name, or make it the only column."""
    unnamed = [d for d in drafts if not d.label and _says_something(d)]
    counted = [d for d in drafts if d.counted and not d.described]
    before = [
        d for d in drafts
        if 0 <= d.place < scan.count_place <= d.place + 4 and not d.described
        and (
            scan.low(scan.count_place - 1) in ("of", "de", "for", "para", "in", "en")
            or (scan.stem(scan.count_place - 1) == ":" and scan.stem(d.place - 1) in ("", ".", "\n", "!"))
        )
    ]  # fmt: skip
    after = unnamed or [d for d in drafts if d.described and 0 < d.place - scan.count_place < 3]
    if len(after) == len(before) == 1:  # `lifetimes of 400 bulbs: Weibull`
        after[0].label, before[0].label = before[0].label, ""
        unnamed, counted = [], []
    described = [
        d for d in drafts if d.described and d.label in ("hour", "minute", "hora", "minuto")
    ]
    if len(before) == len(described) == 1 and before[0].label:
        before[0].label = ""  # `sleep of 400 teenagers - hours, normal`
    if len(unnamed) > 1:
        raise NotUnderstood("it describes two columns without a name: say which is which")
    if counted and unnamed:
        unnamed[0].label = counted[0].label
        counted[0].label = ""
        counted[0].counted = True
    elif counted and usual_of(counted[0].label) and not any(d.described or d.role for d in drafts):
        counted[0].counted = False  # `200 IQ scores`


def _share(scan: Scan, drafts: Sequence[Draft]) -> None:
    """Give what `both normal` says to each column without a family."""
    shared = next((draft for draft in scan.drafts if draft.shared), None)
    described = [draft.label for draft in drafts if draft.described and draft.label]
    for draft in drafts:
        alias = not draft.described and bool(same_name(draft.label, described))
        other = draft.family or draft.labels or draft.role or draft.formula or draft.counted
        if shared is None or other or alias or not draft.label:
            continue
        draft.family = shared.family
        draft.arguments = draft.arguments or list(shared.arguments)
        draft.low = shared.low if draft.low is None else draft.low
        draft.high = shared.high if draft.high is None else draft.high
        for key, values in shared.numbers.items():
            draft.numbers.setdefault(key, list(values))


def _date_that_is_named_later(drafts: Sequence[Draft]) -> None:
    """`dated in 2025 (invoice_date as YYYY-MM-DD)` describes one column."""
    dated = [d for d in drafts if d.dates is not None and d.label in ("date", "fecha")]
    later = [d for d in drafts if not d.described and not d.counted and _is_date(d.label)]
    if len(dated) == len(later) == 1:
        dated[0].label, later[0].label = later[0].label, ""


def _named_later(drafts: Sequence[Draft]) -> None:
    """`waiting times, exponential, mean 7; column wait` describes one column."""
    names = [d for d in drafts if d.called and not (d.described or d.role or d.counted)]
    others = [d for d in drafts if _says_something(d) and not d.called]
    if len(names) == len(others) == 1:
        others[0].label, names[0].label = names[0].label, ""


def _merge_shorter(scan: Scan, drafts: Sequence[Draft]) -> None:
    """`final grade normal ..., with grades within 0 and 10`: the bounds belong to the longer name."""
    for draft in drafts:
        longer = [d for d in drafts if is_longer(scan, d.label, draft.label) and d.family]
        bare = not (draft.family or draft.numbers or draft.arguments or draft.labels or draft.role)
        bounded = draft.low is not None or draft.high is not None
        if not draft.label or len(longer) != 1 or not bare or not bounded or draft.multiple:
            continue
        if (
            not _means_the_same(scan, draft)
            or longer[0].low is not None
            or longer[0].high is not None
        ):
            continue
        longer[0].low, longer[0].high, longer[0].clip = draft.low, draft.high, draft.clip
        longer[0].low_open, longer[0].high_open = draft.low_open, draft.high_open
        draft.low = draft.high = None
        draft.label, draft.clip, draft.counted = "", False, False


def is_longer(scan: Scan, name: str, short: str) -> bool:
    """Whether a name is a short one with more words: `final_grade`, in Spanish `nota_final`."""
    spanish = scan.language == "es" and name.startswith(f"{short}_")
    return bool(short) and (name.endswith(f"_{short}") or spanish)


def _means_the_same(scan: Scan, draft: Draft) -> bool:
    """Whether a label repeats an earlier name: in the plural, or with `the`; not `a grade`."""
    word = scan.low(draft.place) if draft.place >= 0 else ""
    return scan.low(draft.place - 1) in ("the", "el", "la", "los", "las") or (
        word.endswith("s") and word != draft.label
    )


def _is_date(label: str) -> bool:
    return bool({"date", "fecha"} & {*label.split("_")})


def _only_sets_the_scene(scan: Scan, draft: Draft) -> bool:
    """Whether a label stands before the number of records, in a clause of its own."""
    if not 0 <= draft.place < scan.count_place or usual_of(draft.label) is not None:
        return False
    begins = draft.place
    while begins > 0 and scan.stem(begins - 1) not in (".", "!", "?", "\n"):
        begins -= 1
    ends = {":", ".", "\n", "!", ";"}
    ends |= {",", "and", "y"} if scan.low(begins) in _SPEAKERS else set()
    apart = any(scan.stem(i) in ends for i in range(draft.place, scan.count_place))
    return apart or scan.stem(scan.count_place + 2) == ":"
