"""The simulation: streams of speech and pictures through owners, a broker, stage workers and Triton pods.

A stream is a person who speaks all the time, in real time: every second brings 25 frames and a second of sound. See
deploy/SCALING.md for what is assumed. Times are seconds.
"""

import heapq
import itertools
import random
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from deploy.scaling.costs import Broker, Costs

FRAMES_PER_S = 25
DETECT_EVERY_FRAMES = 5
"""visual.detect_every_frames."""
BLOCK_FRAMES = 20
"""Frames that are looked at together here: four detections (visual.detector_batch)."""
SPOKEN_SHARE = 162 / 222
"""Of the frames: those whose lips are moved, in the sample clip."""
LIPS_BATCH = 8
"""visual.lips_batch."""
CHUNK_S = (1.5, 4.5)
"""Between these a chunk's length is uniform: 3 s on average, as in the sample clip."""
SPREAD = 0.3
"""A service takes up to so much more or less than its mean."""

Then = Callable[[], None]


@dataclass(frozen=True)
class Plan:
    """How much of everything there is."""

    triton_pods: int = 1
    triton_cores: int = 2
    """Of each pod."""
    instances: int = 1
    """Times as many instances of each model as its configuration has."""
    owner_cores: int = 0
    """Of all owners together; 0: they share the cores of the first Triton pod, as on one machine."""
    workers: int = 1
    """Messages of each stage in work at once: processes times worker.concurrency."""
    brokers: int = 1
    """Nodes that lead queues."""


@dataclass
class Outcome:
    """What a run showed."""

    speech_delay_s: list[float] = field(default_factory=list)
    """From a chunk's end to its translation spoken, as far as the stages go."""
    picture_delay_s: list[float] = field(default_factory=list)
    """From the last frame of a block to the block encoded."""
    busy: dict[str, float] = field(default_factory=dict)
    """Resource -> share of its time that it was busy."""

    def p95(self) -> tuple[float, float]:
        """Return the 95th percentiles of speech and picture; infinite when nothing got through."""
        return _p95(self.speech_delay_s), _p95(self.picture_delay_s)

    def bottleneck(self) -> str:
        """Return the busiest resource."""
        return max(self.busy, key=lambda name: self.busy[name])


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else float("inf")


class Pool:
    """Equal servers with one queue; a kind of work may have a limit of its own below the number of servers."""

    def __init__(self, world: "World", servers: int, limits: dict[str, int] | None = None) -> None:
        """Make idle servers."""
        self._world = world
        self._servers = servers
        self._limits = limits or {}
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[tuple[int, float, Then]]] = {}
        self._active = 0
        self.busy_s: dict[str, float] = {}

    def submit(self, kind: str, service_s: float, then: Then) -> None:
        """Queue work; `then` is called when it is done."""
        self._waiting.setdefault(kind, deque()).append((next(self._world.order), service_s, then))
        self._start()

    def _start(self) -> None:
        while self._active < self._servers:
            able = [
                kind
                for kind, queue in self._waiting.items()
                if queue and self._running.get(kind, 0) < self._limits.get(kind, self._servers)
            ]
            if not able:
                return
            kind = min(able, key=lambda each: self._waiting[each][0][0])  # first come, first served
            _, service_s, then = self._waiting[kind].popleft()
            self._active += 1
            self._running[kind] = self._running.get(kind, 0) + 1
            self.busy_s[kind] = self.busy_s.get(kind, 0.0) + service_s
            self._world.after(service_s, partial(self._done, kind, then))

    def _done(self, kind: str, then: Then) -> None:
        self._active -= 1
        self._running[kind] -= 1
        then()
        self._start()


class Gate:
    """Workers: each is taken for as long as its message lasts, whatever the message waits for."""

    def __init__(self, size: int) -> None:
        """Make idle workers."""
        self._free = size
        self._waiting: deque[Callable[[Then], None]] = deque()

    def enter(self, work: Callable[[Then], None]) -> None:
        """Do `work` with a worker; it is given the call that frees the worker."""
        if self._free:
            self._free -= 1
            work(self._leave)
        else:
            self._waiting.append(work)

    def _leave(self) -> None:
        if self._waiting:
            self._waiting.popleft()(self._leave)
        else:
            self._free += 1


