"""A stand-in for the HTTP library under the public command line client, written from the specification of the REST API.

The genuine library is not open source. This one says what the specification says that published versions send, and
is as strict as they are about what comes back: status codes, content types, shapes.
"""

from sesamclient import utils
from sesamclient.connection import Connection
from sesamclient.errors import ApiError

__all__ = ["ApiError", "Connection", "utils"]
