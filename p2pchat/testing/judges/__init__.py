"""What must hold in the simulated world, and who sees that it does."""
