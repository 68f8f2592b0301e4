"""The block diagram of a core: stages from left to right, streams in and out, registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap
from typing import NamedTuple

from pimlico.hdl.common.config import BlockConfig
from pimlico.hdl.common.ports import Port, Stream

from . import svg
from .block import Block

_BOX, _GAP, _BAR, _PITCH, _EDGE = 168, 30, 7, 44, 24
_TITLE_LINE, _DETAIL_LINE = 22, 16
_MOST_BARS = 10


class Stage(NamedTuple):
    """A box of the diagram.

    ``Block.diagram`` returns these, or plain tuples of the same values.

    Parameters
    ----------
    title, detail : str
        What the stage is called, and what it does in a few words.
    registers : int
        Register stages at its end; over a whole core they add up to the latency. Of many, some
        are drawn, with all their cycles above.
    ports : sequence of str
        Streams that enter or leave here. Streams that no stage names belong to the control,
        or, where no stage names any, to the first and the last stage.
    """

    title: str
    detail: str
    registers: int = 1
    ports: Sequence[str] = ()


def stages(block: Block, config: BlockConfig) -> list[Stage]:
    """The stages that the block declares, or one box where it declares none."""
    if block.diagram is None:
        return [Stage(block.name, block.summary, 0)]
    return [Stage(*entry) for entry in block.load("diagram")(config)]


def draw(top: str, config: BlockConfig, steps: Sequence[Stage], reset: str = "rst") -> str:
    """The diagram as SVG text; `reset` is the name of the reset pin."""
    return _Drawing(top, config, steps, f"clk, {reset}").svg()


class _Drawing:
    def __init__(self, top: str, config: BlockConfig, steps: Sequence[Stage], clock: str):
        self.top, self.config, self.steps, self.clock = top, config, steps, clock
        self.details = [_balanced(step.detail) for step in steps]
        named = {name for step in steps for name in step.ports}
        streams = [port for port in config.ports if isinstance(port, Stream)]
        last = len(steps) - 1
        self.at: dict[int, list[Stream]] = {index: [] for index in range(len(steps))}
        self.control: list[Port] = []
        for stream in streams:
            here = [index for index, step in enumerate(steps) if stream.name in step.ports]
            if here or not named:
                index = here[0] if here else 0 if stream.direction == "in" else last
                self.at[index].append(stream)
            else:
                self.control.append(stream)
        self.control += _wires(config)
        self.left = [port for port in self.at[0] if port.direction == "in"]
        self.right = [port for port in self.at[last] if port.direction == "out"]
        self._lay_out()

    def _lay_out(self) -> None:
        ins = [port for port in self.control if port.direction == "in"]
        outs = [port for port in self.control if port.direction == "out"]
        self.control_ins, self.control_outs = ins, outs
        names = [*map(_name, self.left), *map(_name, ins), self.clock]
        self.x0 = max(svg.text_width(name, 12, True) for name in names) + 36
        tall = max([_TITLE_LINE + _DETAIL_LINE * len(lines) + 26 for lines in self.details])
        self.height = max(tall, _PITCH * len(self.left), _PITCH * len(self.right), 92)
        above = any(self._vertical(index, "in") for index in self.at)
        below = any(self._vertical(index, "out") for index in self.at)
        self.y0 = 62 + (46 if above else 0)
        self.boxes_y = self.y0 + 26
        rows = max(len(ins) + 1, len(outs))
        self.control_y = self.boxes_y + self.height + (54 if below else 28)
        self.control_height = 26 * rows + 10
        self.y1 = self.control_y + self.control_height + 20
        self.boxes_x = []
        x = self.x0 + _EDGE + 12
        for step in self.steps:
            self.boxes_x.append(x)
            x += _BOX + _GAP + (_BAR + 5) * _bars(step)
        self.x1 = x + _EDGE - 6
        outputs = [*map(_name, self.right), *map(_name, outs)]
        labels = [svg.text_width(name, 12, True) for name in outputs]
        self.width = max(self.x1 + max(labels, default=0) + 36,
                         48 + svg.text_width(self.top, 15, True))

    def _vertical(self, index: int, direction: str) -> list[Stream]:
        """Streams of a stage that do not fit the row: drawn from above, or out below."""
        side = self.left if direction == "in" else self.right
        return [port for port in self.at[index] if port.direction == direction and port not in side]

    def svg(self) -> str:
        config = self.config
        rate = "a beat a cycle" if config.interval == 1 else f"a beat in {config.interval} cycles"
        cycles = f"{config.latency} cycle" + ("s" if config.latency != 1 else "")
        parts = [
            svg.box(self.x0, self.y0, self.x1 - self.x0, self.y1 - self.y0,
                    fill=svg.TINT, radius=10),
            svg.text(24, 28, self.top, size=15, bold=True, mono=True),
            svg.text(24, 47, f"latency {cycles}, {rate}", colour=svg.MUTED),
        ]
        for index in range(len(self.steps)):
            parts += self._stage(index)
        parts += self._sides()
        parts += self._control()
        parts += self._legend()
        return svg.picture(self.width, self.y1 + 34, f"Block diagram of {self.top}", parts)

    def _stage(self, index: int) -> list[str]:
        step, lines = self.steps[index], self.details[index]
        x, y = self.boxes_x[index], self.boxes_y
        middle = y + self.height / 2
        parts = [svg.box(x, y, _BOX, self.height)]
        baseline = middle - (_DETAIL_LINE * len(lines)) / 2 + 2
        parts.append(svg.text(x + _BOX / 2, baseline, step.title, size=14, anchor="middle",
                              bold=True))
        parts += [svg.text(x + _BOX / 2, baseline + 20 + row * _DETAIL_LINE, line, size=11.5,
                           colour=svg.LINE, anchor="middle") for row, line in enumerate(lines)]
        end = x + _BOX + 12
        if step.registers:
            parts.append(svg.line([(x + _BOX, middle), (end, middle)], thick=2.2))
        if _bars(step) < step.registers:
            parts.append(svg.text(end + (_BAR + 5) * _bars(step) / 2, y - 7,
                                  f"{step.registers} cycles", size=10.5, colour=svg.MUTED,
                                  anchor="middle"))
        for _ in range(_bars(step)):
            parts += _register(end, y, self.height)
            end += _BAR + 5
        if index + 1 < len(self.steps):
            start = end - 5 if step.registers else x + _BOX
            parts.append(svg.arrow((start, middle), (self.boxes_x[index + 1], middle), thick=2.2))
        for direction in ("in", "out"):
            ports = self._vertical(index, direction)
            widths = [svg.text_width(_name(port), 12, True) + 14 for port in ports]
            at = x + (_BOX - sum(widths)) / 2
            for port, width in zip(ports, widths, strict=True):
                parts += self._upright(min(max(at + width / 2, x + 8), x + _BOX - 8), port)
                at += width
        return parts

    def _upright(self, x: float, port: Stream) -> list[str]:
        if port.direction == "in":
            start, end, label, colour = self.y0 - 14, self.boxes_y, self.y0 - 34, svg.BLUE
        else:
            start, end = self.boxes_y + self.height, self.boxes_y + self.height + 22
            label, colour = end + 14, svg.TEAL
        return [svg.arrow((x, start), (x, end), colour=colour),
                svg.text(x, label, _name(port), anchor="middle", mono=True),
                svg.text(x, label + 14, _size(port), size=10.5, colour=svg.MUTED,
                         anchor="middle")]

    def _sides(self) -> list[str]:
        parts = []
        for index, port in enumerate(self.left):
            y = self._row(index, len(self.left))
            parts += [svg.arrow((self.x0 - 16, y), (self.boxes_x[0], y), colour=svg.BLUE),
                      *_label(self.x0 - 22, y, port, "end")]
        step = self.steps[-1]
        start = self.boxes_x[-1] + _BOX + (12 + (_BAR + 5) * _bars(step) - 5
                                           if step.registers else 0)
        for index, port in enumerate(self.right):
            y = self._row(index, len(self.right))
            parts += [svg.arrow((start, y), (self.x1 + 16, y), colour=svg.TEAL),
                      *_label(self.x1 + 22, y, port, "start")]
        return parts

    def _row(self, index: int, count: int) -> float:
        return self.boxes_y + self.height * (2 * index + 1) / (2 * count)

    def _control(self) -> list[str]:
        x, y, width = self.boxes_x[0], self.control_y, self.x1 - _EDGE - self.boxes_x[0]
        parts = [svg.box(x, y, width, self.control_height, stroke=svg.MUTED, thick=1),
                 svg.text(x + width / 2, y + self.control_height / 2 + 4,
                          "control: handshakes, counters, status" if self.control else
                          "handshakes", size=11.5, colour=svg.LINE, anchor="middle")]
        for index, port in enumerate([*self.control_ins, None]):
            at = y + 18 + 26 * index
            colour = svg.BLUE if isinstance(port, Stream) else svg.MUTED
            parts.append(svg.arrow((self.x0 - 16, at), (x, at), colour=colour, thick=1.4))
            parts.append(svg.text(self.x0 - 22, at + 4, _name(port) if port else self.clock,
                                  anchor="end", mono=True))
        for index, port in enumerate(self.control_outs):
            at = y + 18 + 26 * index
            colour = svg.TEAL if isinstance(port, Stream) else svg.MUTED
            parts.append(svg.arrow((x + width, at), (self.x1 + 16, at), colour=colour, thick=1.4))
            parts.append(svg.text(self.x1 + 22, at + 4, _name(port), mono=True))
        return parts

    def _legend(self) -> list[str]:
        x, y = self.x0, self.y1 + 20
        parts = [svg.arrow((x, y - 4), (x + 26, y - 4), colour=svg.BLUE),
                 svg.text(x + 34, y, "stream in", size=11, colour=svg.MUTED),
                 svg.arrow((x + 102, y - 4), (x + 128, y - 4), colour=svg.TEAL),
                 svg.text(x + 136, y, "stream out", size=11, colour=svg.MUTED)]
        if any(step.registers for step in self.steps):
            parts += [svg.box(x + 212, y - 11, _BAR, 14, fill=svg.AMBER, stroke="none", radius=1),
                      svg.text(x + 227, y, "register", size=11, colour=svg.MUTED)]
        return parts


def _bars(step: Stage) -> int:
    """How many registers of a stage are drawn."""
    return min(step.registers, _MOST_BARS)


def _wires(config: BlockConfig) -> list[Port]:
    """The plain wires, those of a group as one for each direction."""
    drawn: dict[tuple[str, str], Port] = {}
    for port in config.ports:
        if not isinstance(port, Stream):
            name = port.group or port.name
            drawn.setdefault((name, port.direction), replace(port, name=name))
    return list(drawn.values())


def _register(x: float, y: float, height: float) -> list[str]:
    foot = y + height
    return [svg.box(x, y, _BAR, height, fill=svg.AMBER, stroke="none", radius=1.5),
            svg.shape([(x + 1, foot), (x + _BAR / 2, foot - 6), (x + _BAR - 1, foot)],
                      fill=svg.PAPER)]


def _label(x: float, y: float, port: Stream, anchor: svg.Anchor) -> list[str]:
    return [svg.text(x, y + 1, _name(port), anchor=anchor, mono=True),
            svg.text(x, y + 15, _size(port), size=10.5, colour=svg.MUTED, anchor=anchor)]


def _name(port: Port) -> str:
    if not isinstance(port, Stream):
        return port.name
    return f"{'s' if port.direction == 'in' else 'm'}_axis_{port.name}"


def _size(port: Stream) -> str:
    first = port.fields[0]
    if first.lanes > 1:
        return f"{first.lanes} × {first.width} bits"
    return f"{port.width} bit" + ("s" if port.width > 1 else "")


def _balanced(detail: str) -> list[str]:
    """Lines of at most 25 characters, as even as they go without one more line."""
    fewest = len(wrap(detail, 25))
    return next(lines for width in range(12, 26) if len(lines := wrap(detail, width)) <= fewest)
