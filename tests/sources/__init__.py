"""Tests of worker.sources."""
