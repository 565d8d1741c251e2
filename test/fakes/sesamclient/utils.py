"""Where the client finds the address of the hub and its token: arguments, environment, or the nearest `.syncconfig`."""

import json
import os


def get_node_and_jwt_token(node_url=None, jwt_token=None, config_filename=".syncconfig"):
    config = _nearest_config(config_filename) if node_url is None or jwt_token is None else {}
    node_url = node_url or os.environ.get("NODE") or config.get("node")
    jwt_token = jwt_token or os.environ.get("JWT") or config.get("jwt")
    if not node_url or not jwt_token:
        raise AssertionError("There is no node url or no token.")
    return _full_url(node_url.strip('"')), _bare_token(jwt_token.strip('"'))


def _full_url(url):
    url = url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        url = f"https://{url}"
    return url if url.endswith("/api") else f"{url}/api"


def _bare_token(token):
    return token[len("bearer ") :] if token.lower().startswith("bearer ") else token


def _nearest_config(filename):
    folder = os.getcwd()
    while True:
        path = os.path.join(folder, filename)
        if os.path.isfile(path):
            with open(path, encoding="utf-8-sig") as file:
                return _parse(file.read())
        parent = os.path.dirname(folder)
        if parent == folder:
            return {}
        folder = parent


def _parse(text):
    """A JSON object, or lines of KEY="value"."""
    try:
        return {name.lower(): value for name, value in json.loads(text).items()}
    except ValueError:
        pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
        return {name.strip().lower(): value.strip().strip('"') for name, value in pairs}
