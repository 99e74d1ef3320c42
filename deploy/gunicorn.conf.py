"""How gunicorn serves the registry behind nginx: gunicorn -c deploy/gunicorn.conf.py.

It listens on a socket that only the proxy may reach: a thread waits for as long as its client
sends, so that a few slow ones would take them all.
"""

import os

wsgi_app = "registry_project.wsgi"
bind = "unix:/run/registry/gunicorn.sock"
umask = 0o007  # the socket is for the server's own group, which nginx joins

workers = int(os.environ.get("WEB_CONCURRENCY", "3"))
raw_env = [f"WEB_CONCURRENCY={workers}"]  # so that each takes its share of the processors
worker_class = "gthread"
threads = 4
max_requests, max_requests_jitter = 20_000, 2_000  # what leaks, leaks for so long

timeout = 120  # seconds that a worker may be silent; a thread's work does not count
graceful_timeout = 60  # seconds for answers under way when it is told to end or to reload
keepalive = 5

limit_request_line = 8_190  # bytes; a question of many filters has some 2,000
limit_request_fields = 60
limit_request_field_size = 8_190

control_socket_disable = True
loglevel = "warning"
accesslog = None  # addresses say what somebody asked: the registry keeps its own access log
