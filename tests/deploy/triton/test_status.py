from deploy.triton.status import ModelState, failures

READY = ModelState("echo", "1", "READY", "")
BROKEN = ModelState("step", "1", "UNAVAILABLE", "ValueError: no")


def test_ready_models_have_no_failures() -> None:
    assert failures(["echo"], [READY, BROKEN]) == []


def test_an_older_version_that_serves_counts_as_ready() -> None:
    assert failures(["echo"], [ModelState("echo", "2", "UNAVAILABLE", "bad"), READY]) == []


def test_the_reason_of_a_failed_step_comes_with_its_ensemble() -> None:
    named = failures(["both"], [ModelState("both", "", "", ""), BROKEN])
    assert BROKEN in named
    assert any(entry.name == "both" for entry in named)
