import threading

from orchestrator.segmentation.sentences import Gate, Opinion, SentenceGate
from orchestrator.session.gatekeeper import Gatekeeper
from tests.waiting import eventually


class Rig:
    """A gatekeeper whose judge calls texts whole that end in a full stop, and what came out of it."""

    def __init__(self, judge=None, on_decided=None):
        self.decided, self.errors, self.prepared = [], [], threading.Event()
        self.keeper = Gatekeeper(
            SentenceGate(judge or by_full_stop, 10_000),
            prepare=self.prepared.set,
            on_decided=on_decided or self.decided.append,
            on_error=self.errors.append,
        )
        self.keeper.start()

    def texts(self):
        return [decided.text for decided in self.decided]


def by_full_stop(text, language):
    return Opinion(text.endswith("."), Gate.MODEL, pause_ms=1500)


def test_sentences_come_out_in_the_order_of_speech():
    rig = Rig()
    for number in range(3):
        rig.keeper.cut(number, 2000 * number, 2000 * number + 1400)
    for number, text in ((2, "Third."), (0, "first"), (1, "and second.")):
        rig.keeper.hear(number, text, "en")
    eventually(lambda: rig.texts() == ["first and second.", "Third."])
    rig.keeper.close()
    assert rig.prepared.is_set()


def test_telling_never_waits_for_a_judge_that_is_slow():
    release = threading.Event()

    def slow(text, language):
        release.wait(30)
        return by_full_stop(text, language)

    rig = Rig(judge=slow)
    rig.keeper.cut(0, 0, 1400)
    rig.keeper.hear(0, "First.", "en")
    rig.keeper.cut(1, 2000, 3400)
    rig.keeper.hear(1, "Second.", "en")
    assert rig.decided == []
    release.set()
    eventually(lambda: rig.texts() == ["First.", "Second."])
    rig.keeper.close()


def test_it_says_when_it_needs_the_next_chunk():
    rig = Rig()
    assert not rig.keeper.starving
    rig.keeper.cut(0, 0, 1400)
    rig.keeper.hear(0, "first", "en")
    eventually(lambda: rig.keeper.starving)
    rig.keeper.cut(1, 2000, 3400)
    rig.keeper.hear(1, "and second.", "en")
    eventually(lambda: rig.texts() == ["first and second."])
    eventually(lambda: not rig.keeper.starving)
    rig.keeper.close()


def test_a_silence_is_told_in_steps_and_the_end_exactly():
    rig = Rig()
    rig.keeper.cut(0, 0, 1400)
    rig.keeper.hear(0, "first", "en")
    for until_ms in range(1410, 2900, 10):
        rig.keeper.settle(until_ms)
    rig.keeper.end(2899)
    eventually(lambda: [decided.gate for decided in rig.decided] == [Gate.END])
    rig.keeper.close()


def test_an_error_on_the_gates_thread_is_told_and_ends_it():
    def refuse(decided):
        raise RuntimeError("no queue today")

    rig = Rig(on_decided=refuse)
    rig.keeper.cut(0, 0, 1400)
    rig.keeper.hear(0, "First.", "en")
    eventually(lambda: [str(error) for error in rig.errors] == ["no queue today"])
    rig.keeper.close()


def test_closing_leaves_what_is_undecided():
    rig = Rig()
    rig.keeper.cut(0, 0, 1400)
    rig.keeper.close()
    assert rig.decided == []


def test_a_keeper_that_was_never_started_can_be_closed():
    Gatekeeper(SentenceGate(by_full_stop, 1), prepare=print, on_decided=print, on_error=print).close()
