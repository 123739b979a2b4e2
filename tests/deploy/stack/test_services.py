from pathlib import Path

import pytest

from deploy.stack.services import COMMANDS, Addresses, child_environment, make_child
from orchestrator.settings import Settings, TelemetrySettings

ADDRESSES = Addresses("127.0.0.1:1", "amqp://user:secret@127.0.0.1:2/%2F", "127.0.0.1", 8601)


def settings_of(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_a_child_reads_the_stacks_addresses_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(child_environment(tmp_path, ADDRESSES), monkeypatch)
    assert settings.triton.grpc_url == "127.0.0.1:1"
    assert settings.broker.url == ADDRESSES.broker_url
    assert settings.gateway.port == 8601
    assert settings.session.work_dir == tmp_path / "work"
    assert str(tmp_path) in settings.store.database_url
    assert str(tmp_path) in settings.store.media_url


def test_a_store_that_the_user_names_is_kept_but_the_addresses_are_the_stacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYLIP_STORE__MEDIA_URL", "s3://bucket")
    monkeypatch.setenv("POLYLIP_TRITON__GRPC_URL", "elsewhere:8001")
    environment = child_environment(tmp_path, ADDRESSES)
    assert environment["POLYLIP_STORE__MEDIA_URL"] == "s3://bucket"
    assert environment["POLYLIP_TRITON__GRPC_URL"] == "127.0.0.1:1"


@pytest.mark.parametrize(("host", "reached"), [("0.0.0.0", "127.0.0.1"), ("192.0.2.7", "192.0.2.7")])
def test_a_gateway_that_listens_everywhere_is_reached_on_loopback(host: str, reached: str) -> None:
    assert Addresses("", "", host, 1).gateway_url == f"http://{reached}:1"


@pytest.mark.parametrize(("base", "ports"), [(9460, {9460, 9461, 9462, 9463, 9464}), (0, {0})])
def test_each_child_has_a_metrics_port_of_its_own_or_none_has_any(tmp_path: Path, base: int, ports: set[int]) -> None:
    environment = child_environment(tmp_path, ADDRESSES, TelemetrySettings(metrics_port=base))
    children = [make_child(name, tmp_path, environment, ADDRESSES.gateway_url) for name in COMMANDS]
    assert {int(child.launch.env["POLYLIP_TELEMETRY__METRICS_PORT"]) for child in children} == ports


def test_a_child_records_its_spans_where_the_stack_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = TelemetrySettings(traces="file", trace_dir=tmp_path / "spans", trace_ratio=0.5)
    assert settings_of(child_environment(tmp_path, ADDRESSES, telemetry), monkeypatch).telemetry == telemetry
