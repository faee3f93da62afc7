Devices without a browser sign in by a code that a person types elsewhere, or by a QR code.
