"""Webhooks: notifications of finished runs, signed as https://www.standardwebhooks.com says."""
