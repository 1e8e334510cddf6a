"""Webhooks: what is told of finished runs, to whom, signed as https://www.standardwebhooks.com says."""
