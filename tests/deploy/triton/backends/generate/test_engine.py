"""The decode loop on toy graphs, against the same networks in plain numpy."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from generate.frontend import Emit, Job, RequestTensors
from generate.generation import DecodingOptions, GenerationRequest, Source

from tests.fakes.generate_ticket import FakeTicket, ask, tokens_ticket
from tests.fakes.toy_decoder import Toy
from tests.fakes.toy_reference import beams, greedy, log_probs

TRANSLATOR = Toy()
EAR = Toy(source="mel", seed=1)
WRITER = Toy(source=None, seed=2)
SPEAKER = Toy(source=None, embeds=True, hidden=True, seed=3)
SLOTS = Toy(source=None, embeds=True, hidden=True, slots=True, head_dim=8, seed=4)
RNG = np.random.default_rng(0)
TEXTS = [RNG.integers(3, 24, size).tolist() for size in (5, 1, 9, 3, 12, 7, 2, 5)]
SOUNDS = [RNG.standard_normal((3, 8)).astype(np.float32) for _ in range(4)]
Serve = Callable[..., Any]


def together(served: Any, tickets: list[FakeTicket]) -> list[list[int]]:
    """Submit all before the engine looks, so that they are taken together."""
    for ticket in tickets:
        served.engine.submit(ticket)
    served.engine.start()
    answers = [np.asarray(ticket.wait()["TOKENS"]).tolist() for ticket in tickets]
    served.engine.close()
    return answers


@pytest.mark.parametrize("toy", [TRANSLATOR, EAR, WRITER, SPEAKER, SLOTS])
def test_greedy_is_that_of_the_plain_network(serve: Serve, toy: Toy) -> None:
    served = serve(toy)
    sources: list[Any] = {"tokens": TEXTS, "mel": SOUNDS, None: [None] * 3}[toy.source]
    for number, source in enumerate(sources):
        prompt = [2, 5, 9, 4][: 1 + number % 4]
        assert ask(served.engine, source, tokens=prompt, max_new_tokens=12) == greedy(toy, source, 12, prompt)


@pytest.mark.parametrize("toy", [TRANSLATOR, EAR, WRITER, SLOTS])
@pytest.mark.parametrize("options", [{}, {"beams": 3}, {"temperature": 1.0, "seed": 3, "hypotheses": 2}])
def test_a_batch_answers_as_its_members_do_alone(serve: Serve, toy: Toy, options: dict[str, Any]) -> None:
    """Prompts, sources and lengths differ, so everything that is padded is."""
    sources: list[Any] = {"tokens": TEXTS, "mel": SOUNDS, None: [None] * 6}[toy.source]

    def tickets() -> list[FakeTicket]:
        return [
            tokens_ticket(source, tokens=[2, 5, 9, 4][: 1 + number % 3], max_new_tokens=4 + 3 * number, **options)
            for number, source in enumerate(sources)
        ]

    batched = serve(toy, start=False)
    answers = together(batched, tickets())
    assert max(batched.steps) == len(sources)
    alone = serve(toy)
    singles = []
    for ticket in tickets():
        alone.engine.submit(ticket)
        singles.append(np.asarray(ticket.wait()["TOKENS"]).tolist())
    assert set(alone.steps) == {1}
    assert answers == singles


def test_beams_are_those_of_the_plain_search_alone_and_in_a_batch(serve: Serve) -> None:
    served = serve(TRANSLATOR, start=False)
    tickets = [tokens_ticket(text, beams=3, max_new_tokens=10) for text in TEXTS]
    answers = together(served, tickets)
    for text, ticket, answer in zip(TEXTS, tickets, answers, strict=True):
        tokens, score = beams(TRANSLATOR, text, 10, 3)
        assert answer == tokens
        assert ticket.wait()["SCORE"] == pytest.approx(score, abs=1e-4)


def test_logprobs_are_those_of_the_plain_network(serve: Serve) -> None:
    served = serve(TRANSLATOR, start=False)
    tickets = [tokens_ticket(text, max_new_tokens=15, **way) for text in TEXTS[:3] for way in ({}, {"beams": 2})]
    answers = together(served, tickets)
    for index, (ticket, answer) in enumerate(zip(tickets, answers, strict=True)):
        expected = log_probs(TRANSLATOR, TEXTS[index // 2], answer)
        np.testing.assert_allclose(ticket.wait()["LOGPROBS"], expected, atol=1e-4)


def test_the_logits_of_prompt_positions_are_the_raw_ones(serve: Serve) -> None:
    served = serve(TRANSLATOR, start=False)
    prompts = [[2], [2, 7, 9], [2, 4]]
    tickets = [
        tokens_ticket(text, tokens=prompt, max_new_tokens=0, prompt_logits=[0, -1], suppress=[5])
        for text, prompt in zip(TEXTS, prompts, strict=False)
    ]
    assert together(served, tickets) == [[], [], []]
    for text, prompt, ticket in zip(TEXTS, prompts, tickets, strict=False):
        expected = TRANSLATOR.logits(prompt, TRANSLATOR.encode(np.array(text)))
        np.testing.assert_allclose(ticket.wait()["LOGITS"], expected[[0, -1]], atol=1e-4)
    assert served.steps == []


@pytest.mark.parametrize("toy", [TRANSLATOR, SLOTS])
def test_a_row_stops_by_itself_and_makes_room_for_those_who_wait(serve: Serve, toy: Toy) -> None:
    served = serve(toy, start=False, decode_batch=3)
    lengths = [3, 30, 12, 5, 1, 20, 9, 2]
    prompts = [[2, *text[:4]] if toy is SLOTS else [2] for text in TEXTS]
    sources = [None if toy is SLOTS else text for text in TEXTS]
    wanted = list(zip(sources, prompts, lengths, strict=True))
    tickets = [tokens_ticket(source, tokens=prompt, max_new_tokens=most, eos=[]) for source, prompt, most in wanted]
    answers = together(served, tickets)
    for (source, prompt, most), answer in zip(wanted, answers, strict=True):
        assert answer == greedy(toy, source, most, prompt, eos=())
    assert max(served.steps) == 3
    assert len(served.steps) < sum(lengths) / 2
    assert served.steps.count(3) > 10


def late_joiners(served: Any, texts: Sequence[Any] = TEXTS[:4]) -> tuple[list[FakeTicket], list[FakeTicket]]:
    """One request that, at its tenth token, brings in three more; returns all."""
    late = [tokens_ticket(text, max_new_tokens=20, eos=[]) for text in texts[1:]]

    def on_emit(ticket: FakeTicket) -> None:
        if len(ticket.parts) == 10:
            for each in late:
                served.engine.submit(each)

    first = tokens_ticket(texts[0], on_emit, max_new_tokens=40, eos=[], stream=True)
    served.engine.submit(first)
    return [first], late


@pytest.mark.parametrize("toy", [TRANSLATOR, SLOTS])
def test_new_requests_join_a_running_batch_between_steps(serve: Serve, toy: Toy) -> None:
    texts = [None] * 4 if toy is SLOTS else TEXTS[:4]
    served = serve(toy)
    [first], late = late_joiners(served, texts)
    for text, ticket in zip(texts[1:], late, strict=True):
        assert np.asarray(ticket.wait()["TOKENS"]).tolist() == greedy(toy, text, 20, eos=())
    first.wait()
    streamed = [int(part["TOKENS"][0]) for part in first.parts]
    assert streamed == greedy(toy, texts[0], 40, eos=())
    assert 4 in served.steps
    assert len(served.steps) < 45


def test_without_joining_new_requests_wait_for_the_batch_to_end(serve: Serve) -> None:
    served = serve(TRANSLATOR, joining=False)
    [first], late = late_joiners(served)
    for text, ticket in zip(TEXTS[1:4], late, strict=True):
        assert np.asarray(ticket.wait()["TOKENS"]).tolist() == greedy(TRANSLATOR, text, 20, eos=())
    first.wait()
    assert served.steps == [1] * 39 + [3] * 19


def test_generations_of_other_widths_step_in_turn_with_a_running_batch(serve: Serve) -> None:
    served = serve(TRANSLATOR, start=False)
    tickets = [tokens_ticket(TEXTS[0], max_new_tokens=8, beams=width) for width in (1, 2, 3)]
    answers = together(served, tickets)
    assert answers[0] == greedy(TRANSLATOR, TEXTS[0], 8)
    assert answers[1:] == [beams(TRANSLATOR, TEXTS[0], 8, width)[0] for width in (2, 3)]


def test_sounds_of_different_lengths_are_never_padded_into_one_batch(serve: Serve) -> None:
    served = serve(EAR, start=False)
    sounds = [RNG.standard_normal((3, frames)).astype(np.float32) for frames in (8, 4, 8, 10)]
    answers = together(served, [tokens_ticket(sound, max_new_tokens=10, eos=[]) for sound in sounds])
    assert answers == [greedy(EAR, sound, 10, eos=()) for sound in sounds]
    assert max(served.steps) == 2


@pytest.mark.parametrize("encode_batch", [1, 2, 3])
def test_sources_encoded_a_few_at_a_time_decode_in_one_batch_all_the_same(serve: Serve, encode_batch: int) -> None:
    for toy, sources in ((TRANSLATOR, TEXTS), (EAR, SOUNDS)):
        served = serve(toy, start=False, encode_batch=encode_batch)
        answers = together(served, [tokens_ticket(source, max_new_tokens=6, eos=[]) for source in sources])
        assert answers == [greedy(toy, source, 6, eos=()) for source in sources]
        assert max(served.steps) == len(sources)


@pytest.mark.parametrize("toy", [SPEAKER, SLOTS])
def test_a_prefix_goes_before_the_prompt(serve: Serve, toy: Toy) -> None:
    served = serve(toy, start=False)
    prefixes = [RNG.standard_normal((size, toy.width)).astype(np.float32) for size in (3, 7, 1)]
    tickets = []
    for number, prefix in enumerate(prefixes):
        ticket = tokens_ticket(tokens=[2, 6, 7][: number + 1], max_new_tokens=9, eos=[], hidden=True)
        inputs = {name: ticket.inputs.array(name) for name in ("TOKENS", "OPTIONS")}
        tickets.append(FakeTicket({**inputs, "PREFIX": prefix}))
    answers = together(served, tickets)
    for number, (prefix, answer) in enumerate(zip(prefixes, answers, strict=True)):
        assert answer == greedy(toy, None, 9, [2, 6, 7][: number + 1], prefix, eos=())
    assert tickets[0].wait()["HIDDEN"].shape == (9, toy.width)
    logits = tickets[0].wait()["HIDDEN"] @ toy.weights["out"]
    assert logits.argmax(axis=1).tolist() == answers[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": [2, 24]}, "the prompt holds tokens from 2 to 24, there are 24"),
        ({"tokens": [2] * 65}, "the prompt takes 65 positions, the model has 64"),
        ({"tokens": [2] * 64}, "none is left for a new token"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"beams": 2, "temperature": 0.5}, "a beam search takes neither"),
        ({"hypotheses": 2}, "would all be the same"),
        ({"suppress": [99]}, "suppress holds tokens"),
        ({"prompt_logits": [1]}, "lie outside a prompt of 1"),
        ({"hidden": True}, "the decoder does not give it"),
        ({"beams": 2, "stream": True}, "can be streamed from a single sequence only"),
        ({"source": []}, "input_ids has the shape [0]"),
        ({"source": [3, 99]}, "SOURCE holds tokens from 3 to 99"),
        ({"source": None}, "a source goes with a model that has an encoder"),
        ({"source": np.zeros((3, 4), np.float32)}, "the encoder takes input_ids, not mel"),
        ({"suppress": list(range(24))}, "no token can be chosen"),
    ],
)
def test_a_bad_request_fails_alone(serve: Serve, changes: dict[str, Any], message: str) -> None:
    served = serve(TRANSLATOR, start=False)
    good = [tokens_ticket(text, max_new_tokens=9) for text in TEXTS[:3]]
    bad = tokens_ticket(**{"source": TEXTS[3], "max_new_tokens": 9, **changes})
    for ticket in (good[0], bad, *good[1:]):
        served.engine.submit(ticket)
    served.engine.start()
    with pytest.raises(ValueError) as refused:
        bad.wait()
    assert message in str(refused.value)
    for text, ticket in zip(TEXTS, good, strict=False):
        assert np.asarray(ticket.wait()["TOKENS"]).tolist() == greedy(TRANSLATOR, text, 9)
    served.engine.close()


class Doubter:
    """Asks again and again about the same source, as Whisper's fallbacks do; its last answer is how often."""

    def __init__(self) -> None:
        self.closed = 0
        self.seen: list[str] = []

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        text = inputs.array("SOURCE")
        source = Source({"input_ids": text})
        answers = []
        try:
            looks = yield [GenerationRequest(DecodingOptions(0), (2,), source, prompt_logits=(0,))]
            assert looks[0].prompt_logits.shape == (1, 24)
            nothing = yield []
            assert nothing == []
            for most in (3, 6):
                request = GenerationRequest(DecodingOptions(most, eos=()), (2,), source)
                wider = GenerationRequest(DecodingOptions(most, beams=2, eos=()), (2,), source)
                one, two = yield [request, wider]
                answers.append(len(one.best.tokens) + len(two.best.tokens))
            try:
                yield [GenerationRequest(DecodingOptions(3, beams=0), (2,), source)]
            except InvalidRequest as error:
                self.seen.append(str(error))
        finally:
            self.closed += 1
        if text[0] == 23:
            raise InvalidRequest("SOURCE begins with 23")
        return {"TOKENS": np.array(answers)}


