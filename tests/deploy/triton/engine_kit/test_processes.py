from engine_kit.processes import child_environment


def test_a_child_gets_everything_but_tritons_library_path(monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/somewhere")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = child_environment()
    assert "LD_LIBRARY_PATH" not in environment
    assert environment["LANG"] == "C.UTF-8"
