"""PyTorch and its company stay in export/: everything else starts, and runs, without them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
EXTRA = (
    *("torch", "torchaudio", "transformers", "whisper", "TTS"),
    *("onnx", "onnxscript", "onnxruntime", "safetensors"),
)
OUTSIDE = [path for name in ("client", "orchestrator", "deploy") for path in sorted((CHECKOUT / name).rglob("*.py"))]

BLOCKED = f"""
import sys
for name in {EXTRA}:
    sys.modules[name] = None  # importing it is now a ModuleNotFoundError
"""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def test_no_module_outside_imports_torch_or_a_reference_library_anywhere():
    guilty = [
        f"{path.relative_to(CHECKOUT)}: {name}"
        for path in OUTSIDE
        for name in imported(path)
        if name.partition(".")[0] in ("torch", "torchaudio", "transformers", "whisper", "TTS")
    ]
    assert guilty == []


@pytest.mark.parametrize(
    "code",
    [
        "import orchestrator.cli.main",
        "import export.family; print(*export.family.FAMILIES)",
        "import export.bundle.family; print(*export.bundle.family.BUNDLES)",
    ],
)
def test_the_command_and_the_list_of_families_need_none_of_the_extra(code):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [
        ("torch", ["export", "wav2lip", "--checkpoint", "w.pth"]),
        ("onnxscript", ["synth", "wav2lip", "--out", "w.pth"]),
        ("transformers", ["export", "whisper", "--checkpoint", "whisper-small"]),
        ("whisper", ["synth", "whisper", "--out", "whisper-small"]),
    ],
)
def test_without_the_extra_the_command_names_what_is_missing_and_what_installs_it(tmp_path, missing, arguments):
    command = ["models", *arguments, *(["--seed", "1"] if "synth" in arguments else [])]
    code = f"import sys; sys.modules['{missing}'] = None\nfrom orchestrator.cli.main import app\napp({command})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, env={"COLUMNS": "200"}
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"error export-extra-missing: the Python package {missing} is missing: run `make setup-export`"
    )
    assert list(tmp_path.iterdir()) == []
