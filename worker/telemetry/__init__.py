"""What a run says while it runs: the log and the progress bar."""

from worker.telemetry.log import Format, Level, Log, open_log
from worker.telemetry.progress import Progress

__all__ = ["Format", "Level", "Log", "Progress", "open_log"]
