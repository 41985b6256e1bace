"""A fleet on a real broker: real workers, real signals, a broker that is killed and comes back."""
