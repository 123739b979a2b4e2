"""Finds Triton in the server's virtual environment and lays out the backend folder it wants. Standard library only.

The `nvidia-pytriton` wheel carries the real tritonserver binary, its Python backend and one stub for each Python
version. Triton wants one folder of backends: `python/` (from the wheel, with the stub for our Python) and ours.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import SetupMissing

TRITON_FOLDER = Path(__file__).parent
_ASK_PYTHON = """
import sys, sysconfig
ask = sysconfig.get_config_var
version = f"{sys.version_info.major}.{sys.version_info.minor}"
multiarch = ask("MULTIARCH") or ""
print(version, sysconfig.get_path("platlib"), sep="\\n")
folders = [ask("LIBDIR"), f"{sys.base_prefix}/lib", f"/usr/lib/{multiarch}", "/usr/lib64", "/usr/lib", "/usr/local/lib"]
print(*filter(None, folders), sep=":")
"""


@dataclass(frozen=True, slots=True)
class TritonWheel:
    """Where the parts of the embedded server are."""

    venv: Path
    python_version: str
    """ "3.11": stub and libpython must be of this version."""
    package: Path
    """<site-packages>/pytriton/tritonserver."""
    libraries: Path
    """<site-packages>/nvidia_pytriton.libs: what the binary was linked against."""
    libpython_folder: Path
    """Holds libpython<version>.so.1.0, which the stub loads."""

    @property
    def binary(self) -> Path:
        """The tritonserver executable."""
        return self.package / "bin" / "tritonserver"

    def library_path(self) -> str:
        """LD_LIBRARY_PATH of the server and its stubs."""
        return os.pathsep.join([str(self.libraries), str(self.libpython_folder)])


def find_wheel(venv: Path) -> TritonWheel:
    """Look into a virtual environment; SetupMissing names what it lacks."""
    python = venv / "bin" / "python3"
    if not python.exists():
        raise SetupMissing(f"the Triton environment {venv}")
    answer = subprocess.run([python, "-I", "-c", _ASK_PYTHON], check=True, capture_output=True, text=True)  # noqa: S603
    version, site_packages, folders = answer.stdout.splitlines()
    package = Path(site_packages) / "pytriton" / "tritonserver"
    if not (package / "bin" / "tritonserver").is_file():
        raise SetupMissing(f"nvidia-pytriton in {venv}")
    library = f"libpython{version}.so.1.0"
    holders = [Path(folder) for folder in folders.split(":") if (Path(folder) / library).is_file()]
    if not holders:
        raise SetupMissing(f"{library} (Debian's package libpython{version})")
    return TritonWheel(venv, version, package, Path(site_packages) / "nvidia_pytriton.libs", holders[0])


def assemble_backends(wheel: TritonWheel, target: Path) -> None:
    """Make `target` the backend folder: the wheel's Python backend, the engines' shared package, our own backends."""
    shutil.rmtree(target, ignore_errors=True)
    python = target / "python"
    python.mkdir(parents=True)
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        # Copies: Triton refuses a library that a symbolic link leads out of its backend folder.
        shutil.copyfile(wheel.package / "backends" / "python" / name, python / name)
    stub = python / "triton_python_backend_stub"
    shutil.copyfile(wheel.package / "python_backend_stubs" / wheel.python_version / stub.name, stub)
    stub.chmod(0o755)  # some installers drop the bit
    (python / "engine_kit").symlink_to(TRITON_FOLDER / "engine_kit")  # on the sys.path of every stub
    for backend in sorted((TRITON_FOLDER / "backends").iterdir()):
        if (backend / "model.py").is_file():
            (target / backend.name).symlink_to(backend)


if __name__ == "__main__":  # `deploy/setup.sh` asks whether the environment can run Triton
    print(find_wheel(Path(sys.argv[1])))
