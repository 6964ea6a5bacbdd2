"""exchina."""
