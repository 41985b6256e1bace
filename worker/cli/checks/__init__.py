"""What ``check`` looks at."""
