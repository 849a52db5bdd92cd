"""Tables in Markdown, and what stands in their cells."""

from collections.abc import Iterable, Sequence

from benchmarks.load import Percentiles


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruler = ["---", *["---:"] * (len(heading) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heading, ruler, *rows))


def shown(percentiles: Percentiles) -> tuple[str, str, str, str]:
    return (
        f"{percentiles.p50:.2f}",
        f"{percentiles.p90:.2f}",
        f"{percentiles.p99:.2f}",
        f"{percentiles.max:.2f}",
    )
