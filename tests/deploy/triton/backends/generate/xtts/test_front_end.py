"""The front-end behind a running engine: a toy decoder of the real cache layout, functions for the other graphs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from engine_kit.ort_options import read_options
from engine_kit.refusals import InvalidRequest
from generate.engine import Engine
from generate.folder import VersionFolder
from generate.frontend import open_front_end
from generate.graphs import Graphs, open_graphs
from generate.limits import Limits

from tests.fakes.generate_ticket import FakeTicket

from .conftest import ToyGraphs, reference

CODES_PER_S = 22_050 / 1024
TEXT = "a text of some length, to be said"
Speak = Callable[..., FakeTicket]


@pytest.fixture
def opened(version: VersionFolder) -> Graphs:
    return open_graphs(version, read_options({}), lambda text: None)


@pytest.fixture
def start(version: VersionFolder, opened: Graphs) -> Iterator[Callable[..., Engine]]:
    """Starts an engine with these parameters of config.pbtxt."""
    engines: list[Engine] = []

    def start(**parameters: str) -> Engine:
        engines.append(Engine(opened, open_front_end(version, parameters), Limits()))
        engines[-1].start()
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


def ask(engine: Engine, text: str = TEXT, on_emit: Any = None, **changes: Any) -> FakeTicket:
    inputs: Mapping[str, Any] = {
        "TEXT": np.array([text.encode()], np.object_),
        "LANGUAGE": np.array([changes.pop("language", "en").encode()], np.object_),
        "SPEAKER_AUDIO": changes.pop("speaker", reference()),
        "SPEED": np.array([changes.pop("speed", 1.0)], np.float32),
    }
    ticket = FakeTicket(inputs, on_emit)
    engine.submit(ticket)
    return ticket


def heard(ticket: FakeTicket) -> np.ndarray:
    """The sound that a listener has in the end."""
    assert ticket.wait() == {}
    kept: list[np.ndarray] = []
    for part in ticket.parts:
        assert part["SAMPLE_RATE_HZ"].tolist() == [24_000]
        kept = [part["AUDIO"]] if part["RESTARTS"][0] else [*kept, part["AUDIO"]]
    return np.concatenate(kept)


def remarks(ticket: FakeTicket) -> list[str]:
    return [str(part["REMARK"]) for part in ticket.parts if part["REMARK"]]


def test_a_forced_number_of_codes_is_spoken_and_streamed(start: Callable[..., Engine]) -> None:
    ticket = ask(start(force_codes="100"))
    whole = heard(ticket)
    assert len(whole) == 256 * int((100 * 4) * 24_000 / 22_050)
    assert len(ticket.parts) >= 4
    assert remarks(ticket) == []


def test_the_same_request_sounds_the_same_and_another_seed_does_not(start: Callable[..., Engine]) -> None:
    sampled = {"force_codes": "60", "temperature": "1.0"}
    engine = start(**sampled)
    first, second = heard(ask(engine)), heard(ask(engine))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, heard(ask(engine, "another text, to be said")))
    assert not np.array_equal(first, heard(ask(engine, speaker=reference(2.0, 0.2))))
    assert not np.array_equal(first, heard(ask(start(**sampled, seed="8"))))


def test_requests_that_speak_together_sound_as_they_do_alone(start: Callable[..., Engine]) -> None:
    engine = start(force_codes="70")
    texts = ["one", "two and a half", "three, or rather more than that"]
    alone = [heard(ask(engine, text)) for text in texts]
    tickets = [ask(engine, text) for text in texts]
    for ticket, expected in zip(tickets, alone, strict=True):
        np.testing.assert_allclose(heard(ticket), expected, atol=1e-4)


def test_speech_that_does_not_end_is_spoken_again_then_cut_and_both_are_told(start: Callable[..., Engine]) -> None:
    ticket = ask(start(plausible_slack_s="1.0"))
    whole = heard(ticket)
    letters = 25
    longest_s = letters / 5 + 1.0
    assert len(whole) / 24_000 == pytest.approx(longest_s, abs=0.1)
    first, second = remarks(ticket)
    assert first.startswith("spoken again: no end after 6.0 s for 25 letters")
    assert second.startswith("cut: no end after 6.0 s")
    assert abs(whole[-1]) < 0.01


def test_too_short_speech_is_spoken_again_before_anybody_hears_it(start: Callable[..., Engine]) -> None:
    ticket = ask(start(plausible_letters_per_s="0.1 0.2", temperature="3.0"))
    heard(ticket)
    assert remarks(ticket)[0].startswith("spoken again")
    assert not any(part["RESTARTS"][0] for part in ticket.parts[1:])


def test_a_long_text_is_spoken_piece_by_piece(start: Callable[..., Engine], graphs: ToyGraphs) -> None:
    text = " ".join(["these words are said."] * 20)
    before = len(graphs.heard.get("text", []))
    whole = heard(ask(start(force_codes="30"), text))
    pieces = len(graphs.heard["text"]) - before - 1  # one of them at load
    assert pieces > 1
    assert len(whole) == pieces * 256 * int(30 * 4 * 24_000 / 22_050)
    assert all(given["input_ids"].shape[1] <= 42 for given in graphs.heard["text"])


def test_twice_the_speed_takes_half_the_time(start: Callable[..., Engine]) -> None:
    engine = start(force_codes="80")
    assert len(heard(ask(engine, speed=2.0))) == pytest.approx(len(heard(ask(engine))) / 2, abs=800)


def test_a_cancelled_request_stops_between_steps(start: Callable[..., Engine]) -> None:
    engine = start(force_codes="400")

    def cancel(ticket: FakeTicket) -> None:
        ticket.cancelled = True
        engine._next_poll = 0.0

    ticket = ask(engine, on_emit=cancel)
    ticket.wait_dropped()
    assert len(ticket.parts) < 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": ""}, "TEXT has nothing to speak"),
        ({"text": " ?! ..."}, "TEXT has nothing to speak"),
        ({"text": "x" * 5001}, "TEXT has 5001 characters, at most 5000 are taken"),
        ({"text": "Привет, как дела?"}, "TEXT is in Cyrillic letters"),
        ({"language": "sv"}, "LANGUAGE"),
        ({"language": "de"}, "LANGUAGE"),
        ({"speed": 2.5}, "SPEED must lie in 0.5..2"),
        ({"speed": np.nan}, "SPEED"),
        ({"speaker": np.zeros(0, np.float32)}, "SPEAKER_AUDIO is empty"),
        ({"speaker": np.zeros(50_000, np.float32)}, "SPEAKER_AUDIO is silent"),
    ],
)
def test_a_bad_request_is_refused_and_the_next_is_served(
    start: Callable[..., Engine], changes: dict[str, Any], message: str
) -> None:
    engine = start(force_codes="20")
    with pytest.raises(InvalidRequest) as refused:
        ask(engine, **changes).wait()
    assert str(refused.value).startswith(message)
    assert len(heard(ask(engine)))


def test_all_window_lengths_are_prepared_at_load(start: Callable[..., Engine], graphs: ToyGraphs) -> None:
    engine = start(force_codes="100")
    prepared = {given["features"].shape[2] for given in graphs.heard["vocoder"]}
    heard(ask(engine))
    assert {given["features"].shape[2] for given in graphs.heard["vocoder"]} == prepared
