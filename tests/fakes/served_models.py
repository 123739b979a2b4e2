"""A Triton that loads what a repository's configs say, without models: fills the Protocol ServedModels of swaps."""

from pathlib import Path

from client.errors import EngineRefused
from client.sample import Arrays, read_sample
from client.version_folders import versions
from client.version_policy import stated_versions


class FakeServedModels:
    """Answers each version's recorded sample. `broken`: (model or candidate, version) -> why it does not load."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.ready: dict[str, tuple[int, ...]] = {}
        self.broken: dict[tuple[str, int], str] = {}
        self.wrong: dict[tuple[str, int], Arrays] = {}
        """What a version answers instead."""
        self.loads: list[str] = []

    def ready_versions(self, model: str) -> tuple[int, ...]:
        return self.ready.get(model, ())

    def load(self, model: str) -> None:
        folder = self._root / model
        wanted = stated_versions(folder / "config.pbtxt") or tuple(versions(folder)[-1:])
        for version in wanted:
            if (model, version) in self.broken:
                raise EngineRefused(model, f"load failed for model '{model}': {self.broken[(model, version)]}")
        self.ready[model] = wanted
        self.loads.append(f"{model} {' '.join(map(str, wanted))}")

    def unload(self, model: str) -> None:
        self.ready.pop(model, None)

    def answer(self, model: str, version: int, inputs: Arrays, *, timeout_s: float) -> Arrays:
        if (model, version) in self.wrong:
            return self.wrong[(model, version)]
        sample = read_sample(self._root / model / str(version), model)
        assert sample is not None
        assert sample.inputs.keys() == inputs.keys()
        return sample.outputs


class FakePins:
    """`versions`: model -> versions that sessions hold."""

    def __init__(self) -> None:
        self.versions: dict[str, set[int]] = {}

    def held(self, model: str) -> set[int]:
        return self.versions.get(model, set())
