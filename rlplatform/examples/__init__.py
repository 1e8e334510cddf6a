"""Programs to start from: each does one thing with the Python client. ``python -m rlplatform.examples`` lists them."""
