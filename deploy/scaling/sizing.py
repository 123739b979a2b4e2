"""From a simulation to an answer: the most streams that a plan holds, and a plan that holds so many streams."""

from dataclasses import replace
from math import ceil

from deploy.scaling.costs import Broker, Costs
from deploy.scaling.simulation import (
    CHUNK_S,
    DETECT_EVERY_FRAMES,
    FRAMES_PER_S,
    SPOKEN_SHARE,
    Outcome,
    Plan,
    simulate,
)

SPEECH_WITHIN_S = 3.0
PICTURE_WITHIN_S = 1.0
"""A plan holds its streams when 95 % of sentences and of blocks of frames are ready within these times."""
PLANNED_BUSY = 0.6
"""How busy a resource is planned to be: beyond that, waiting grows faster than work."""


def holds(outcome: Outcome) -> bool:
    """Tell whether nobody waited too long."""
    speech_s, picture_s = outcome.p95()
    return speech_s <= SPEECH_WITHIN_S and picture_s <= PICTURE_WITHIN_S


def capacity(costs: Costs, plan: Plan, seeds: tuple[int, ...] = (1, 2, 3)) -> int:
    """Return the most streams that the plan holds with every seed; 0 when not even one."""

    def held(streams: int) -> bool:
        return all(holds(simulate(costs, plan, streams, seed=seed)) for seed in seeds)

    low, high = 0, 1
    while held(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if held(middle) else (low, middle)
    return low


def offered(costs: Costs) -> dict[str, float]:
    """Return how many cores (a GPU, a broker's node) one stream keeps busy, by stage."""
    chunks_per_s = 2 / sum(CHUNK_S)
    message = Broker()
    return {
        "stt": chunks_per_s * costs.stt_s_per_chunk + costs.stt_s_per_audio_s,
        "mt": chunks_per_s * costs.mt_s_per_sentence,
        "tts": chunks_per_s * costs.tts_s_per_sentence,
        "faces": FRAMES_PER_S / DETECT_EVERY_FRAMES * costs.faces_s_per_detection,
        "lips": FRAMES_PER_S * SPOKEN_SHARE * costs.lips_s_per_crop,
        "encode": FRAMES_PER_S * costs.decode_encode_s_per_frame,
        "broker": chunks_per_s * (2 * message.large_s + 3 * message.small_s),
    }


def plan_for(costs: Costs, streams: int, triton_cores: int = 8, instances: int = 4) -> Plan:
    """Return the smallest plan that the simulation confirms, starting from every resource PLANNED_BUSY busy."""
    load = {stage: share * streams for stage, share in offered(costs).items()}
    on_cpu = sum(load[kind] for kind in ("stt", "mt", "tts", "faces", "lips") if kind not in costs.on_gpu)
    needs = [on_cpu / triton_cores, sum(load[kind] for kind in costs.on_gpu)]
    for kind, count in costs.instances.items():
        needs.append(load[kind] / min(count * instances, triton_cores))
    plan = Plan(
        triton_pods=ceil(max(needs) / PLANNED_BUSY),
        triton_cores=triton_cores,
        instances=instances,
        owner_cores=ceil(load["encode"] / PLANNED_BUSY),
        # A worker is taken while its call waits in Triton too.
        workers=ceil(2 * max(load["stt"], load["mt"], load["tts"]) / PLANNED_BUSY),
        brokers=ceil(load["broker"] / PLANNED_BUSY),
    )
    while not holds(simulate(costs, plan, streams, measured_s=20.0)):
        plan = replace(
            plan,
            triton_pods=plan.triton_pods + ceil(plan.triton_pods / 10),
            owner_cores=plan.owner_cores + ceil(plan.owner_cores / 10),
            workers=plan.workers + ceil(plan.workers / 10),
        )
    return plan
