"""The project's own RabbitMQ node."""
