"""One report section a file."""
