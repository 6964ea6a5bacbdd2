"""Live market data, whoever the vendor is: what to ask, how fast, what to keep, and how it becomes our tables."""