class World:
    """One run."""

    def __init__(self, costs: Costs, plan: Plan, streams: int, seed: int) -> None:
        """Set up the resources and start every stream at a moment of its own."""
        self.order = itertools.count()
        self._now = 0.0
        self._events: list[tuple[float, int, Then]] = []
        self._random = random.Random(seed)  # noqa: S311 - a simulation
        self._costs, self._plan, self._streams = costs, plan, streams
        limits = {kind: count * plan.instances for kind, count in costs.instances.items()}
        self._pods = [Pool(self, plan.triton_cores, limits) for _ in range(plan.triton_pods)]
        self._gpus = [Pool(self, 1) for _ in range(plan.triton_pods)]
        self._owners = Pool(self, plan.owner_cores) if plan.owner_cores else self._pods[0]
        self._broker = Pool(self, plan.brokers)
        self._workers = {stage: Gate(plan.workers) for stage in ("stt", "mt", "tts")}
        self._message = Broker()
        for stream in range(streams):
            start_s = self._random.uniform(0, CHUNK_S[1])
            self.after(start_s, self._speak)
            self.after(start_s, partial(self._block, stream))

    def after(self, delay_s: float, then: Then) -> None:
        """Call `then` later."""
        heapq.heappush(self._events, (self._now + delay_s, next(self.order), then))

    def run(self, warm_up_s: float, measured_s: float) -> Outcome:
        """Run; what happens in the warm-up is not counted."""
        self._outcome = Outcome()
        self._until(warm_up_s)
        self._outcome = Outcome()
        before = self._busy_s()
        self._until(warm_up_s + measured_s)
        self._outcome.busy = {name: (busy - before[name]) / measured_s for name, busy in self._busy_s().items()}
        return self._outcome

    def _until(self, end_s: float) -> None:
        while self._events and self._events[0][0] <= end_s:
            self._now, _, then = heapq.heappop(self._events)
            then()
        self._now = end_s

    def _busy_s(self) -> dict[str, float]:
        """Return the busy time of each resource over its servers; of instances that are limited also by themselves."""
        plan, pods = self._plan, len(self._pods)
        shares = {
            "cores": sum(sum(pod.busy_s.values()) for pod in self._pods) / (pods * plan.triton_cores),
            "broker": sum(self._broker.busy_s.values()) / plan.brokers,
        }
        if plan.owner_cores:
            shares["owners' cores"] = sum(self._owners.busy_s.values()) / plan.owner_cores
        if self._costs.on_gpu:
            shares["GPU"] = sum(sum(gpu.busy_s.values()) for gpu in self._gpus) / pods
        for kind, count in self._costs.instances.items():
            places = pods * min(count * plan.instances, plan.triton_cores)
            shares[f"instances of {kind}"] = sum(pod.busy_s.get(kind, 0.0) for pod in self._pods) / places
        return shares

    def _service(self, mean_s: float) -> float:
        return mean_s * self._random.uniform(1 - SPREAD, 1 + SPREAD)

    def _triton(self, kind: str, pod: int, mean_s: float, then: Then) -> None:
        pools = self._gpus if kind in self._costs.on_gpu else self._pods
        pools[pod].submit(kind, self._service(mean_s), then)

    def _send(self, mean_s: float, then: Then) -> None:
        self._broker.submit("message", self._service(mean_s), then)

    def _speak(self) -> None:
        """One chunk through the three stages; the next one follows at once."""
        length_s = self._random.uniform(*CHUNK_S)
        self.after(length_s, self._speak)
        costs, message = self._costs, self._message
        stages = [
            ("stt", message.large_s, costs.stt_s_per_chunk + costs.stt_s_per_audio_s * length_s),
            ("mt", 2 * message.small_s, costs.mt_s_per_sentence),  # the transcript, then the sentence
            ("tts", message.small_s, costs.tts_s_per_sentence),
        ]
        self.after(length_s, lambda: self._stage(stages, self._now))

    def _stage(self, left: list[tuple[str, float, float]], ended_s: float) -> None:
        if not left:
            self._send(self._message.large_s, lambda: self._outcome.speech_delay_s.append(self._now - ended_s))
            return
        (kind, message_s, mean_s), *rest = left

        def work(leave: Then) -> None:
            def done() -> None:
                leave()
                self._stage(rest, ended_s)

            self._triton(kind, self._random.randrange(len(self._pods)), mean_s, done)

        self._send(message_s, lambda: self._workers[kind].enter(work))

    def _block(self, stream: int) -> None:
        """A block of frames: found, lips moved in calls of LIPS_BATCH, encoded; the next one follows at once."""
        length_s = BLOCK_FRAMES / FRAMES_PER_S
        self.after(length_s, partial(self._block, stream))
        self.after(length_s, lambda: self._picture(stream % len(self._pods), self._now))

    def _picture(self, pod: int, ended_s: float) -> None:
        costs = self._costs
        crops = BLOCK_FRAMES * SPOKEN_SHARE
        calls = [LIPS_BATCH] * int(crops // LIPS_BATCH) + [crops % LIPS_BATCH]
        left = len(calls)

        def encode() -> None:
            nonlocal left
            left -= 1
            if not left:
                service_s = self._service(costs.decode_encode_s_per_frame * BLOCK_FRAMES)
                self._owners.submit("encode", service_s, encoded)

        def encoded() -> None:
            self._outcome.picture_delay_s.append(self._now - ended_s)

        def lips() -> None:
            for crop_count in calls:
                self._triton("lips", pod, crop_count * costs.lips_s_per_crop, encode)

        detections = BLOCK_FRAMES // DETECT_EVERY_FRAMES
        self._triton("faces", pod, detections * costs.faces_s_per_detection, lips)


def simulate(costs: Costs, plan: Plan, streams: int, *, seed: int = 1, measured_s: float = 60.0) -> Outcome:
    """Run so many streams through the plan."""
    return World(costs, plan, streams, seed).run(warm_up_s=30.0, measured_s=measured_s)
