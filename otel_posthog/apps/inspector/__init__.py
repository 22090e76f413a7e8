"""The viewer: a local page, or a terminal, that shows what running apps hand to PostHog and to the operational side.

`live` reads apps' sockets, `file` a file, `spooled` the spool; each fills a `journal`, which `server` shows to browsers
and `tail` on a terminal. What an app hands out is decided in the app (`otel_posthog.inspection`), never here.
"""
