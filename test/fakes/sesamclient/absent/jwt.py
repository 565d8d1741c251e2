"""Names that the client imports at its start for the login of one third party, and that no package of Debian has."""


class JWT:
    def __init__(self):
        raise NotImplementedError("Logins at third parties need the package jwt.")


def jwk_from_dict(_keys):
    raise NotImplementedError("Logins at third parties need the package jwt.")
