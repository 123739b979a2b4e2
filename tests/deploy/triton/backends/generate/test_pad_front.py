from generate.pad_front import FILE, pad_front_graph


def test_the_committed_graph_is_the_one_that_the_script_makes() -> None:
    assert FILE.read_bytes() == pad_front_graph().SerializeToString()
