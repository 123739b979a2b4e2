"""What Triton's image runs: `python3 -m deploy.triton.serve` becomes tritonserver. Standard library only.

It reads the same variables as everything else (orchestrator/settings.py), so that gateway, workers and server agree:
POLYLIP_ENGINES__STT … name the models to load, POLYLIP_TRITON__PROFILE the profile. What else it is called with goes to
tritonserver. `--print` shows the command line and ends.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.errors import DeployError
from deploy.triton.parts import with_parts
from deploy.triton.profiles import CPU, profile_arguments

TASKS = ("STT", "MT", "TTS", "FACES", "LIPS", "BOUNDARY")
"""The tasks that have an engine (EngineSettings); BOUNDARY may be empty."""
ENGINE_PREFIX = "POLYLIP_ENGINES__"
PROFILE = "POLYLIP_TRITON__PROFILE"
_REPOSITORY = "--model-repository="
DEFAULT_REPOSITORY = "/models"


class ServeError(DeployError):
    """The server's settings are not complete."""

    code = "triton-settings"


def engine_names(variables: Mapping[str, str]) -> list[str]:
    """Return the models to load, each once, in the order of the tasks; ServeError names a task without an engine."""
    missing = [ENGINE_PREFIX + task for task in TASKS if task != "BOUNDARY" and not variables.get(ENGINE_PREFIX + task)]
    if missing:
        raise ServeError(f"not set: {', '.join(missing)}")
    return list(dict.fromkeys(name for task in TASKS if (name := variables.get(ENGINE_PREFIX + task, ""))))


def server_command(variables: Mapping[str, str], more: Sequence[str] = ()) -> list[str]:
    """Return tritonserver's command line.

    Raises:
        ServeError: an engine is not named.
        UnknownProfile: no such profile.
        TritonStartFailed: a routing engine has nothing to route among.
    """
    repository = next((each.removeprefix(_REPOSITORY) for each in more if each.startswith(_REPOSITORY)), "")
    named = engine_names(variables)
    # Parts are found in the folder of models; of a bucket (s3://…) Triton alone knows what is in it.
    local = "://" not in repository
    models = with_parts(Path(repository or DEFAULT_REPOSITORY), named) if local else named
    command = [
        "tritonserver",
        "--disable-auto-complete-config",  # every config is written out; starts in a quarter of the time
        "--model-control-mode=explicit",
        "--exit-on-error=false",  # stay up and tell in the index which model failed and why; not ready meanwhile
        "--grpc-infer-allocation-pool-size=0",  # the pool keeps large messages: gigabytes after some frames
        *profile_arguments(variables.get(PROFILE) or CPU),
        *(f"--load-model={name}" for name in models),
    ]
    return [*command, *([] if repository else [_REPOSITORY + DEFAULT_REPOSITORY]), *more]


def main(arguments: Sequence[str]) -> int:
    """Print the command, or become it."""
    show = "--print" in arguments
    try:
        command = server_command(os.environ, [each for each in arguments if each != "--print"])
    except DeployError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 2
    if not show:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    print(*command, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
