"""The verb plan, through the whole program."""
