"""One session of a run, from its lock to its files."""
