"""The timing diagram of a core, drawn from a recording of its cycle model."""

from __future__ import annotations

from collections.abc import Sequence

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Stream

from . import svg
from .vectors import Cycle

_CYCLE, _ROW, _HIGH, _SLANT = 46, 30, 18, 4
_LONGEST = 24
_BEFORE, _AFTER = 3, 3


def draw(top: str, config: BlockConfig, trace: Sequence[Cycle]) -> str | None:
    """SVG text of the cycles around one result, or None where the recording shows no good one.

    A good one has an input beat exactly `config.latency` cycles before a result, and neither
    reset nor a stalled result between them.
    """
    found = _window(config, trace)
    if found is None:
        return None
    first, result = found
    cycles = trace[first:result + _AFTER]
    streams = [port for port in config.ports if isinstance(port, Stream)]
    shown = [port for port in streams if any(cycle.inputs.get(f"{port.name}_valid")
             or cycle.outputs.get(f"{port.name}_valid") for cycle in cycles)]
    labels = [f"{_prefix(port)}_{signal}" for port in shown for signal in ("tvalid", "tready")]
    left = max(svg.text_width(label, 11.5, True) for label in labels) + 34
    right = left + _CYCLE * len(cycles)
    parts = [svg.text(left - 12, 42, "clk", size=11.5, anchor="end", mono=True),
             svg.line(_clock(left, 42, len(cycles)), colour=svg.LINE)]
    y = 42.0
    tops: dict[str, float] = {}
    for port in shown:
        y += 10
        for signal in ("tvalid", "tready", "tdata"):
            y += _ROW
            tops.setdefault(port.name, y - _HIGH)
            parts.append(svg.text(left - 12, y - 4, f"{_prefix(port)}_{signal}", size=11.5,
                                  anchor="end", mono=True))
            if signal == "tdata":
                parts += _bus(left, y, port, trace, first, len(cycles))
            else:
                levels = [_level(cycle, f"{port.name}_{signal[1:]}") for cycle in cycles]
                colour = svg.BLUE if port.direction == "in" else svg.TEAL
                parts.append(svg.line(_wave(left, y, levels), colour=colour))
    parts += _latency(left, y + 26, result - config.latency - first, result - first,
                      config.latency)
    grid = [svg.line([(left + _CYCLE * index, 18), (left + _CYCLE * index, y + 6)],
                     colour="#e2e8f0", thick=1) for index in range(len(cycles) + 1)]
    return svg.picture(right + 24, y + 48, f"Timing of {top}", grid + parts)


def _window(config: BlockConfig, trace: Sequence[Cycle]) -> tuple[int, int] | None:
    """First cycle to draw and the cycle of the result.

    Of the good places one with few results, which shows what belongs to what, and of these the
    one with the busiest inputs.
    """
    latency = config.latency
    if latency + _BEFORE + _AFTER > _LONGEST:
        return None
    streams = [port for port in config.ports if isinstance(port, Stream)]
    sources = [port for port in streams if port.direction == "in"]
    sinks = [port for port in streams if port.direction == "out"]
    best: tuple[int, int, int] | None = None
    for result in range(latency + _BEFORE, len(trace) - _AFTER):
        if not any(trace[result].moves(port) for port in sinks):
            continue
        first = result - latency - _BEFORE
        span = trace[first:result + _AFTER]
        calm = not any(cycle.reset for cycle in span) and all(
            cycle.inputs[f"{port.name}_ready"] for cycle in span for port in sinks)
        if not calm or not any(trace[result - latency].moves(port) for port in sources):
            continue
        taking = sum(cycle.moves(port) for cycle in span for port in sources)
        giving = sum(cycle.moves(port) for cycle in span for port in sinks)
        score = (-giving, taking, -result)
        if best is None or score > best:
            best = score
    return None if best is None else (-best[-1] - latency - _BEFORE, -best[-1])


def _level(cycle: Cycle, name: str) -> int:
    return cycle.inputs[name] if name in cycle.inputs else cycle.outputs[name]


def _clock(left: float, y: float, count: int) -> list[tuple[float, float]]:
    points = []
    for index in range(count):
        x = left + _CYCLE * index
        half = x + _CYCLE / 2
        points += [(x, y), (x, y - _HIGH), (half, y - _HIGH), (half, y)]
    return [*points, (left + _CYCLE * count, y)]


def _wave(left: float, y: float, levels: list[int]) -> list[tuple[float, float]]:
    points = [(left, y - _HIGH * levels[0])]
    for index, level in enumerate(levels):
        x = left + _CYCLE * index
        before = levels[index - 1] if index else level
        if level != before:
            points += [(x, y - _HIGH * before), (x + _SLANT, y - _HIGH * level)]
        points.append((x + _CYCLE, y - _HIGH * level))
    return points


def _bus(left: float, y: float, port: Stream, trace: Sequence[Cycle], first: int,
         count: int) -> list[str]:
    """Payloads as numbered beats, counted from the first one drawn."""
    parts, number, start = [], 0, 0
    colour = svg.BLUE if port.direction == "in" else svg.TEAL
    valid = [_level(trace[first + index], f"{port.name}_valid") for index in range(count)]
    for index in range(count):
        x = left + _CYCLE * index
        if not valid[index]:
            parts.append(svg.line([(x, y - _HIGH / 2), (x + _CYCLE, y - _HIGH / 2)],
                                  colour="#94a3b8", thick=1.2))
            start = index + 1
        elif trace[first + index].moves(port) or index == count - 1:
            x0, x1 = left + _CYCLE * start, x + _CYCLE
            parts.append(_cell(x0, x1, y, colour))
            parts.append(svg.text((x0 + x1) / 2, y - 5, f"{port.name}{number}", size=10.5,
                                  anchor="middle", mono=True))
            number, start = number + 1, index + 1
    return parts


def _cell(x0: float, x1: float, y: float, colour: str) -> str:
    middle = y - _HIGH / 2
    return svg.shape([(x0, middle), (x0 + _SLANT, y), (x1 - _SLANT, y), (x1, middle),
                      (x1 - _SLANT, y - _HIGH), (x0 + _SLANT, y - _HIGH)],
                     fill=svg.TINT, stroke=colour)


def _latency(left: float, y: float, start: int, end: int, latency: int) -> list[str]:
    x0, x1 = left + _CYCLE * start, left + _CYCLE * end
    label = f"latency {latency}"
    ends = [svg.line([(x, 18), (x, y + 6)], colour=svg.AMBER, thick=1.2, dash="3 3")
            for x in (x0, x1)]
    return [*ends, svg.arrow((x0, y), (x1, y), colour=svg.AMBER),
            svg.text(x1 + 8, y + 4, label, size=11.5, colour=svg.AMBER)]


def _prefix(port: Stream) -> str:
    return f"{'s' if port.direction == 'in' else 'm'}_axis_{port.name}"
