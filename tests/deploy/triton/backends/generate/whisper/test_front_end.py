"""A recording through the front-end, with an engine that says what the test wants it to say."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from generate.frontend import RequestTensors, open_front_end
from generate.generation import GenerationRequest, GenerationResult
from generate.whisper.front_end import WhisperFrontEnd
from numpy.typing import NDArray

from tests.fakes.sounds import NOT_SPEECH
from tests.fakes.whisper_network import (
    IDS,
    LANGUAGES,
    NO_SPEECH,
    SOT,
    Respond,
    nobody_asks,
    result,
    run,
    said,
    version,
)

RATE_HZ = 16_000
Say = Callable[[str], NDArray[np.float32]]


@pytest.fixture(scope="session")
def speech(say: Say) -> NDArray[np.float32]:
    return say("We have seen remarkable changes in how people travel.")


def front_end(folder: Path, parameters: Mapping[str, str] | None = None, **settings: object) -> WhisperFrontEnd:
    opened = open_front_end(version(folder, **settings), parameters or {})
    assert isinstance(opened, WhisperFrontEnd)
    return opened


def recognise(front: WhisperFrontEnd, audio: Any, language: str, respond: Respond) -> dict[str, Any]:
    inputs = {"AUDIO": np.asarray(audio), "LANGUAGE": np.array([language.encode()], np.object_)}
    outputs = dict(run(front.job(RequestTensors(inputs), emit=_never), respond))
    for name in ("TEXT", "LANGUAGE", "LANGUAGES"):
        assert outputs[name].shape == outputs["MEAN_LOGPROB"].shape
        outputs[name] = outputs[name].item().decode()
    return outputs


def _never(outputs: object) -> None:
    raise AssertionError("only a decoupled model sends partial responses")


class Engine:
    """Answers every generation with what `says` makes of it, and remembers what was asked, step by step."""

    def __init__(self, says: Callable[[GenerationRequest], GenerationResult]) -> None:
        self._says = says
        self.steps: list[list[GenerationRequest]] = []

    def __call__(self, wanted: Sequence[GenerationRequest]) -> list[GenerationResult]:
        self.steps.append(list(wanted))
        return [self._says(request) for request in wanted]

    @property
    def temperatures(self) -> list[list[float]]:
        return [[request.options.temperature for request in step] for step in self.steps]


def confident(text: str = " Hello.") -> Engine:
    return Engine(lambda request: result(said(text), at_start={NO_SPEECH: 0.01}))


def test_a_sure_text_is_made_in_one_step(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    engine = confident()
    outputs = recognise(front_end(tmp_path), speech[: 3 * RATE_HZ], "es", engine)
    assert (outputs["TEXT"], outputs["LANGUAGE"]) == ("Hello.", "es")
    assert outputs["NO_SPEECH_PROBABILITY"] == pytest.approx([0.01])
    assert outputs["MEAN_LOGPROB"] == pytest.approx([-0.1])
    [[request]] = engine.steps
    assert request.prompt == (SOT, LANGUAGES["es"], IDS["<|transcribe|>"], IDS["<|notimestamps|>"])
    assert request.options.temperature == 0 and request.options.suppress == (SOT,)
    assert request.options.max_new_tokens == 224, "half the decoder's positions, as openai-whisper"
    assert request.source is not None and request.source.inputs["mel"].shape == (80, 300)


def test_the_language_is_detected_among_the_language_tokens_only(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    likely = {IDS["<|transcribe|>"]: 0.6, LANGUAGES["fr"]: 0.2, LANGUAGES["en"]: 0.1}
    engine = Engine(lambda request: result(said(" Bonjour."), at_start=likely))
    outputs = recognise(front_end(tmp_path), speech[: 3 * RATE_HZ], "", engine)
    assert outputs["LANGUAGE"] == "fr"
    look, text = (step[0] for step in engine.steps)
    assert look.prompt == (SOT,) and look.options.max_new_tokens == 0
    assert text.prompt[1] == LANGUAGES["fr"]
    assert look.source is text.source, "the encoder runs once"


def test_the_language_is_detected_among_those_asked_for(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    likely = {LANGUAGES["fr"]: 0.5, LANGUAGES["es"]: 0.2, LANGUAGES["en"]: 0.1}
    engine = Engine(lambda request: result(said(" Hola."), at_start=likely))
    outputs = recognise(front_end(tmp_path), speech[: 3 * RATE_HZ], "en es", engine)
    assert outputs["LANGUAGE"] == "es"
    assert [step[0].prompt[1:2] for step in engine.steps] == [(), (LANGUAGES["es"],)]


def test_an_english_only_checkpoint_is_never_asked_for_the_language(
    tmp_path: Path, speech: NDArray[np.float32]
) -> None:
    engine = confident()
    outputs = recognise(front_end(tmp_path, multilingual=False), speech[: 3 * RATE_HZ], "", engine)
    assert (outputs["LANGUAGE"], outputs["LANGUAGES"]) == ("en", "en")
    assert [step[0].prompt for step in engine.steps] == [(SOT, IDS["<|notimestamps|>"])]


def test_doubt_raises_the_temperature_until_the_text_will_do(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    def says(request: GenerationRequest) -> GenerationResult:
        if request.options.temperature < 0.4:
            return result(said(" Er.", logprob=-2.0), at_start={NO_SPEECH: 0.01})
        return result(said(" Worse.", -0.8), said(" Right.", -0.2), at_start={NO_SPEECH: 0.01})

    engine = Engine(says)
    outputs = recognise(front_end(tmp_path, {"best_of": "2"}), speech[: 3 * RATE_HZ], "en", engine)
    assert outputs["TEXT"] == "Right.", "the most probable of the samples"
    assert engine.temperatures == [[0.0], [0.2], [0.4]]
    assert [step[0].options.hypotheses for step in engine.steps] == [1, 2, 2]
    assert len({step[0].options.seed for step in engine.steps[1:]}) == 2
    assert len({id(step[0].source) for step in engine.steps}) == 1, "the encoder runs once"


def test_a_text_that_repeats_itself_to_the_end_is_kept_after_the_last_temperature(
    tmp_path: Path, speech: NDArray[np.float32]
) -> None:
    engine = Engine(lambda request: result(said(" na" * 50, ended=False), at_start={NO_SPEECH: 0.01}))
    outputs = recognise(front_end(tmp_path), speech[: 3 * RATE_HZ], "en", engine)
    assert outputs["TEXT"] == ("na " * 50).strip()
    assert engine.temperatures == [[0.0], [0.2], [0.4], [0.6], [0.8], [1.0]]


def test_a_decoder_that_does_not_find_its_end_gives_no_text(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    engine = Engine(lambda request: result(said(" na" * 74, ended=False), at_start={NO_SPEECH: 0.01}))
    outputs = recognise(front_end(tmp_path), speech[: 3 * RATE_HZ], "en", engine)
    assert outputs["TEXT"] == ""
    assert len(engine.steps) == 6


def test_temperatures_are_configured(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    engine = Engine(lambda request: result(said(" Er.", logprob=-5.0), at_start={NO_SPEECH: 0.01}))
    recognise(front_end(tmp_path, {"temperatures": "0"}), speech[: 3 * RATE_HZ], "en", engine)
    assert engine.temperatures == [[0.0]]


def test_what_the_network_takes_for_silence_has_no_text(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    engine = Engine(lambda request: result(said(" Thanks for watching!", -1.5), at_start={NO_SPEECH: 0.9}))
    outputs = recognise(front_end(tmp_path), speech[: 3 * RATE_HZ], "en", engine)
    assert outputs["TEXT"] == ""
    assert outputs["NO_SPEECH_PROBABILITY"] == pytest.approx([0.9])
    assert len(engine.steps) == 1, "silence is not tried again"


@pytest.mark.parametrize("name", sorted(NOT_SPEECH))
def test_no_text_is_invented_for_silence_music_or_noise(tmp_path: Path, name: str) -> None:
    """The network would say something, with full confidence; it is not even asked."""
    sound = NOT_SPEECH[name](3 * RATE_HZ)
    outputs = recognise(front_end(tmp_path), sound, "", nobody_asks)
    assert (outputs["TEXT"], outputs["LANGUAGE"]) == ("", "und")
    assert outputs["NO_SPEECH_PROBABILITY"].tolist() == [1.0]
    assert outputs["MEAN_LOGPROB"].tolist() == [0.0]
    assert recognise(front_end(tmp_path), sound, "es", nobody_asks)["LANGUAGE"] == "es"


def test_the_voice_gate_can_be_left_out_but_digital_silence_stays_silent(tmp_path: Path) -> None:
    front = front_end(tmp_path, {"voice_gate": "false"})
    hiss = NOT_SPEECH["white noise"](3 * RATE_HZ)
    assert recognise(front, hiss, "en", confident())["TEXT"] == "Hello."
    assert recognise(front, np.zeros(RATE_HZ, np.float32), "en", nobody_asks)["TEXT"] == ""


def test_a_long_recording_is_heard_in_windows_side_by_side(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    """Windows are 3 s here; the second says nothing sure at first and is made again alone."""
    texts = iter([" One", " Er", " Three", " two"])
    logprobs = iter([-0.1, -3.0, -0.1, -0.2])
    engine = Engine(lambda request: result(said(next(texts), next(logprobs)), at_start={NO_SPEECH: 0.01}))
    three = np.tile(speech[: 3 * RATE_HZ], 3)[: 8 * RATE_HZ]
    outputs = recognise(front_end(tmp_path), three, "en", engine)
    assert outputs["TEXT"] == "One two Three"
    assert engine.temperatures == [[0.0, 0.0, 0.0], [0.2]]
    assert -0.2 < outputs["MEAN_LOGPROB"][0] < -0.1, "a mean over all tokens kept"


def test_a_minute_is_heard_in_windows_of_at_most_thirty_seconds(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    engine = confident()
    minute = np.tile(speech, 30)[: 60 * RATE_HZ]
    recognise(front_end(tmp_path, audio_positions=1500), minute, "en", engine)
    [step] = engine.steps
    assert len(step) == 3, "cuts lie in pauses before the window's end, so two do not reach the recording's"
    assert all(request.source is not None and request.source.inputs["mel"].shape == (80, 3000) for request in step)


def test_a_window_without_a_voice_is_left_out(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    engine = confident(" Here.")
    quiet_first = np.concatenate([np.zeros(3 * RATE_HZ, np.float32), speech[: 5 * RATE_HZ // 2]])
    assert recognise(front_end(tmp_path), quiet_first, "en", engine)["TEXT"] == "Here."
    assert [len(step) for step in engine.steps] == [1]


def test_the_actual_context_is_the_recording_rounded_up_to_seconds(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    engine = confident()
    front = front_end(tmp_path, {"audio_context": "actual"}, audio_positions=1500)
    recognise(front, speech[: 2 * RATE_HZ + 1], "en", engine)
    [[request]] = engine.steps
    assert request.source is not None and request.source.inputs["mel"].shape == (80, 300)


def test_every_answer_names_the_languages_of_the_version(tmp_path: Path) -> None:
    outputs = recognise(front_end(tmp_path), np.zeros(1, np.float32), "", nobody_asks)
    assert outputs["LANGUAGES"] == "en es fr"


def test_a_recording_may_come_with_a_batch_axis(tmp_path: Path, speech: NDArray[np.float32]) -> None:
    outputs = recognise(front_end(tmp_path), speech[np.newaxis, : 3 * RATE_HZ], "en", confident())
    assert outputs["TEXT"] == "Hello."
    assert outputs["MEAN_LOGPROB"].shape == outputs["NO_SPEECH_PROBABILITY"].shape == (1, 1)


@pytest.mark.parametrize(
    ("audio", "language", "says"),
    [
        (np.zeros(0, np.float32), "en", "AUDIO is empty"),
        (np.array([0.1, np.nan], np.float32), "en", "AUDIO holds NaN or infinite values"),
        (np.array([0.1, -np.inf], np.float32), "en", "AUDIO holds NaN or infinite values"),
        (np.full(100, 300.0, np.float32), "en", r"AUDIO must lie in -1\.\.1, its peak is 300"),
        (np.zeros((2, 100), np.float32), "en", "AUDIO must hold one recording a request, it holds 2"),
        (np.zeros(11 * RATE_HZ, np.float32), "en", r"AUDIO lasts 11\.00 s, at most 10 s are taken"),
        (np.zeros(100, np.float32), "tlh", "LANGUAGE 'tlh' is not served; there are: en es fr"),
        (np.zeros(100, np.float32), "EN", "LANGUAGE 'EN' is not served"),
    ],
)
def test_what_cannot_be_recognised_is_refused_with_the_reason(
    tmp_path: Path, audio: NDArray[np.float32], language: str, says: str
) -> None:
    front = front_end(tmp_path, {"max_audio_s": "10"})
    with pytest.raises(InvalidRequest, match=says):
        recognise(front, audio, language, nobody_asks)
