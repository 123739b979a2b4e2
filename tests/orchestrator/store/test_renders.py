import uuid

import pytest

from orchestrator.corrections import Correction
from orchestrator.errors import (
    CorrectionOutdated,
    DubNotFinished,
    DubNotFound,
    RenderInProgress,
    SessionCancelled,
    TooManyDubs,
)
from orchestrator.store.dubs import DubStore
from orchestrator.store.states import DubState
from tests.fakes.dubs import new_dub

SENTENCE = uuid.UUID(int=5)


@pytest.fixture
def dubs(tmp_path):
    store = DubStore(f"sqlite:///{tmp_path}/dubs.db")
    yield store
    store.close()


@pytest.fixture
def dub_id(dubs):
    """Of a finished dub."""
    dub = dubs.create(new_dub())
    dubs.claim_running(dub.id, "owner")
    dubs.succeed(dub.id, {})
    return dub.id


def correct(dubs, dub_id, version=None, **patch):
    return dubs.renders.correct(dub_id, SENTENCE, 0, lambda before: before.changed(patch), version)


def test_only_a_finished_dub_is_corrected_and_rendered(dubs):
    dub = dubs.create(new_dub())
    for call in (lambda: correct(dubs, dub.id, skip=True), lambda: dubs.renders.request(dub.id)):
        with pytest.raises(DubNotFinished):
            call()
    with pytest.raises(DubNotFound):
        correct(dubs, uuid.uuid4(), skip=True)


def test_each_change_has_a_version_and_an_old_one_is_refused(dubs, dub_id):
    assert correct(dubs, dub_id, 0, text="a").version == 1
    with pytest.raises(CorrectionOutdated):
        correct(dubs, dub_id, 0, text="b")
    changed = correct(dubs, dub_id, 1, skip=True)
    assert (changed.version, changed.correction) == (2, Correction(text="a", skip=True))


def test_a_render_has_the_corrections_of_its_request(dubs, dub_id):
    assert dubs.renders.request(dub_id) == (None, False)
    correct(dubs, dub_id, text="a")
    render, new = dubs.renders.request(dub_id)
    assert new
    assert (render.state, render.revision, render.corrections) == (DubState.QUEUED, 2, {str(SENTENCE): {"text": "a"}})
    assert dubs.renders.request(dub_id) == (render, False)
    correct(dubs, dub_id, text="b")
    with pytest.raises(RenderInProgress):
        dubs.renders.request(dub_id)


def test_a_render_counts_as_work(dubs, dub_id):
    dubs.create(new_dub())
    correct(dubs, dub_id, text="a")
    with pytest.raises(TooManyDubs):
        dubs.renders.request(dub_id, 1)
    assert dubs.renders.request(dub_id, 2)[1]


def test_a_render_is_claimed_once_by_an_owner_and_taken_over_by_another(dubs, dub_id):
    correct(dubs, dub_id, text="a")
    render, _ = dubs.renders.request(dub_id)
    dub, claimed = dubs.renders.claim(render.id, "one")
    assert (dub.state, claimed.state) == (DubState.SUCCEEDED, DubState.RUNNING)
    assert dubs.renders.claim(render.id, "one") is None
    assert dubs.renders.claim(render.id, "two") is not None
    dubs.renders.succeed(render.id, {"rtf": 1})
    assert dubs.renders.claim(render.id, "three") is None
    assert dubs.get(dub_id).revision == 2
    assert dubs.renders.request(dub_id)[0].id == render.id
    with pytest.raises(SessionCancelled):
        dubs.renders.succeed(render.id, {})


def test_a_cancelled_render_gives_its_number_to_nobody(dubs, dub_id):
    correct(dubs, dub_id, text="a")
    first, _ = dubs.renders.request(dub_id)
    assert dubs.renders.cancel(dub_id).state is DubState.CANCELLED
    assert dubs.renders.cancel(dub_id) is None
    second, new = dubs.renders.request(dub_id)
    assert new
    assert second.revision == first.revision + 1
    assert not dubs.renders.progress(first.id, "lips", 0.5)


def test_an_erased_dub_has_no_corrections_and_its_render_is_not_wanted(dubs, dub_id):
    correct(dubs, dub_id, text="a secret")
    render, _ = dubs.renders.request(dub_id)
    dubs.erase(dub_id)
    assert dubs.renders.corrections(dub_id) == []
    assert dubs.renders.latest(dub_id) is None
    assert dubs.renders.is_cancelled(render.id)
    with pytest.raises(DubNotFound):
        dubs.renders.request(dub_id)


def test_a_render_that_may_not_have_reached_the_broker_is_found(dubs, dub_id):
    correct(dubs, dub_id, text="a")
    render, _ = dubs.renders.request(dub_id)
    assert [found.id for found in dubs.renders.unpublished(render.created_at_ms + 1)] == [render.id]
    dubs.renders.mark_published(render.id)
    assert dubs.renders.unpublished(render.created_at_ms + 1) == []


def test_retention_counts_from_the_last_render(dubs, dub_id):
    before = dubs.get(dub_id).finished_at_ms
    correct(dubs, dub_id, text="a")
    render, _ = dubs.renders.request(dub_id)
    dubs.renders.claim(render.id, "one")
    dubs.renders.succeed(render.id, {})
    assert dubs.get(dub_id).finished_at_ms >= before
    assert dubs.get(dub_id).finished_at_ms == dubs.renders.get(render.id).finished_at_ms
