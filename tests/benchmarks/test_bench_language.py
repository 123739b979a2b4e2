"""What the language benchmark makes of its timings."""

import pytest

from tests.benchmarks.bench_language import Measured, figures
from tests.benchmarks.language_load import Together
from tests.benchmarks.language_models import MT_SHORT_TOKENS, MT_TOKENS, STT_SHORT_TOKENS, STT_TOKENS


def times(token_ms: float, rest_ms: float, tokens: int) -> list[float]:
    """Three rounds on a machine that is once twice as slow."""
    return [slow * (rest_ms + tokens * token_ms) for slow in (1.0, 2.0, 1.0)]


@pytest.fixture
def measured() -> Measured:
    """Ours costs 10 ms a token and 600 ms else, the peer twice that; a translation 2 ms and 10 ms, the peer thrice."""
    ms = {}
    for name, factor in (("triton", 1), ("faster_whisper", 2)):
        ms[f"stt.{name}"] = times(10 * factor, 600 * factor, STT_TOKENS)
        ms[f"stt.{name}_short"] = times(10 * factor, 600 * factor, STT_SHORT_TOKENS)
    for name, factor in (("triton", 1), ("ctranslate2", 3)):
        ms[f"mt.{name}_short"] = times(2 * factor, 10 * factor, MT_SHORT_TOKENS)
        for batch in ("b1", "b8"):
            ms[f"mt.{name}_{batch}"] = times(2 * factor, 10 * factor, MT_TOKENS)
    ms |= {"mt.triton_pair": ms["mt.triton_b1"], "mt.torch_b1": ms["mt.triton_b1"], "mt.torch_b8": ms["mt.triton_b8"]}
    ms["stt.torch"] = ms["stt.triton"]
    alone, many = Together(2.0, [1000.0, 1000.0], 1.0, 0.1), Together(2.0, [500.0] * 6, 5.5, 0.2)
    return Measured(ms, {"stt.c1": alone, "stt.c8": many, "mt.c1": alone, "mt.c8": many})


def test_the_headlines_are_ratios_to_the_peers_in_the_same_run(measured: Measured) -> None:
    found = figures(measured)
    assert found["stt.speedup_vs_faster_whisper"] == pytest.approx(2)
    assert found["mt.speedup_vs_ctranslate2_b1"] == pytest.approx(3)
    assert found["mt.speedup_vs_ctranslate2_b8"] == pytest.approx(3)


def test_a_round_in_which_the_machine_was_slow_for_everybody_changes_no_ratio(measured: Measured) -> None:
    before = figures(measured)["stt.speedup_vs_faster_whisper"]
    for name in ("stt.triton", "stt.faster_whisper"):
        measured.ms[name][1] *= 5
    assert figures(measured)["stt.speedup_vs_faster_whisper"] == pytest.approx(before)


def test_a_token_is_told_from_the_rest_by_two_lengths(measured: Measured) -> None:
    found = figures(measured)
    assert (found["stt.triton_token_ms"], found["stt.triton_rest_ms"]) == (pytest.approx(10), pytest.approx(600))
    assert (found["mt.ctranslate2_token_ms"], found["mt.ctranslate2_rest_ms"]) == (pytest.approx(6), pytest.approx(30))


def test_throughput_gained_compares_eight_clients_with_one(measured: Measured) -> None:
    found = figures(measured)
    assert found["mt.throughput_gain_c8"] == pytest.approx(3)
    assert found["mt.c8.mean_batch"] == 5.5
