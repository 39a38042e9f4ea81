"""What networks cost: time, memory, multiplications."""
