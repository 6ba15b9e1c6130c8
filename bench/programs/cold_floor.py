"""What nobody who calls AWS from Python gets around."""

import ssl  # noqa: F401
