"""Pure decisions: arguments in, value out. No clock, no I/O, no event loop."""
