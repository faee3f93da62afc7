"""The token endpoint (RFC 6749 section 3.2): one pipeline, and a file for what each grant type adds."""
