"""Settles batches: one until it is settled, many at once, at a pace, until told to stop."""
