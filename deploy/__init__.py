"""Running the parts: embedded Triton, the project's RabbitMQ node, the local stack."""
