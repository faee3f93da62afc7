"""The people that the CAS server of the tests knows: everybody."""

from cas_server.auth import AuthUser


class Anybody(AuthUser):
    """Somebody by name."""

    def test_password(self, password):
        """Any password is right."""
        return True

    def attributs(self):
        """Return what the provider says of the person."""
        return {"name": f"{self.username} Surname"}
