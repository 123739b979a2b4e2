"""`python -m deploy.scaling [--gpu FILE] [--streams N …]`: the tables of deploy/SCALING.md, in its own form."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from deploy.scaling.costs import EMBEDDED, NEURAL_CPU, Costs, gpu_costs, with_gpu
from deploy.scaling.simulation import Plan, simulate
from deploy.scaling.sizing import capacity, offered, plan_for

NODES = (2, 8, 16)
"""Cores of a machine that has everything."""
STREAMS = (10, 100, 1000, 3000)
SUPPOSED_MS = (0.5, 1.0, 2.0, 4.0)
"""Times of one crop on a GPU, where none was measured; a detection is supposed to take twice as long."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", type=Path, help="what `python -m tests.benchmarks.bench_gpu` wrote")
    parser.add_argument("--streams", type=int, nargs="+", default=list(STREAMS))
    asked = parser.parse_args(arguments)
    sets = [EMBEDDED, NEURAL_CPU, *([with_gpu(asked.gpu)] if asked.gpu else [])]
    _shares(sets)
    _nodes(sets)
    if not asked.gpu:
        _supposed()
    for costs in sets:
        _plans(costs, asked.streams)


def _shares(sets: Sequence[Costs]) -> None:
    print("\n| cores that one stream keeps busy | " + " | ".join(offered(EMBEDDED)) + " |")
    print("|---" * (1 + len(offered(EMBEDDED))) + "|")
    for costs in sets:
        print(f"| {costs.name} | " + " | ".join(f"{share:.3f}" for share in offered(costs).values()) + " |")


def _nodes(sets: Sequence[Costs]) -> None:
    print("\n| engines | cores | instances | streams | with one more, busiest | then |\n" + "|---" * 6 + "|")
    for costs in sets:
        for cores in NODES:
            for instances in (1, 4) if costs.instances.keys() & {"lips"} else (1,):
                _node(costs, cores, instances)


def _node(costs: Costs, cores: int, instances: int) -> None:
    plan = Plan(triton_cores=cores, instances=instances, workers=cores)
    most = capacity(costs, plan)
    busy = simulate(costs, plan, most + 1).busy
    first, second = sorted(busy, key=lambda name: -busy[name])[:2]
    told = f"{first} ({busy[first]:.0%}) | {second} ({busy[second]:.0%})"
    print(f"| {costs.name} | {cores} | x{instances} | {most} | {told} |")


def _supposed() -> None:
    print("\n| if a crop takes | and a detection | streams with 16 cores beside the GPU | with 64 cores |")
    print("|---" * 4 + "|")
    for crop_ms in SUPPOSED_MS:
        costs = gpu_costs(2 * crop_ms / 1000, crop_ms / 1000)
        cells = []
        for cores in (16, 64):
            plan = Plan(triton_cores=cores, workers=cores)
            most = capacity(costs, plan, seeds=(1,))
            outcome = simulate(costs, plan, most + 1)
            cells.append(f"{most} ({outcome.bottleneck()})")
        print(f"| {crop_ms} ms | {2 * crop_ms} ms | {' | '.join(cells)} |")


def _plans(costs: Costs, streams: Sequence[int]) -> None:
    print(f"\n{costs.name}, Triton pods of 8 cores, four times the instances:\n")
    heads = (
        "streams",
        "Triton pods",
        "owners' cores",
        "messages in work a stage",
        "broker nodes",
        "speech p95",
        "picture p95",
    )
    print(f"| {' | '.join(heads)} | busiest |")
    print("|---" * 8 + "|")
    for count in streams:
        plan = plan_for(costs, count)
        outcome = simulate(costs, plan, count, measured_s=20.0)
        speech_s, picture_s = outcome.p95()
        busiest = outcome.bottleneck()
        print(
            f"| {count} | {plan.triton_pods} | {plan.owner_cores} | {plan.workers} | {plan.brokers} "
            f"| {speech_s:.2f} s | {picture_s:.2f} s | {busiest} ({outcome.busy[busiest]:.0%}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
