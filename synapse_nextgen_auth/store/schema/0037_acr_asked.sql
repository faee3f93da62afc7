-- How the values are meant that a client asks for (OpenID Connect Core section 5.5.1.1); absent where it
-- is by the parameter `acr_values`.
ALTER TABLE nextgen_grants ADD COLUMN acr_strictness TEXT;
-- What a client asks of the person who lets a device in (RFC 9470 section 4).
ALTER TABLE nextgen_device_grants ADD COLUMN acr_values TEXT
