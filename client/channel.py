"""How gRPC channels to Triton are set up; equal arguments let channels share one TCP connection."""

CHANNEL_ARGUMENTS: list[tuple[str, int]] = [
    # Frames of a whole batch may go by gRPC; the default stops at 4 MB received.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Keepalive also makes the kernel give up unacknowledged data after 20 s. The pings stay rarer than the 5 minutes
    # that a Triton without special options tolerates: more of them and it closes the connection (too_many_pings).
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # A restarted Triton must be found again within seconds; gRPC's default backs off to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]
