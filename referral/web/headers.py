"""What every answer tells the browser: load nothing from elsewhere, keep nothing that is personal."""

from flask import Flask, Response, g, request

_CONTENT = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)

#: pages of a person who has not signed in yet: a one-time link, a typed address
_OF_A_PERSON = ("accounts", "security")


def _secure(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _CONTENT)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers["Permissions-Policy"] = "geolocation=(self), camera=(), microphone=()"
    if g.get("user") is not None or request.blueprint in _OF_A_PERSON:
        response.headers["Cache-Control"] = "no-store"
    return response


def init_app(app: Flask) -> None:
    app.after_request(_secure)
