from orchestrator.visual.casting import ChosenBy, LargestCasting
from orchestrator.visual.overruling import Overrule, OverruledCasting
from orchestrator.visual.seen import SeenFace, SeenFrame
from tests.visual_factory import face_at, make_frame

FRAME = make_frame()


def seen(index, *tracks):
    """A frame at 25 frames/s; the first face is the largest."""
    faces = tuple(SeenFace(track, face_at(100 * place, 100, 90 - place)) for place, track in enumerate(tracks, 1))
    return SeenFrame(index, index / 25, FRAME, 1, faces)


def cast(overrules, *frames):
    casting = OverruledCasting(LargestCasting(), overrules)
    out = [one for frame in frames for one in casting.push(frame)]
    return [(one.track, one.chosen_by) for one in [*out, *casting.finish()]]


def test_a_person_s_choice_lasts_for_its_stretch_and_no_frame_longer():
    chosen = cast([Overrule(0.04, 0.12, 2)], *(seen(index, 1, 2) for index in range(5)))
    assert chosen == [(1, ChosenBy.LARGEST)] + [(2, ChosenBy.CORRECTION)] * 2 + [(1, ChosenBy.LARGEST)] * 2


def test_nobody_s_lips_move_where_the_face_is_hidden_or_nobody_was_chosen():
    assert cast([Overrule(0.0, 1.0, 2)], seen(0, 1), seen(1, 1, 2)) == [(0, None), (2, ChosenBy.CORRECTION)]
    assert cast([Overrule(0.0, 1.0, 0)], seen(0, 1, 2)) == [(0, None)]


def test_of_two_stretches_the_later_one_is_meant():
    frames = [seen(index, 1, 2, 3) for index in range(3)]
    assert [track for track, _ in cast([Overrule(0.0, 1.0, 3), Overrule(0.04, 1.0, 2)], *frames)] == [3, 2, 2]


class Waiting:
    """Decides nothing before the end."""

    def __init__(self):
        self.inner, self.frames = LargestCasting(), []

    def push(self, frame):
        self.frames.append(frame)
        return iter(())

    def finish(self):
        return (one for frame in self.frames for one in self.inner.push(frame))


def test_what_is_decided_at_the_end_is_overruled_as_well():
    casting = OverruledCasting(Waiting(), [Overrule(0.0, 0.02, 2)])
    assert [list(casting.push(seen(index, 1, 2))) for index in range(2)] == [[], []]
    assert [one.track for one in casting.finish()] == [2, 1]
