"""What happens in the simulated world: a seed is a story, which can be told, and cut short."""
