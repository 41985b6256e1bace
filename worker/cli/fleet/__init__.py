"""A queue on Redis or Valkey, and a fleet of workers on it."""
