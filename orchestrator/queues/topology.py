"""The names of all queues, made in one place (DESIGN: messages and queues)."""

AUDIO = "audio_queue"
TEXT = "text_queue"
TRANSLATION = "translation_queue"
JOBS = "jobs"

WORK_QUEUES = (AUDIO, TEXT, TRANSLATION, JOBS)
"""Shared, durable work queues."""

_DEAD = ".dead"


def transcripts(owner: str) -> str:
    """Reply queue of one session owner: Transcript and SegmentFailed records."""
    return f"transcripts.{owner}"


def audio_output(owner: str) -> str:
    """Queue of one session owner for SpokenSentence records."""
    return f"audio_output_queue.{owner}"


def retry(queue: str, attempt: int) -> str:
    """Where a message waits after its `attempt`-th try failed (1, 2, …)."""
    return f"{queue}.retry.{attempt}"


def suspects(queue: str) -> str:
    """Where a message goes whose consumer died: from here it is worked on alone, so no neighbour is blamed."""
    return f"{queue}.suspects"


def dead(queue: str) -> str:
    """Where a message is parked for good."""
    return queue + _DEAD


def is_dead(queue: str) -> bool:
    """Tell whether `queue` is a dead-letter queue."""
    return queue.endswith(_DEAD)
