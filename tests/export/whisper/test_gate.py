"""The gate passes what is right, from both kinds of checkpoint, and stops what is not."""

import numpy as np
import pytest

from export.errors import NotFinite, ParityMissed
from export.seq2seq.compare import compare
from export.seq2seq.runner import Graphs
from export.whisper.family import FAMILY
from export.whisper.gate import plan_of, reference_of
from export.whisper.settings import settings_of_config
from export.whisper.vocabulary import read_vocabulary


@pytest.fixture(scope="module")
def compared(whisper_folder):
    """Compare graphs with the original that is loaded once: run, precision, sources -> the gate's record."""
    published = FAMILY.read(whisper_folder)
    settings = settings_of_config(published.settings)
    vocabulary = read_vocabulary(published, settings)
    reference = reference_of(whisper_folder, vocabulary)

    def compared(run, precision="fp32", sources=2):
        plan = plan_of(settings, vocabulary, sources, is_folder=True)
        return compare(reference, Graphs(run, settings.shape), plan, precision, 5, lambda step: None)

    return compared


@pytest.fixture(scope="module")
def passed(compared, whisper_run):
    return compared(whisper_run, sources=20)  # three batches: other lengths, another language


def test_graphs_of_a_folder_write_what_transformers_writes(passed):
    seen = {measure.name: measure.value for measure in passed.measures}
    assert seen["cross_max_abs"] < 1e-4
    assert seen["logits_max_abs"] < 1e-4
    assert all(seen[f"{kind}_texts_differing"] == 0 for kind in ("greedy", "beam", "batch"))
    assert seen["greedy_agreement"] == 1
    assert passed.reference.startswith("transformers ")


def test_what_was_compared_is_not_one_text_over_and_over(passed):
    assert passed.inputs["sources"] == 20
    assert min(passed.inputs["tokens_compared"].values()) > 100
    assert passed.inputs["distinct_tokens"] > 20


def spoiled(run, role, change):
    """Let `change` edit the outputs of one graph, given its inputs too."""

    def wrong(inputs):
        outputs = dict(run[role](inputs))
        change(inputs, outputs)
        return outputs

    return {**run, role: wrong}


def louder(inputs, outputs):
    outputs["logits"] = outputs["logits"] + 0.002


def deaf(inputs, outputs):
    outputs["cross_key_1"] = np.zeros_like(outputs["cross_key_1"])


def not_a_number(inputs, outputs):
    outputs["logits"] = outputs["logits"].copy()
    outputs["logits"][0, 0, 7] = np.nan


def neighbourly(inputs, outputs):
    """A row hears its neighbours a little."""
    outputs["logits"] = outputs["logits"] + 0.01 * (outputs["logits"].mean(axis=0, keepdims=True) - outputs["logits"])


def sum_of_padding(inputs, outputs):
    outputs["logits"] = outputs["logits"] + 0.01 * (inputs["mask"] == 0).any(axis=1)[:, None, None]


@pytest.mark.parametrize(
    ("role", "change", "error", "named"),
    [
        ("decoder", louder, ParityMissed, "logits_max_abs 0.002"),
        ("encoder", deaf, ParityMissed, "cross_max_abs"),
        ("decoder", not_a_number, NotFinite, "exported decoder"),
        ("decoder", neighbourly, ParityMissed, "batch_max_abs"),
        ("decoder", sum_of_padding, ParityMissed, "padding_max_abs 0.01"),
    ],
)
def test_a_graph_that_computes_something_else_is_refused(compared, whisper_run, role, change, error, named):
    with pytest.raises(error, match=named):
        compared(spoiled(whisper_run, role, change))


def test_beams_that_are_mixed_up_are_refused(compared, whisper_run):
    def first_row_only(inputs):
        return whisper_run["reorder"]({**inputs, "rows": np.zeros_like(inputs["rows"])})

    with pytest.raises(ParityMissed, match=r"beam_texts_differing [1-9]"):
        compared({**whisper_run, "reorder": first_row_only})


def test_a_reduced_precision_has_limits_of_its_own(compared, whisper_run):
    def rounded(inputs, outputs, step):
        outputs["logits"] = np.rint(outputs["logits"] / step) * np.float32(step)

    coarse = spoiled(whisper_run, "decoder", lambda inputs, outputs: rounded(inputs, outputs, 0.02))
    seen = {measure.name: measure.value for measure in compared(coarse, "int8", sources=4).measures}
    assert 0 < seen["first_token_kl_mean"] < 0.01
    assert 0.9 <= seen["greedy_agreement"] <= 1
    broken = spoiled(whisper_run, "decoder", lambda inputs, outputs: rounded(inputs, outputs, 9.0))
    with pytest.raises(ParityMissed, match=r"first_token_kl_mean .* \(at most 0.05\); greedy_agreement"):
        compared(broken, "int8")
