"""Shows the last result of this experiment as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    seen, fresh = result["in a browser"], result["refreshing"]
    twenty, over = fresh["twenty of one view"], fresh["twenty over all pages"]
    serious = sum(map(len, seen["axe_serious"].values()))
    rows = [
        ["time to the first plot, nothing cached", f"{seen['first_plot_seconds']:.2f} s"],
        [
            "size of the first page",
            f"{seen['page_weight_mib']:.2f} MiB in {seen['page_requests']} requests",
        ],
        [
            "CPU per refresh and viewer, 20 viewers of one page",
            f"{twenty['cpu_ms_per_refresh']:.1f} ms",
        ],
        [
            "CPU per refresh and viewer, 20 viewers over all six pages",
            f"{over['cpu_ms_per_refresh']:.1f} ms",
        ],
        ["slowest panel over 10 million rows of a day", _slowest(result["a day"])],
        ["slowest panel over 10 million rows of a month", _slowest(result["a month"])],
        [
            "requests to other hosts; errors in the console",
            f"{len(seen['foreign_requests'])}; {len(seen['console_errors'])}",
        ],
        ["serious problems that axe reports, both themes", str(serious)],
    ]
    return f"{table(('', 'measured'), rows)}\n\n({result['machine']}.)"


def _slowest(part: Mapping[str, Any]) -> str:
    panels = [
        (ms, f"{panel} of {page}")
        for page, figures in part["pages"].items()
        for panel, ms in figures["panels_ms"].items()
    ]
    pages = [(figures["page_ms"], page) for page, figures in part["pages"].items()]
    ms, where = max(panels)
    return f"{ms:.0f} ms ({where}); slowest page {max(pages)[0]:.0f} ms"
