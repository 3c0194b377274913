"""The reference server: the whole send-and-poll API, durable, with agents that can be swapped.

The layers, each knowing only those below it: `app` (HTTP: routes, authentication, bodies, CORS) over `service` (the
use cases) over `runner` (tasks, slots, agents) over `journal`, `tasks` and the SQLite modules (the durable event log).
"""
