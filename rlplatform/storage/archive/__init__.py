"""Archive of the events of finished runs, and the store that reads it."""
