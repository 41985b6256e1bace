"""Each way of running it, by the tools it is for."""
