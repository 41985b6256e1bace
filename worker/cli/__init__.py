"""Arguments, wiring, exit codes: the only room that knows all the others."""
