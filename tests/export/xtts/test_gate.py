"""The gate of XTTS-v2 passes what is right, and stops every kind of wrong."""

import re

import numpy as np
import pytest

from export.bundle.onnx_files import write
from export.errors import NotFinite, ParityMissed
from export.precision.graphs import open_written
from export.xtts.drawn import Amount
from export.xtts.family import FAMILY
from export.xtts.gate import compare
from export.xtts.runner import Decoder

FEW = Amount(voices=2, voice_s=0.6, steps=12, reduced_steps=12, alone=4, spoken=3, window=13, text_tokens=(5, 9))
LONGER = Amount(voices=2, voice_s=1.0, steps=24, reduced_steps=12, alone=8, spoken=11, window=15, text_tokens=(5, 9))
"""No window of the vocoder sees the whole."""


@pytest.fixture
def compared(xtts_reference, xtts_settings, xtts_run):
    """Compare graphs, changed ones among them, with the original -> the gate's record."""

    def compared(precision="fp32", amount=FEW, open_decoder=Decoder, **changed):
        run = {**xtts_run, **changed}
        return compare(xtts_reference, xtts_settings, run, precision, 5, lambda step: None, amount, open_decoder)

    return compared


@pytest.fixture(scope="module")
def passed(xtts_reference, xtts_settings, xtts_run):
    return compare(xtts_reference, xtts_settings, xtts_run, "fp32", 5, lambda step: None, LONGER)


def values(record):
    return {measure.name: measure.value for measure in record.measures}


def beyond(error):
    """Read from the message which figures are beyond their limits."""
    figures = re.findall(r"(\w+) (\S+) \(at (most|least) ([^)]+)\)", str(error.value))
    assert len(figures) > 6
    return {
        name
        for name, value, side, limit in figures
        if (float(value) > float(limit) if side == "most" else float(value) < float(limit))
    }


def spoiled(run, change):
    """Let `change` edit a graph's outputs, given its inputs too."""

    def wrong(inputs):
        outputs = dict(run(inputs))
        change(inputs, outputs)
        return outputs

    return wrong


def test_exported_graphs_compute_what_the_original_computes(passed):
    seen = values(passed)
    assert max(value for name, value in seen.items() if name.endswith("max_abs")) < 1e-4
    assert seen["greedy_codes_differing"] == seen["ties"] == 0
    assert seen["greedy_agreement"] == 1
    assert passed.reference.startswith("coqui-tts ")


def test_what_was_compared_varies_and_sounds(passed):
    fed = passed.inputs
    assert fed["codes_compared"] == 2 * 2 * LONGER.steps
    assert fed["distinct_codes"] > 20
    assert fed["sound_root_mean_square"] > 0.01


def test_each_graph_is_held_to_its_own_limit(compared, xtts_run):
    def louder(inputs, outputs):
        for name in outputs:
            outputs[name] = outputs[name] + np.float32(0.0015)

    wrong = {role: spoiled(xtts_run[role], louder) for role in ("conditioning", "speaker", "text", "vocoder")}
    with pytest.raises(ParityMissed) as error:
        compared(**wrong)
    own = {"latents_max_abs", "embedding_max_abs", "text_embeds_max_abs", "audio_max_abs"}
    assert own <= beyond(error)
    assert not {"code_embeds_max_abs", "rows_max_abs", "audio_window_max_abs"} & beyond(error)


def test_positions_of_codes_that_are_off_by_one_are_refused(compared, xtts_run):
    def late(inputs):
        return xtts_run["embed"]({**inputs, "position_ids": inputs["position_ids"] + 1})

    with pytest.raises(ParityMissed) as error:
        compared(embed=late)
    assert {"code_embeds_max_abs", "logits_max_abs", "hidden_max_abs"} <= beyond(error)


def test_rows_that_hear_their_neighbours_are_refused(compared, xtts_run):
    def neighbourly(inputs, outputs):
        for name, array in outputs.items():
            outputs[name] = array + 0.05 * (array.mean(axis=0, keepdims=True) - array)

    wrong = {role: spoiled(xtts_run[role], neighbourly) for role in ("conditioning", "speaker", "vocoder")}
    with pytest.raises(ParityMissed) as error:
        compared(**wrong)
    assert {"latents_batch_max_abs", "embedding_batch_max_abs", "audio_batch_max_abs"} <= beyond(error)


