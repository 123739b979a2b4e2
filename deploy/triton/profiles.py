"""One repository, three kinds of server: which configurations of the models a server takes. Standard library only.

Triton serves `<model>/configs/<name>.pbtxt` under `--model-config-name=<name>`, and `config.pbtxt` of a model that has
none of that name. A name that no model has is therefore no error to it: everything would run on the CPU, unnoticed.
"""

from deploy.errors import DeployError

CPU = "cpu"
PROFILES: dict[str, str] = {
    CPU: "",
    "gpu_ort": "gpu_ort",
    "gpu_tensorrt": "gpu_tensorrt",
}
"""Profile -> Triton's --model-config-name. cpu: `config.pbtxt`; gpu_ort: ONNX Runtime with TensorRT and CUDA;
gpu_tensorrt: TensorRT plans (docs/GPU.md)."""


class UnknownProfile(DeployError):
    """There is no such profile."""

    code = "unknown-profile"

    def __init__(self, profile: str) -> None:
        """Name it, and those there are."""
        super().__init__(f"no profile {profile!r}; there are {', '.join(PROFILES)}")


def profile_arguments(profile: str) -> list[str]:
    """Return the options of tritonserver that choose the profile; UnknownProfile lists those there are."""
    if profile not in PROFILES:
        raise UnknownProfile(profile)
    name = PROFILES[profile]
    return [f"--model-config-name={name}"] if name else []
