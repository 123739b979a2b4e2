"""The page: figures, rows and a table of the sentences, in one file without any other."""

from html import escape
from importlib.resources import files

from orchestrator.media.clip import Mono
from orchestrator.picture.dub import DrawnSentence, FinishedDub
from orchestrator.picture.rows import draw_row, rows_of
from orchestrator.settings import TimingSettings

_COLUMNS = ("", "source", "dub", "natural", "slot", "rate", "asked", "stretched", "silence used", "late", "fit")
_MEANING = {
    "fits": "natural, or up to 1.2 times as fast",
    "tight": "audibly fast",
    "overflow": "too long: the next one waits",
    "kept": "no speech: the source's own sound",
}


def timeline_page(dub: FinishedDub, source: Mono | None, result: Mono, timing: TimingSettings) -> str:
    """Return the HTML. `source` and `result`: levels of both sounds (energy.py); None: the source is not at hand."""
    report, sentences = dub.report, list(dub.sentences)
    rows = rows_of(round(report.clip.duration_s * 1000))
    drawn = "".join(draw_row(row, sentences, source, result, timing) for row in rows)
    style = files("orchestrator.picture").joinpath("style.css").read_text(encoding="utf-8")
    title = f"{escape(dub.name)}: {escape(report.source_language)} → {escape(report.target_language)}"
    missing = "" if source is not None else "<p>The source's sound is not drawn: its clip was not given.</p>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head><body>'
        f"<h1>{title}</h1>{_figures(dub)}{_legend(dub)}{missing}<main>{drawn}</main>{_table(sentences)}</body></html>\n"
    )


def _figures(dub: FinishedDub) -> str:
    report, timing = dub.report, dub.report.timing
    if report.outcome != "dubbed":
        return "<p>The clip holds no speech: it came back unchanged.</p>"
    figures = [
        (f"{report.clip.duration_s:.1f} s", "clip"),
        (f"{timing.speech_overlap:.2f}", "speech overlap: shorter over longer duration, mean"),
        (f"{timing.rate_p95:.2f}", "rate of 95 % of the sentences"),
        (f"{timing.slot_silent_share:.0%}", "of the source's speech is silent in the dub"),
        (f"{timing.borrowed_ms / 1000:.1f} s", "of pauses spoken in"),
        (f"{timing.onset_error_ms_max} ms", "latest start"),
    ]
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for value, name in figures) + "</dl>"


def _legend(dub: FinishedDub) -> str:
    items = "".join(
        f'<li class="{escape(verdict)}"><b>{count} {escape(verdict)}</b> {_MEANING.get(verdict, "")}</li>'
        for verdict, count in dub.report.verdicts.items()
        if count
    )
    items += '<li class="asked"><b>lower part of a rate</b> asked of the engine; the rest is stretched</li>'
    return f'<ul class="legend">{items}</ul>'


def _table(sentences: list[DrawnSentence]) -> str:
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    body = "".join(_row(number, sentence) for number, sentence in enumerate(sentences, start=1))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(number: int, sentence: DrawnSentence) -> str:
    remarks = "".join(f"<br><small>{escape(remark)}</small>" for remark in sentence.remarks)
    texts = (
        f'<td class="text">{escape(sentence.source_text)}</td><td class="text">{escape(sentence.text)}{remarks}</td>'
    )
    figures = ["", "", "", "", "", "", ""]
    if sentence.dubbed:
        figures = [
            f"{sentence.natural_ms / 1000:.2f} s",
            f"{sentence.slot_ms / 1000:.2f} s",
            f"{sentence.rate:.2f}",
            f"{sentence.speed:.2f}",
            f"{sentence.stretch:.2f}",
            f"{sentence.borrowed_ms} ms" if sentence.borrowed_ms else "",
            f"{sentence.onset_error_ms} ms" if sentence.onset_error_ms else "",
        ]
    cells = "".join(f"<td>{figure}</td>" for figure in figures)
    verdict = escape(sentence.verdict)
    return f'<tr><td>{number}</td>{texts}{cells}<td class="fit {verdict}">{verdict}</td></tr>'
