"""From an upload to an accepted dub, in the one order that loses nothing: media, row, job, confirmation, answer."""

import uuid

import anyio
import structlog
from anyio import to_thread

from client.contracts import Task
from client.errors import PolylipError
from orchestrator.errors import BrokerUnavailable, IdempotencyConflict, TooManyDubs, Unroutable
from orchestrator.languages import required_engines
from orchestrator.messages import DubJob, encode
from orchestrator.queues import topology
from orchestrator.queues.broker import TRACEPARENT_HEADER, QueueSpec
from orchestrator.rest.context import Gateway
from orchestrator.rest.fields import DubFields
from orchestrator.rest.offers import read_offer
from orchestrator.rest.targets import check_webhook
from orchestrator.rest.upload import Upload
from orchestrator.store.artefacts import Artefact
from orchestrator.store.rows import clip_facts
from orchestrator.store.schema import Dub, NewDub
from orchestrator.subtitles.transcript import read_transcript
from orchestrator.telemetry.spans import span
from orchestrator.tracing import trace_id_of

log = structlog.get_logger()

TWIN_POLL_S = 0.1
"""How often a request looks whether the one with its key has been confirmed."""


async def check_room(gateway: Gateway) -> None:
    """Raise TooManyDubs or StoreUnavailable, or BrokerUnavailable, before a body is read for nothing."""
    most = gateway.settings.gateway.max_active_dubs
    if await to_thread.run_sync(gateway.dubs.active) >= most:
        raise TooManyDubs(f"{most} dubs are queued or running")
    await check_broker(gateway)


async def check_broker(gateway: Gateway) -> None:
    """Raise BrokerUnavailable unless the broker answers within the control deadline."""
    deadline_s = gateway.settings.gateway.broker_timeout_s
    try:
        with anyio.fail_after(deadline_s):
            await to_thread.run_sync(gateway.broker.check, abandon_on_cancel=True, limiter=gateway.broker_limiter)
    except TimeoutError as error:
        raise BrokerUnavailable(f"the broker did not answer within {deadline_s:g} s") from error


async def earlier_answer(gateway: Gateway, key: str | None, fingerprint: str) -> Dub | None:
    """Return the dub that this very request made before; raises IdempotencyConflict for another request's key."""
    dub = await to_thread.run_sync(gateway.dubs.by_key, key)
    return await _answer_of_twin(gateway, dub, fingerprint) if dub is not None else None


async def admit(
    gateway: Gateway, upload: Upload, fields: DubFields, key: str | None, traceparent: str
) -> tuple[Dub, bool]:
    """Check everything, make the dub durable and hand its job to the broker; True when an earlier dub is the answer.

    Raises:
        BadRequest, ClipRefused, LanguagePairUnsupported, TranscriptRefused, WebhookRefused: nothing is kept.
        EngineError, BrokerError, TooManyDubs, StoreUnavailable: nothing is kept; another try may succeed.
    """
    if fields.webhook is not None:
        await check_webhook(fields.webhook, gateway.settings.gateway)
    engines = required_engines(gateway.settings.engines, fields.engines)
    if upload.transcript is not None:  # nobody listens
        engines = {task: model for task, model in engines.items() if task not in (Task.STT, Task.BOUNDARY)}
    offer = await read_offer(gateway.triton, engines)
    source = offer.source(fields.source_language, gateway.settings.source_language)
    offer.check(source, fields.target_language)
    clip = await to_thread.run_sync(gateway.probe, upload.path, gateway.settings.media, limiter=gateway.probe_limiter)
    if fields.face is not None:
        fields.face.check(clip)
    if upload.transcript is not None:
        read_transcript(upload.transcript, round(clip.duration_s * 1000), gateway.settings.vad.max_segment_ms)
    new = NewDub(
        id=uuid.uuid4(),
        source_language=source,
        target_language=fields.target_language,
        engines=fields.engines,
        face=str(fields.face or ""),
        background=str(fields.background or ""),
        glossary=fields.glossary,
        clip_name=upload.file_name,
        clip=clip_facts(clip),
        fingerprint=fields.fingerprint(upload.sha256, upload.transcript),
        idempotency_key=key,
        webhook=fields.webhook,
    )
    return await _store_and_publish(gateway, new, upload, traceparent)


