"""The drawing: the clip's time in rows as of a score, in each the source above and its dub below, as SVG."""

from dataclasses import dataclass
from html import escape

from orchestrator.media.clip import Mono
from orchestrator.picture.dub import DrawnSentence
from orchestrator.picture.energy import QUIETEST_DBFS, STEP_MS
from orchestrator.settings import TimingSettings

WIDTH, MARGIN = 1150, 76
"""Of a row's time, and of the names of its lanes to the left, in CSS pixels."""
ROW_MS = 15_000
TICK_MS = 1000
_AXIS, _ENERGY, _BOX, _LINK, _RATE, _PAD = 18, 38, 34, 22, 40, 6


@dataclass(frozen=True, slots=True)
class Lanes:
    """Upper edges of a row's lanes; the last one is the row's height."""

    source_energy: int = _AXIS
    source: int = _AXIS + _ENERGY + 2
    dub: int = _AXIS + _ENERGY + 2 + _BOX + _LINK
    dub_energy: int = _AXIS + _ENERGY + 2 + 2 * _BOX + _LINK + 2
    rate: int = _AXIS + 2 * _ENERGY + 4 + 2 * _BOX + _LINK + _PAD
    height: int = _AXIS + 2 * _ENERGY + 4 + 2 * _BOX + _LINK + 2 * _PAD + _RATE


LANES = Lanes()


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of the clip's time, drawn over the whole width."""

    from_ms: int
    to_ms: int

    def x(self, ms: float) -> float:
        """Where a time lies; beyond the row's ends: at them."""
        clamped = min(max(ms, self.from_ms), self.to_ms)
        return MARGIN + WIDTH * (clamped - self.from_ms) / (self.to_ms - self.from_ms)

    def shows(self, from_ms: int, to_ms: int) -> bool:
        """Some of the span lies in the row."""
        return from_ms < self.to_ms and to_ms > self.from_ms


