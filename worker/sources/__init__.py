"""Where batch ids come from: arguments, files and standard input, in any of the formats people have."""

from worker.sources.place import Entry, Listed
from worker.sources.reading import read_targets

__all__ = ["Entry", "Listed", "read_targets"]
