"""Paths that hold a connection open, served by a separate Serve application.

Event streams go to the application ``streams``, below :data:`STREAMS`. The router (Serve's proxy through ``edge``,
HAProxy through ``cluster.haproxy``) adds this prefix to the path, and the application removes it.
"""

STREAMS = "/streams"
STREAM_PATHS = r"/v1/(live|(evaluations|trainings|studies)/[^/]+/events)"