async def _store_and_publish(gateway: Gateway, new: NewDub, upload: Upload, traceparent: str) -> tuple[Dub, bool]:
    inserted = False
    try:
        await to_thread.run_sync(gateway.media.put_file, new.id, Artefact.CLIP, upload.path)
        if upload.transcript is not None:
            await to_thread.run_sync(gateway.media.put_bytes, new.id, Artefact.TRANSCRIPT, upload.transcript)
        dub = await to_thread.run_sync(gateway.dubs.create, new, gateway.settings.gateway.max_active_dubs)
        inserted = dub.id == new.id
        if inserted:
            await publish_job(gateway, dub, traceparent)
            return dub, False
    except PolylipError:
        await _forget(gateway, new.id, inserted)
        raise
    await _forget(gateway, new.id, inserted)  # a twin with our key came first
    return await _answer_of_twin(gateway, dub, new.fingerprint), True


async def publish_job(gateway: Gateway, dub: Dub, traceparent: str = "", render: int = 0) -> None:
    """Hand the job to the broker, wait for its confirmation, and remember it; raises BrokerError.

    `render`: the id of the dub's render that is the job; 0: the dub itself.
    """

    def publish() -> None:
        body = encode(
            DubJob(
                dub_id=dub.id,
                source_language=dub.source_language,
                target_language=dub.target_language,
                engines=dub.engines,
                face=dub.face,
                background=dub.background,
                glossary=dub.glossary,
                render=render,
            )
        )
        ids = {"polylip.session": str(dub.id)}
        with span(f"publish {topology.JOBS}", traceparent, "producer", ids) as begun:
            headers = {TRACEPARENT_HEADER: begun.traceparent}
            try:
                gateway.broker.publish(topology.JOBS, body, headers)
            except Unroutable:  # the broker was set up anew since we started
                gateway.broker.declare(QueueSpec(topology.JOBS))
                gateway.broker.publish(topology.JOBS, body, headers)
        log.info("job published", session=str(dub.id), trace_id=trace_id_of(begun.traceparent))
        if render:
            gateway.dubs.renders.mark_published(render)
        else:
            gateway.dubs.mark_published(dub.id)

    await to_thread.run_sync(publish, limiter=gateway.broker_limiter)


async def _answer_of_twin(gateway: Gateway, dub: Dub, fingerprint: str) -> Dub:
    if dub.fingerprint != fingerprint:
        raise IdempotencyConflict("this Idempotency-Key was used with another request")
    # The twin may still be on its way to the broker, and is forgotten if it does not get there: promise nothing before.
    with anyio.move_on_after(2 * gateway.settings.broker.publish_timeout_s):
        while not dub.published:
            await anyio.sleep(TWIN_POLL_S)
            again = await to_thread.run_sync(gateway.dubs.by_key, dub.idempotency_key)
            if again is None or again.id != dub.id:
                break
            dub = again
    if not dub.published:
        raise BrokerUnavailable("the first request with this Idempotency-Key has not reached the broker")
    return dub


async def _forget(gateway: Gateway, dub_id: uuid.UUID, inserted: bool) -> None:
    """Remove what was kept for a dub that nobody was promised."""

    def forget() -> None:
        if inserted:
            gateway.dubs.discard(dub_id)
        gateway.media.delete(dub_id)

    try:
        await to_thread.run_sync(forget)
    except PolylipError as error:  # the sweep finds it later; the caller must hear the first error
        log.warning("could not clean up", dub=str(dub_id), reason=str(error))
