"""Killed at any moment: nothing lost, nothing said that isn't so."""
