"""Where settings come from: environment variables, and files that environment variables name.

`POLYLIP_BROKER__URL_FILE=/run/secrets/broker_url` means: the value of `POLYLIP_BROKER__URL` is what that file holds. A
secret in a file is not seen by `docker inspect`, in a list of processes, or by a child that inherits the environment.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic_settings import BaseSettings, EnvSettingsSource
from pydantic_settings.exceptions import SettingsError

FILE_SUFFIX = "_FILE"
"""No field's name may end so (a test holds them to it)."""

MAX_BYTES = 64 * 1024
"""More is no secret, but the wrong file."""


class EnvironmentWithFiles(EnvSettingsSource):
    """Environment variables, those that end in `_FILE` replaced by what their file holds."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        """Read the environment and the files; SettingsError names a file that cannot be read."""
        super().__init__(settings_cls)
        self.env_vars = with_files(self.env_vars, self.env_prefix)


def with_files(variables: Mapping[str, str | None], prefix: str) -> dict[str, str | None]:
    """Replace `<prefix>…_FILE` by its file's content, without a line break at the end; names in any case.

    Raises:
        SettingsError: a file cannot be read, is empty or too large, or a value is given both ways.
    """
    ours = {name for name in variables if name.upper().startswith(prefix.upper())}
    named = {name for name in ours if name.upper().endswith(FILE_SUFFIX)}
    given = {name.upper() for name in ours - named}
    result = {name: value for name, value in variables.items() if name not in named}
    for name in sorted(named):
        value_name = name[: -len(FILE_SUFFIX)]
        if value_name.upper() in given:
            raise SettingsError(f"{value_name.upper()} and {name.upper()} are both set: one of them must go")
        result[value_name] = _content(name.upper(), variables[name] or "")
    return result


def _content(variable: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(f"{variable}: {path}: {reason}") from error
    if not text or len(content) > MAX_BYTES:
        raise SettingsError(f"{variable}: {path}: {'empty' if not text else 'too large for a setting'}")
    return text
