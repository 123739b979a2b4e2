"""The script that runs in the server's container, with a Python that only writes down what it is asked."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "deploy" / "triton" / "build_plan.sh"


def run(folder, tensorrt_version):
    python = folder / "python3"
    python.write_text(
        f'#!/bin/bash\nif [ "$1" = - ]; then {tensorrt_version}; else printf "%s\\n" "$*" >> "{folder}/asked"; fi\n'
    )
    python.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    arguments = ["wav2lip", "--checkpoint", "my file.pth"]
    return subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False)


def test_the_python_package_has_the_version_of_the_servers_library(tmp_path):
    assert run(tmp_path, "echo 10.14.1").returncode == 0
    install, export = (tmp_path / "asked").read_text().splitlines()
    assert install.endswith("tensorrt==10.14.1.*")
    assert "--constraint constraints.txt" in install
    assert export == "-m orchestrator.cli.main models export wav2lip --checkpoint my file.pth"


def test_without_the_library_nothing_is_installed(tmp_path):
    assert run(tmp_path, "exit 1").returncode != 0
    assert not (tmp_path / "asked").exists()
