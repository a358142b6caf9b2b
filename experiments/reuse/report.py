"""Shows the last result of this experiment as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    pairs, data, looks = result["pairs"], result["data"], result["lookups"]
    unseen, languages, swaps = pairs["unseen"], pairs["multilingual"], pairs["swaps"]
    large, streams, watch = looks["large"], result["streams"], result["monitor"]
    batches, cache = result["repeats"]["batches"], result["repeats"]["cache"]
    fewest = min(b["distinct_records"] for b in batches if b["batch"] != "drawn")
    drawn = min(b["distinct_answers"] for b in batches if b["batch"] == "drawn")
    changes = f"{data['right']} of {data['number_changes']}"
    faster = looks["encoder"]["torch_over_onnx_p50"]
    rows = [
        (
            f"wrong reuse, {unseen['pairs']} unseen pairs by strangers in 16 kinds: share, at most",
            f"{unseen['wrong_share']:.1%}, {unseen['wrong_at_most']:.1%}",
        ),
        (
            "wrong among what was served, the same pairs",
            f"{unseen['wrong_of_served']:.1%} ({unseen['wrong']} of {unseen['served']})",
        ),
        (
            "paraphrases recognised, the same pairs: bare machine; with a backend right at 97%",
            f"{unseen['recall']:.0%}; {unseen['with_backend']['recall']:.0%}",
        ),
        (
            f"cosine >= .95 alone, the same pairs: wrong of {unseen['pairs'] - unseen['same']}",
            f"{unseen['cosine_095_wrong']}",
        ),
        (
            f"swapped questions taken for the same, of {swaps['pairs']}",
            f"{swaps['wrong']} (cosine >= .95: {swaps['cosine_095_wrong']})",
        ),
        (
            f"{languages['pairs']} pairs in Spanish, German, Ukrainian and Chinese: wrong",
            f"{languages['wrong']}",
        ),
        ("requests with other numbers that an edited program answers rightly", changes),
        ("mock records in 100 identical requests of a batch: distinct of 10,000", f"{fewest:,}"),
        ("drawn data in 100 identical requests of a batch: distinct answers", f"{drawn}"),
        (
            f"`$cache: 4`, {cache['asks']} asks of two routers: variants, and how often each",
            f"{cache['variants']}: {', '.join(map(str, cache['counts']))}",
        ),
        (
            "streams that kept the budget of 1% wrong answers",
            f"{sum(s['kept'] for s in streams)} of {sum(s['seeds'] for s in streams)}",
        ),
        (
            f"reuse that turns {watch['planted']:.0%} wrong after {watch['good_checks_before']:,} "
            f"good checks, noticed within {watch['within']} checks",
            f"{watch['noticed']} of {watch['seeds']}",
        ),
        (
            "checked hits, and hits, until it stops: p50 / p95",
            f"{watch['checked_p50']} / {watch['checked_p95']}, "
            f"{watch['hits_p50']:,} / {watch['hits_p95']:,}",
        ),
        (
            "false alarms in 1,000 checks of a kind that is 0.3% wrong, at a budget of 1%",
            f"{watch['stopped_in_1000_checks']['0.3%']} of {watch['seeds']}",
        ),
        ("lookup of an identical request, p50 / p99", _times(looks["exact_of_10k"])),
        (
            f"lookup of a vector among {large['count']:,} solutions, p50 / p99",
            _times(large["lookup"]),
        ),
        ("encoding, lookup and guards together, p50 / p99", _times(large["whole"])),
        ("that index: memory, time to load, recall@1", _large(large)),
        ("the encoder, compared with torch", f"{faster:.1f} times as fast"),
    ]
    return table(("", "measured"), rows)


def _times(times: Mapping[str, float]) -> str:
    return f"{_time(times['p50_us'])} / {_time(times['p99_us'])}"


def _time(micros: float) -> str:
    return f"{micros:.0f} us" if micros < 1000 else f"{micros / 1000:.1f} ms"


def _large(index: Mapping[str, Any]) -> str:
    return f"{index['memory_gb']:.2f} GB, {index['reload_s']:.1f} s, {index['recall_at_1']:.3f}"
