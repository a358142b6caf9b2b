"""Shows the figures of the last build as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    size, targets = result["environment"], result["targets"]
    image, whole = result["image"], result["whole"]
    largest = ", ".join(f"{name} {mb}" for name, mb in size["largest"].items())
    answers = result["answers"]
    same = sum(row["same"] for row in answers.values())
    plans = ", ".join(f"{name} ({row['plan']})" for name, row in answers.items())
    gone = ", ".join(name for name, missing in result["without_torch"].items() if missing)
    rows = [
        ("environment on disk, MB", f"{size['mb']:,}", f"≤ {targets['environment_mb']:,}"),
        ("its largest parts, MB", largest, ""),
        ("not installed", gone, "torch"),
        ("same answers as with torch", f"{same} of {len(answers)}: {plans}", "all"),
        ("processes that load torch", str(image["loaded"]["libtorch"]), "0"),
        (
            "idle memory of all processes, MB (PSS)",
            f"{image['idle']['pss_mb']:,.0f} (whole environment: {whole['idle']['pss_mb']:,.0f})",
            f"≤ {targets['idle_mb']:,}",
        ),
        ("after these answers, MB (PSS)", f"{image['after_answers']['pss_mb']:,.0f}", ""),
    ]
    return table(("the image's environment", "measured", "target"), rows)
