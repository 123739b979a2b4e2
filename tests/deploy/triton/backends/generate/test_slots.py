"""Caches in slots by themselves; the loop over them: test_engine.py."""

from collections.abc import Callable

import numpy as np
from generate.generation import Recurring
from generate.graphs import Graphs
from generate.prompts import Prompt
from generate.slots import SlotBatch

from tests.fakes.toy_decoder import Toy

TOY = Toy(source=None, embeds=True, hidden=True, slots=True, head_dim=8, seed=4)
PROMPTS = [Prompt((2, 5, 9, 4)), Prompt((2,)), Prompt((2, 7))]
Opened = Callable[[Toy], Graphs]


def begun(graphs: Graphs) -> SlotBatch:
    batch = SlotBatch(graphs)
    batch.prefill(PROMPTS)
    return batch


def check(answer: np.ndarray, rows: list[int], tokens: list[list[int]]) -> None:
    """Held against the plain network: row by row, the logits after the prompt and these tokens."""
    for place, (row, made) in enumerate(zip(rows, tokens, strict=True)):
        expected = TOY.logits([*PROMPTS[row].tokens, *made])[-1]
        np.testing.assert_allclose(answer[place, 0], expected, atol=1e-4)


def test_a_step_has_an_even_number_of_rows_and_the_idle_one_disturbs_nobody(opened: Opened) -> None:
    batch = begun(opened(TOY))
    answer = batch.step([3, 4, 5])
    assert batch.rows == 3
    assert answer.logits.shape == (4, 1, TOY.vocab)
    check(answer.logits, [0, 1, 2], [[3], [4], [5]])
    check(batch.step([6, 6, 6]).logits, [0, 1, 2], [[3, 6], [4, 6], [5, 6]])


def test_rows_are_picked_moved_and_doubled(opened: Opened) -> None:
    batch = begun(opened(TOY))
    batch.step([3, 4, 5])
    batch.select([1, 2], None)
    check(batch.step([6, 7]).logits, [1, 2], [[4, 6], [5, 7]])
    batch.select([1, 1, 0], None)
    check(batch.step([8, 9, 10]).logits, [2, 2, 1], [[5, 7, 8], [5, 7, 9], [4, 6, 10]])


def test_a_retired_row_keeps_its_place_until_it_is_dropped(opened: Opened) -> None:
    batch = begun(opened(TOY))
    batch.retire(0)
    for count in range(1, 4):
        check(batch.step([0, 4, 5]).logits[1:], [1, 2], [[4] * count, [5] * count])
    batch.select([1, 2], None)
    check(batch.step([6, 6]).logits, [1, 2], [[4, 4, 4, 6], [5, 5, 5, 6]])


def test_another_batch_joins_however_many_rows_there_is_room_for(opened: Opened) -> None:
    graphs = opened(TOY)
    batch, other, third = begun(graphs), begun(graphs), begun(graphs)
    batch.step([3, 4, 5])
    other.select([0], None)
    batch.absorb(other)
    check(batch.step([6, 6, 6, 7]).logits, [0, 1, 2, 0], [[3, 6], [4, 6], [5, 6], [7]])
    batch.absorb(third)
    check(batch.step([8] * 7).logits[3:], [0, 0, 1, 2], [[7, 8], [8], [8], [8]])


def test_what_recurs_is_read_once_and_changes_nothing(opened: Opened) -> None:
    graphs = opened(TOY)
    rng = np.random.default_rng(0)
    voice, texts = rng.standard_normal((5, TOY.width)), [rng.standard_normal((size, TOY.width)) for size in (3, 1)]
    prompts = [Prompt((2, 6), np.concatenate([voice, text]).astype(np.float32), Recurring("Ana", 5)) for text in texts]
    runs: list[int] = []
    run = graphs.decoder.run
    graphs.decoder.run = lambda binding: (runs.append(1), run(binding))[1]
    try:
        for _ in range(2):
            answer = SlotBatch(graphs).prefill(prompts)
            for prompt, logits, hidden in zip(prompts, answer.logits, answer.hidden or [], strict=True):
                assert prompt.prefix is not None
                np.testing.assert_allclose(logits[-1], TOY.logits([2, 6], prefix=prompt.prefix)[-1], atol=1e-4)
                assert len(logits) == len(hidden) == len(prompt) - 5
    finally:
        del graphs.decoder.run
    assert len(runs) == 1 + 2 * len(prompts)


def test_of_what_recurs_the_last_used_is_remembered(opened: Opened) -> None:
    graphs = opened(TOY)
    prefix = np.ones((2, TOY.width), np.float32)
    for number in range(20):
        SlotBatch(graphs).prefill([Prompt((2,), prefix * number / 20, Recurring(str(number), 2))])
    assert list(graphs.recurring) == [str(number) for number in range(12, 20)]
    SlotBatch(graphs).prefill([Prompt((2,), prefix * 12 / 20, Recurring("12", 2))])
    assert next(reversed(graphs.recurring)) == "12"
