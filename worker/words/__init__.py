"""The words everything else is said in: the model and the errors. No I/O here."""
