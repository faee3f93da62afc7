"""The identity providers that Synapse's configuration names: OpenID Connect, SAML and CAS."""
