"""What the library raises when the hub refuses something."""

from requests.exceptions import HTTPError


class ApiError(HTTPError):
    """An answer with another status than the one expected; `parsed_response` is its JSON, as far as it is JSON."""

    def __init__(self, response, expected):
        text = response.text[:2000]
        method, url = response.request.method, response.url
        super().__init__(f"{method} {url} gave {response.status_code}, not {expected}: {text}", response=response)
        if "json" in response.headers.get("Content-Type", ""):
            self.parsed_response = response.json()
