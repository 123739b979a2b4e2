import pytest
from apertium_mode import pipeline_commands


def test_a_mode_file_becomes_programs_that_answer_at_every_nul():
    mode = "#!/bin/bash\nlt-proc '/data/my words.bin' | apertium-tagger -g $2 '/data/tags' | lt-proc $1 '/data/gen'\n"
    assert pipeline_commands(mode) == [
        ["lt-proc", "-z", "/data/my words.bin"],
        ["apertium-tagger", "-z", "-g", "/data/tags"],
        ["lt-proc", "-z", "-n", "/data/gen"],
    ]


@pytest.mark.parametrize("mode", ["", "#!/bin/bash\n", "one | two\nthree | four\n"])
def test_a_file_that_is_not_one_pipeline_is_refused(mode):
    with pytest.raises(ValueError, match="one pipeline"):
        pipeline_commands(mode)
