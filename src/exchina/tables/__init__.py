"""pandera contracts of every table that crosses a layer, and the one way to check a table against its contract."""