class Mixing(Decoder):
    """Its steps hear all rows a little."""

    def step(self, embeds):
        return super().step(embeds + np.float32(0.01) * (embeds.mean(axis=0, keepdims=True) - embeds))


class Alike(Decoder):
    """Takes all rows to be as long as the longest."""

    def step(self, embeds):
        self.lengths[: len(embeds)] = self.lengths[: len(embeds)].max()
        return super().step(embeds)


@pytest.mark.parametrize("wrong", [Mixing, Alike])
def test_a_decoder_that_mixes_rows_or_their_lengths_is_refused(compared, wrong):
    with pytest.raises(ParityMissed) as error:
        compared(open_decoder=wrong)
    assert {"rows_max_abs", "logits_max_abs", "hidden_max_abs"} <= beyond(error)


def scaled(network):
    network.gpt.gpt.h[1].mlp.c_fc.weight.data *= 1.02


def swapped(network):
    first, second = network.gpt.gpt.h
    network.gpt.gpt.h[0], network.gpt.gpt.h[1] = second, first


def other_codes(network):
    """The same hidden states, another choice."""
    network.gpt.mel_head.weight.data = network.gpt.mel_head.weight.data.roll(1, 0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (scaled, {"logits_max_abs", "hidden_max_abs"}),
        (swapped, {"logits_max_abs", "hidden_max_abs", "greedy_codes_differing"}),
        (other_codes, {"logits_max_abs", "greedy_codes_differing"}),
    ],
)
def test_a_decoder_of_other_weights_is_refused(compared, xtts_folder, tmp_path, change, named):
    network = FAMILY.load(FAMILY.read(xtts_folder))
    change(network)
    graph = next(each for each in FAMILY.graphs(network) if each.role == "decoder")
    write(graph, graph.path(tmp_path))
    with pytest.raises(ParityMissed) as error:
        compared(decoder=open_written(graph.path(tmp_path)))
    assert named <= beyond(error)


def test_a_vocoder_whose_sound_depends_on_what_is_further_away_is_refused(compared, xtts_run):
    def far(inputs, outputs):
        outputs["audio"] = outputs["audio"] + np.float32(0.2) * inputs["features"].std()

    with pytest.raises(ParityMissed) as error:
        compared(amount=LONGER, vocoder=spoiled(xtts_run["vocoder"], far))
    assert "audio_window_max_abs" in beyond(error)


@pytest.mark.parametrize("role", ["conditioning", "text", "vocoder"])
def test_what_is_not_a_number_is_refused(compared, xtts_run, role):
    def broken(inputs, outputs):
        for name, array in outputs.items():
            outputs[name] = array.copy()
            outputs[name].flat[7] = np.nan

    with pytest.raises(NotFinite, match="outputs of the exported"):
        compared(**{role: spoiled(xtts_run[role], broken)})


class Coarse(Decoder):
    """Rounds its logits."""

    step_size = 0.05

    def _run(self, embeds, rows):
        logits, hidden = super()._run(embeds, rows)
        return np.rint(logits / self.step_size) * np.float32(self.step_size), hidden


class Coarser(Coarse):
    step_size = 6.0


def test_a_reduced_precision_has_limits_of_its_own(compared):
    seen = values(compared("int8", open_decoder=Coarse))
    assert 0 < seen["next_code_kl_mean"] < 0.01
    assert 0.9 <= seen["greedy_agreement"] <= 1
    with pytest.raises(ParityMissed) as error:
        compared("int8", open_decoder=Coarser)
    assert {"next_code_kl_mean", "greedy_agreement"} <= beyond(error)


def test_a_reduced_vocoder_that_hisses_or_sounds_otherwise_is_refused(compared, xtts_run):
    def noisy(inputs, outputs):
        noise = np.random.default_rng(0).normal(size=outputs["audio"].shape)
        outputs["audio"] = (outputs["audio"] + noise * np.abs(outputs["audio"]).mean()).astype(np.float32)

    with pytest.raises(ParityMissed) as error:
        compared("int8", vocoder=spoiled(xtts_run["vocoder"], noisy))
    assert {"audio_snr_db", "audio_spectrum_db"} <= beyond(error)
