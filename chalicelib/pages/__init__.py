"""The owners' page, which is a client of this API, and QR codes of links."""
