"""Pipes, pumps, systems and datasets as the hub describes them, with what can be done to each."""

import time

from sesamclient.errors import ApiError


class _Document:
    def __init__(self, connection, document):
        self._connection = connection
        self._set(document)

    def _set(self, document):
        self._document = document
        self.id = document["_id"]
        self.config = document["config"]
        self.runtime = document["runtime"]


class Pipe(_Document):
    @property
    def url(self):
        return self._connection.get_pipe_url(self.id)

    def refresh(self):
        self._set(self._connection._json("GET", self.url))

    def wait_for_pipe_to_be_deployed(self, timeout=60):
        end = time.monotonic() + timeout
        while True:
            self.refresh()
            if self.runtime["state"] != "Deploying":
                return
            if time.monotonic() >= end:
                raise TimeoutError(f"Pipe '{self.id}' is still being deployed.")
            time.sleep(1)

    def get_pump(self):
        return Pump(self._connection, self.id)

    def delete(self):
        return self._connection._json("DELETE", self.url)


class Pump(_Document):
    def __init__(self, connection, pipe_id):
        self.url = f"{connection.get_pipe_url(pipe_id)}/pump"
        super().__init__(connection, connection._json("GET", self.url))

    @property
    def is_disabled(self):
        return self.runtime["is-disabled"]

    @property
    def is_running(self):
        return self.runtime["is-running"]

    def refresh(self):
        self._set(self._connection._json("GET", self.url))

    def operate(self, operation, **fields):
        try:
            self._set(self._connection._json("POST", self.url, data={"operation": operation, **fields}))
        except ApiError as error:
            if error.response.status_code == 400 and "doesn't support the operation" in error.response.text:
                raise NotImplementedError(f"Pump '{self.id}' cannot '{operation}'.") from error
            raise

    def enable(self):
        self.operate("enable")

    def disable(self, comment=None):
        self.operate("disable", **({} if comment is None else {"comment": comment}))

    def start(self):
        """One that runs already is as good as one that was started."""
        try:
            self.operate("start")
        except ApiError as error:
            if error.response.status_code != 409:
                raise

    def stop(self):
        self.operate("stop")

    def run_pump_until_there_are_no_pending_work(self, timeout=900):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.start()
            self.refresh()
            while self.is_running:
                time.sleep(0.2)
                self.refresh()
            if not _has_pending(self.runtime["queues"]):
                return
        raise TimeoutError(f"Pump '{self.id}' still has work to do.")


def _has_pending(queues):
    """Numbers, null where nobody knows, or dicts of the same."""
    if isinstance(queues, dict):
        return any(_has_pending(one) for one in queues.values())
    return queues is not None and queues > 0


class System(_Document):
    @property
    def url(self):
        return self._connection.get_system_url(self.id)

    def put_secrets(self, secrets):
        return self._connection._json("PUT", f"{self.url}/secrets", params={"encrypt": "true"}, json=secrets)

    def delete(self):
        return self._connection._json("DELETE", self.url)


class Dataset(_Document):
    def get_entities(self, history=True, deleted=True, limit=None, reverse=False, do_transit_decoding=True):
        """Values stay as the hub wrote them; nobody has asked for anything else."""
        if do_transit_decoding:
            raise NotImplementedError("This stand-in gives entities as they are written.")
        # Booleans travel as Python writes them.
        parameters = {"history": history, "deleted": deleted, "reverse": reverse}
        if limit is not None:
            parameters["limit"] = limit
        url = f"{self._connection.get_dataset_url(self.id)}/entities"
        return self._connection._json("GET", url, params=parameters)
