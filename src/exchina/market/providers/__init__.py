"""The sources of market data, one file each."""
