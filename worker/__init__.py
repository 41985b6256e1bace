"""batch-closer: closes EnergyCAP bill batches in bulk and tells the truth about each one."""

__version__ = "0.1.0"