def test_a_job_may_ask_several_times_and_its_source_is_encoded_once(serve: Serve) -> None:
    front_end = Doubter()
    served = serve(TRANSLATOR, front_end, start=False)
    runs: list[int] = []
    encode = served.engine._encoder.encode
    served.engine._encoder.encode = lambda sources: (runs.append(len(sources)), encode(sources))[1]
    tickets = [FakeTicket({"SOURCE": np.array(text)}) for text in ([3, 4], [5, 6, 7], [23, 4])]
    for ticket in tickets:
        served.engine.submit(ticket)
    served.engine.start()
    assert [ticket.wait()["TOKENS"].tolist() for ticket in tickets[:2]] == [[6, 12], [6, 12]]
    with pytest.raises(InvalidRequest, match="begins with 23"):
        tickets[2].wait()
    served.engine.close()
    assert runs == [3]
    assert front_end.closed == 3
    assert front_end.seen == ["beams is 0, which is out of range"] * 3


def test_a_cancelled_request_ends_between_steps_and_its_neighbours_go_on(serve: Serve) -> None:
    served = serve(TRANSLATOR)
    neighbour = tokens_ticket(TEXTS[1], max_new_tokens=60, eos=[])

    def cancel(ticket: FakeTicket) -> None:
        ticket.cancelled = True
        served.engine._next_poll = 0.0  # the next look would be up to 50 ms away

    cancelled = tokens_ticket(TEXTS[0], cancel, max_new_tokens=60, eos=[], stream=True)
    served.engine.submit(neighbour)
    served.engine.submit(cancelled)
    cancelled.wait_dropped()
    assert len(cancelled.parts) < 10
    assert np.asarray(neighbour.wait()["TOKENS"]).tolist() == greedy(TRANSLATOR, TEXTS[1], 60, eos=())
    assert cancelled.settled == neighbour.settled == 1


