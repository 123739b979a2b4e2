"""The simulation obeys the laws that any queueing system obeys, and starts from what was measured."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.scaling import __main__ as tables
from deploy.scaling.costs import EMBEDDED, NEURAL_CPU, gpu_costs, with_gpu
from deploy.scaling.simulation import Gate, Plan, Pool, simulate
from deploy.scaling.sizing import capacity, holds, offered, plan_for
from deploy.triton.embedded import CHECKOUT

ROOMY = Plan(triton_pods=4, triton_cores=16, instances=16, owner_cores=8, workers=64)
CPU_STAGES = ("stt", "mt", "tts", "faces", "lips")


class Clock:
    """As much of a world as a pool needs."""

    def __init__(self):
        self.order = iter(range(10**6))
        self.events = []
        self.now = 0.0

    def after(self, delay_s, then):
        self.events.append((self.now + delay_s, next(self.order), then))

    def run(self):
        while self.events:
            self.events.sort()
            self.now, _, then = self.events.pop(0)
            then()


@given(
    work=st.lists(st.tuples(st.sampled_from("ab"), st.floats(0.01, 1)), min_size=1, max_size=30),
    servers=st.integers(1, 4),
)
def test_a_pool_does_all_its_work_and_never_more_at_once_than_it_may(work, servers):
    clock, done, running, most = Clock(), [], {"a": 0, "b": 0}, {"a": 0, "all": 0}
    pool = Pool(clock, servers, {"a": 1})
    started = pool._world.after

    def after(delay_s, then):
        kind = then.args[0]
        running[kind] += 1
        most["a"], most["all"] = max(most["a"], running["a"]), max(most["all"], sum(running.values()))
        started(delay_s, lambda: (running.__setitem__(kind, running[kind] - 1), then()))

    clock.after = after
    for number, (kind, service_s) in enumerate(work):
        pool.submit(kind, service_s, lambda number=number: done.append(number))
    clock.run()
    assert sorted(done) == list(range(len(work)))
    assert (most["a"] <= 1, most["all"] <= servers) == (True, True)
    assert sum(pool.busy_s.values()) == pytest.approx(sum(service_s for _, service_s in work))
    for kind in "ab":
        alike = [number for number in done if work[number][0] == kind]
        assert alike == sorted(alike) or (kind == "b" and servers > 1)  # of one server the first come are first served


def test_a_worker_is_taken_until_it_is_let_go():
    gate, entered, leaves = Gate(1), [], []

    def work(name):
        return lambda leave: (entered.append(name), leaves.append(leave))

    gate.enter(work("first"))
    gate.enter(work("second"))
    assert entered == ["first"]
    leaves[0]()
    assert entered == ["first", "second"]


@pytest.mark.parametrize("costs", [EMBEDDED, NEURAL_CPU], ids=lambda costs: costs.name)
def test_resources_are_as_busy_as_the_streams_make_them(costs):
    load, streams = offered(costs), 20
    busy = simulate(costs, ROOMY, streams, measured_s=240.0).busy
    cores = ROOMY.triton_pods * ROOMY.triton_cores
    assert busy["cores"] == pytest.approx(streams * sum(load[kind] for kind in CPU_STAGES) / cores, rel=0.05)
    assert busy["owners' cores"] == pytest.approx(streams * load["encode"] / ROOMY.owner_cores, rel=0.05)
    assert busy["broker"] == pytest.approx(streams * load["broker"], rel=0.05)


def test_without_waiting_a_sentence_takes_what_its_stages_take():
    outcome = simulate(NEURAL_CPU, ROOMY, 1, measured_s=240.0)
    least = 0.7 * (NEURAL_CPU.stt_s_per_chunk + NEURAL_CPU.tts_s_per_sentence)
    most = 1.3 * (NEURAL_CPU.stt_s_per_chunk + 4.5 * NEURAL_CPU.stt_s_per_audio_s + 0.2)
    assert least < min(outcome.speech_delay_s) <= max(outcome.speech_delay_s) < most


def test_the_same_seed_shows_the_same():
    first, again = (simulate(EMBEDDED, Plan(), 2, seed=5, measured_s=20.0) for _ in range(2))
    assert first == again
    assert first != simulate(EMBEDDED, Plan(), 2, seed=6, measured_s=20.0)


@pytest.mark.parametrize("cores", [2, 3])
def test_twice_the_cores_hold_at_least_as_many_streams(cores):
    plan = Plan(triton_cores=cores, instances=16, workers=32)
    doubled = replace(plan, triton_cores=2 * cores)
    assert capacity(EMBEDDED, plan, seeds=(1,)) <= capacity(EMBEDDED, doubled, seeds=(1,))


def test_what_overflows_is_seen_to_overflow():
    outcome = simulate(EMBEDDED, Plan(), 8, measured_s=20.0)
    assert not holds(outcome)
    assert outcome.bottleneck() == "cores"


def test_the_two_cores_that_were_measured_hold_a_stream_as_they_did():
    busy = simulate(EMBEDDED, Plan(triton_cores=2), 1, measured_s=240.0).busy["cores"]
    assert busy == pytest.approx(0.48, abs=0.03)  # the real-time factor of a clip of 60 s (README)


def test_a_plan_holds_what_it_was_made_for():
    plan = plan_for(EMBEDDED, 15)
    assert holds(simulate(EMBEDDED, plan, 15, measured_s=20.0))


def test_figures_of_a_gpu_come_from_its_own_benchmark(tmp_path):
    rows = [
        {"network": "wav2lip", "variant": "half", "batch": 8, "mean_ms": 4.0},
        {"network": "wav2lip", "variant": "fp32", "batch": 8, "mean_ms": 9.0},
        {"network": "wav2lip", "variant": "half", "batch": 1, "mean_ms": 1.0},
        {"network": "wav2lip", "variant": "trt", "batch": 8, "reason": "not installed"},
        {"network": "s3fd", "variant": "half", "batch": 8, "mean_ms": 16.0},
    ]
    (tmp_path / "gpu.json").write_text(json.dumps({"results": rows}))
    assert with_gpu(tmp_path / "gpu.json") == gpu_costs(0.002, 0.0005)
    with pytest.raises(ValueError, match="no figure of s3fd at batch 32"):
        with_gpu(tmp_path / "gpu.json", batch=32)


def test_a_gpu_takes_the_pictures_off_the_cores():
    outcome = simulate(gpu_costs(0.002, 0.001), Plan(triton_cores=8, workers=8), 5, measured_s=60.0)
    assert outcome.busy["GPU"] == pytest.approx(5 * (5 * 0.002 + 25 * 162 / 222 * 0.001), rel=0.05)


def test_the_page_shows_what_the_program_prints(capsys):
    page = (CHECKOUT / "deploy" / "SCALING.md").read_text(encoding="utf-8")
    tables._shares([EMBEDDED, NEURAL_CPU])
    tables._node(EMBEDDED, 2, 1)
    tables._node(NEURAL_CPU, 8, 1)
    for line in capsys.readouterr().out.strip().splitlines():
        assert line in page


@pytest.mark.parametrize(
    ("document", "figures"),
    [
        ("docs/SPEECH.md", ["1.26 s | 14.4 ms"]),
        ("docs/FACES.md", ["| Triton over gRPC, all of it | 169 ms | 55 ms |"]),
        ("docs/LIPS.md", ["| `bf16`, 4 sessions | 93 |"]),
        ("deploy/SCALING.md", ["1.931", "2.875", "2.829", "622", "3609"]),
    ],
)
def test_what_it_starts_from_stands_in_the_documents(document, figures):
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    assert [figure for figure in figures if figure not in text] == []
