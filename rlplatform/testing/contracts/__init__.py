"""Contract suites: one pytest class a port. A test module of an adapter subclasses it and provides the fixtures."""
