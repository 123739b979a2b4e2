"""Settings from the environment, and from files that it names."""

import pytest
from pydantic import BaseModel
from pydantic_settings.exceptions import SettingsError

from orchestrator.settings import Settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.upper().startswith("POLYLIP_"):
            monkeypatch.delenv(name)


def test_a_secret_lies_in_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "broker_url"
    secret.write_text("amqp://user:pass%2Fword@rabbitmq:5672/%2F\n")
    monkeypatch.setenv("POLYLIP_BROKER__URL_FILE", str(secret))
    monkeypatch.setenv("POLYLIP_BROKER__PREFETCH", "5")
    broker = Settings().broker
    assert (broker.url, broker.prefetch) == ("amqp://user:pass%2Fword@rabbitmq:5672/%2F", 5)


def test_a_value_of_no_section_may_lie_in_a_file_too(monkeypatch, tmp_path):
    (tmp_path / "level").write_text("DEBUG")
    monkeypatch.setenv("polylip_log_level_file", str(tmp_path / "level"))
    assert Settings().log_level == "DEBUG"


def test_a_value_given_both_ways_stops_the_start(monkeypatch, tmp_path):
    (tmp_path / "url").write_text("amqp://a/")
    monkeypatch.setenv("POLYLIP_BROKER__URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("POLYLIP_BROKER__URL", "amqp://b/")
    with pytest.raises(SettingsError, match="POLYLIP_BROKER__URL and POLYLIP_BROKER__URL_FILE"):
        Settings()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"\n", "empty"), (b"\xff\xfe", "not UTF-8"), (b"x" * 70_000, "too large")],
)
def test_a_file_that_holds_no_value_stops_the_start_and_is_named(monkeypatch, tmp_path, content, said):
    path = tmp_path / "webhook_secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("POLYLIP_GATEWAY__WEBHOOK_SECRET_FILE", str(path))
    with pytest.raises(SettingsError, match=f"POLYLIP_GATEWAY__WEBHOOK_SECRET_FILE: {path}: {said}"):
        Settings()


def test_a_file_for_a_setting_that_does_not_exist_stops_the_start(monkeypatch, tmp_path):
    (tmp_path / "x").write_text("x")
    monkeypatch.setenv("POLYLIP_BROKER__PASSWORD_FILE", str(tmp_path / "x"))
    with pytest.raises(ValueError, match=r"broker\.password"):
        Settings()


def test_arguments_come_before_the_environment(monkeypatch):
    monkeypatch.setenv("POLYLIP_LOG_LEVEL", "DEBUG")
    assert Settings(log_level="WARNING").log_level == "WARNING"


def test_other_programs_files_are_left_alone(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    Settings()


def fields(model: type[BaseModel]):
    for name, field in model.model_fields.items():
        yield name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation)


def test_no_setting_is_called_as_a_file_would_be():
    assert not [name for name in fields(Settings) if name.endswith("_file")]
