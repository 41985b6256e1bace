"""Messages on RabbitMQ or SQS, and the worker that answers them."""
