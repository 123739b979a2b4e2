"""What the project's own RabbitMQ node is told: its configuration file and its environment."""

import os
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
NODE_NAME = "polylip@localhost"
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class NodePorts:
    """TCP ports of one node, all at 127.0.0.1."""

    amqp: int
    epmd: int
    """Erlang's port mapper: the node has one of its own, so that it meets no other node of the machine."""
    distribution: int
    management: int
    """HTTP API; listens only where the management plugin is switched on."""
    prometheus: int = 0
    """Metrics; listens only where that plugin is switched on. 0: the next start chooses one."""


def render_config(ports: NodePorts, user: str, password: str) -> str:
    """Return rabbitmq.conf. Each line is valid on RabbitMQ 3.10 (Debian 12) up to 4.x."""
    return f"""\
listeners.tcp.1 = 127.0.0.1:{ports.amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {ports.management}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {ports.prometheus}
default_user = {user}
default_pass = {password}
heartbeat = 20
# A message of `jobs` stays unacknowledged while its clip is dubbed; the default of 30 min would cut a long clip off.
consumer_timeout = {4 * _HOUR_MS}
# Absolute figures: shares of the machine would leave nothing to Triton. At a limit publishers wait, nothing is lost.
vm_memory_high_watermark.absolute = {1024 * MIB}
disk_free_limit.absolute = {512 * MIB}
# Write-ahead log of the quorum queues; its default of 512 MiB may be held in memory three times over.
raft.wal_max_size_bytes = {64 * MIB}
log.console = true
log.console.level = info
log.console.use_colors = off
log.file = false
"""


def node_environment(run_dir: Path, ports: NodePorts) -> dict[str, str]:
    """Return the environment of the node and of its command line tools.

    Everything that Debian's own service would share (cookie, data, log, plugin list, /etc/rabbitmq) is replaced.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
    return inherited | {
        "HOME": str(run_dir),  # where Erlang keeps the cookie: only holders of it may control the node
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports.epmd),
        "LANG": "C.UTF-8",
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(run_dir / "advanced.config"),  # none; not the system's
        "RABBITMQ_CONFIG_FILE": str(run_dir / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(run_dir / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(run_dir / "config"),
        "RABBITMQ_LOG_BASE": str(run_dir / "log"),
        "RABBITMQ_MNESIA_BASE": str(run_dir / "data"),
        "RABBITMQ_NODENAME": NODE_NAME,
        "RABBITMQ_PID_FILE": str(run_dir / "node.pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
