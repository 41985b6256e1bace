"""The queue in the state folder, and the worker on it."""
