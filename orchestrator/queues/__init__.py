"""Message queues: one contract, two brokers."""
