"""The real program as a process: signals, locks, disks, terminals."""
