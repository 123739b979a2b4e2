"""Where published checkpoints come from and where they are kept: the hub's own variables, and one of ours."""

from pathlib import Path

from pydantic import AnyHttpUrl, Field, SecretStr, TypeAdapter, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_HTTP = TypeAdapter(AnyHttpUrl)


class HubSettings(BaseSettings):
    """Read by `polylip models pull` alone; the names are those that other tools of the hub read."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True)

    endpoint: str = Field("https://huggingface.co", validation_alias="HF_ENDPOINT")
    """The hub, or a mirror that speaks its protocol; a path may follow the host."""
    token: SecretStr | None = Field(None, validation_alias="HF_TOKEN")
    """Who asks; needed for gated and private repositories. Sent to the endpoint alone."""
    cache_home: Path = Field(Path.home() / ".cache", validation_alias="XDG_CACHE_HOME")
    checkpoints: Path | None = Field(None, validation_alias="POLYLIP_CHECKPOINTS")
    """Folder of all downloaded checkpoints and the lock file; left out: `polylip/checkpoints` in the user's cache."""

    @field_validator("endpoint")
    @classmethod
    def _is_http(cls, value: str) -> str:
        _HTTP.validate_python(value)
        return value.rstrip("/")

    @property
    def folder(self) -> Path:
        """Where checkpoints are kept."""
        return self.checkpoints or self.cache_home / "polylip" / "checkpoints"
