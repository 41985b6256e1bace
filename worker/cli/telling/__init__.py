"""Telling operators: news of an end, metrics, traces."""
