"""How a client may prove who it is (RFC 7591 section 2, `token_endpoint_auth_method`)."""

import enum


class AuthMethod(str, enum.Enum):
    """How a client proves at our endpoints who it is."""

    NONE = "none"
    SECRET_BASIC = "client_secret_basic"  # noqa: S105 - the name of a method
    SECRET_POST = "client_secret_post"  # noqa: S105 - the name of a method
    PRIVATE_KEY_JWT = "private_key_jwt"

    @property
    def needs_secret(self) -> bool:
        """Whether we have to issue a secret for it."""
        return self in {AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST}
