from orchestrator.queues import topology


def test_the_names_of_one_work_queue_are_all_different():
    queue = topology.AUDIO
    names = [queue, topology.dead(queue), topology.suspects(queue), *(topology.retry(queue, n) for n in (1, 2))]
    assert len(set(names)) == len(names)
    assert [name for name in names if topology.is_dead(name)] == [topology.dead(queue)]


def test_two_owners_share_no_reply_queue():
    assert {topology.transcripts("a"), topology.audio_output("a")}.isdisjoint(
        {topology.transcripts("b"), topology.audio_output("b")}
    )
