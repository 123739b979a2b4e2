"""The checks of Dockerfiles find what they are there for."""

import re
import shutil
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy.check.commands import check_command
from deploy.check.dockerfile import read_dockerfile
from deploy.check.environment import check_variables
from deploy.check.images import APP, FOLDER, TRITON, check_images, engine_variables, pinned
from deploy.triton.embedded import CHECKOUT


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder like the checkout: the Dockerfiles are copies, all else that they name is there and empty."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(CHECKOUT / FOLDER, root / FOLDER)
    shutil.copy(CHECKOUT / ".hadolint.yaml", root)
    for file in (APP, TRITON):
        for each in read_dockerfile(CHECKOUT / file).copies:
            for source in each.sources:
                folder = root / source if (CHECKOUT / source).is_dir() else (root / source).parent
                folder.mkdir(parents=True, exist_ok=True)
                if folder != root / source:
                    (root / source).touch()
    return root


@pytest.fixture
def changed(copy):
    """Change a file for one test; answers the findings."""
    before: dict[Path, str] = {}

    def change(file, old, new):
        path = copy / file
        before.setdefault(path, path.read_text())
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        return "\n".join(check_images(copy))

    yield change
    for path, text in before.items():
        path.write_text(text)


def test_what_is_shipped_passes():
    assert list(check_images(CHECKOUT)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (APP, "python:3.11.14-slim-bookworm", "python:latest", "names no version"),
        (TRITON, ":26.08-py3", ":24.10-py3", "CVE-2026-24207"),
        (APP, "USER 10001:10001", "USER polylip", "runs as 'polylip'"),
        (APP, "USER 10001:10001", "", "runs as 'root'"),
        (APP, "COPY export export", "COPY exports export", "COPY exports: there is no such file"),
        (Path(f"{APP}.dockerignore"), "!client\n", "", "COPY client: left out"),
        (Path(f"{TRITON}.dockerignore"), "\n*\n", "\n", "must leave out everything"),
        (APP, 'CMD ["serve"]', 'CMD ["server"]', "polylip server: no such command"),
        (APP, 'ENTRYPOINT ["polylip"]', 'ENTRYPOINT ["python"]', "none of ours"),
        (APP, "POLYLIP_LOG_FORMAT=json", "POLYLIP_LOG_FORMAT=xml", "POLYLIP_LOG_FORMAT"),
        (APP, "POLYLIP_GATEWAY__HOST", "POLYLIP_GATEWAY__ADDRESS", "no such setting"),
        (TRITON, "PROFILE=gpu_ort", "PROFILE=gpu", "no profile 'gpu'"),
        (TRITON, "  && rm -rf /var/lib/apt/lists/*", "  && cd /tmp", "DL30"),
    ],
)
def test_a_mistake_is_found(changed, file, old, new, said):
    assert said in changed(file, old, new)


def test_a_target_has_what_it_inherits():
    triton = read_dockerfile(CHECKOUT / TRITON)
    cpu, gpu = triton.target("cpu"), triton.target("gpu")
    assert (cpu.user, gpu.user, cpu.ports) == ("10001:10001", "10001:10001", [8000, 8001, 8002])
    assert cpu.variables["POLYLIP_TRITON__PROFILE"] == "cpu"
    assert gpu.variables["POLYLIP_TRITON__PROFILE"] == "gpu_ort"
    own = "deploy/triton/backends/onnxruntime"
    assert [own in each.sources for each in cpu.copies].count(True) == 1
    assert not [each for each in gpu.copies if own in each.sources]  # a GPU runs in Triton's own backend


@pytest.mark.parametrize("image", ["rabbitmq:4.1.4", "a.b/c/d:26.08-py3", "localhost:5000/x:0.1.0-cpu"])
def test_a_version_is_a_pin(image):
    assert pinned(image)


@pytest.mark.parametrize("image", ["rabbitmq", "rabbitmq:4", "rabbitmq:latest", "localhost:5000/x"])
def test_anything_else_is_none(image):
    assert not pinned(image)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["worker", "stt", "--ready-file", "/tmp/ready"], ""),
        (["worker", "lips"], "no stage 'lips'"),
        (["worker"], "worker"),
        (["owner", "--raedy-file", "/tmp/ready"], "--raedy-file"),
        ([], "no such command"),
    ],
)
def test_a_command_line_is_parsed_by_the_program_itself(arguments, said):
    found = "\n".join(check_command("here", ["polylip"], arguments, {}))
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"POLYLIP_BROKER__PREFETCH": "2", "POLYLIP_LOG_LEVEL": "INFO", "PATH": "/bin"}, ""),
        ({"POLYLIP_BROKER__URL_FILE": "/x"}, ""),
        ({"POLYLIP_BROKER__PREFETCH": "0"}, "greater than or equal to 1"),
        ({"POLYLIP_BROKER__FETCH": "2"}, "no such setting"),
        ({"POLYLIP_BROKERS__PREFETCH": "2"}, "no such setting"),
        ({"POLYLIP_LOG_LEVEL__X": "2"}, "no such setting"),
        ({"POLYLIP_BROKER__PASSWORD_FILE": "/x"}, "no such setting"),
        ({"POLYLIP_BROKER__URL": "x", "POLYLIP_BROKER__URL_FILE": "/x"}, "both set"),
    ],
)
def test_a_variable_is_a_setting_with_a_value_of_its_range(variables, said):
    found = "\n".join(check_variables("here", variables))
    assert said in found
    assert bool(said) == bool(found)


def test_the_engines_are_named_as_settings():
    assert list(check_variables("here", engine_variables())) == []


def closure(name: str, seen: set[str]) -> set[str]:
    """The distributions that `name` needs, itself included, by what is installed here."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return seen
    seen.add(key)
    try:
        wanted = requires(name) or []
    except PackageNotFoundError:
        return seen
    for each in map(Requirement, wanted):
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            closure(each.name, seen)
    return seen


def test_the_application_needs_neither_pytorch_nor_triton_s_own_libraries():
    needed = closure("polylip", set())
    assert {"fastapi", "pika", "av", "librosa", "tritonclient"} <= needed
    assert not [name for name in needed if name.startswith(("torch", "nvidia-", "onnx", "transformers", "triton-"))]