def test_closing_answers_what_was_submitted(serve: Serve) -> None:
    served = serve(TRANSLATOR, start=False)
    tickets = [tokens_ticket(text, max_new_tokens=30) for text in TEXTS]
    for ticket in tickets:
        served.engine.submit(ticket)
    served.engine.start()
    served.engine.close()
    assert [ticket.settled for ticket in tickets] == [1] * len(TEXTS)


class Broken:
    """A front-end with a fault."""

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        return self._job(inputs)

    def _job(self, inputs: RequestTensors) -> Iterator[Any]:
        if inputs.array("SOURCE")[0] == 3:
            raise ZeroDivisionError("a fault")
        [result] = yield [GenerationRequest(DecodingOptions(3, eos=()), (2,), Source({"input_ids": np.array([5])}))]
        return {"TOKENS": np.array(result.best.tokens)}


def test_a_fault_of_the_front_end_fails_its_request_only(serve: Serve) -> None:
    served = serve(TRANSLATOR, Broken())
    bad, good = (FakeTicket({"SOURCE": np.array([first])}) for first in (3, 4))
    served.engine.submit(bad)
    served.engine.submit(good)
    with pytest.raises(ZeroDivisionError):
        bad.wait()
    assert good.wait()["TOKENS"].tolist() == greedy(TRANSLATOR, [5], 3, eos=())


