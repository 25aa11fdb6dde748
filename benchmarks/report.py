"""
Results as a table and as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from attrs import asdict, frozen

from benchmarks.figures import medians, ratios
from benchmarks.scenarios import Column, Scenario
from benchmarks.verdict import Run


@frozen
class Row:
    """
    All runs of one scenario with one server and one kind of clients.

    :ivar base: those of the first server with the same scenario and clients.
    """

    scenario: Scenario
    server: str
    clients: str
    runs: Sequence[Run]
    base: Sequence[Run]

    @property
    def figures(self) -> dict[str, float]:
        """
        The medians of the figures.
        """
        return medians([run.figures for run in self.runs])

    @property
    def ratios(self) -> dict[str, float]:
        """
        The medians of the ratios to the first server.
        """
        return ratios([run.figures for run in self.runs], [run.figures for run in self.base])

    @property
    def is_valid(self) -> bool:
        """
        Whether all runs are.
        """
        return not any(run.problems for run in self.runs)


def tables(rows: Sequence[Row]) -> str:
    """
    A table for each scenario, or for all of a group that have an axis.
    """
    together: dict[str, list[Row]] = {}
    for row in rows:
        scenario = row.scenario
        by = f", by {scenario.axis}" if scenario.axis else f": {scenario.title}"
        together.setdefault(scenario.group + by, []).append(row)
    return "\n".join(_table(title, members) for title, members in together.items())


def _table(title: str, rows: Sequence[Row]) -> str:
    scenario = rows[0].scenario
    several = len({row.server for row in rows}) > 1
    headings = ["server", "clients", *(["at"] if scenario.axis else [])]
    for column in scenario.columns:
        headings += [column.heading, "ratio"] if column.compared and several else [column.heading]
    cells = [_cells(row, scenario.columns, several=several) for row in rows]
    return "\n".join([title, *_aligned([headings, *cells]), *_notes(rows), ""])


def _cells(row: Row, columns: Sequence[Column], *, several: bool) -> list[str]:
    figures, compared = row.figures, row.ratios
    cells = [row.server + ("" if row.is_valid else "!"), row.clients]
    if row.scenario.axis:
        cells.append(f"{row.scenario.x:g}")
    for column in columns:
        cells.append(_shown(figures, column.key, column.layout))
        if column.compared and several:
            cells.append(_shown(compared, column.key, ".2f"))
    return cells


def _shown(figures: Mapping[str, float], key: str, layout: str) -> str:
    return format(figures[key], layout) if key in figures else "-"


def _aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    left = 2  # columns of names
    for cells in table:
        parts = [
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        yield "  " + "  ".join(parts).rstrip()


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for number, run in enumerate(row.runs, 1):
            at = f" at {row.scenario.x:g}" if row.scenario.axis else ""
            which = f"{row.server} {row.clients}{at}, run {number}"
            if run.problems:
                yield f"  ! {which}: NOT VALID: {'; '.join(run.problems)}"
            if run.remarks:
                yield f"  * {which}: {'; '.join(run.remarks)}"


def as_json(rows: Sequence[Row], conditions: Mapping[str, object]) -> str:
    """
    Everything, each run included.
    """
    results = [
        {
            "scenario": row.scenario.group,
            "title": row.scenario.title,
            "options": dict(row.scenario.options),
            "server": row.server,
            "clients": row.clients,
            "medians": row.figures,
            "ratios": row.ratios,
            "runs": [asdict(run) for run in row.runs],
        }
        for row in rows
    ]
    return json.dumps({"conditions": conditions, "results": results}, indent=2) + "\n"
