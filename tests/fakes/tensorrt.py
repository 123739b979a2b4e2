"""The few calls of TensorRT's Python API that export/precision uses, with what was asked for kept for the test.

A plan is a JSON text; a plan that "runs" answers every output with ones of the right shape. `nptype` and the enums are
as in TensorRT 10.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

__version__ = "10.14.1.48"


class Logger:
    WARNING = 2

    def __init__(self, level: int) -> None:
        assert level == Logger.WARNING


class NetworkDefinitionCreationFlag:
    STRONGLY_TYPED = 1


class BuilderFlag:
    TF32 = "tf32"


class MemoryPoolType:
    WORKSPACE = "workspace"


class OnnxParser:
    def __init__(self, network: SimpleNamespace, logger: Logger) -> None:
        self._network = network
        self.num_errors = 0

    def parse_from_file(self, path: str) -> bool:
        self._network.graph = Path(path).read_bytes()
        self.num_errors = 2 if self._network.graph == b"broken" else 0
        return self.num_errors == 0

    def get_error(self, number: int) -> Any:
        return SimpleNamespace(desc=lambda: f"node {number} is unknown")


class _Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, list[tuple[int, ...]]] = {}

    def set_shape(self, name: str, min: tuple, opt: tuple, max: tuple) -> None:  # the names are TensorRT's
        assert all(low <= mid <= high for low, mid, high in zip(min, opt, max, strict=True))
        self.shapes[name] = [min, opt, max]


class _TimingCache:
    def __init__(self, known: bytes) -> None:
        self.known = known

    def serialize(self) -> memoryview:
        return memoryview(self.known + b"+layers")


class _Config:
    def __init__(self) -> None:
        self.flags = {BuilderFlag.TF32}
        self.limits: dict[str, int] = {}
        self.profiles: list[_Profile] = []
        self._cache: _TimingCache | None = None

    def clear_flag(self, flag: str) -> None:
        self.flags.discard(flag)

    def set_memory_pool_limit(self, pool: str, size: int) -> None:
        self.limits[pool] = size

    def add_optimization_profile(self, profile: _Profile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def create_timing_cache(self, known: bytes) -> _TimingCache:
        return _TimingCache(known)

    def set_timing_cache(self, cache: _TimingCache, ignore_mismatch: bool) -> bool:
        assert not ignore_mismatch
        self._cache = cache
        return True

    def get_timing_cache(self) -> _TimingCache:
        assert self._cache is not None
        return self._cache


class Builder:
    def __init__(self, logger: Logger) -> None:
        pass

    def create_network(self, flags: int) -> SimpleNamespace:
        assert flags == 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED
        return SimpleNamespace(graph=b"")

    def create_builder_config(self) -> _Config:
        return _Config()

    def create_optimization_profile(self) -> _Profile:
        return _Profile()

    def build_serialized_network(self, network: SimpleNamespace, config: _Config) -> memoryview | None:
        if network.graph == b"too big":
            return None
        facts = {
            "graph": network.graph.decode(),
            "flags": sorted(config.flags),
            "limits": config.limits,
            "profiles": [profile.shapes for profile in config.profiles],
        }
        return memoryview(json.dumps(facts).encode())


def nptype(dtype: str) -> type:
    return {"UINT8": np.uint8, "FLOAT": np.float32}[dtype]
