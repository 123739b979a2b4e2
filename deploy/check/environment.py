"""Variables that the files of deploy/ set, held against Settings: names and values."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from orchestrator.environment import FILE_SUFFIX
from orchestrator.settings import Settings

PREFIX = "POLYLIP_"


def check_variables(where: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Say which of our variables is no setting, has a value that Settings refuses, or is set in both ways."""
    for name, value in variables.items():
        if not name.startswith(PREFIX):
            continue
        from_file = name.endswith(FILE_SUFFIX)
        setting = name.removesuffix(FILE_SUFFIX)
        if from_file and setting in variables:
            yield f"{where}: {setting} and {name} are both set"
        problem = _problem(setting, None if from_file else value)
        if problem:
            yield f"{where}: {name}: {problem}"


def _problem(setting: str, value: str | None) -> str:
    """Return what is wrong; without `value` only the name is looked at."""
    section, _, name = setting.removeprefix(PREFIX).lower().partition("__")
    field = Settings.model_fields.get(section)
    if field is None:
        return "no such setting"
    kind: Any = field.annotation
    nested = isinstance(kind, type) and issubclass(kind, BaseModel)
    if name not in (kind.model_fields if nested else {""}):
        return "no such setting"
    if value is None:
        return ""
    try:
        TypeAdapter(kind).validate_python({name: value} if nested else value)
    except ValidationError as error:
        return "; ".join(each["msg"] for each in error.errors())
    return ""
