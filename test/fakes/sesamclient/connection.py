"""The connection to a hub: one HTTP session with a token, and a method for each thing that the client asks."""

import json
import time
from urllib.parse import quote

import requests
from requests.exceptions import RequestException

from sesamclient.documents import Dataset, Pipe, System
from sesamclient.errors import ApiError


class _Session(requests.Session):
    """Gives every request a time limit; the pipe runner's answer may take as long as it likes."""

    def __init__(self, timeout):
        super().__init__()
        self._timeout = timeout

    def request(self, method, url, **arguments):
        if "run-all-pipes" not in url:
            arguments.setdefault("timeout", self._timeout)
        return super().request(method, url, **arguments)


class Connection:
    def __init__(self, sesamapi_base_url, jwt_auth_token, timeout=600, verify_ssl=True):
        self.base_url = sesamapi_base_url.rstrip("/")
        self.session = _Session(timeout)
        self.session.verify = verify_ssl
        self.session.headers["Authorization"] = f"bearer {jwt_auth_token}"

    # Addresses: ids are escaped until nothing in them means anything.

    @property
    def pipes_url(self):
        return f"{self.base_url}/pipes"

    @property
    def systems_url(self):
        return f"{self.base_url}/systems"

    def get_pipe_url(self, pipe_id):
        return f"{self.pipes_url}/{quote(pipe_id, safe='')}"

    def get_system_url(self, system_id):
        return f"{self.systems_url}/{quote(system_id, safe='')}"

    def get_dataset_url(self, dataset_id):
        return f"{self.base_url}/datasets/{quote(dataset_id, safe='')}"

    def get_pipe_receiver_endpoint_url(self, pipe_id):
        return f"{self.base_url}/receivers/{quote(pipe_id, safe='')}/entities"

    # Requests

    def do_request(self, method, url, expected=200, **arguments):
        response = self.session.request(method, url, **arguments)
        if response.status_code != expected:
            raise ApiError(response, expected)
        return response

    def do_get_request(self, url, retries=0, retry_delay=3, **arguments):
        for attempt in range(retries + 1):
            try:
                return self.do_request("GET", url, **arguments)
            except RequestException:
                if attempt == retries:
                    raise
                time.sleep(retry_delay)

    def _json(self, method, url, expected=200, **arguments):
        response = self.do_request(method, url, expected, **arguments)
        if not response.headers.get("Content-Type", "").startswith("application/json"):
            raise AssertionError(f"{url} answered with {response.headers.get('Content-Type')}, not with JSON")
        return response.json()

    # The node

    def get_api_info(self):
        return self._json("GET", f"{self.base_url}/")

    def get_status(self):
        return self._json("GET", f"{self.base_url}/status")

    def _operate(self, operation, **fields):
        return self._json("POST", f"{self.base_url}/admin", data={"operation": operation, **fields})

    def restart_node(self):
        return self._operate("restart")

    def reset_node(self):
        return self._operate("reset")

    def delete_all_sink_datasets(self):
        return self._operate("delete-all-sink-datasets")

    def get_metadata(self):
        return self._json("GET", f"{self.base_url}/metadata")

    def set_metadata(self, metadata):
        return self._json("PUT", f"{self.base_url}/metadata", json=metadata)

    # Configuration

    def get_env_vars(self):
        return self._json("GET", f"{self.base_url}/env")

    def put_env_vars(self, variables):
        return self._json("PUT", f"{self.base_url}/env", json=variables)

    def get_config_as_zip(self):
        response = self.do_request("GET", f"{self.base_url}/config", headers={"Accept": "application/zip"})
        if response.headers.get("Content-Type", "").split(";")[0] != "application/zip":
            raise AssertionError(f"The configuration came as {response.headers.get('Content-Type')}")
        return response.content

    def upload_config(self, config, force=False):
        """Bytes of a zip, or a list of components."""
        is_zip = isinstance(config, bytes)
        content = config if is_zip else json.dumps(config)
        part = ("config", content, "application/zip" if is_zip else "application/json")
        return self._json(
            "PUT", f"{self.base_url}/config", params={"force": "true" if force else "false"}, files={"file": part}
        )

    # Pipes, systems, datasets

    def get_pipes(self):
        return [Pipe(self, document) for document in self._json("GET", self.pipes_url)]

    def get_pipe(self, pipe_id):
        return Pipe(self, self._json("GET", self.get_pipe_url(pipe_id)))

    def add_pipes(self, pipes):
        return [Pipe(self, document) for document in self._json("POST", self.pipes_url, 201, json=pipes)]

    def get_systems(self):
        return [System(self, document) for document in self._json("GET", self.systems_url)]

    def get_system(self, system_id):
        return System(self, self._json("GET", self.get_system_url(system_id)))

    def add_systems(self, systems):
        return [System(self, document) for document in self._json("POST", self.systems_url, 201, json=systems)]

    def get_dataset(self, dataset_id):
        return Dataset(self, self._json("GET", self.get_dataset_url(dataset_id)))
