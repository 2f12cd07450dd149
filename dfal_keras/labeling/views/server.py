"""The labeling page from a server on this machine."""

import functools
import hmac
import secrets
from collections.abc import Callable

import flask
import waitress

from dfal_keras import _validation
from dfal_keras.labeling.images import photographs
from dfal_keras.labeling.serving import Desk
from dfal_keras.labeling.views import page, png

_HOST = "127.0.0.1"
_NUM_THREADS = 8


def make_app(desk: Desk, token: str, *, who: str = "") -> flask.Flask:
    """Return the application, which answers below `/TOKEN/` only.

    Requests without the token are refused. The host name in a request must be that of
    this machine, so that no web page reaches the server through a name of its own.

    Args:
        desk: What the page shows, and where answers go.
        token: A random text that is part of the address.
        who: Name of the annotator. Defaults to `""`.
    """
    app = flask.Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 100_000
    app.before_request(functools.partial(_check_request, token))
    app.after_request(_add_headers)
    views = _Views(desk, who)
    for rule, view, method in (
        ("", views.show, "GET"),
        ("image/<sha256>", views.image, "GET"),
        ("input/<sha256>", views.network_input, "GET"),
        ("state", views.state, "GET"),
        ("answer", views.answer, "POST"),
        ("train", views.train, "POST"),
    ):
        app.add_url_rule(f"/<token>/{rule}", view_func=view, methods=[method])
    return app


def serve(
    desk: Desk,
    *,
    port: int = 0,
    who: str = "",
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve the page on this machine, until the process is interrupted.

    Args:
        desk: What the page shows, and where answers go.
        port: The port. Defaults to 0, any that is free.
        who: Name of the annotator. Defaults to `""`.
        started: Called with the address of the page. Defaults to `None`.

    Raises:
        ValueError: If `port` is not a free port.
    """
    _validation.check_count("port", port, minimum=0, maximum=65535)
    token = secrets.token_urlsafe(24)
    app = make_app(desk, token, who=who)
    try:
        server = waitress.create_server(
            app, host=_HOST, port=port, threads=_NUM_THREADS
        )
    except OSError as error:
        raise _validation.ArgumentError(
            "port", f"must be a free port. Received: port={port} ({error.strerror})"
        ) from error
    if started is not None:
        started(f"http://{_HOST}:{server.effective_port}/{token}/")
    try:
        server.run()
    finally:
        server.close()


_KEYS = ("sha256", "label")


def _cached(content, kind):
    """Return an image, which never changes: its address has its checksum."""
    response = flask.Response(content, mimetype=kind)
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _check_request(token):
    """Refuse a request of another host name, without the token, or from another site.

    A page of another site can't send JSON without a permission that is never given.
    """
    name = flask.request.host.rsplit(":", 1)[0]
    if name not in (_HOST, "localhost"):
        flask.abort(403)
    given = (flask.request.view_args or {}).pop("token", "")
    if not hmac.compare_digest(given.encode(), token.encode()):
        flask.abort(404)
    if flask.request.method == "POST" and not flask.request.is_json:
        flask.abort(415)


def _add_headers(response):
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


class _Views:
    """What the addresses below the token return."""

    def __init__(self, desk, who):
        self._desk, self._who = desk, who

    def show(self):
        desk, task = self._desk, self._desk.task
        options = {} if task is None else {"title": task.title}
        return page.render_page(
            desk.images(),
            desk.classes,
            is_served=True,
            is_review=task is not None and task.is_review,
            can_train=task is None,
            **options,
        )

    def image(self, sha256):
        path = self._desk.path(sha256)
        try:
            content, kind = photographs.read_original(path) if path else (b"", "")
        except (OSError, ValueError):
            kind = ""
        return _cached(content, kind) if kind else flask.abort(404)

    def network_input(self, sha256):
        found = [image for image in self._desk.queried if image.sha256 == sha256]
        if not found:
            flask.abort(404)
        return _cached(png.encode(found[0].image), "image/png")

    def state(self):
        name = page.query_name(self._desk.queried)
        return flask.jsonify(query=name, **self._desk.state())

    def answer(self):
        content = flask.request.get_json()
        values = [content.get(n) if isinstance(content, dict) else None for n in _KEYS]
        if not all(isinstance(value, str) for value in values):
            return flask.jsonify(error="expected texts `sha256` and `label`"), 400
        try:
            self._desk.answer(values[0], values[1], self._who)
        except ValueError as error:
            return flask.jsonify(error=str(error)), 400
        except OSError as error:  # such as a full disk: the page sends it again
            reason = f"The server can't write ({error.strerror})"
            return flask.jsonify(error=reason), 500
        return flask.jsonify(stored=True)

    def train(self):
        return flask.jsonify(started=self._desk.start_training())
