"""The gate's second part: the codes. The exported decoder is led along the original's own greedy codes, row by row.

Where its most probable code is the original's next one at every step, decoding by itself gives the same codes. All rows
step together, each with a length of its own; two of them are then read alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from export.parity import Runner, check_finite, max_abs_difference
from export.seq2seq.plan import EXACT_ABS
from export.seq2seq.rules import divergence
from export.seq2seq.runner import Floats, Ids
from export.xtts.reference import Reference
from export.xtts.runner import Decoder
from export.xtts.settings import XttsSettings

ALWAYS_SEEN = 1
"""The original counts this code as said from the start: its prompt has it in place of latents and text."""
PENALTIES = (1.0, 10.0)
"""Of codes that were said before, in turn: of the first texts and of the second; 10 is the published one."""


@dataclass(frozen=True)
class Said:
    """What the original said: rows of the same number of text tokens."""

    latents: Floats
    """[R, 32, width]."""
    text: Ids
    """[R, T], no start, no stop."""
    codes: Ids
    """[R, steps]."""
    penalty: float
    logits: Floats
    """[R, steps, codes]: what each code was chosen from."""
    hidden: Floats
    """[R, steps, width]."""


@dataclass
class CodesSeen:
    """Over all rows."""

    logits_abs: float = 0.0
    hidden_abs: float = 0.0
    hidden_relative: float = 0.0
    rows_abs: float = 0.0
    """Logits and hidden states of a row among others from those of the row alone."""
    divergences: list[float] = field(default_factory=list)
    """Of every step, in nats."""
    compared: int = 0
    differing: int = 0
    """Codes chosen otherwise than by the original, ties left out."""
    ties: int = 0
    spread: float = 0.0
    """Standard deviation of the original's logits."""
    distinct: set[int] = field(default_factory=set)


def say(reference: Reference, latents: Floats, text: Ids, steps: int, penalty: float) -> Said:
    """Let the original choose its codes, and compute what they are chosen from."""
    codes = reference.greedy(latents, text, steps, penalty)
    logits, hidden = reference.hidden(latents, text, codes)
    check_finite({"logits": logits, "hidden": hidden}, "outputs of the original")
    return Said(latents, text, codes, penalty, logits, hidden)


@dataclass(frozen=True)
class Led:
    """What leads a decoder along codes that are known."""

    decoder: Decoder
    embed: Runner
    start: int
    """The code before all others."""

    def along(self, prompts: Sequence[Floats], codes: Ids) -> tuple[Floats, Floats]:
        """Return logits [R, n, codes] and hidden states [R, n, width] before each of `codes` [R, n]."""
        said = np.pad(codes[:, :-1], ((0, 0), (1, 0)), constant_values=self.start)
        places = np.broadcast_to(np.arange(said.shape[1]), said.shape).copy()
        embeds = self.embed({"input_ids": said, "position_ids": places})["inputs_embeds"]
        begun = [
            self.decoder.prefill(row, np.concatenate([prompt, embeds[row, :1]])[None])
            for row, prompt in enumerate(prompts)
        ]
        found = [tuple(np.concatenate([each[kind][:, -1:] for each in begun]) for kind in (0, 1))]
        found += [self.decoder.step(embeds[:, at : at + 1]) for at in range(1, said.shape[1])]
        logits, hidden = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
        check_finite({"logits": logits, "hidden": hidden}, "outputs of the exported decoder")
        return logits, hidden


def room(said: Sequence[Said], latents: int) -> tuple[int, int]:
    """Return the most positions of a row, and the rows, that a decoder needs for all of it."""
    longest = max(group.text.shape[1] + group.codes.shape[1] for group in said)
    return latents + longest + 3, sum(len(group.codes) for group in said)  # start and stop of the text, start of codes


def compare_codes(
    said: Sequence[Said], embeds: Sequence[Floats], led: Led, settings: XttsSettings, alone: int, seen: CodesSeen
) -> None:
    """Lead all rows of `said` along together, then the first row of each alone; `embeds`: their texts. NotFinite."""
    prompts = [
        np.concatenate([latents, text])
        for group, texts in zip(said, embeds, strict=True)
        for latents, text in zip(group.latents, texts, strict=True)
    ]
    codes = np.concatenate([group.codes for group in said])
    logits, hidden = led.along(prompts, codes)
    first = 0
    for group in said:
        rows = slice(first, first + len(group.codes))
        _numbers(group, logits[rows], hidden[rows], settings, seen)
        found = led.along(prompts[first : first + 1], codes[first : first + 1, :alone])
        for together, single in zip((logits, hidden), found, strict=True):
            seen.rows_abs = max(seen.rows_abs, max_abs_difference(together[first : first + 1, :alone], single))
        first = rows.stop


def _numbers(said: Said, logits: Floats, hidden: Floats, settings: XttsSettings, seen: CodesSeen) -> None:
    seen.logits_abs = max(seen.logits_abs, max_abs_difference(said.logits, logits))
    seen.hidden_abs = max(seen.hidden_abs, max_abs_difference(said.hidden, hidden))
    relative = float(np.linalg.norm(said.hidden - hidden) / np.linalg.norm(said.hidden))
    seen.hidden_relative = max(seen.hidden_relative, relative)
    seen.divergences += divergence(said.logits, logits).ravel().tolist()
    seen.spread = max(seen.spread, float(said.logits.std()))
    seen.distinct.update(said.codes.ravel().tolist())
    for row, codes in enumerate(said.codes):
        known = np.zeros(settings.audio_codes, bool)
        known[[ALWAYS_SEEN, settings.start_audio]] = True
        for at, code in enumerate(codes):
            mine = int(np.argmax(_ruled(logits[row, at], known, said.penalty, settings)))
            _judge(_ruled(said.logits[row, at], known, said.penalty, settings), int(code), mine, seen)
            known[code] = True


def _ruled(logits: Floats, known: np.ndarray, penalty: float, settings: XttsSettings) -> Floats:
    """Return the scores after the penalty of what was said; the stop code cannot be chosen."""
    scores = np.where(known, np.where(logits < 0, logits * penalty, logits / penalty), logits)
    scores[settings.stop_audio] = -np.inf
    return scores


def _judge(scores: Floats, code: int, mine: int, seen: CodesSeen) -> None:
    """Count; a tie is a choice that the original's own scores, off by as much as logits may be, do not decide."""
    seen.compared += 1
    if mine == code:
        return
    if abs(float(scores[code] - scores[mine])) <= EXACT_ABS:
        seen.ties += 1
    else:
        seen.differing += 1
