"""Shows the last result of this experiment as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    pairs, data, looks = result["pairs"], result["data"], result["lookups"]
    unseen, large = pairs["unseen"], looks["large"]
    others = sum(t["pairs"] for kind, t in pairs["by_class"].items() if kind != "paraphrase")
    cosine = sum(t["cosine_095"] for kind, t in pairs["by_class"].items() if kind != "paraphrase")
    streams = result["streams"]
    changes = f"{data['right']} of {data['number_changes']}"
    faster = looks["encoder"]["torch_over_onnx_p50"]
    rows = [
        ("pairs that differ and were answered from memory", f"{pairs['all']['wrong']} of {others}"),
        ("the same by cosine >= .95 alone", f"{cosine} of {others}"),
        ("at most, at 95%", f"{pairs['all']['wrong_at_most']:.2%}"),
        ("paraphrases recognised, pairs not looked at before", f"{unseen['hits']:.0%}"),
        ("other numbers, by the stored program, verified", changes),
        (
            "streams that kept a budget of 1% wrong",
            f"{sum(s['kept'] for s in streams)} of {sum(s['seeds'] for s in streams)}",
        ),
        ("the same request, hash and look, p50 / p99", _times(looks["exact_of_10k"])),
        (f"look at {large['count']:,}", _times(large["lookup"])),
        ("its vector, that look, the guards", _times(large["whole"])),
        ("its memory, reload, recall@1", _large(large)),
        ("the encoder beside torch", f"{faster:.1f} times as fast"),
    ]
    return table(("", "measured"), rows)


def _times(times: Mapping[str, float]) -> str:
    return f"{_time(times['p50_us'])} / {_time(times['p99_us'])}"


def _time(micros: float) -> str:
    return f"{micros:.0f} us" if micros < 1000 else f"{micros / 1000:.1f} ms"


def _large(index: Mapping[str, Any]) -> str:
    return f"{index['memory_gb']:.2f} GB, {index['reload_s']:.1f} s, {index['recall_at_1']:.3f}"
