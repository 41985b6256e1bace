"""The queue in the state folder: what waits, what takes it, and what is left when that is killed."""