def rows_of(duration_ms: int) -> list[Row]:
    """Cut the clip into rows of one length, no longer than ROW_MS."""
    count = max(1, -(-duration_ms // ROW_MS))
    length = max(-(-duration_ms // count), TICK_MS)
    return [Row(number * length, (number + 1) * length) for number in range(count)]


def draw_row(row: Row, sentences: list[DrawnSentence], source: Mono | None, dub: Mono, timing: TimingSettings) -> str:
    """Return one row as an SVG element. `source` and `dub`: levels (energy.py); None: the source is not at hand."""
    parts = [_axis(row), _names(with_source=source is not None)]
    if source is not None:
        parts.append(_energy(row, source, LANES.source_energy, "source"))
    parts.append(_energy(row, dub, LANES.dub_energy, "dub"))
    parts.append(_rate_guides(timing))
    for number, sentence in enumerate(sentences, start=1):
        parts.append(_sentence(row, number, sentence, timing))
    label = f"{row.from_ms / 1000:.0f} to {row.to_ms / 1000:.0f} seconds"
    return (
        f'<svg class="row" viewBox="0 0 {MARGIN + WIDTH + 8} {LANES.height}" role="img" aria-label="{label}">'
        + "".join(parts)
        + "</svg>"
    )


def _axis(row: Row) -> str:
    parts = []
    for ms in range(-(-row.from_ms // TICK_MS) * TICK_MS, row.to_ms + 1, TICK_MS):
        x = row.x(ms)
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{_AXIS - 4}" y2="{LANES.height}"/>')
        parts.append(f'<text class="time" x="{x:.1f}" y="11">{_clock(ms)}</text>')
    return "".join(parts)


def _names(*, with_source: bool) -> str:
    lanes = [
        (LANES.source + _BOX / 2, "source"),
        (LANES.dub + _BOX / 2, "dub"),
        (LANES.dub_energy + _ENERGY / 2, "its level"),
        (LANES.rate + _RATE / 2, "rate"),
    ]
    if with_source:
        lanes.append((LANES.source_energy + _ENERGY / 2, "its level"))
    return "".join(f'<text class="lane" x="0" y="{y + 4:.0f}">{name}</text>' for y, name in lanes)


def _energy(row: Row, levels: Mono, top: int, kind: str) -> str:
    first, last = row.from_ms // STEP_MS, min(len(levels), -(-row.to_ms // STEP_MS))
    if last <= first:
        return ""
    bottom = top + _ENERGY
    heights = (levels[first:last] - QUIETEST_DBFS) / -QUIETEST_DBFS * _ENERGY
    points = " ".join(
        f"{row.x((first + index) * STEP_MS + STEP_MS / 2):.1f},{bottom - height:.1f}"
        for index, height in enumerate(heights.tolist())
    )
    ends = f"{row.x(first * STEP_MS):.1f},{bottom} {points} {row.x(last * STEP_MS):.1f},{bottom}"
    return f'<polygon class="energy {kind}" points="{ends}"/>'


def _sentence(row: Row, number: int, sentence: DrawnSentence, timing: TimingSettings) -> str:
    parts = []
    if row.shows(sentence.start_ms, sentence.end_ms):
        span = (sentence.start_ms, sentence.end_ms)
        kind = "source" if sentence.dubbed else "source kept"
        parts.append(_box(row, span, LANES.source, kind, number, sentence.source_text))
    if sentence.dubbed and row.shows(sentence.dub_start_ms, sentence.dub_end_ms):
        span = (sentence.dub_start_ms, sentence.dub_end_ms)
        parts += [_box(row, span, LANES.dub, f"dub {sentence.verdict}", number, sentence.text)]
        parts += [_links(row, sentence), _rate(row, sentence, timing)]
    return "".join(parts)


def _box(row: Row, span: tuple[int, int], top: int, kind: str, number: int, text: str) -> str:
    """Draw a sentence; its text is cut where its time ends, and whole in the tooltip."""
    x, width = row.x(span[0]), row.x(span[1]) - row.x(span[0])
    shown = escape(" ".join(text.split()) or "no speech")
    times = f"{span[0] / 1000:.2f} to {span[1] / 1000:.2f} s"
    return (
        f'<svg x="{x:.1f}" y="{top}" width="{max(width, 1):.1f}" height="{_BOX}">'
        f"<title>{number}, {times}: {shown}</title>"
        f'<rect class="box {escape(kind)}" width="100%" height="100%" rx="4"/>'
        f'<text class="number" x="6" y="13">{number}</text><text class="said" x="6" y="27">{shown}</text></svg>'
    )


def _links(row: Row, sentence: DrawnSentence) -> str:
    """Join both starts and both ends: upright lines are speech in place, slanting ones are late or long."""
    top, bottom = LANES.source + _BOX, LANES.dub
    lines = ""
    for kind, above, below in (
        ("start", sentence.start_ms, sentence.dub_start_ms),
        ("end", sentence.end_ms, sentence.dub_end_ms),
    ):
        if row.shows(min(above, below) - 1, max(above, below) + 1):
            x1, x2 = row.x(above), row.x(below)
            lines += f'<line class="link {kind}" x1="{x1:.1f}" y1="{top}" x2="{x2:.1f}" y2="{bottom}"/>'
    return lines


def _rate_y(rate: float, timing: TimingSettings) -> float:
    """Where a rate lies in its lane: 1 at the bottom, the highest that is planned near the top."""
    share = (rate - 1.0) / max(timing.max_rate - 1.0, 0.01) * 0.85
    return LANES.rate + _RATE * (1 - min(max(share, 0.0), 1.0))


def _rate_guides(timing: TimingSettings) -> str:
    parts = []
    for rate in (1.0, timing.preferred_max_rate, timing.max_rate):
        y = _rate_y(rate, timing)
        parts.append(f'<line class="guide" x1="{MARGIN}" x2="{MARGIN + WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="guide" x="{MARGIN - 4}" y="{y + 3:.1f}">{rate:g}</text>')
    return "".join(parts)


def _rate(row: Row, sentence: DrawnSentence, timing: TimingSettings) -> str:
    """Draw the rate as a bar; the lower part is what the engine itself spoke faster."""
    x, width = row.x(sentence.dub_start_ms), row.x(sentence.dub_end_ms) - row.x(sentence.dub_start_ms)
    bottom = LANES.rate + _RATE
    bars = "".join(
        f'<rect class="rate {kind}" x="{x:.1f}" width="{max(width, 1):.1f}" y="{y:.1f}" height="{bottom - y + 1:.1f}"/>'
        for kind, y in (
            (escape(sentence.verdict), _rate_y(sentence.rate, timing)),
            ("asked", _rate_y(min(sentence.speed, sentence.rate), timing)),
        )
        if y < bottom
    )
    y = max(LANES.rate + 10, _rate_y(sentence.rate, timing) - 3)
    return f'{bars}<text class="rate" x="{x + 4:.1f}" y="{y:.1f}">{sentence.rate:.2f}</text>'


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"
