"""How a fund chooses what to hold of an index; one file a method."""
