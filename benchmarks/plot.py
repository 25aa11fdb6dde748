"""
Results as a picture, in SVG: lines where a scenario has an axis, bars elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from math import ceil, floor, log10

from benchmarks.report import Row
from benchmarks.scenarios import Column

_WIDTH = 760
_LEFT, _RIGHT = 200, 90
_BAR, _LINE_CHART = 22, 260
_MARGIN = 34
_SPAN = _WIDTH - _LEFT - _RIGHT
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666")


def as_svg(rows: Sequence[Row]) -> str:
    """
    A chart for each figure that is compared between servers.
    """
    colours = _colours(rows)
    parts: list[str] = []
    y = _MARGIN
    for part, height in _charts(rows, colours):
        parts.append(f'<g transform="translate(0 {y})">{part}</g>')
        y += height + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}"'
        f' viewBox="0 0 {_WIDTH} {y}" font-family="sans-serif" font-size="12">\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _colours(rows: Sequence[Row]) -> dict[str, str]:
    names = dict.fromkeys(map(_name, rows))
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}


def _name(row: Row) -> str:
    return f"{row.server} {row.clients}"


def _charts(rows: Sequence[Row], colours: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """
    Each chart, and its height.
    """
    for _, group in groupby(rows, key=lambda row: row.scenario.group):
        members = list(group)
        columns = [column for column in members[0].scenario.columns if column.compared]
        for column in columns:
            if members[0].scenario.axis:
                yield _lines(members, column, colours), _LINE_CHART
                continue
            for title in dict.fromkeys(row.scenario.title for row in members):
                shown = [row for row in members if row.scenario.title == title]
                yield _bars(title, shown, column, colours), _BAR * (len(shown) + 1)


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


def _bars(title: str, rows: Sequence[Row], column: Column, colours: Mapping[str, str]) -> str:
    values = [row.figures.get(column.key) for row in rows]
    longest = max((value for value in values if value is not None), default=0) or 1
    parts = [_text(10, 0, f"{title}: {column.heading}", weight="bold")]
    for index, (row, value) in enumerate(zip(rows, values, strict=True)):
        y = 10 + _BAR * index
        parts.append(_text(_LEFT - 8, y + 13, _name(row), "end"))
        if value is None:
            parts.append(_text(_LEFT, y + 13, "-"))
            continue
        width = max(1.0, _SPAN * value / longest)
        parts.append(
            f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR - 5}"'
            f' fill="{colours[_name(row)]}"/>'
        )
        parts.append(_text(_LEFT + width + 6, y + 13, format(value, column.layout)))
    return "".join(parts)


def _lines(rows: Sequence[Row], column: Column, colours: Mapping[str, str]) -> str:
    """
    Both axes are logarithmic.
    """
    points = [
        (row, row.scenario.x, row.figures[column.key])
        for row in rows
        if row.figures.get(column.key, 0) > 0
    ]
    title = _text(10, 0, f"{rows[0].scenario.group}: {column.heading}", weight="bold")
    if not points:
        return title
    xs, ys = [x for _, x, _ in points], [y for _, _, y in points]
    bottom, top = floor(log10(min(ys))), max(ceil(log10(max(ys))), floor(log10(min(ys))) + 1)
    left, right = log10(min(xs)), max(log10(max(xs)), log10(min(xs)) + 0.1)
    height = _LINE_CHART - 70

    def place(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - left) / (right - left)
        up = (log10(y) - bottom) / (top - bottom)
        return _LEFT + _SPAN * across, 14 + height * (1 - up)

    parts = [title]
    for power in range(bottom, top + 1):
        _, y = place(xs[0], 10**power)
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{_SPAN}" stroke="#ccc"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{10.0**power:,g}", "end"))
    for x in dict.fromkeys(xs):
        across, _ = place(x, 10**bottom)
        parts.append(_text(across, 14 + height + 16, f"{x:g}", "middle"))
    parts.append(_text(_LEFT + _SPAN / 2, 14 + height + 34, rows[0].scenario.axis, "middle"))
    for index, name in enumerate(dict.fromkeys(_name(row) for row, _, _ in points)):
        parts.append(_text(28, 26 + 18 * index, name))
        parts.append(
            f'<rect x="10" y="{17 + 18 * index}" width="12" height="9" fill="{colours[name]}"/>'
        )
        path = [place(x, y) for row, x, y in points if _name(row) == name]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
        parts.append(
            f'<polyline points="{joined}" fill="none" stroke="{colours[name]}" stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colours[name]}"/>' for x, y in path
        ]
    return "".join(parts)
