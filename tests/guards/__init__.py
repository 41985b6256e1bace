"""What is seen of batches before and after they are closed, over real runs against the simulator."""
