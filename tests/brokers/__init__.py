"""Real brokers: RabbitMQ where it is found, SQS as moto's server speaks it."""