def test_a_fault_of_the_engine_fails_who_waits_and_the_next_are_served(serve: Serve) -> None:
    served = serve(TRANSLATOR, start=False)
    admit = served.engine._admit

    def fault() -> None:
        served.engine._admit = admit
        raise MemoryError("no memory")

    served.engine._admit = fault
    first = tokens_ticket(TEXTS[0], max_new_tokens=3)
    served.engine.submit(first)
    served.engine.start()
    with pytest.raises(MemoryError):
        first.wait()
    assert ask(served.engine, TEXTS[1], max_new_tokens=5) == greedy(TRANSLATOR, TEXTS[1], 5)
    served.engine.close()


def test_a_graph_that_fails_on_one_request_is_run_again_without_it(serve: Serve) -> None:
    """A prompt position beyond the toy's table fails inside the graph: max_positions says too much on purpose."""
    toy = Toy(positions=16, extra={"max_positions": 64})
    served = serve(toy, start=False)
    good = [tokens_ticket(text, max_new_tokens=4, eos=[]) for text in TEXTS[:2]]
    bad = tokens_ticket(TEXTS[2], tokens=[2] * 20, max_new_tokens=4)
    for ticket in (good[0], bad, good[1]):
        served.engine.submit(ticket)
    served.engine.start()
    with pytest.raises(Exception, match="out of data bounds"):
        bad.wait()
    for text, ticket in zip(TEXTS, good, strict=False):
        assert np.asarray(ticket.wait()["TOKENS"]).tolist() == greedy(toy, text, 4, eos=())
    served.engine.close()
