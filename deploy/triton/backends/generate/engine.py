"""One thread that serves everything of an instance: jobs are advanced, sources encoded, batches stepped, in turn.

A request that comes while others decode joins them before the next step if it has as many rows a source and there is
room; else it gets a batch of its own, and the batches step in turn (docs/GENERATE.md has the measurements).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from .admission import check_request
from .chooser import plan
from .frontend import FrontEnd
from .generation import Source
from .generations import Generation, RunningBatch
from .graphs import Graphs
from .limits import Limits
from .running_job import RunningJob, Ticket
from .source_batch import SourceEncoder

_POLL_S = 0.05
"""How often callers are looked after: asking Triton whether one has gone costs 0.1 ms."""


class Engine:
    """Start with `start`, end with `close`; `submit` from any thread."""

    def __init__(
        self,
        graphs: Graphs,
        front_end: FrontEnd,
        limits: Limits,
        on_step: Callable[[int], None] = lambda generations: None,
    ) -> None:
        """`on_step` is told before every step how many generations share it."""
        self._graphs, self._front_end, self._limits, self._on_step = graphs, front_end, limits, on_step
        self._encoder = SourceEncoder(graphs, limits.encode_batch)
        self._inbox: queue.SimpleQueue[tuple[Ticket, ...] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="generate", daemon=True)
        self._jobs: list[RunningJob] = []
        self._waiting: list[Generation] = []
        self._batches: list[RunningBatch] = []
        self._next_poll = 0.0
        self._closing = False

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def submit(self, *tickets: Ticket) -> None:
        """Take requests, which begin together; their tickets are answered from the engine's thread."""
        self._inbox.put(tickets)

    def close(self) -> None:
        """Serve what was submitted, then end."""
        self._inbox.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while self._jobs or not self._closing:
            try:
                self._take()
                self._drop_cancelled()
                self._admit()
                self._step()
                self._go_on()
            except Exception as error:  # a fault of ours: nobody may wait for ever
                self._abandon(error)

    def _take(self) -> None:
        """Start the jobs of new requests; wait for one if there is nothing else to do."""
        block = not self._jobs and not self._closing
        while block or not self._inbox.empty():
            tickets = self._inbox.get()
            block = False
            if tickets is None:
                self._closing = True
                continue
            for ticket in tickets:
                running = RunningJob(ticket, self._front_end)
                self._jobs.append(running)
                self._advance(running)

    def _advance(self, running: RunningJob) -> None:
        """Run the front-end's code until it has to wait for generations, or is done."""
        while running.ready:
            requests = running.ask()
            if requests is None:
                self._jobs.remove(running)
                return
            settings = self._graphs.settings
            try:
                for index, request in enumerate(requests):
                    check_request(request, self._graphs, self._encoder)
                    made = plan(request, settings.eos, settings.max_positions)
                    running.generations.append(Generation(request, made, running.listener(index)))
            except Exception as error:
                running.break_off(error)
            else:
                self._waiting += running.generations

    def _drop_cancelled(self) -> None:
        """Forget the jobs whose callers have gone."""
        now = time.monotonic()
        if now < self._next_poll:
            return
        self._next_poll = now + _POLL_S
        for running in [running for running in self._jobs if running.ticket.is_cancelled()]:
            self._jobs.remove(running)
            running.cancel()

    def _admit(self) -> None:
        """Let waiting generations begin, as far as there is room."""
        chosen = self._chosen()
        if not chosen:
            return
        chosen = self._encode(chosen)
        groups: dict[tuple[int, int], list[Generation]] = {}
        for generation in chosen:
            source = generation.request.source
            length = 0 if source is None or self._graphs.masks_source else source.encoded.batch.length
            groups.setdefault((generation.rows, length), []).append(generation)
        for group in groups.values():
            self._begin(group)

    def _chosen(self) -> list[Generation]:
        rooms: dict[int, int] = {}
        for batch in self._batches:
            full = self._limits.decode_batch if not self._limits.joining else batch.alive
            rooms[batch.width] = rooms.get(batch.width, self._limits.decode_batch) - full
        chosen: list[Generation] = []
        later: list[Generation] = []
        for generation in self._waiting:
            if generation.cancelled:
                continue
            room = rooms.get(generation.rows, self._limits.decode_batch)
            (chosen if room > 0 else later).append(generation)
            rooms[generation.rows] = room - 1
        self._waiting = later
        return chosen

    def _encode(self, generations: Sequence[Generation]) -> list[Generation]:
        """Encode the sources that are not yet; returns the generations whose sources are."""
        sources = (generation.request.source for generation in generations)
        new = dict.fromkeys(source for source in sources if source is not None and source.encoded is None)
        failures: dict[Source, Exception] = {}
        for group in self._encoder.groups(list(new)):
            failures.update(self._encode_group(group))
        encoded = []
        for generation in generations:
            source = generation.request.source
            if source is not None and source in failures:
                generation.fail(failures[source])
            else:
                encoded.append(generation)
        return encoded

    def _encode_group(self, sources: Sequence[Source]) -> dict[Source, Exception]:
        try:
            self._encoder.encode(sources)
        except Exception as error:
            if len(sources) == 1:
                return {sources[0]: error}
            failures: dict[Source, Exception] = {}
            for source in sources:  # each by itself, so that only the guilty ones fail
                failures.update(self._encode_group([source]))
            return failures
        return {}

    def _begin(self, group: Sequence[Generation]) -> None:
        try:
            batch = RunningBatch(self._graphs, group)
        except Exception as error:
            if len(group) == 1 or any(generation.begun for generation in group):
                for generation in group:
                    generation.fail(error)
                return
            for generation in group:  # each by itself, so that only the guilty ones fail
                self._begin([generation])
            return
        if not batch.alive:
            return
        for running in self._batches:
            if running.alive and running.can_absorb(batch, self._limits.decode_batch):
                running.absorb(batch)
                return
        self._batches.append(batch)

    def _step(self) -> None:
        for batch in self._batches:
            batch.remove_cancelled()
            if not batch.alive:
                continue
            self._on_step(batch.alive)
            try:
                batch.step()
            except Exception as error:
                for generation in batch.generations:
                    generation.fail(error)
                batch.clear()
        self._batches = [batch for batch in self._batches if batch.alive]

    def _go_on(self) -> None:
        """Hand results to the jobs that wait for nothing else."""
        for running in [running for running in self._jobs if running.ready]:
            self._advance(running)

    def _abandon(self, error: Exception) -> None:
        jobs, self._jobs, self._waiting, self._batches = self._jobs, [], [], []
        for running in jobs:
            running.ticket.fail(error)
