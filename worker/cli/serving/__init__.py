"""What a worker on any queue has: a shared pace, and a port to be seen at."""
