"""Looks at the API that can write nothing: before a run, for a plan, after the last close."""
